"""The life of a trial's attempts: claim, start, finish, put back, cancel."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction

from studio.models import Compute
from studio.models.token import digest, new_secret
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import ACTIVE_TRIAL, Desired, SweepStatus, TrialStatus
from sweeps.domain.verdict import Logged, Outcome, Verdict, judge
from sweeps.models import Attempt, MetricPoint, MetricSummary, Sweep, Trial
from sweeps.models.metrics import from_columns
from sweeps.services.state import bump, move_sweep, move_trial

# Longer than a claim takes to become a started command, which is about a second.
CLAIM_LEASE = timedelta(seconds=10)
TRIAL_TOKEN_PREFIX = "stt_"


@dataclass(frozen=True, slots=True)
class Claim:
    """A trial that this caller, and no other, may start; `token` is the trial's key, told once."""

    attempt: Attempt
    token: str


def claim(trial_id: int, *, owner: str, spool_root: Path, now: datetime) -> Claim | None:
    """Take a queued trial for starting; None if it is taken, not due, or no slot is free."""
    with transaction.atomic():
        trial = Trial.objects.select_related("sweep").filter(pk=trial_id).first()
        if trial is None or not _may_start(trial, now):
            return None
        number, token = trial.attempt + 1, new_secret(TRIAL_TOKEN_PREFIX)
        moved = move_trial(trial, TrialStatus.STARTING, now, attempt=trial.attempt, not_before=None)
        if not moved:
            return None
        _reset(trial, number)
        attempt = Attempt.objects.create(
            trial=trial,
            number=number,
            spool=str(spool_root / f"{trial.sweep_id}" / f"{trial.number}.{number}"),
            lease_owner=owner,
            lease_expires_at=now + CLAIM_LEASE,
            token_digest=digest(token),
            created_at=now,
        )
    return Claim(attempt, token)


def _may_start(trial: Trial, now: datetime) -> bool:
    due = trial.not_before is None or trial.not_before <= now
    if trial.status != TrialStatus.QUEUED or trial.desired != Desired.RUN or not due:
        return False
    # The row lock makes the count true on PostgreSQL; SQLite's writers are one at a time anyway.
    compute = Compute.objects.select_for_update().get(pk=trial.sweep.compute_id)
    active = Trial.objects.filter(status__in=ACTIVE_TRIAL)
    used = active.filter(sweep__compute=compute).count()
    mine = active.filter(sweep=trial.sweep_id).count()
    return used < compute.slots and mine < trial.sweep.max_concurrent_trials


def _reset(trial: Trial, number: int) -> None:
    """A new attempt starts with no metrics: those of a superseded one count nowhere."""
    MetricSummary.objects.filter(trial=trial).delete()
    trial.attempt, trial.objective, trial.last_value = number, None, None
    trial.reports, trial.best_report, trial.run_id = 0, None, ""
    trial.started_at = trial.ended_at = None
    trial.save(
        update_fields=[
            "attempt",
            "objective",
            "last_value",
            "reports",
            "best_report",
            "run_id",
            "started_at",
            "ended_at",
        ]
    )


def record_run(attempt: Attempt, run_id: str) -> None:
    """Remember the MLflow run of an attempt."""
    with transaction.atomic():
        Attempt.objects.filter(pk=attempt.pk).update(run_id=run_id)
        Trial.objects.filter(pk=attempt.trial_id, attempt=attempt.number).update(run_id=run_id)
    attempt.run_id = run_id


def record_started(attempt: Attempt, handle: str, argv: tuple[str, ...], now: datetime) -> bool:
    """Remember that the command runs; False if the attempt was given up in the meantime."""
    with transaction.atomic():
        rows = Attempt.objects.open().filter(pk=attempt.pk)
        if not rows.update(handle=handle, argv=list(argv), started_at=now, lease_expires_at=None):
            return False
        trial = Trial.objects.get(pk=attempt.trial_id)
        return move_trial(
            trial,
            TrialStatus.RUNNING,
            now,
            reason=trial.reason if trial.desired != Desired.RUN else "",
            attempt=attempt.number,
            started_at=now,
        )


def put_back(attempt: Attempt, reason: str, now: datetime, wait_s: int = 0) -> bool:
    """End an attempt that never ran its command and queue the trial again, uncounted."""
    with transaction.atomic():
        rows = Attempt.objects.open().filter(pk=attempt.pk)
        if not rows.update(ended_at=now, outcome="put_back", reason=reason, run_status="KILLED"):
            return False
        trial = Trial.objects.get(pk=attempt.trial_id)
        if trial.desired != Desired.RUN:
            return move_trial(trial, TrialStatus.CANCELED, now, reason=trial.reason)
        return move_trial(
            trial,
            TrialStatus.QUEUED,
            now,
            reason=reason,
            attempt=attempt.number,
            not_before=now + timedelta(seconds=wait_s) if wait_s else None,
        )


