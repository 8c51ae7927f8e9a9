"""Trials side by side: rows of values, deltas to a baseline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from studio import formatting
from sweeps.domain.objective import Goal
from sweeps.models import Attempt, MetricSummary, Sweep, Trial
from sweeps.models.metrics import from_columns
from sweeps.queries.trials import metric_names, parameter_columns

MOST = 8


@dataclass(frozen=True, slots=True)
class Value:
    """One cell: the value, its difference to the baseline in words, and whether that is good."""

    text: str
    delta: str = ""
    mood: str = ""  # is-better, is-worse, ""
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One row over all trials; `differs` if not all are the same."""

    name: str
    values: tuple[Value, ...]
    differs: bool
    mono: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one heading."""

    title: str
    lines: tuple[Line, ...]


def compare(sweep: Sweep, trials: Sequence[Trial], baseline: int) -> list[Group]:
    """The rows of `trials` (columns in that order), compared with trial number `baseline`."""
    base = next((i for i, trial in enumerate(trials) if trial.number == baseline), 0)
    minimize = sweep.goal == Goal.MINIMIZE
    goal = -1 if minimize else 1
    metric = sweep.primary_metric
    lines = [
        _numbers(f"{metric}, best", [t.objective for t in trials], base, goal),
        _numbers(f"{metric}, last", [t.last_value for t in trials], base, goal),
        _numbers("report of best", [t.best_report for t in trials], base, 0, str),
    ]
    last = _last(trials)
    for name in metric_names(sweep):
        if name != metric:
            lines.append(
                _numbers(f"{name}, last", [last.get((t.pk, name)) for t in trials], base, 0)
            )
    params = [
        _params(name, [t.flat_params.get(name) for t in trials], base)
        for name in parameter_columns(sweep)
    ]
    return [
        Group("Objective and metrics", tuple(lines)),
        Group("Parameters", tuple(params)),
        Group("Run", tuple(_run(trials, base))),
    ]


def _last(trials: Sequence[Trial]) -> dict[tuple[int, str], float]:
    rows = MetricSummary.objects.filter(trial__in=[trial.pk for trial in trials])
    return {(row.trial_id, row.name): from_columns(row.last, row.kind) for row in rows}


def _numbers(
    name: str,
    values: Sequence[float | None],
    base: int,
    goal: int,
    show: Callable[[float], str] = formatting.objective,
) -> Line:
    """`goal` 1: higher is better, -1: lower is better, 0: neither."""
    reference = values[base]
    cells = []
    for index, value in enumerate(values):
        if value is None:
            cells.append(Value(formatting.MISSING, absent=True))
        elif index == base or reference is None:
            cells.append(Value(show(value)))
        else:
            cells.append(_compared(value, reference, goal, show))
    return Line(name, tuple(cells), len(set(values)) > 1)


def _compared(value: float, reference: float, goal: int, show: Callable[[float], str]) -> Value:
    if value == reference:
        return Value(show(value), "same")
    difference = value - reference
    mood = ""
    if goal:
        mood = "is-better" if difference * goal > 0 else "is-worse"
    return Value(show(value), formatting.delta(difference), mood)


def _params(name: str, values: Sequence[object], base: int) -> Line:
    reference = values[base]
    cells = []
    for index, value in enumerate(values):
        numbers = _is_number(value) and _is_number(reference)
        delta = ""
        if index != base:
            delta = "same" if value == reference else "differs"
            if numbers and value != reference:
                delta = formatting.delta(value - reference)  # type: ignore[operator]
        text = "none" if value is None else formatting.param(value)
        cells.append(Value(text, delta, absent=value is None))
    return Line(name, tuple(cells), len({repr(value) for value in values}) > 1, mono=True)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _run(trials: Sequence[Trial], base: int) -> list[Line]:
    attempts = {
        attempt.trial_id: attempt
        for attempt in Attempt.objects.filter(trial__in=[t.pk for t in trials]).order_by("number")
    }
    durations = [
        (t.ended_at - t.started_at).total_seconds() if t.ended_at and t.started_at else None
        for t in trials
    ]
    memory = [getattr(attempts.get(t.pk), "peak_memory", None) for t in trials]
    return [
        _plain("status", [str(t.status) for t in trials]),
        _numbers("duration", durations, base, 0, formatting.duration),
        _plain("peak memory", [formatting.memory(value) for value in memory]),
        _plain("attempt", [str(t.attempt) for t in trials]),
    ]


def _plain(name: str, texts: Sequence[str]) -> Line:
    return Line(name, tuple(Value(text) for text in texts), len(set(texts)) > 1)
