"""MLflow runs of sweeps and attempts: opened before the command, closed after it, always."""

from datetime import datetime

from sweeps.domain.param_names import format_value
from sweeps.engine import forward
from sweeps.engine.tracking import tracking
from sweeps.models import Attempt, Sweep
from sweeps.queries.records import best_trial
from sweeps.services import sweeps as sweep_services
from sweeps.services import trials as trial_services
from sweeps.tracking import tags
from sweeps.tracking.client import TrackingRejected

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
    found = client.find_run(experiment, {tags.SWEEP: str(sweep.pk), tags.TRIAL: "none"})
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


def _common(sweep: Sweep) -> dict[str, str]:
    return {
        tags.SWEEP: str(sweep.pk),
        tags.WORKSPACE: sweep.workspace.name,
        tags.USER: str(sweep.created_by or "studio"),
        tags.SOURCE_NAME: sweep.command.split("\n")[0][:200],
        tags.SOURCE_TYPE: "JOB",
    }


def open_attempt(attempt: Attempt, now: datetime) -> None:
    """Make the child run of an attempt.

    Raises TrackingUnavailable.
    """
    trial, sweep = attempt.trial, attempt.trial.sweep
    run_id = tracking().create_run(
        sweep.experiment_id,
        f"{sweep.name}_{trial.number}",
        {**_common(sweep), tags.TRIAL: str(trial.number), tags.ATTEMPT: str(attempt.pk)},
        parent_run_id=sweep.run_id,
        start_ms=_ms(now),
    )
    trial_services.record_run(attempt, run_id)


def find_attempt(attempt: Attempt) -> str | None:
    """The child run of an attempt that died before it could remember it."""
    experiment = attempt.trial.sweep.experiment_id
    return tracking().find_run(experiment, {tags.ATTEMPT: str(attempt.pk)})


def close_attempt(attempt: Attempt) -> None:
    """Give the child run its last metrics, missing parameters and final status.

    Raises TrackingUnavailable.
    """
    if not forward.drain(attempt.run_id):
        return
    client = tracking()
    try:
        client.log_params_missing(
            attempt.run_id,
            {
                name: format_value(value)[:_PARAM_MAX]
                for name, value in attempt.trial.flat_params.items()
            },
        )
        extra = {tags.REASON: attempt.reason[:5000]} if attempt.reason else {}
        if not attempt.accepted:
            extra[tags.SUPERSEDED] = "true"
        if extra:
            client.set_tags(attempt.run_id, extra)
        client.set_terminated(attempt.run_id, attempt.run_status or "KILLED", _ms(attempt.ended_at))
    except TrackingRejected as refusal:
        if refusal.code != "RESOURCE_DOES_NOT_EXIST":
            raise
        # A person deleted the run in MLflow; there is nothing left to close.
    trial_services.mark_run_closed(attempt)


_SWEEP_RUN_STATUS = {"Completed": "FINISHED", "Failed": "FAILED", "Canceled": "KILLED"}


def close_sweep(sweep: Sweep) -> None:
    """Mark the best child on the parent run and give it its final status.

    Raises TrackingUnavailable.
    """
    client, best = tracking(), best_trial(sweep)
    try:
        if best is not None:
            client.set_tags(sweep.run_id, {tags.BEST_CHILD_RUN_ID: best.run_id})
        client.set_terminated(sweep.run_id, _SWEEP_RUN_STATUS[sweep.status], _ms(sweep.ended_at))
    except TrackingRejected as refusal:
        if refusal.code != "RESOURCE_DOES_NOT_EXIST":
            raise
    sweep_services.mark_run_closed(sweep)
