"""Keeping what a trial logs: points, running figures and the outbox, in one transaction."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from sweeps.domain.job import EarlyTermination
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.states import Desired
from sweeps.models import Attempt, MetricPoint, MetricSummary, OutboxEntry, Trial
from sweeps.models.metrics import to_columns
from sweeps.queries.prepared import Prepared
from sweeps.queries.records import early_termination_of
from sweeps.services import rows
from sweeps.services.state import bump, lock
from sweeps.services.termination import judge_reports

# A client that got no answer sends the same value again, and soon.
_RETRY_WINDOW = 200
# Each name costs rows that are looked at for as long as the sweep is kept.
MOST_NAMES = 10_000


@dataclass(frozen=True, slots=True)
class Value:
    """One logged value: name, float, step, and the client's clock in ms."""

    name: str
    value: float
    step: int
    timestamp_ms: int


class TooManyNames(Exception):
    """The trial has logged under MOST_NAMES names, or as many as its run takes, and this would be
    one more."""


class Superseded(Exception):
    """The attempt has ended, or another one runs in its place: what it logs counts nowhere."""


@dataclass(frozen=True, slots=True)
class Call:
    """A logging call of an attempt: its values, and the log-batch requests that bring them to
    MLflow, in order; whether its run may get metrics of further names."""

    attempt: Attempt
    objective: Objective
    values: Sequence[Value]
    bodies: Sequence[dict[str, Any]]
    now: datetime
    takes_names: bool = True


def record_all(calls: Iterable[Call]) -> list[Superseded | list[str]]:
    """Store logging calls in their order and in one transaction.

    By call the names of metrics that its trial had no value of before, or why it was refused.

    Each is judged by its sweep's early-termination policy of this moment. Raises TooManyNames, and
    stores nothing, if one goes beyond MOST_NAMES: then try each by itself. On PostgreSQL the calls
    of one transaction must be of one sweep, or two transactions may wait for each other.
    """
    told: list[Superseded | list[str]] = []
    with transaction.atomic():
        for call in calls:
            lock(call.attempt.trial.sweep_id)
            try:
                trial = _fenced(call.attempt)
            except Superseded as refusal:
                told.append(refusal)
                continue
            told.append(_keep_call(call, trial, early_termination_of(trial.sweep))[1])
    return told


def record(
    attempt: Attempt,
    objective: Objective,
    values: Sequence[Value],
    bodies: Sequence[dict[str, Any]],
    *,
    now: datetime,
    early: EarlyTermination | None = None,
) -> int:
    """Store a logging call of an attempt by itself; returns how many values were new.

    New values of the primary metric are judged by the policy `early`. Raises Superseded if
    the attempt has ended, and TooManyNames beyond MOST_NAMES; then nothing is stored.
    """
    with transaction.atomic():
        lock(attempt.trial.sweep_id)
        trial = _fenced(attempt)
        return _keep_call(Call(attempt, objective, values, bodies, now), trial, early)[0]


def _keep_call(call: Call, trial: Trial, early: EarlyTermination | None) -> tuple[int, list[str]]:
    """How many values were new, and which names of metrics."""
    attempt, objective, new = call.attempt, call.objective, 0
    new_names: list[str] = []
    for name, group in _by_name(call.values).items():
        points = _store(attempt, trial, name, group, objective)
        new += len(points)
        new_names += [point.name for point in points[:1] if point.report == 1]
        if name == objective.primary_metric and points:
            update_objective(trial, points, objective)
            if early:
                judge_reports(attempt, trial, early, objective, points, call.now)
    if new_names and not (call.takes_names and not _beyond(trial.pk)):
        raise TooManyNames(str(attempt.pk))
    if new:
        # Parameters and tags alone are no news for a page.
        trial.revision = bump(trial.sweep_id)
        fields = ("objective", "best_report", "last_value", "reports", "revision")
        rows.update(Trial, {"pk": trial.pk}, **{name: getattr(trial, name) for name in fields})
    if call.bodies:
        rows.insert(
            *(OutboxEntry(attempt=attempt, run_id=attempt.run_id, body=b) for b in call.bodies)
        )
    return new, new_names


def _fenced(attempt: Attempt) -> Trial:
    """The trial, if the attempt is its newest one and still runs."""
    trial = _running.first(attempt.trial_id, attempt.number)
    if trial is None:
        raise Superseded(str(attempt.pk))
    return trial


@Prepared
def _running(trial_id: Any, number: Any) -> QuerySet[Trial, Trial]:
    running = {"attempt": number, "attempts__number": number, "attempts__ended_at": None}
    trials = Trial.objects.filter(pk=trial_id, **running).select_related("sweep").order_by()
    return trials.only(
        "number", "desired", "objective", "best_report", "last_value", "reports",
        "sweep__early_termination",
    )  # fmt: skip


def _by_name(values: Iterable[Value]) -> dict[str, list[Value]]:
    groups: dict[str, list[Value]] = {}
    for value in values:
        groups.setdefault(value.name, []).append(value)
    return groups


