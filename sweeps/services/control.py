"""Pausing, resuming, stopping and cancelling sweeps.

Each says True if this call made the difference, so that two tabs or a double click do it once; the
same wish again is False, and one that the sweep's state rules out raises InvalidInput.
"""

from datetime import datetime
from typing import Any

from django.db import transaction

from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import Desired, PausedBy, SweepStatus, TrialStatus
from sweeps.models import StateChange, Sweep
from sweeps.queries.endings import ran_out
from sweeps.queries.work import nobody_runs
from sweeps.services.noting import noted_sweep
from sweeps.services.room import require_in_use
from sweeps.services.state import bump, lock, move_sweep, move_trial

PAUSED = "Paused by {}: running trials finish, none start until it is resumed."


def pause_sweep(
    sweep: Sweep,
    *,
    actor: str,
    now: datetime,
    by: PausedBy = PausedBy.PERSON,
    reason: str = "",
) -> bool:
    """Let running trials finish and start none.

    Raises InvalidInput when the sweep has ended or is being ended.
    """
    with transaction.atomic():
        _refresh(sweep)
        if sweep.desired == Desired.PAUSE:
            return noted_sweep("paused", sweep, _take_over(sweep, by, actor))
        _require_going(sweep, "pause")
        before = sweep.status
        moved = move_sweep(
            sweep,
            SweepStatus.PAUSED,
            now,
            reason=reason or PAUSED.format(actor),
            actor=actor,
            desired=Desired.PAUSE,
            paused_by=by,
        )
        return noted_sweep("paused", sweep, moved, before)


def _take_over(sweep: Sweep, by: PausedBy, actor: str) -> bool:
    """A person's pause outlasts the disk's: what a person paused never resumes by itself."""
    if by is PausedBy.PERSON and sweep.paused_by == PausedBy.DISK:
        text = f"{sweep.reason} Paused by {actor} as well: it stays paused until it is resumed."
        changes = {"paused_by": by, "reason": text, "revision": bump(sweep.pk)}
        return bool(Sweep.objects.filter(pk=sweep.pk).update(**changes))
    return False


def resume_sweep(sweep: Sweep, *, actor: str, now: datetime) -> bool:
    """Let a paused sweep go on; failures so far no longer count for the next pause.

    The clock of its timeout stood still. Raises InvalidInput when the sweep has ended or is being
    ended, or its workspace is archived.
    """
    with transaction.atomic():
        _refresh(sweep)
        if sweep.desired == Desired.RUN and not SweepStatus(sweep.status).is_final:
            return False
        if sweep.desired != Desired.PAUSE:
            raise InvalidInput.conflict(_over(sweep, "resume"))
        if sweep.paused_by != PausedBy.DISK:  # else it only waited
            require_in_use(sweep.workspace_id)
        changes: dict[str, Any] = {"desired": Desired.RUN, "paused_by": ""}
        changes["reason"] = ran_out(sweep) if sweep.exhausted else ""
        if sweep.paused_by != PausedBy.DISK:  # else nobody has looked at what failed
            changes["failures_from"] = now
        if sweep.timed_from:
            changes["timed_from"] = sweep.timed_from + (now - _paused_at(sweep, now))
        to = SweepStatus.RUNNING if sweep.planned else SweepStatus.QUEUED
        if sweep.planned and not sweep.started_at:  # its first trial was picked while it was paused
            changes |= {"started_at": now, "timed_from": now}
        before = sweep.status
        return noted_sweep(
            "resumed", sweep, move_sweep(sweep, to, now, actor=actor, **changes), before
        )


def begin(sweep: Sweep, now: datetime, reason: str = "") -> bool:
    """The first trial is there: from now on the timeout counts. Call in a transaction."""
    return move_sweep(
        sweep, SweepStatus.RUNNING, now, reason=reason, started_at=now, timed_from=now
    )


def _paused_at(sweep: Sweep, now: datetime) -> datetime:
    changes = StateChange.objects.filter(sweep=sweep, trial=None, after=SweepStatus.PAUSED)
    newest = changes.order_by("-id").values_list("at", flat=True).first()
    return min(newest or now, now)


def stop_sweep(sweep: Sweep, *, actor: str, now: datetime, reason: str = "") -> bool:
    """Let running trials finish, start no more, then end with what there is.

    Raises InvalidInput when the sweep has ended in another way.
    """
    with transaction.atomic():
        _refresh(sweep)
        if sweep.desired == Desired.STOP:
            return False
        _require_live(sweep, "stop")
        if sweep.desired == Desired.CANCEL:
            raise InvalidInput.conflict("The sweep is being canceled.")
        reason = reason or f"Stopped by {actor}."
        before = sweep.status
        moved = _begin_end(sweep, Desired.STOP, reason, actor, now)
        _cancel_queued(sweep, reason, now, actor)
        return noted_sweep("stopped", sweep, moved, before)


