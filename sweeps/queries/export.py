"""The trials of a sweep as CSV, row by row: for spreadsheets and pandas."""

import csv
from collections.abc import Iterator
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from sweeps.domain.wording import shown
from sweeps.models import MetricSummary, Sweep, Trial
from sweeps.models.metrics import from_columns
from sweeps.queries.trials import metric_names, parameter_columns

_FIRST = ("number", "status", "objective")
_LAST = ("attempt", "run_id", "started_at", "ended_at", "duration_s", "picked_by", "reason")
_BATCH = 500
# A spreadsheet takes a text that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
# Times as REST tells them: 2026-03-01T12:00:00.250Z.
_JSON = DjangoJSONEncoder()


class _Line:
    """What csv.writer writes to: hands the line on."""

    def write(self, text: str) -> str:
        """See `csv.writer`."""
        return text


def trials_csv(sweep: Sweep) -> Iterator[str]:
    """Lines of CSV by trial number: params.<x> as sampled, metrics.<x> with the last value.

    Missing is empty; times are ISO 8601 in UTC, durations seconds. A text that a spreadsheet would
    run as a formula gets an apostrophe before it.
    """
    params, metrics = parameter_columns(sweep), metric_names(sweep)
    write = csv.writer(_Line()).writerow
    head = [*_FIRST, *(f"params.{name}" for name in params), *(f"metrics.{m}" for m in metrics)]
    yield write([*head, *_LAST])
    for trials in batches(sweep):
        logged = _last([trial.pk for trial in trials])
        for trial in trials:
            values = logged.get(trial.pk, {})
            row = [
                *(trial.number, trial.status, trial.objective),
                *(trial.flat_params.get(name) for name in params),
                *(values.get(name) for name in metrics),
                *_end(trial),
            ]
            yield write([_cell(value) for value in row])


def batches(sweep: Sweep) -> Iterator[list[Trial]]:
    """All trials by number, some at a time."""
    number = -1
    while True:
        rows = Trial.objects.filter(sweep=sweep, number__gt=number).order_by("number")
        trials = list(rows[:_BATCH])
        if not trials:
            return
        yield trials
        number = trials[-1].number


def _last(trials: list[int]) -> dict[int, dict[str, float]]:
    found: dict[int, dict[str, float]] = {}
    rows = MetricSummary.objects.filter(trial__in=trials)
    for trial, name, last, kind in rows.values_list("trial", "name", "last", "kind"):
        found.setdefault(trial, {})[name] = from_columns(last, kind)
    return found


def _end(trial: Trial) -> list[Any]:
    started, ended = trial.started_at, trial.ended_at
    took = (ended - started).total_seconds() if started and ended else None
    times = [moment and _JSON.default(moment) for moment in (started, ended)]
    return [trial.attempt, trial.run_id, *times, took, trial.picked_by, trial.reason]


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        return shown(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
