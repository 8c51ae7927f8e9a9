"""Writing a sweep that ran elsewhere: ended from its first row, and seen only once it is whole."""

import random
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import F

from studio import audit
from studio.models import Compute, User, Workspace
from sweeps.domain.bundles import Facts, Recorded
from sweeps.domain.job import SweepJob
from sweeps.domain.naming import new_name
from sweeps.domain.objective import Objective
from sweeps.domain.space import flatten
from sweeps.domain.states import Desired, SweepStatus
from sweeps.models import (
    Attempt,
    CodeSnapshot,
    MetricPoint,
    MetricSummary,
    StateChange,
    Sweep,
    Trial,
)
from sweeps.models.metrics import to_columns
from sweeps.queries.places import IMPORTED
from sweeps.services import rows
from sweeps.services.deletion import purge
from sweeps.services.metrics import Value, append
from sweeps.services.state import lock
from sweeps.services.sweeps import create_sweep

_HIDDEN = "importing "
_STALE = timedelta(hours=1)
# Of one transaction: some 100 ms of writing. A metric's row, whose name stands in an index, takes
# as long as those of four values, and those as four parameters of a trial.
_TRIALS, _POINTS, _METRIC = 500, 10_000, 4
# After each other processes get as long to come in, up to this: on SQLite they ask for its lock now
# and then only, and would hardly find it free.
_PAUSE_S = 0.1
IMPORTED_FROM = "imported_from"


def record_sweep(
    workspace: Workspace,
    job: SweepJob,
    facts: Facts,
    trials: Iterable[Recorded],
    *,
    compute: Compute,
    code: CodeSnapshot | None,
    user: User | None,
    now: datetime,
    rng: random.Random,
    notes: tuple[str, ...] = (),
    ticket: str = "",
) -> Sweep:
    """An ended sweep with these trials, which are in the order of their numbers.

    Until all of it is written it is in no list; what fails on the way, or whoever is killed,
    leaves nothing that anybody sees. A `ticket` that made one before gives that one. Its name is
    the recorded one if that is free.
    """
    _forget_stale(workspace, now)
    if ticket and (made := Sweep.objects.filter(workspace=workspace, ticket=ticket).first()):
        return made
    sweep = _begun(workspace, job, facts, compute, code, user, now, rng, notes)
    try:
        for part in _parts(trials):
            began = time.monotonic()
            with transaction.atomic():
                lock(sweep.pk)
                _insert(sweep, part, job.objective)
            time.sleep(min(time.monotonic() - began, _PAUSE_S))
        _show(sweep, facts.sweep, ticket, rng)
    except IntegrityError:
        _drop(sweep, now)
        made = Sweep.objects.filter(workspace=workspace, ticket=ticket).first() if ticket else None
        if made is None:
            raise
        return made  # the same request came twice, and the other one was first
    except BaseException:
        _drop(sweep, now)
        raise
    sweep.refresh_from_db()
    return sweep


def _drop(sweep: Sweep, now: datetime) -> None:
    Sweep.objects.filter(pk=sweep.pk).update(deleted_at=now, name=f"deleted {sweep.uid}")
    purge()


def _forget_stale(workspace: Workspace, now: datetime) -> None:
    """What an import that was killed has left."""
    old = Sweep.objects.filter(workspace=workspace, is_dry_run=True, name__startswith=_HIDDEN)
    if old.filter(timed_from__lt=now - _STALE).update(deleted_at=now):
        purge()


def _begun(
    workspace: Workspace,
    job: SweepJob,
    facts: Facts,
    compute: Compute,
    code: CodeSnapshot | None,
    user: User | None,
    now: datetime,
    rng: random.Random,
    notes: tuple[str, ...],
) -> Sweep:
    job = replace(
        job,
        name=f"{_HIDDEN}{uuid4().hex}",
        display_name=job.display_name or facts.sweep,
        sampling=replace(job.sampling, seed=facts.seed),
        properties={**job.properties, IMPORTED_FROM: facts.origin},
    )
    ended = facts.ended_at or facts.started_at or facts.created_at
    with transaction.atomic():
        with audit.quietly():  # there is an entry once all of it is there
            sweep = create_sweep(
                workspace, job, compute=compute, code=code, user=user, now=facts.created_at,
                rng=rng, notes=notes, is_dry_run=True,
            )  # fmt: skip
        sweep.status, sweep.reason, sweep.ended_at = facts.status, facts.reason, ended
        sweep.started_at, sweep.run_closed = facts.started_at, True
        # When it was brought here; an ended sweep's timeout counts no more.
        sweep.timed_from = now
        if sweep.status == SweepStatus.CANCELED:
            sweep.desired = Desired.CANCEL
        sweep.save()
        StateChange.objects.create(
            sweep=sweep, before=SweepStatus.QUEUED, after=sweep.status, reason=facts.reason,
            actor=str(user or "studio"), at=ended,
        )  # fmt: skip
    return sweep


