"""Objective of every trial, and the best so far as a line."""

import math
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Literal, NamedTuple, Protocol

import numpy as np

from sweeps.charts.figure import Key, Table
from sweeps.charts.marks import MARKS, STATUS_WORDS
from sweeps.charts.text import duration_text, in_seconds, objective_text, plural, with_exact
from sweeps.charts.value_axis import YScale, resolve_scale
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.states import WINNING_TRIAL, TrialStatus

By = Literal["trial", "time"]


class Dot(NamedTuple):
    """One trial; without an objective it stands on the "no value" row. `out`: the selection leaves
    it out. `at`: where it stands when it is not by its number."""

    number: int
    objective: float | None
    status: TrialStatus
    out: bool = False
    at: float | None = None

    @property
    def x(self) -> float:
        return self.number if self.at is None else self.at


class Valued(Protocol):
    """What the history needs of a trial."""

    @property
    def number(self) -> int: ...
    @property
    def objective(self) -> float | None: ...
    @property
    def status(self) -> TrialStatus: ...


class Step(NamedTuple):
    """From this trial on `value` is the best; `at` as that of its dot."""

    number: int
    value: float
    at: float | None = None

    @property
    def x(self) -> float:
        return self.number if self.at is None else self.at


class Edit(NamedTuple):
    """A change to the live sweep before trial `number`: "max trials 60 → 80\\nby anna, 14:16"."""

    number: int
    text: str
    at: float | None = None

    @property
    def x(self) -> float:
        return self.number - 0.5 if self.at is None else self.at


class ObjectiveInfo(NamedTuple):
    """What the objective history draws. `planned` = next trial's number, `total` = how many trials
    there will be. `by`: along the trials' numbers, or along the seconds since the first start."""

    metric: str
    goal: Goal
    dots: tuple[Dot, ...]
    steps: tuple[Step, ...]
    planned: int
    total: int
    scale: str
    edits: tuple[Edit, ...]
    empty: str | None
    note: str
    summary: str
    legend: tuple[Key, ...]
    by: By = "trial"
    # Numbers of trials to emphasise.
    picked: tuple[int, ...] = ()

    @property
    def table(self) -> Table:
        """Every trial with its status and objective."""
        timed = self.by == "time"
        rows = (
            (
                str(d.number),
                STATUS_WORDS[d.status],
                with_exact(objective_text(d.objective), d.objective),
                *((with_exact(duration_text(d.x), d.x),) if timed else ()),
            )
            for d in self.dots
        )
        more = (in_seconds("End, since the start"),) if timed else ()
        return Table(("Trial", "Status", self.metric, *more), tuple(rows))

    @property
    def best(self) -> Step | None:
        """The best trial; None before there is one."""
        return self.steps[-1] if self.steps else None

    @property
    def values_range(self) -> tuple[float, float]:
        """Lowest and highest objective, as logarithms on a log scale."""
        values = [dot.objective for dot in self.dots if dot.objective is not None]
        if self.scale == "log":
            values = [math.log(value) for value in values if value > 0]
        return min(values, default=0.0), max(values, default=1.0)

    @property
    def end(self) -> float:
        """Where the line of the best so far ends."""
        if self.by == "time":
            return max((dot.x for dot in self.dots), default=0.0)
        return max(self.total, self.planned, 1) - 0.5

    @property
    def to_go(self) -> int:
        """Trials that are not planned yet."""
        return max(self.total - self.planned, 0)


def build_objective_info(
    trials: Iterable[Valued],
    objective: Objective,
    *,
    total: int,
    scale: YScale = "auto",
    edits: Sequence[Edit] = (),
    seen_metrics: Sequence[str] = (),
    final: bool = False,
    by: By = "trial",
    picked: Sequence[int] = (),
) -> ObjectiveInfo:
    """What to draw of all trials of a sweep with `total` trials at most.

    `seen_metrics` are names logged so far (said while the primary one is missing), `final` says
    that nothing more will come. Queued trials are not drawn. By time, `trials` are dots with their
    end as `at`, and the best so far is that of the moment.
    """
    ordered = sorted(trials, key=attrgetter("number"))
    last = ordered[-1].number if ordered else -1
    dots = tuple(
        t if isinstance(t, Dot) else Dot(t.number, t.objective, t.status)
        for t in ordered
        if t.status != TrialStatus.QUEUED
    )
    if by == "time":
        dots = tuple(sorted(dots, key=lambda dot: dot.x))
        ordered = list(dots)
    steps = best_steps(ordered, objective)
    values = [dot.objective for dot in dots if dot.objective is not None]
    planned = last + 1
    direction = "lower" if objective.goal is Goal.MINIMIZE else "higher"
    return ObjectiveInfo(
        metric=objective.primary_metric,
        goal=objective.goal,
        dots=dots,
        steps=steps,
        planned=planned,
        total=planned if final else total,  # of an ended sweep none is to go
        scale=resolve_scale(scale, values),
        edits=tuple(edits),
        empty=None if values else empty_sentence(len(dots), objective, seen_metrics, final),
        note=_note_on(dots, direction) if values else "",
        summary=_summary(dots, steps, objective),
        legend=_legend(dots, bool(steps)),
        by=by,
        picked=tuple(picked),
    )


