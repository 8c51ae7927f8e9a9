"""The life of a trial's attempts: claim, start, finish, put back, cancel."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from studio import audit
from studio.models import Compute
from studio.models.token import digest, new_secret
from sweeps.domain.problems import InvalidInput
from sweeps.domain.signature import signature_of
from sweeps.domain.started import UNKNOWN, How
from sweeps.domain.states import LIVE_SWEEP, Desired, SweepStatus, TrialStatus
from sweeps.domain.verdict import Ending, Outcome, Tries, Verdict, judge
from sweeps.models import Attempt, MetricSummary, Sweep, Trial
from sweeps.queries import own_trial
from sweeps.queries.failures import PROBLEMS
from sweeps.queries.prepared import Prepared
from sweeps.queries.records import failure_policy_of
from sweeps.queries.slots import shares
from sweeps.queries.work import nobody_runs
from sweeps.services import rows
from sweeps.services.control import revive
from sweeps.services.logged import count_all, logged_by
from sweeps.services.notices import tell_if_best
from sweeps.services.noting import noted_trial, noted_trials
from sweeps.services.room import require_in_use
from sweeps.services.state import bump, lock, move_trial

# Longer than a claim takes to become a started command, which is about a second.
CLAIM_LEASE = timedelta(seconds=10)
TRIAL_TOKEN_PREFIX = "stt_"  # noqa: S105 - how all begin


@dataclass(frozen=True, slots=True)
class Claim:
    """A trial that this caller, and no other, may start; `token` is the trial's key, told once."""

    attempt: Attempt
    token: str


def claim(trial_id: int, *, owner: str, spool_root: Path, now: datetime) -> Claim | None:
    """Take a queued trial for starting; None if it is taken, not due, or no slot is free."""
    with transaction.atomic():
        trial = _locked(trial_id, own_trial.to_start)
        if trial is None or not _may_start(trial, now):
            return None
        number, token = trial.attempt + 1, new_secret(TRIAL_TOKEN_PREFIX)
        moved = move_trial(trial, TrialStatus.STARTING, now, attempt=trial.attempt, not_before=None)
        if not moved:
            return None
        _reset(trial, number)
        attempt = Attempt(
            trial=trial,
            number=number,
            spool=str(spool_root / trial.sweep.uid / f"{trial.number}.{number}"),
            lease_owner=owner,
            lease_expires_at=now + CLAIM_LEASE,
            time_limit_s=trial.sweep.trial_timeout_s,
            token_digest=digest(token),
            created_at=now,
        )
        rows.insert(attempt)
        rows.update(Sweep, {"pk": trial.sweep_id}, turn=attempt.pk)
    return Claim(attempt, token)


def _locked(trial_id: int, read: Prepared[Trial] = own_trial.to_decide) -> Trial | None:
    """The trial as it stands, and stays until the transaction ends."""
    if connection.features.has_select_for_update:  # else lock() has nothing to do
        sweep_id = Trial.objects.filter(pk=trial_id).values_list("sweep_id", flat=True).first()
        if sweep_id is None:
            return None
        lock(sweep_id)
    return read.first(trial_id)


def _own_trial(attempt: Attempt) -> Trial:
    """The trial of an attempt, locked likewise."""
    trial = _locked(attempt.trial_id)
    assert trial is not None, "attempts go with their trial"
    return trial


def renew(attempt: Attempt, owner: str, now: datetime) -> bool:
    """Keep a claim while its start takes long; False if it was taken back."""
    mine = {"pk": attempt.pk, "ended_at": None, "lease_owner": owner, "handle": ""}
    return bool(rows.update(Attempt, mine, lease_expires_at=now + CLAIM_LEASE))


def about_to_start(
    attempt: Attempt, owner: str, run_id: str, argv: tuple[str, ...], now: datetime
) -> bool:
    """Remember the run and the command that is about to start; False if the claim was taken back.

    Then the run is nobody's, and whoever closes the attempt finds it by its name.
    """
    mine = {"pk": attempt.pk, "ended_at": None, "lease_owner": owner, "handle": ""}
    changes = {"run_id": run_id, "argv": list(argv), "lease_expires_at": now + CLAIM_LEASE}
    if not rows.update(Attempt, mine, **changes):
        return False
    attempt.run_id = run_id
    return True


