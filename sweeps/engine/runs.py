"""MLflow runs of sweeps and attempts: opened before the command, closed after it, always."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from sweeps.domain.param_names import format_value
from sweeps.domain.states import SweepStatus
from sweeps.engine import forward
from sweeps.engine.git_tags import git_tags
from sweeps.engine.outputs import keep_outputs
from sweeps.engine.tracking import tracking
from sweeps.models import Attempt, Sweep
from sweeps.queries.prepared import Prepared
from sweeps.queries.records import best_trial
from sweeps.services import sweeps as sweep_services
from sweeps.services import trials as trial_services
from sweeps.services.state import move_sweep
from sweeps.tracking import tags
from sweeps.tracking.client import TrackingRejected, batch

log = logging.getLogger(__name__)

# MLflow's own limit of a parameter's text is 6,000.
_PARAM_MAX = 6000


def _ms(moment: datetime | None) -> int:
    assert moment is not None
    return int(moment.timestamp() * 1000)


def open_sweep(sweep: Sweep) -> None:
    """Make the experiment and the parent run of a sweep, once.

    Call under a lease. Raises TrackingUnavailable.
    """
    if sweep.run_id:
        return
    client, workspace = tracking(), sweep.workspace.name
    experiment = client.get_or_create_experiment(
        f"{workspace}/{sweep.experiment_name}", {tags.WORKSPACE: workspace}
    )
    # Looked up first: a crash between creating and saving must not make a twin.
    found = client.find_run(experiment, {tags.SWEEP: sweep.uid, tags.TRIAL: "none"})
    run_id = found or client.create_run(
        experiment,
        sweep.name,
        {
            **_common(sweep),
            tags.TRIAL: "none",
            tags.SAMPLING_ALGORITHM: sweep.sampling["algorithm"],
        },
        start_ms=_ms(sweep.created_at),
    )
    sweep_services.record_run(sweep, experiment, run_id)


def refuse_sweep(sweep: Sweep, message: str, now: datetime) -> bool:
    """End a sweep that MLflow will not take."""
    with transaction.atomic():
        reason = f"MLflow refused the sweep's run: {message}"
        return move_sweep(sweep, SweepStatus.FAILED, now, reason=reason)


def _common(sweep: Sweep) -> dict[str, str]:
    return {
        tags.SWEEP: sweep.uid,
        tags.WORKSPACE: sweep.workspace.name,
        tags.USER: str(sweep.created_by or "studio"),
        tags.SOURCE_NAME: sweep.command.split("\n")[0][:200],
        tags.SOURCE_TYPE: "JOB",
        **git_tags(sweep.git, sweep.properties),
    }


def new_attempt_run(attempt: Attempt, now: datetime) -> str:
    """Make the child run of an attempt and return its id. Touches no database of ours.

    Raises TrackingUnavailable.
    """
    trial, sweep = attempt.trial, attempt.trial.sweep
    return tracking().create_run(
        sweep.experiment_id,
        f"{sweep.name}_{trial.number}",
        {**_common(sweep), tags.TRIAL: str(trial.number), tags.ATTEMPT: _name(attempt)},
        parent_run_id=sweep.run_id,
        start_ms=_ms(now),
    )


def find_attempt(attempt: Attempt) -> str | None:
    """The child run of an attempt that died before it could remember it."""
    experiment = attempt.trial.sweep.experiment_id
    if not experiment:
        return None
    try:
        return tracking().find_run(experiment, {tags.ATTEMPT: _name(attempt)})
    except TrackingRejected as refusal:
        # A person deleted the experiment there: no run to close must not keep the sweep open.
        log.warning("MLflow refused to look for the run of %s: %s", attempt, refusal.message)
        return None


def _name(attempt: Attempt) -> str:
    """What names an attempt in MLflow: a primary key would come again in another database."""
    return f"{attempt.trial.sweep.uid}.{attempt.trial.number}.{attempt.number}"


@Prepared
def _to_close(attempt_id: Any) -> QuerySet[Attempt, Attempt]:
    rows = Attempt.objects.select_related("trial__sweep__compute", "trial__sweep__code").filter(
        pk=attempt_id
    )
    return rows.order_by().only(
        "number", "run_id", "run_closed", "run_status", "reason", "accepted", "ended_at",
        "handle", "spool", "outputs", "trial__number", "trial__flat_params", "trial__sweep__uid",
        "trial__sweep__code__digest", "trial__sweep__experiment_id", "trial__sweep__compute__kind",
    )  # fmt: skip


def attempt_to_close(attempt_id: int) -> Attempt:
    """An attempt with all that its closing needs."""
    [attempt] = _to_close(attempt_id)
    return attempt


def close_attempt(attempt: Attempt) -> bool:
    """Give the child run its last metrics, missing parameters and final status.

    False if there are more metrics or outputs than can be brought to MLflow in a moment. Raises
    TrackingUnavailable, and AnotherKeeps while another worker copies the outputs.
    """
    if not attempt.run_id:
        # A create that timed out may have made a run all the same.
        found = find_attempt(attempt)
        if found is None:
            trial_services.mark_run_closed(attempt)
            return True
        trial_services.record_run(attempt, found)
    if not keep_outputs(attempt):
        return False
    client, run_id = tracking(), attempt.run_id
    params = {
        name: format_value(value)[:_PARAM_MAX] for name, value in attempt.trial.flat_params.items()
    }
    extra = {tags.REASON: attempt.reason[:5000]} if attempt.reason else {}
    if not attempt.accepted:
        extra[tags.SUPERSEDED] = "true"
    along = forward.Along(batch(params, extra))
    if not forward.drain(run_id, along=along):
        return False
    status, end_ms = attempt.run_status or "KILLED", _ms(attempt.ended_at)
    if not along.taken:
        _take(
            run_id,
            lambda: client.log_params_missing(run_id, params),
            lambda: client.set_tags(run_id, extra),
        )
    _take(run_id, lambda: client.set_terminated(run_id, status, end_ms))
    trial_services.mark_run_closed(attempt)
    return True


def _take(run_id: str, *steps: Callable[[], None]) -> None:
    """Take every step. What MLflow refuses now it refuses always: a person deleted the run there,
    and a run that cannot be closed must not keep its sweep from ending."""
    for step in steps:
        try:
            step()
        except TrackingRejected as refusal:
            log.warning("MLflow refused to close run %s: %s", run_id, refusal.message)


_SWEEP_RUN_STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED"}


def close_sweep(sweep: Sweep) -> None:
    """Mark the best child on the parent run and give it its final status.

    Raises TrackingUnavailable.
    """
    client, best, run_id = tracking(), best_trial(sweep), sweep.run_id
    status, end_ms = _SWEEP_RUN_STATUS[sweep.status], _ms(sweep.ended_at)
    marks = {tags.BEST_CHILD_RUN_ID: best.run_id} if best is not None else {}
    _take(
        run_id,
        lambda: client.set_tags(run_id, marks),
        lambda: client.set_terminated(run_id, status, end_ms),
    )
    sweep_services.mark_run_closed(sweep)