# More dots than this are one per spot: the screen has no more places for them.
MAX_DOTS = 2000


def _note_on(dots: Sequence[Dot], direction: str) -> str:
    what = f"best so far as a line, {direction} is better"
    if len(dots) > MAX_DOTS:
        return f"{len(dots):,} trials, dots in one spot drawn once; {what}"
    return what


def best_steps(ordered: Iterable[Valued], objective: Objective) -> tuple[Step, ...]:
    """The trials that were the best when they are taken in order of number; ties change nothing."""
    steps: list[Step] = []
    minimize, best = objective.goal is Goal.MINIMIZE, math.nan
    for record in ordered:
        value = record.objective
        if value is None or record.status not in WINNING_TRIAL:
            continue
        if steps and (value >= best if minimize else value <= best):
            continue  # asked first, for of 100,000 trials some ten are steps
        if objective.is_better(value, steps[-1].value if steps else None):
            steps.append(Step(record.number, value, getattr(record, "at", None)))
            best = value
    return tuple(steps)


def empty_sentence(
    trials: int, objective: Objective, seen_metrics: Sequence[str], final: bool
) -> str:
    """Why there is nothing to draw."""
    metric = objective.primary_metric
    seen = f"; seen so far: {', '.join(seen_metrics)}" if seen_metrics else ""
    if final and trials:
        return f"No trial logged a value of {metric}{seen.replace('seen so far', 'logged')}."
    if final:
        return "No trial was run."
    return f"No value yet. Waiting for {metric}{seen}."


def _summary(dots: Sequence[Dot], steps: Sequence[Step], objective: Objective) -> str:
    valued = sum(dot.objective is not None for dot in dots)
    parts = [f"{plural(len(dots), 'trial')}, {valued} with a value of {objective.primary_metric}."]
    if steps:
        parts.append(
            f"The best is {objective_text(steps[-1].value)}, from trial {steps[-1].number}"
        )
        if len(steps) > 1:
            first = steps[0]
            parts[-1] += f"; trial {first.number} began with {objective_text(first.value)}"
        parts[-1] += "."
    return " ".join(parts)


# Of the legend, and of pictures without Plotly, by Plotly's symbol.
SHAPES = {
    "circle": "disc",
    "circle-open": "ring",
    "diamond-open": "diamond",
    "triangle-up-open": "triangle",
    "triangle-down-open": "triangle",
    "x-thin-open": "cross",
}


def _legend(dots: Sequence[Dot], best: bool) -> tuple[Key, ...]:
    keys = [Key("step", "@best", "best so far")] if best else []
    present = {dot.status for dot in dots}
    for status, mark in MARKS.items():
        if status in present:
            shape = SHAPES[mark.symbol]
            keys.append(Key(shape, mark.color, mark.word, status.value))  # type: ignore[arg-type]
    return tuple(keys)


_ACROSS, _DOWN = 120, 28
_LEAST = 5e-324  # stands for what has no logarithm
# From the bottom up.
RANKS = {status: rank for rank, status in enumerate(MARKS)}


def thinned(info: ObjectiveInfo) -> Sequence[Dot]:
    """All dots, or of very many one for each spot, status and side of the selection."""
    if len(info.dots) <= MAX_DOTS:
        return info.dots
    low, high = info.values_range
    # Halved, so that the difference of huge ends stays finite.
    span = (high / 2 - low / 2) or 0.5
    log = info.scale == "log"
    end = info.end or 1.0
    x = np.array([dot.x for dot in info.dots], dtype=np.float64)
    values = np.array([dot.objective for dot in info.dots], dtype=np.float64)
    if log:
        values = np.where(values > 0, np.log(np.maximum(values, _LEAST)), values * 0 + low)
    level = np.nan_to_num((values / 2 - low / 2) / span * _DOWN, nan=-1.0).astype(np.int64)
    spots = (x * _ACROSS / end).astype(np.int64) * (_DOWN + 2) + level + 1
    ranks = np.array([RANKS[dot.status] * 2 + dot.out for dot in info.dots], dtype=np.int64)
    spots = spots * 2 * len(RANKS) + ranks
    _, first = np.unique(spots, return_index=True)
    return [info.dots[row] for row in np.sort(first).tolist()]