def _may_start(trial: Trial, now: datetime) -> bool:
    due = trial.not_before is None or trial.not_before <= now
    live = trial.sweep.status in LIVE_SWEEP
    wanted = live and trial.desired == trial.sweep.desired == Desired.RUN
    if trial.status != TrialStatus.QUEUED or not wanted or not due:
        return False
    # The row lock makes the count true on PostgreSQL; SQLite's writers are one at a time anyway.
    slots = trial.sweep.compute.slots
    if connection.features.has_select_for_update:
        computes = Compute.objects.select_for_update().values_list("slots", flat=True)
        slots = computes.get(pk=trial.sweep.compute_id)
    return shares(trial.sweep.compute_id, slots, now).of(trial.sweep_id) > 0


def _reset(trial: Trial, number: int) -> None:
    """A new attempt starts with no metrics: those of a superseded one count nowhere."""
    changes: dict[str, Any] = {"attempt": number}
    if number > 1:
        MetricSummary.objects.filter(trial=trial).delete()
        changes |= {"objective": None, "last_value": None, "reports": 0, "best_report": None}
        changes |= {"run_id": "", "started_at": None, "ended_at": None}
    rows.update(Trial, {"pk": trial.pk}, **changes)
    for name, value in changes.items():
        setattr(trial, name, value)


def record_run(attempt: Attempt, run_id: str) -> None:
    """Remember the MLflow run of an attempt."""
    with transaction.atomic():
        Attempt.objects.filter(pk=attempt.pk).update(run_id=run_id)
        Trial.objects.filter(pk=attempt.trial_id, attempt=attempt.number).update(run_id=run_id)
    attempt.run_id = run_id


def record_started(
    attempt: Attempt, handle: str, now: datetime, boot: str = "", how: How = UNKNOWN
) -> bool:
    """Remember that it runs; False if the attempt was given up in the meantime."""
    with transaction.atomic():
        trial = _locked(attempt.trial_id, own_trial.to_move)
        assert trial is not None, "attempts go with their trial"
        unstarted = {"pk": attempt.pk, "ended_at": None, "handle": ""}
        changes = {"handle": handle, "started_at": now, "boot_id": boot, **how.changes()}
        if not rows.update(Attempt, unstarted, lease_expires_at=None, **changes):
            return False
        return move_trial(
            trial,
            TrialStatus.RUNNING,
            now,
            reason=trial.reason if trial.desired != Desired.RUN else "",
            attempt=attempt.number,
            started_at=now,
            run_id=attempt.run_id,
        )


def put_back(attempt: Attempt, reason: str, now: datetime, wait_s: int = 0) -> bool:
    """End an attempt that never ran its command and queue the trial again, uncounted."""
    with transaction.atomic():
        trial = _own_trial(attempt)
        ending = trial.sweep.desired in (Desired.STOP, Desired.CANCEL)
        unwanted = trial.desired != Desired.RUN or ending
        changes = {"outcome": "put_back", "reason": reason, "run_status": "KILLED"}
        if not _end(attempt, now, accepted=unwanted, **changes):
            return False
        if unwanted:
            return _end_as_wanted(trial, now)
        return move_trial(
            trial,
            TrialStatus.QUEUED,
            now,
            reason=reason,
            attempt=attempt.number,
            not_before=now + timedelta(seconds=wait_s) if wait_s else None,
        )


def _end_as_wanted(trial: Trial, now: datetime) -> bool:
    """The end of a trial that is not to run again; it may have logged what was its sentence before
    anybody knew that it had started."""
    if trial.desired == Desired.TERMINATE_EARLY:
        moved = move_trial(trial, TrialStatus.EARLY_TERMINATED, now, reason=trial.reason)
        if moved:
            tell_if_best(trial, now)
        return moved
    wish = trial.reason if trial.desired != Desired.RUN else trial.sweep.reason
    return move_trial(trial, TrialStatus.CANCELED, now, reason=wish)


