"""Changing the status of sweeps and trials: compare-and-set, logged, with a new revision.

Finished is final: the WHERE of each update says from which statuses it may come, so losing a race
is a normal return and never an overwrite.
"""

from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import F

from sweeps.domain.states import (
    SweepStatus,
    TrialStatus,
    sweep_sources,
    trial_sources,
)
from sweeps.models import StateChange, Sweep, Trial
from sweeps.services import notices, rows


def bump(sweep_id: int) -> int:
    """The sweep's next revision; also locks its row until the transaction ends.

    By hand, because every change of a trial does it: a tenth of what two queries take.
    """
    if not connection.features.can_return_columns_from_insert:  # RETURNING: SQLite from 3.35 on
        Sweep.objects.filter(pk=sweep_id).update(revision=F("revision") + 1)
        return Sweep.objects.values_list("revision", flat=True).get(pk=sweep_id)
    table = connection.ops.quote_name(Sweep._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET revision = revision + 1 WHERE id = %s RETURNING revision",  # noqa: S608
            [sweep_id],
        )
        [row] = cursor.fetchall()
    return int(row[0])


def lock(sweep_id: int) -> None:
    """Hold the sweep's row until the transaction ends: what is read after this stays true.

    First of all in a transaction that reads before it writes. SQLite has one writer at a time, who
    writes from the transaction's beginning (IMMEDIATE): nothing to do there.
    """
    if connection.features.has_select_for_update:
        Sweep.objects.select_for_update().values_list("pk").get(pk=sweep_id)


def move_trial(
    trial: Trial,
    to: TrialStatus,
    now: datetime,
    *,
    reason: str = "",
    actor: str = "studio",
    attempt: int | None = None,
    **changes: Any,
) -> bool:
    """Give the trial the status `to`; False if it has moved on in the meantime.

    `attempt` fences the write: it only holds while that is the trial's newest attempt. Call in a
    transaction.
    """
    before = trial.status
    if before not in trial_sources(to):
        return False
    seen: dict[str, Any] = {"pk": trial.pk, "status": before}
    if attempt is not None:
        seen["attempt"] = attempt
    changes |= {"status": to, "reason": reason, "revision": bump(trial.sweep_id)}
    if to is TrialStatus.QUEUED:  # how long an attempt took that is over is no figure of the next
        changes |= {"started_at": None, "ended_at": None}
    if to.is_final:
        changes.setdefault("ended_at", now)
    if not rows.update(Trial, seen, **changes):
        return False
    for name, value in changes.items():
        setattr(trial, name, value)
    rows.insert(
        StateChange(
            sweep_id=trial.sweep_id,
            trial_id=trial.pk,
            attempt=trial.attempt,
            before=before,
            after=to,
            reason=reason,
            actor=actor,
            at=now,
        )
    )
    return True


def move_sweep(
    sweep: Sweep,
    to: SweepStatus,
    now: datetime,
    *,
    reason: str = "",
    actor: str = "studio",
    **changes: Any,
) -> bool:
    """Give the sweep the status `to`; False if it has moved on. Call in a transaction."""
    before = sweep.status
    if before not in sweep_sources(to):
        return False
    changes |= {"status": to, "reason": reason}
    if to.is_final:
        changes.setdefault("ended_at", now)
    seen = Sweep.objects.filter(pk=sweep.pk, status=before)
    if not seen.update(revision=F("revision") + 1, **changes):
        return False
    for name, value in changes.items():
        setattr(sweep, name, value)
    StateChange.objects.create(
        sweep=sweep, before=before, after=to, reason=reason, actor=actor, at=now
    )
    notices.tell_of_status(sweep, now)
    return True


def note_exhausted(sweep: Sweep, reason: str, now: datetime) -> None:
    """Remember that the sweep's search space has no further point to offer. In a transaction.

    The only entries of the log that leave the status as it was: the reason outlasts pauses there.
    """
    changes = {"exhausted": True, "reason": reason, "revision": bump(sweep.pk)}
    Sweep.objects.filter(pk=sweep.pk).update(**changes)
    for name, value in changes.items():
        setattr(sweep, name, value)
    StateChange.objects.create(
        sweep=sweep, before=sweep.status, after=sweep.status, reason=reason, at=now
    )
