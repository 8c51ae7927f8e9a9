"""The trials of a sweep as CSV, row by row: for spreadsheets and pandas."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Aggregate, Count, Sum

from studio.formatting import cell
from sweeps.domain.wording import shown
from sweeps.models import MetricSummary, Sweep, Trial
from sweeps.models.metrics import from_columns
from sweeps.queries.trials import metric_names, parameter_columns

_FIRST = ("number", "status", "objective")
_LAST = (
    *("attempt", "run_id", "started_at", "ended_at", "duration_s", "picked_by"),
    *("pinned", "tags", "note", "reason"),
)
# Trials, and metrics or values of theirs, that are in memory at a time: one may have 10,000.
_BATCH, _WEIGHT = 500, 20_000
# Characters of parameters of a batch, about: a trial's are hardly longer than the search space.
_TEXT, _LEAST = 2 * 2**20, 20
# Times as REST tells them: 2026-03-01T12:00:00.250Z.
_JSON = DjangoJSONEncoder()


class _Line:
    """What csv.writer writes to: hands the line on."""

    def write(self, text: str) -> str:
        """See `csv.writer`."""
        return text


def trials_csv(
    sweep: Sweep, numbers: Sequence[int] | None = None, keys: Sequence[str] = ()
) -> Iterator[str]:
    """Lines of CSV: params.<x> as sampled, metrics.<x> with the last value.

    All trials by number, or those of `numbers` in that order; all columns, or those of `keys`.
    Missing is empty; times are ISO 8601 in UTC, durations seconds. A text that a spreadsheet would
    run as a formula gets an apostrophe before it.
    """
    write = csv.writer(_Line()).writerow
    known = list(keys) or _all_keys(sweep)
    yield write([_cell(key) for key in known])
    for trials in batches(sweep) if numbers is None else batches_of(sweep, numbers):
        logged = _last([trial.pk for trial in trials])
        for trial in trials:
            values = logged.get(trial.pk, {})
            yield write([_cell(_value(trial, values, key)) for key in known])


def _all_keys(sweep: Sweep) -> list[str]:
    params = [f"params.{name}" for name in parameter_columns(sweep)]
    metrics = [f"metrics.{name}" for name in metric_names(sweep)]
    return [*_FIRST, *params, *metrics, *_LAST]


def _size(sweep: Sweep) -> int:
    """How many trials are read at a time."""
    return min(_BATCH, max(_LEAST, _TEXT // len(json.dumps(sweep.search_space))))


def batches_of(sweep: Sweep, numbers: Sequence[int]) -> Iterator[list[Trial]]:
    """These trials in this order, some hundred at a time."""
    size = _size(sweep)
    for start in range(0, len(numbers), size):
        part = numbers[start : start + size]
        rows = Trial.objects.filter(sweep=sweep, number__in=part)
        found = {trial.number: trial for trial in rows}
        yield from _parts([found[number] for number in part if number in found], Count("pk"))


def batches(sweep: Sweep, *, points: bool = False) -> Iterator[list[Trial]]:
    """All trials by number, some at a time; fewer with the `points` of their metrics."""
    number, size = -1, _size(sweep)
    while True:
        rows = Trial.objects.filter(sweep=sweep, number__gt=number).order_by("number")
        trials = list(rows[:size])
        if not trials:
            return
        yield from _parts(trials, Sum("count") if points else Count("pk"))
        number = trials[-1].number


def _parts(trials: list[Trial], weight: Aggregate) -> Iterator[list[Trial]]:
    """The same trials in parts whose metrics have some _WEIGHT together, or one trial each."""
    rows = MetricSummary.objects.filter(trial__in=[trial.pk for trial in trials]).order_by()
    weights = dict(rows.values_list("trial").annotate(weight=weight))
    part: list[Trial] = []
    room = _WEIGHT
    for trial in trials:
        if part and weights.get(trial.pk, 0) > room:
            yield part
            part, room = [], _WEIGHT
        part.append(trial)
        room -= weights.get(trial.pk, 0)
    if part:
        yield part


def _last(trials: list[int]) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    rows = MetricSummary.objects.filter(trial__in=trials)
    for trial, name, last, kind in rows.values_list("trial", "name", "last", "kind"):
        found.setdefault(trial, {})[name] = from_columns(last, kind)
    return found


def _value(trial: Trial, logged: Mapping[str, float], key: str) -> Any:
    what, _, name = key.partition(".")
    if what == "params" and name:
        return trial.flat_params.get(name)
    if what == "metrics" and name:
        return logged.get(name)
    if key == "duration_s":
        started, ended = trial.started_at, trial.ended_at
        return (ended - started).total_seconds() if started and ended else None
    if key == "tags":
        return ", ".join(trial.tags)
    value = getattr(trial, key)
    return _JSON.default(value) if isinstance(value, datetime) else value


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return shown(value)
    return cell(value) if isinstance(value, str) else value