def fail_to_start(attempt: Attempt, reason: str, now: datetime) -> bool:
    """End an attempt that cannot be started, for a reason that trying again will not change."""
    with transaction.atomic():
        trial = _own_trial(attempt)
        signature = signature_of(Outcome(Ending.NOT_STARTED), reason)
        changes = {"outcome": "not_started", "reason": reason, "run_status": "FAILED"}
        if not _end(attempt, now, accepted=True, signature=signature, **changes):
            return False
        return move_trial(
            trial,
            TrialStatus.FAILED,
            now,
            reason=reason,
            attempt=attempt.number,
            signature=signature,
        )


# What MLflow can say of a run's end.
_RUN_STATUS = {TrialStatus.COMPLETED: "FINISHED", TrialStatus.FAILED: "FAILED"}


def finish(
    attempt: Attempt,
    outcome: Outcome,
    *,
    peak_memory: int | None,
    now: datetime,
    seen: datetime | None = None,
) -> Verdict | None:
    """Give an ended attempt its verdict and the trial its status; None if it was superseded.

    `now` is when it ended by the clock of its machine, `seen` when that was found by the
    database's: from then on a wait before the next try counts.
    """
    with transaction.atomic():
        trial = _own_trial(attempt)
        verdict = _verdict(attempt, trial, outcome)
        went_wrong = verdict.failed or verdict.lost or verdict.status in PROBLEMS
        signature = signature_of(outcome, verdict.reason) if went_wrong else ""
        wait = timedelta(seconds=verdict.wait_s)
        not_before = (seen or now) + wait if wait else None
        if not _end_attempt(attempt, outcome, verdict, signature, peak_memory, now):
            return None
        moved = move_trial(
            trial,
            verdict.status,
            now,
            reason=verdict.reason,
            attempt=attempt.number,
            losses=trial.losses + verdict.lost,
            failures=trial.failures + verdict.failed,
            signature=signature,
            not_before=not_before,
        )
        if moved and verdict.status is TrialStatus.COMPLETED and trial.desired != Desired.RUN:
            count_all(attempt, trial)
        if moved:
            tell_if_best(trial, seen or now)
    return verdict if moved else None


def _verdict(attempt: Attempt, trial: Trial, outcome: Outcome) -> Verdict:
    sweep = trial.sweep
    verdict = judge(
        outcome,
        logged_by(attempt, sweep.primary_metric),
        metric=sweep.primary_metric,
        desired=Desired(trial.desired),
        wish_reason=trial.reason,
        tries=Tries(trial.losses, trial.failures),
        policy=failure_policy_of(sweep),
        trial_timeout_s=attempt.time_limit_s or sweep.trial_timeout_s,
    )
    if verdict.status is TrialStatus.QUEUED and sweep.desired in (Desired.STOP, Desired.CANCEL):
        # Nothing starts in a sweep that is being ended, a second try neither.
        return replace(verdict, status=TrialStatus.CANCELED, reason=sweep.reason, wait_s=0)
    return verdict


def _end_attempt(
    attempt: Attempt,
    outcome: Outcome,
    verdict: Verdict,
    signature: str,
    peak_memory: int | None,
    now: datetime,
) -> bool:
    return _end(
        attempt,
        now,
        outcome=outcome.ending,
        exit_code=outcome.exit_code,
        signal=outcome.signal,
        peak_memory=peak_memory,
        reason=verdict.reason,
        signature=signature,
        accepted=verdict.status.is_final,
        run_status=_RUN_STATUS.get(verdict.status, "KILLED"),
        **outcome.how.changes(),
    )


def _end(attempt: Attempt, now: datetime, **changes: Any) -> bool:
    """Give an attempt its result; False if it has one."""
    return bool(rows.update(Attempt, {"pk": attempt.pk, "ended_at": None}, ended_at=now, **changes))