def fail_to_start(attempt: Attempt, reason: str, now: datetime) -> bool:
    """End an attempt that cannot be started, for a reason that trying again will not change."""
    with transaction.atomic():
        rows = Attempt.objects.open().filter(pk=attempt.pk)
        changes = {"outcome": "not_started", "reason": reason, "run_status": "FAILED"}
        if not rows.update(ended_at=now, accepted=True, **changes):
            return False
        trial = Trial.objects.get(pk=attempt.trial_id)
        return move_trial(trial, TrialStatus.FAILED, now, reason=reason, attempt=attempt.number)


# What MLflow can say of a run's end.
_RUN_STATUS = {TrialStatus.COMPLETED: "FINISHED", TrialStatus.FAILED: "FAILED"}


def finish(
    attempt: Attempt, outcome: Outcome, *, peak_memory: int | None, now: datetime
) -> Verdict | None:
    """Give an ended attempt its verdict and the trial its status; None if it was superseded."""
    with transaction.atomic():
        trial = Trial.objects.select_related("sweep").get(pk=attempt.trial_id)
        verdict = judge(
            outcome,
            logged_by(attempt, trial.sweep.primary_metric),
            metric=trial.sweep.primary_metric,
            desired=Desired(trial.desired),
            wish_reason=trial.reason,
            losses=trial.losses,
            trial_timeout_s=trial.sweep.trial_timeout_s,
        )
        if not _end_attempt(attempt, outcome, verdict, peak_memory, now):
            return None
        moved = move_trial(
            trial,
            verdict.status,
            now,
            reason=verdict.reason,
            attempt=attempt.number,
            losses=trial.losses + verdict.lost,
            not_before=now + timedelta(seconds=verdict.wait_s) if verdict.wait_s else None,
        )
    return verdict if moved else None


def _end_attempt(
    attempt: Attempt, outcome: Outcome, verdict: Verdict, peak_memory: int | None, now: datetime
) -> bool:
    return bool(
        Attempt.objects.open()
        .filter(pk=attempt.pk)
        .update(
            ended_at=now,
            outcome=outcome.ending,
            exit_code=outcome.exit_code,
            signal=outcome.signal,
            peak_memory=peak_memory,
            reason=verdict.reason,
            accepted=verdict.status.is_final,
            run_status=_RUN_STATUS.get(verdict.status, "KILLED"),
        )
    )


def logged_by(attempt: Attempt, metric: str) -> Logged:
    """What the attempt logged so far, of its primary metric and of others."""
    points = MetricPoint.objects.filter(attempt=attempt)
    names = points.order_by().values_list("name", flat=True).distinct()
    primary = points.filter(name=metric)
    last = primary.order_by("-report").first()
    return Logged(
        reports=last.report if last else 0,
        has_finite=primary.filter(value__isnull=False).exists(),
        names=tuple(sorted(names)),
        last=_shown(from_columns(last.value, last.kind)) if last else "",
    )


def _shown(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return f"{value:g}" if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def mark_stop_sent(attempt: Attempt, now: datetime) -> None:
    """Remember when the runner was told to stop the attempt."""
    Attempt.objects.filter(pk=attempt.pk).update(stop_sent_at=now)


def mark_run_closed(attempt: Attempt) -> None:
    """Remember that MLflow has the final state of the attempt's run."""
    Attempt.objects.filter(pk=attempt.pk).update(run_closed=True)


def cancel_trial(trial: Trial, *, actor: str, now: datetime) -> bool:
    """Kill one trial, or take it from the queue; False if it is being cancelled already.

    Raises InvalidInput when the trial has ended in another way.
    """
    reason = f"Canceled by {actor}."
    with transaction.atomic():
        trial.refresh_from_db()
        if trial.status == TrialStatus.QUEUED:
            return move_trial(trial, TrialStatus.CANCELED, now, reason=reason, actor=actor)
        rows = Trial.objects.filter(pk=trial.pk).active().exclude(desired=Desired.CANCEL)
        changed = rows.update(desired=Desired.CANCEL, reason=reason, revision=bump(trial.sweep_id))
    if not changed and TrialStatus(trial.status).is_final and trial.status != TrialStatus.CANCELED:
        raise InvalidInput.conflict(f"The trial has ended as {trial.status}; nothing to cancel.")
    return bool(changed)


def rerun_trial(trial: Trial, *, actor: str, now: datetime) -> bool:
    """Queue an ended trial that did not complete for one more attempt.

    Raises InvalidInput when the trial is still live or has completed.
    """
    with transaction.atomic():
        trial.refresh_from_db()
        if trial.status == TrialStatus.COMPLETED:
            raise InvalidInput.conflict("The trial has completed; clone the sweep to run it anew.")
        if not TrialStatus(trial.status).is_final:
            raise InvalidInput.conflict(f"The trial is {trial.status}; wait for its end.")
        Attempt.objects.filter(trial=trial, accepted=True).update(accepted=False)
        sweep = Sweep.objects.get(pk=trial.sweep_id)
        if SweepStatus(sweep.status).is_final:
            move_sweep(
                sweep,
                SweepStatus.RUNNING,
                now,
                actor=actor,
                desired=Desired.RUN,
                ended_at=None,
                run_closed=False,
            )
        return move_trial(
            trial,
            TrialStatus.QUEUED,
            now,
            actor=actor,
            desired=Desired.RUN,
            losses=0,
            ended_at=None,
            not_before=None,
        )