def _show(sweep: Sweep, wanted: str, ticket: str, rng: random.Random) -> None:
    """Give the sweep its name, by which it is one like all others. Raises IntegrityError."""
    own = Sweep.objects.filter(pk=sweep.pk)
    # Past those of its trials: pages read only what has a later one than they know.
    revision = F("revision") + F("planned") + 1
    shown: dict[str, Any] = {"is_dry_run": False, "ticket": ticket, "revision": revision}
    with transaction.atomic():
        taken = Sweep.objects.filter(workspace=sweep.workspace_id, name=wanted).exists()
        name = new_name(rng) if taken else wanted
        own.update(name=name, **shown)
        given = audit.made(display_name=sweep.display_name, trials=sweep.trials.count())
        audit.note("brought in", "sweep", name, workspace=sweep.workspace_id, changes=given)


def _parts(trials: Iterable[Recorded]) -> Iterator[list[Recorded]]:
    """Some at a time: fewer where they have many points or metrics."""
    source = iter(trials)
    while part := list(islice(source, 1)):
        points = _count(part[0])
        while len(part) < _TRIALS and points < _POINTS and (more := next(source, None)):
            part.append(more)
            points += _count(more)
        yield part


def _count(trial: Recorded) -> int:
    metrics = len(trial.summaries) + len(trial.points)
    points = sum(len(points) for points in trial.points.values())
    return points + _METRIC * metrics + len(trial.params) // 4


def _insert(sweep: Sweep, recorded: list[Recorded], objective: Objective) -> None:
    """Rows of some trials. Call in a transaction."""
    trials = [_trial(sweep, one) for one in recorded]
    rows.insert_many(trials)
    numbers = [one.number for one in recorded]
    keys = dict(sweep.trials.filter(number__in=numbers).values_list("number", "pk"))
    for trial in trials:
        trial.pk = keys[trial.number]
    rows.insert_many([_attempt(sweep, trial) for trial in trials])
    attempts = dict(Attempt.objects.filter(trial__in=keys.values()).values_list("trial_id", "pk"))
    summaries, points = [], []
    for trial, one in zip(trials, recorded, strict=True):
        attempt = Attempt(pk=attempts[trial.pk], trial_id=trial.pk)
        for summary, logged in _metrics(one, attempt, objective):
            summaries.append(summary)
            points += logged
    rows.insert_plain(summaries)
    rows.insert_plain(points)
    Sweep.objects.filter(pk=sweep.pk).update(planned=numbers[-1] + 1)


def _trial(sweep: Sweep, one: Recorded) -> Trial:
    ended = one.ended_at or one.started_at or sweep.ended_at
    return Trial(
        sweep=sweep, number=one.number, status=one.status, reason=one.reason,
        params=one.params, flat_params=flatten(one.params), draw=one.draw,
        objective=one.objective, last_value=one.last_value, best_report=one.best_report,
        reports=one.reports, attempt=max(one.attempt, 1), signature=one.signature,
        picked_by=one.picked_by, created_at=one.started_at or sweep.created_at,
        started_at=one.started_at, ended_at=ended, revision=one.number + 1,
    )  # fmt: skip


def _attempt(sweep: Sweep, trial: Trial) -> Attempt:
    """Its last attempt, which is over; no token can have its digest."""
    return Attempt(
        trial_id=trial.pk, number=trial.attempt, spool=f"{IMPORTED}{sweep.uid}/{trial.number}.1",
        token_digest=f"imported {sweep.uid[:24]}.{trial.number}", run_closed=True, accepted=True,
        created_at=trial.created_at, started_at=trial.started_at, ended_at=trial.ended_at,
        reason=trial.reason, signature=trial.signature,
    )  # fmt: skip


def _metrics(
    one: Recorded, attempt: Attempt, objective: Objective
) -> Iterator[tuple[MetricSummary, list[MetricPoint]]]:
    of: dict[str, Any] = {"trial_id": attempt.trial_id, "attempt_id": attempt.pk}
    for summary in one.summaries:
        last, kind = to_columns(summary.last)
        yield MetricSummary(
            **of, name=summary.name, count=summary.count, last=last, kind=kind,
            last_step=summary.last_step, lowest=summary.lowest, highest=summary.highest,
            total=summary.total, finite=summary.finite,
        ), []  # fmt: skip
    for name, points in one.points.items():
        row = MetricSummary(**of, name=name)
        values = [Value(name, p.value, p.step, p.timestamp_ms) for p in points]
        yield row, [append(row, attempt, value, objective) for value in values]
