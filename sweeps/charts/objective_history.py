"""Objective of every trial, and the best so far as a line."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Protocol

from sweeps.charts.figure import Figure, Key, Table, axis, base_layout, whole_step
from sweeps.charts.marks import MARKS, STATUS_WORDS
from sweeps.charts.text import escape, objective_text, plural
from sweeps.charts.value_axis import YScale, left_margin, resolve_scale, value_scales
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.states import WINNING_TRIAL, TrialStatus


class Dot(NamedTuple):
    """One trial; without an objective it stands on the "no value" row. `out`: the selection leaves
    it out."""

    number: int
    objective: float | None
    status: TrialStatus
    out: bool = False


class Valued(Protocol):
    """What the history needs of a trial."""

    @property
    def number(self) -> int: ...
    @property
    def objective(self) -> float | None: ...
    @property
    def status(self) -> TrialStatus: ...


class Step(NamedTuple):
    """From this trial on `value` is the best."""

    number: int
    value: float


class Edit(NamedTuple):
    """A change to the live sweep before trial `number`: "max trials 60 → 80\\nby anna, 14:16"."""

    number: int
    text: str


class ObjectiveInfo(NamedTuple):
    """What the objective history draws. `planned` = next trial's number, `total` = how many trials
    there will be."""

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

    @property
    def table(self) -> Table:
        """Every trial with its status and objective."""
        rows = (
            (str(d.number), STATUS_WORDS[d.status], objective_text(d.objective)) for d in self.dots
        )
        return Table(("Trial", "Status", self.metric), tuple(rows))

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
) -> ObjectiveInfo:
    """What to draw of all trials of a sweep with `total` trials at most.

    `seen_metrics` are names logged so far (said while the primary one is missing), `final` says
    that nothing more will come. Queued trials are not drawn.
    """
    ordered = sorted(trials, key=lambda trial: trial.number)
    dots = tuple(
        Dot(t.number, t.objective, t.status, getattr(t, "out", False))
        for t in ordered
        if t.status != TrialStatus.QUEUED
    )
    steps = best_steps(ordered, objective)
    values = [dot.objective for dot in dots if dot.objective is not None]
    planned = ordered[-1].number + 1 if ordered else 0
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
    )


def _note_on(dots: Sequence[Dot], direction: str) -> str:
    what = f"best so far as a line, {direction} is better"
    if len(dots) > MAX_DOTS:
        return f"{len(dots):,} trials, dots in one spot drawn once; {what}"
    return what


def best_steps(ordered: Iterable[Valued], objective: Objective) -> tuple[Step, ...]:
    """The trials that were the best when they are taken in order of number; ties change nothing."""
    steps: list[Step] = []
    for record in ordered:
        value = record.objective
        if record.status not in WINNING_TRIAL or value is None:
            continue
        if objective.is_better(value, steps[-1].value if steps else None):
            steps.append(Step(record.number, value))
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


# --- How ----------------------------------------------------------------------------------------


def objective_figure(info: ObjectiveInfo) -> Figure:
    """The Plotly figure of `info`; `layout.meta.scales` holds the y axis linear and log."""
    end = max(info.total, info.planned, 1) - 0.5
    layout = base_layout(revision="objective")
    layout["xaxis"] = axis("Trial", range=[-0.8, end + 0.3], anchor="y2", rangemode="nonnegative")
    layout["xaxis"] |= {"tick0": 0, "dtick": whole_step(end), "minallowed": -1}
    layout["annotations"], layout["shapes"] = [], []
    values = [dot.objective for dot in info.dots if dot.objective is not None]
    if not values:
        layout["yaxis"] = axis(escape(info.metric), anchor="x")
        return {"data": [], "layout": layout}
    _value_axes(layout, info, values)
    if info.to_go:
        _future(layout, info.planned - 0.5, end + 0.3, info.to_go)
    for index, edit in enumerate(info.edits):
        _edit(layout, edit, index, info.goal, end)
    data = [*_step_line(info, end), *_dots(info), *_star(info, end)]
    return {"data": data, "layout": layout}


def _value_axes(layout: dict[str, Any], info: ObjectiveInfo, values: Sequence[float]) -> None:
    bare = any(dot.objective is None for dot in info.dots)
    # The best trial's label stands beyond the best value.
    scales = value_scales(values, (0.17, 0.07) if info.goal is Goal.MINIMIZE else (0.08, 0.14))
    layout["margin"]["l"] = left_margin(scales.values(), "no value" if bare else "")
    layout["meta"] = {"scales": {k: {"yaxis": v} for k, v in scales.items()}, "scale": info.scale}
    layout["yaxis"] = axis(escape(info.metric), showgrid=True, anchor="x") | scales[info.scale]
    layout["yaxis"]["domain"] = [0.14 if bare else 0.0, 1.0]
    # A row of its own, so that no zoom and no scale hides the trials without a value.
    layout["yaxis2"] = axis(
        anchor="x",
        domain=[0.0, 0.14 if bare else 0.001],
        range=[-1, 1],
        fixedrange=True,
        tickvals=[0] if bare else [],
        ticktext=["no value"] if bare else [],
    )


def _future(layout: dict[str, Any], start: float, end: float, count: int) -> None:
    area = {"xref": "x", "yref": "paper", "x0": start, "x1": end, "y0": 0, "y1": 1}
    layout["shapes"].append(
        {"type": "rect", **area, "fillcolor": "@sunken", "line": {"width": 0}, "layer": "below"}
    )
    # A narrow area has no room for words; the progress strip says the number.
    if (end - start) / (end + 1) >= 0.12:
        layout["annotations"].append(
            _note(f"{count:,} to go", x=(start + end) / 2, y=0.5, xanchor="center")
        )


def _edit(layout: dict[str, Any], edit: Edit, index: int, goal: Goal, end: float) -> None:
    x = edit.number - 0.5
    line = {"color": "@axis", "width": 1, "dash": "dash"}
    layout["shapes"].append(
        {"type": "line", "xref": "x", "yref": "paper", "x0": x, "x1": x, "y0": 0, "y1": 1}
        | {"line": line, "layer": "below"}
    )
    text = escape(edit.text).replace("\n", "<br>")
    # Words stand where the plot has room: away from the best line and from its edge, and those of
    # neighbours at different heights.
    side = "left" if x < 0.25 * end else "right"
    shift = 0.16 * (index % 4)
    y = 0.98 - shift if goal is Goal.MINIMIZE else 0.18 + shift
    anchor = "top" if goal is Goal.MINIMIZE else "bottom"
    # The page leaves out by this name what has no room on its screen.
    place = {"x": x, "y": y, "xanchor": side, "yanchor": anchor, "align": side}
    layout["annotations"].append(_note(text, name="edit", **place))


def _note(text: str, **place: Any) -> dict[str, Any]:
    font = {"size": 11, "color": "@muted"}
    return {"text": text, "xref": "x", "yref": "paper", "showarrow": False, "font": font} | place


def _step_line(info: ObjectiveInfo, end: float) -> list[dict[str, Any]]:
    if info.best is None:
        return []
    return [
        {
            "type": "scatter",
            "uid": "best-so-far",
            "mode": "lines",
            "x": [*(step.number for step in info.steps), end],
            "y": [*(step.value for step in info.steps), info.best.value],
            "line": {"color": "@best", "width": 2, "shape": "hv"},
        }
    ]


def _dots(info: ObjectiveInfo) -> list[dict[str, Any]]:
    best = info.best.number if info.best else None
    groups: dict[tuple[bool, int, bool], list[Dot]] = {}
    for dot in thinned(info):
        if dot.number != best:
            key = (not dot.out, _RANKS[dot.status], dot.objective is not None)
            groups.setdefault(key, []).append(dot)
    # Those that the selection leaves out lie behind the others.
    crowd = len(info.dots) > MAX_DOTS
    return [_dot_trace(groups[key], key[0], key[2], crowd) for key in sorted(groups)]


_RANKS = {status: rank for rank, status in enumerate(MARKS)}
# More dots than this are one per spot: the screen has no more places for them.
MAX_DOTS = 2000
_ACROSS, _DOWN = 140, 32


def thinned(info: ObjectiveInfo) -> Sequence[Dot]:
    """All dots, or of very many one for each spot, status and side of the selection."""
    if len(info.dots) <= MAX_DOTS:
        return info.dots
    low, high = info.values_range
    span = (high - low) or 1.0
    log = info.scale == "log"
    spots: dict[tuple[int, int, int, bool], Dot] = {}
    for dot in info.dots:
        value = dot.objective
        place = -1
        if value is not None:
            level = math.log(value) if log and value > 0 else value if not log else low
            place = int((level - low) / span * _DOWN)
        across = dot.number * _ACROSS // max(info.planned, 1)
        spots.setdefault((across, place, _RANKS[dot.status], dot.out), dot)
    return tuple(spots.values())


def _dot_trace(dots: Sequence[Dot], kept: bool, valued: bool, crowd: bool) -> dict[str, Any]:
    status = dots[0].status
    color, symbol, size, _ = MARKS[status]
    size = round(0.7 * size, 1) if crowd else size
    color = color if kept else "@border"
    filled = symbol == "circle"
    line = {"width": 1, "color": "@surface"} if filled else {"width": 1.7, "color": color}
    return {
        "type": "scatter",
        "uid": f"{status.value}-{'value' if valued else 'none'}{'' if kept else '-out'}",
        "mode": "markers",
        "x": [dot.number for dot in dots],
        "y": [dot.objective if valued else 0 for dot in dots],
        "yaxis": "y" if valued else "y2",
        "customdata": [dot.number for dot in dots],
        "marker": {"color": color, "symbol": symbol, "size": size, "line": line, "opacity": 1},
        "cliponaxis": False,
    }


def _star(info: ObjectiveInfo, end: float) -> list[dict[str, Any]]:
    if info.best is None:
        return []
    number, value = info.best
    share = number / end if end > 0 else 0
    side = " right" if share < 0.15 else " left" if share > 0.85 else " center"
    vertical = "bottom" if info.goal is Goal.MINIMIZE else "top"
    return [
        {
            "type": "scatter",
            "uid": "best",
            "mode": "markers+text",
            "x": [number],
            "y": [value],
            "customdata": [number],
            "text": [f"<b>#{number}</b>  {objective_text(value)}"],
            "textposition": vertical + side,
            "textfont": {"size": 12, "color": "@best"},
            "marker": {
                "symbol": "star",
                "size": 14,
                "color": "@best",
                "line": {"width": 1, "color": "@surface"},
            },
            "cliponaxis": False,
        }
    ]
