"""Parallel coordinates, what to draw: axes, and a line for every trial."""

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from sweeps.charts.axes import AxisInfo, space_axes
from sweeps.charts.figure import Key, Table
from sweeps.charts.marks import STATUS_WORDS
from sweeps.charts.objective_history import best_steps, empty_sentence
from sweeps.charts.scales import numeric_scale, prefers_log
from sweeps.charts.text import objective_text, param_text, plural
from sweeps.charts.value_axis import YScale
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.records import TrialRecord
from sweeps.domain.space import Scalar, SearchSpace, flatten
from sweeps.domain.states import TrialStatus

MAX_LINES = 500
_GOLDEN = (math.sqrt(5) - 1) / 2

LineKind = Literal["valued", "running", "bare"]


class Line(NamedTuple):
    """One trial: its place on every axis (0..1), None where it has none; the objective is last.

    `strength` from 0 (worst) to 1 (best) colours it, None without a value; `texts` are the values
    in words; `out`: the selection leaves it out.
    """

    number: int
    kind: LineKind
    positions: tuple[float | None, ...]
    texts: tuple[str, ...]
    strength: float | None
    out: bool = False


class ParallelInfo(NamedTuple):
    """What parallel coordinates draw; the last of `axes` is the objective. Lines: worst first."""

    axes: tuple[AxisInfo, ...]
    lines: tuple[Line, ...]
    best: Line | None
    empty: str | None
    note: str
    summary: str
    legend: tuple[Key, ...]
    table: Table


def build_parallel_info(
    records: Iterable[TrialRecord],
    space: SearchSpace,
    objective: Objective,
    *,
    scale: YScale = "auto",
    seen_metrics: Sequence[str] = (),
    final: bool = False,
    known: int | None = None,
    out: Collection[int] = (),
) -> ParallelInfo:
    """What to draw of the given trials, chosen out of `known` ones; those `out` step back."""
    shown = sorted((r for r in records if r.status != TrialStatus.QUEUED), key=lambda r: r.number)
    known = len(shown) if known is None else known
    flats = {record.number: flatten(record.params) for record in shown}
    steps = best_steps(shown, objective)
    best_number = steps[-1].number if steps else None
    axes = (
        *space_axes(space, list(flats.values())),
        _objective_axis([r.objective for r in shown if r.objective is not None], objective, scale),
    )
    strengths = _strengths(shown, objective, axes[-1])
    lines = tuple(
        _line(r, flats[r.number], axes, strengths.get(r.number), still=r.number == best_number)
        for r in shown
    )
    lines = tuple(line._replace(out=line.number in out) for line in lines)
    ordered = tuple(sorted(lines, key=lambda line: (line.strength or -1.0, -line.number)))
    best = next((line for line in lines if line.number == best_number), None)
    return ParallelInfo(
        axes=axes,
        lines=ordered,
        best=best,
        empty=None if shown else empty_sentence(0, objective, seen_metrics, final),
        note=_note(len(shown), known),
        summary=_summary(axes, lines, best),
        legend=_legend(lines, best),
        table=_table(shown, axes, lines),
    )


def _objective_axis(values: Sequence[float], objective: Objective, scale: YScale) -> AxisInfo:
    log = prefers_log(values) if scale == "auto" else scale == "log" and min(values, default=0) > 0
    low, high = _with_air(min(values, default=0.0), max(values, default=1.0), log)
    axis = numeric_scale(low, high, log=log, bounded=False)
    kind = f"{objective.goal.value}, log" if axis.kind == "log" else objective.goal.value
    return AxisInfo(objective.primary_metric, kind, axis)


def _with_air(low: float, high: float, log: bool) -> tuple[float, float]:
    """A little more than the values span, so that the best is not lost on the axis's end."""
    if low == high:
        return low, high
    if log:
        air = (high / low) ** 0.03
        return max(low / air, 5e-324), min(high * air, 1.7e308)
    span = high / 2 - low / 2
    return max(low - 0.06 * span, -1.7e308), min(high + 0.06 * span, 1.7e308)


def _strengths(
    shown: Sequence[TrialRecord], objective: Objective, axis: AxisInfo
) -> dict[int, float]:
    """Half rank, half place on the objective axis: a crowded top still separates."""
    values = {record.number: record.objective for record in shown if record.objective is not None}
    ranked = sorted(set(values.values()), key=objective.loss, reverse=True)
    ranks = {value: rank for rank, value in enumerate(ranked)}
    strengths = {}
    for number, value in values.items():
        by_rank = ranks[value] / (len(ranked) - 1) if len(ranked) > 1 else 1.0
        place = axis.scale.position(value) or 0.0
        by_value = 1 - place if objective.goal is Goal.MINIMIZE else place
        strengths[number] = (by_rank + by_value) / 2
    return strengths


def _line(
    record: TrialRecord,
    flat: Mapping[str, Scalar],
    axes: Sequence[AxisInfo],
    strength: float | None,
    *,
    still: bool,
) -> Line:
    positions, texts = [], []
    for axis in axes[:-1]:
        value = flat.get(axis.name)
        place = None if value is None else axis.scale.position(value)
        if place is not None and axis.scale.kind == "category" and not still:
            place += jitter(record.number, len(axis.scale.categories))
        positions.append(place)
        texts.append(param_text(value))
    value = record.objective
    positions.append(None if value is None else axes[-1].scale.position(value))
    texts.append("no value" if value is None else objective_text(value))
    kind: LineKind = "valued" if value is not None else "bare"
    if record.status.is_active:
        kind = "running"
    return Line(record.number, kind, tuple(positions), tuple(texts), strength)


def jitter(number: int, categories: int) -> float:
    """A small offset, always the same for a trial, so that lines through a category stay apart."""
    spread = min(0.06, 0.4 / max(categories, 1))
    return (number * _GOLDEN % 1 - 0.5) * spread


def _note(shown: int, known: int) -> str:
    if shown < known:
        return f"the best {shown:,} of {known:,} trials"
    if known < 2:
        return "1 trial" if known else ""
    return f"all {known:,} trials"


def _summary(axes: Sequence[AxisInfo], lines: Sequence[Line], best: Line | None) -> str:
    bare = sum(line.positions[-1] is None for line in lines)
    text = (
        f"{plural(len(lines), 'trial')} over {plural(len(axes) - 1, 'parameter')} "
        f"and {axes[-1].name}"
    )
    text += f"; {bare} without a value." if bare else "."
    if best:
        pairs = zip(axes, best.texts, strict=True)
        text += f" Best trial {best.number}: "
        text += ", ".join(f"{axis.name} {value}" for axis, value in pairs) + "."
    return text


def _legend(lines: Sequence[Line], best: Line | None) -> tuple[Key, ...]:
    keys = [Key("line", "@best", "best trial")] if best else []
    kinds = {line.kind for line in lines}
    if "running" in kinds:
        keys.append(Key("dash", "@ramp-0.50", "running"))
    if "bare" in kinds:
        keys.append(Key("dot", "@red-mark", "no value: failed or canceled"))
    return tuple(keys)


def _table(shown: Sequence[TrialRecord], axes: Sequence[AxisInfo], lines: Sequence[Line]) -> Table:
    rows = tuple(
        (str(record.number), STATUS_WORDS[record.status], *line.texts)
        for record, line in zip(shown, lines, strict=True)
    )
    return Table(("Trial", "Status", *(axis.name for axis in axes)), rows)