def end_now(sweep: Sweep, reason: str, *, now: datetime, actor: str = "studio") -> bool:
    """End a sweep that is out of time or cannot go on: every live trial is cancelled."""
    with transaction.atomic():
        _refresh(sweep)
        if SweepStatus(sweep.status).is_final or sweep.desired == Desired.CANCEL:
            return False
        _begin_end(sweep, Desired.STOP, reason, actor, now)
        _cancel_trials(sweep, reason, now, actor)
        return True


def cancel_sweep(sweep: Sweep, *, actor: str, now: datetime) -> bool:
    """Kill running trials now, start no more.

    Raises InvalidInput when the sweep has already ended in another way.
    """
    with transaction.atomic():
        _refresh(sweep)
        if sweep.desired == Desired.CANCEL:
            return False
        _require_live(sweep, "cancel")
        reason = f"Canceled by {actor}."
        before = sweep.status
        moved = _begin_end(sweep, Desired.CANCEL, reason, actor, now)
        _cancel_trials(sweep, reason, now, actor)
        return noted_sweep("canceled", sweep, moved, before)


def revive(sweep: Sweep, *, actor: str, now: datetime, **changes: Any) -> bool:
    """Bring an ended sweep back, with the clock of its timeout set anew. Call in a transaction.

    Callers say by `exhausted` whether it may draw further points. Raises InvalidInput if somebody
    has deleted it meanwhile: it would run out of everybody's sight.
    """
    if not Sweep.objects.kept().filter(pk=sweep.pk).exists():
        raise InvalidInput.conflict("The sweep has been deleted.")
    fresh: dict[str, Any] = {
        "desired": Desired.RUN,
        "paused_by": "",
        "failures_from": now,
        "timed_from": now,
    }
    return move_sweep(
        sweep,
        SweepStatus.RUNNING,
        now,
        actor=actor,
        **(fresh | {"ended_at": None, "run_closed": False} | changes),
    )


def _refresh(sweep: Sweep) -> None:
    lock(sweep.pk)
    sweep.refresh_from_db()


def _require_live(sweep: Sweep, verb: str) -> None:
    if SweepStatus(sweep.status).is_final:
        raise InvalidInput.conflict(_over(sweep, verb))


def _require_going(sweep: Sweep, verb: str) -> None:
    if sweep.desired != Desired.RUN or SweepStatus(sweep.status).is_final:
        raise InvalidInput.conflict(_over(sweep, verb))


def _over(sweep: Sweep, verb: str) -> str:
    if SweepStatus(sweep.status).is_final:
        return f"The sweep has ended as {sweep.status}; nothing to {verb}."
    return f"The sweep is being {'canceled' if sweep.desired == Desired.CANCEL else 'stopped'}."


def _begin_end(sweep: Sweep, wish: Desired, reason: str, actor: str, now: datetime) -> bool:
    changes: dict[str, Any] = {"desired": wish, "paused_by": ""}
    if sweep.status == SweepStatus.STOPPING:  # from stopping to cancelling
        changes |= {"reason": reason, "revision": bump(sweep.pk)}
        for name, value in changes.items():
            setattr(sweep, name, value)
        return bool(Sweep.objects.filter(pk=sweep.pk).update(**changes))
    return move_sweep(sweep, SweepStatus.STOPPING, now, reason=reason, actor=actor, **changes)


def _cancel_queued(sweep: Sweep, reason: str, now: datetime, actor: str) -> None:
    for trial in sweep.trials.filter(status=TrialStatus.QUEUED):
        move_trial(trial, TrialStatus.CANCELED, now, reason=reason, actor=actor)


def _cancel_trials(sweep: Sweep, reason: str, now: datetime, actor: str) -> None:
    """Queued trials end here; the engine stops the running ones, which ask for it by `desired`."""
    _cancel_queued(sweep, reason, now, actor)
    for trial in nobody_runs(sweep.trials.all()):
        move_trial(trial, TrialStatus.CANCELED, now, reason=reason, actor=actor)
    # Whom a policy has sentenced is being stopped already, and keeps that reason.
    others = sweep.trials.active().exclude(desired=Desired.TERMINATE_EARLY)
    others.update(desired=Desired.CANCEL, reason=reason, revision=bump(sweep.pk))
