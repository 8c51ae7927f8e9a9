"""Trials side by side, of one sweep or of several: rows of values, deltas to a baseline."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from studio import formatting
from sweeps.domain.objective import Goal
from sweeps.models import Attempt, MetricSummary, Sweep, Trial
from sweeps.models.metrics import from_columns
from sweeps.queries.boards import MOST_NAMES
from sweeps.queries.trials import parameter_columns

MOST = 8


@dataclass(frozen=True, slots=True)
class Value:
    """One cell: the value, its difference to the baseline in words, and whether that is good.

    `heat` 0..1 places a number between the least and the most of its row (1 is the better end,
    where there is one); `is_top` marks the best of a row that has a better end.
    """

    text: str
    delta: str = ""
    mood: str = ""  # is-better, is-worse, ""
    absent: bool = False
    heat: float | None = None
    is_top: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One row over all columns; `differs` if not all are the same."""

    name: str
    values: tuple[Value, ...]
    differs: bool
    mono: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one heading."""

    title: str
    lines: tuple[Line, ...]

    @property
    def differs(self) -> bool:
        """Whether any of its rows does."""
        return any(line.differs for line in self.lines)


def compare(trials: Sequence[Trial], base: int) -> list[Group]:
    """The rows of `trials` (columns in that order), compared with the one at place `base`.

    Each trial knows its sweep; parameters and metrics are those of all of them.
    """
    sweeps = list({trial.sweep_id: trial.sweep for trial in trials}.values())
    names = list(dict.fromkeys(name for one in sweeps for name in parameter_columns(one)))
    params = [params_line(name, [t.flat_params.get(name) for t in trials], base) for name in names]
    groups = [
        Group(
            "Objective and metrics",
            (*_objective(sweeps, trials, base), *_metrics(trials, base)),
        ),
        Group("Parameters", tuple(params)),
        Group("Run", tuple(_run(trials, base))),
    ]
    return [group for group in groups if group.lines]


def goal_of(sweeps: Sequence[Sweep]) -> int:
    """1: higher is better, -1: lower is better, 0: they do not agree on what is better."""
    goals = {(sweep.primary_metric, sweep.goal) for sweep in sweeps}
    if len(goals) != 1:
        return 0
    return -1 if sweeps[0].goal == Goal.MINIMIZE else 1


def _objective(sweeps: Sequence[Sweep], trials: Sequence[Trial], base: int) -> list[Line]:
    goal = goal_of(sweeps)
    metric = sweeps[0].primary_metric if goal else "objective"
    return [
        numbers_line(f"{metric}, best", [t.objective for t in trials], base, goal, heat=True),
        numbers_line("report of best", [t.best_report for t in trials], base, 0, str),
    ]


def _metrics(trials: Sequence[Trial], base: int) -> list[Line]:
    """Last, least and most of each metric; first of that which the sweeps are for."""
    rows = MetricSummary.objects.filter(trial__in=[trial.pk for trial in trials])
    found = {(row.trial_id, row.name): row for row in rows}
    primary = dict.fromkeys(trial.sweep.primary_metric for trial in trials)
    others = sorted({name for _, name in found} - set(primary))[:MOST_NAMES]
    goal = goal_of([trial.sweep for trial in trials])
    first = [name for name in primary if any(name == other for _, other in found)]
    # Of what the sweeps are for, the better end is the objective.
    better = {-1: "lowest", 1: "highest"}.get(goal)
    lines = []
    for name in [*first, *others]:
        known = [found.get((trial.pk, name)) for trial in trials]
        last = [from_columns(row.last, row.kind) if row else None for row in known]
        own = goal if name in primary else 0
        lines.append(numbers_line(f"{name}, last", last, base, own, heat=True))
        for word, field in (("min", "lowest"), ("max", "highest")):
            if name in primary and field == better:
                continue
            values = [getattr(row, field, None) for row in known]
            lines.append(numbers_line(f"{name}, {word}", values, base, 0, heat=True))
    return lines


def numbers_line(
    name: str,
    values: Sequence[float | None],
    base: int,
    goal: int,
    show: Callable[[float], str] = formatting.objective,
    *,
    differ: Callable[[float], str] = formatting.delta,
    heat: bool = False,
) -> Line:
    """`goal` 1: higher is better, -1: lower is better, 0: neither; `differ` writes what lies
    between a value and the baseline's; `heat` colours the cells."""
    reference = values[base]
    finite = [value for value in values if value is not None and math.isfinite(value)]
    low, high = (min(finite), max(finite)) if finite else (0.0, 0.0)
    top = (low if goal < 0 else high) if goal and high > low else None
    cells = []
    for index, value in enumerate(values):
        if value is None:
            cells.append(Value(formatting.MISSING, absent=True))
            continue
        delta, mood = ("", "")
        if index != base and reference is not None:
            delta, mood = _compared(value, reference, goal, differ)
        share = _heat(value, low, high, goal) if heat else None
        cells.append(Value(show(value), delta, mood, False, share, value == top))
    return Line(name, tuple(cells), len({repr(value) for value in values}) > 1)


def _heat(value: float, low: float, high: float, goal: int) -> float | None:
    if not math.isfinite(value) or not high > low or not math.isfinite(high - low):
        return None
    share = (value - low) / (high - low)
    return round(1 - share if goal < 0 else share, 3)


def seconds_line(name: str, values: Sequence[float | None], base: int) -> Line:
    """Durations in seconds, neither of which is better."""
    shown, differ = formatting.duration, formatting.duration_delta
    return numbers_line(name, values, base, 0, shown, differ=differ)


def _compared(
    value: float, reference: float, goal: int, differ: Callable[[float], str] = formatting.delta
) -> tuple[str, str]:
    if value == reference:
        return "same", ""
    difference = value - reference
    mood = ""
    if goal:
        mood = "is-better" if difference * goal > 0 else "is-worse"
    return differ(difference), mood


def params_line(name: str, values: Sequence[object], base: int) -> Line:
    """Values of any kind."""
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
        texts_line("status", [str(t.status) for t in trials]),
        seconds_line("duration", durations, base),
        texts_line("peak memory", [formatting.memory(value) for value in memory]),
        texts_line("attempt", [str(t.attempt) for t in trials]),
        texts_line("tags", [", ".join(t.tags) for t in trials]),
        texts_line("note", [t.note for t in trials]),
    ]


def texts_line(name: str, texts: Iterable[str]) -> Line:
    """Texts without deltas; an empty one is missing."""
    known = tuple(texts)
    cells = tuple(Value(text or formatting.MISSING, absent=not text) for text in known)
    return Line(name, cells, len(set(known)) > 1)