def mark_stop_sent(attempt: Attempt, now: datetime) -> None:
    """Remember when the runner was told to stop the attempt."""
    Attempt.objects.filter(pk=attempt.pk).update(stop_sent_at=now)


def mark_run_closed(attempt: Attempt) -> None:
    """Remember that MLflow has the final state of the attempt's run."""
    rows.update(Attempt, {"pk": attempt.pk}, run_closed=True)


def cancel_trial(trial: Trial, *, actor: str, now: datetime, reason: str = "") -> bool:
    """Kill one trial, or take it from the queue; False if it is being ended already.

    Raises InvalidInput when the trial has ended in another way.
    """
    reason = reason or f"Canceled by {actor}."
    with transaction.atomic():
        lock(trial.sweep_id)
        trial.refresh_from_db()
        unrun = nobody_runs(Trial.objects.filter(pk=trial.pk)).exists()
        if trial.status == TrialStatus.QUEUED or unrun:
            moved = move_trial(trial, TrialStatus.CANCELED, now, reason=reason, actor=actor)
            return noted_trial("canceled", trial, moved)
        wanted = Trial.objects.filter(pk=trial.pk).active().filter(desired=Desired.RUN)
        changed = wanted.update(
            desired=Desired.CANCEL, reason=reason, revision=bump(trial.sweep_id)
        )
        noted_trial("canceled", trial, bool(changed))
    if not changed and TrialStatus(trial.status).is_final and trial.status != TrialStatus.CANCELED:
        raise InvalidInput.conflict(f"The trial has ended as {trial.status}; nothing to cancel.")
    return bool(changed)


def rerun_trial(trial: Trial, *, actor: str, now: datetime) -> bool:
    """Queue an ended trial that did not complete for one more attempt.

    An ended sweep comes back for this trial alone, with the clock of its timeout set anew. Raises
    InvalidInput when the trial is still live or has completed, its sweep is being ended, or its
    workspace archived.
    """
    with transaction.atomic():
        lock(trial.sweep_id)
        trial.refresh_from_db()
        sweep = Sweep.objects.get(pk=trial.sweep_id)
        _check_rerun(trial, sweep)
        Attempt.objects.filter(trial=trial, accepted=True).update(accepted=False)
        if SweepStatus(sweep.status).is_final:
            # For this trial alone: a cancelled sweep draws no further points because of it.
            revive(sweep, actor=actor, now=now, exhausted=True)
        moved = move_trial(
            trial,
            TrialStatus.QUEUED,
            now,
            actor=actor,
            desired=Desired.RUN,
            losses=0,
            failures=0,
            signature="",
            not_before=None,
        )
        return noted_trial("ran again", trial, moved)


def rerun_failed(
    sweep: Sweep, *, actor: str, now: datetime, signature: str | None = None
) -> list[int]:
    """Queue every failed, lost or timed-out trial anew, or those of one signature; their ids.

    Raises InvalidInput when the sweep is being ended.
    """
    trials = sweep.trials.filter(status__in=PROBLEMS)
    if signature is not None:
        trials = trials.filter(signature=signature)
    with transaction.atomic():
        lock(sweep.pk)
        with audit.quietly():
            again = [
                trial.pk
                for trial in trials.order_by("number")
                if rerun_trial(trial, actor=actor, now=now)
            ]
        noted_trials("ran again", sweep, len(again))
        return again


def _check_rerun(trial: Trial, sweep: Sweep) -> None:
    require_in_use(sweep.workspace_id)
    if trial.status == TrialStatus.COMPLETED:
        raise InvalidInput.conflict("The trial has completed; clone the sweep to run it anew.")
    if not TrialStatus(trial.status).is_final:
        raise InvalidInput.conflict(f"The trial is {trial.status}; wait for its end.")
    if not SweepStatus(sweep.status).is_final and sweep.desired in (Desired.STOP, Desired.CANCEL):
        raise InvalidInput.conflict("The sweep is being ended; wait until it is over.")