def _store(
    attempt: Attempt, trial: Trial, name: str, values: list[Value], objective: Objective
) -> list[MetricPoint]:
    """Append values of one metric; the running best follows the goal."""
    summary = _summary.first(trial.pk, name)
    summary = summary or MetricSummary(trial=trial, attempt=attempt, name=name)
    known = _recent(attempt, name, summary.count, values) if summary.count else set()
    points = []
    for value in values:
        number, kind = to_columns(value.value)
        key = (value.step, value.timestamp_ms, number, kind)
        if key in known:
            continue
        known.add(key)
        points.append(append(summary, attempt, value, objective))
    if points:
        rows.insert(*points)
        _keep(summary)
    return points


def _keep(summary: MetricSummary) -> None:
    if summary._state.adding:
        rows.insert(summary)
    else:
        names = ("count", "last", "kind", "last_step", "lowest", "highest", "total", "finite")
        changes = {name: getattr(summary, name) for name in names}
        rows.update(MetricSummary, {"pk": summary.pk}, **changes)


@Prepared
def _summary(trial_id: Any, name: Any) -> QuerySet[MetricSummary, MetricSummary]:
    return MetricSummary.objects.filter(trial=trial_id, name=name).order_by()


@Prepared
def _beyond(trial_id: Any) -> QuerySet[MetricSummary, int]:
    summaries = MetricSummary.objects.filter(trial=trial_id).order_by("name")
    return summaries.values_list("pk", flat=True)[MOST_NAMES : MOST_NAMES + 1]


def _recent(attempt: Attempt, name: str, count: int, values: list[Value]) -> set[tuple[Any, ...]]:
    """What the newest points say, as far as one of `values` could be the same again."""
    times = [value.timestamp_ms for value in values]
    newest = count - _RETRY_WINDOW - len(values)
    return set(_since(attempt.pk, name, newest, min(times), max(times)))


@Prepared
def _since(
    attempt: Any, name: Any, report: Any, first_ms: Any, last_ms: Any
) -> QuerySet[MetricPoint, tuple[Any, ...]]:
    points = MetricPoint.objects.filter(
        attempt=attempt, name=name, report__gt=report,
        timestamp_ms__gte=first_ms, timestamp_ms__lte=last_ms,
    )  # fmt: skip
    return points.values_list("step", "timestamp_ms", "value", "kind")


def append(
    summary: MetricSummary, attempt: Attempt, value: Value, objective: Objective
) -> MetricPoint:
    """The next point, with `summary` brought up to it."""
    number, kind = to_columns(value.value)
    summary.count += 1
    summary.last, summary.kind, summary.last_step = number, kind, value.step
    if number is not None:
        summary.total += number
        summary.finite += 1
        summary.lowest = number if summary.lowest is None else min(summary.lowest, number)
        summary.highest = number if summary.highest is None else max(summary.highest, number)
    return MetricPoint(
        attempt=attempt,
        name=value.name,
        report=summary.count,
        step=value.step,
        value=number,
        kind=kind,
        timestamp_ms=value.timestamp_ms,
        best=summary.lowest if objective.goal is Goal.MINIMIZE else summary.highest,
        mean=_mean(summary),
    )


def _mean(summary: MetricSummary) -> float | None:
    mean = summary.total / summary.finite if summary.finite else None
    return mean if mean is not None and math.isfinite(mean) else None


def update_objective(trial: Trial, points: list[MetricPoint], objective: Objective) -> None:
    """What comes after the order to stop is kept, but makes no better objective."""
    for point in points:
        trial.reports = point.report
        trial.last_value = point.value
        if trial.desired != Desired.RUN:
            continue
        if point.value is not None and objective.is_better(point.value, trial.objective):
            trial.objective, trial.best_report = point.value, point.report


# Entries read at once; what comes meanwhile is found by the next forwarder.
BATCH = 200


@Prepared
def _waiting(run_id: Any) -> QuerySet[OutboxEntry, OutboxEntry]:
    return OutboxEntry.objects.filter(run_id=run_id).order_by("id").only("body")[:BATCH]


def next_batch(run_id: str) -> list[OutboxEntry]:
    """The oldest waiting entries of a run, in order, at most `BATCH`."""
    return _waiting(run_id)


@Prepared
def _newest(run_id: Any) -> QuerySet[OutboxEntry, int]:
    return (
        OutboxEntry.objects.filter(run_id=run_id).order_by("-id").values_list("id", flat=True)[:1]
    )


def newest_waiting(run_id: str) -> int | None:
    """The id of the newest waiting entry of a run."""
    return _newest.first(run_id)


def delivered(entries: Iterable[OutboxEntry]) -> None:
    """Drop entries that MLflow has (or has refused for good)."""
    rows.delete(OutboxEntry, [entry.pk for entry in entries])


def leave(entry: OutboxEntry, body: dict[str, Any]) -> None:
    """Keep of an entry what MLflow does not have yet."""
    OutboxEntry.objects.filter(pk=entry.pk).update(body=body)
