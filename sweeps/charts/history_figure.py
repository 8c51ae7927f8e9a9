"""Objective history, how: dots by status, the best so far as a step, edits as dashed lines."""

from collections.abc import Sequence
from typing import Any

from sweeps.charts.clock import time_axis
from sweeps.charts.figure import Figure, axis, base_layout, whole_step
from sweeps.charts.marks import MARKS
from sweeps.charts.objective_history import MAX_DOTS, RANKS, Dot, Edit, ObjectiveInfo, thinned
from sweeps.charts.picked import picked_dots
from sweeps.charts.text import escape, objective_text
from sweeps.charts.value_axis import left_margin, value_scales
from sweeps.domain.objective import Goal
from sweeps.domain.states import TrialStatus

_COVERING = 300


def objective_figure(info: ObjectiveInfo) -> Figure:
    """The Plotly figure of `info`; `layout.meta.scales` holds the y axis linear and log."""
    end = info.end
    layout = base_layout(revision="objective" if info.by == "trial" else "objective-time")
    layout["xaxis"] = _across(info)
    layout["annotations"], layout["shapes"] = [], []
    values = [dot.objective for dot in info.dots if dot.objective is not None]
    if not values:
        layout["yaxis"] = axis(escape(info.metric), anchor="x")
        return {"data": [], "layout": layout}
    _value_axes(layout, info, values)
    if info.to_go and info.by == "trial":
        _future(layout, info.planned - 0.5, end + 0.3, info.to_go)
    for index, edit in enumerate(info.edits):
        _edit(layout, edit, index, info.goal, end)
    best = info.best.number if info.best else None  # it has its star
    picked = picked_dots((d for d in info.dots if d.number != best), info.picked)
    line, dots = _step_line(info, end), _dots(info)
    # Behind few dots, so that each is seen whole; over many, which would cover it.
    data = [*dots, *line] if len(info.dots) > _COVERING else [*line, *dots]
    data += [*picked, *_star(info, end)]
    return {"data": data, "layout": layout}


def _across(info: ObjectiveInfo) -> dict[str, Any]:
    if info.by == "time":
        span = info.end or 1.0
        made = axis("End of the trial, since the start", range=[-0.03 * span, 1.03 * span])
        return made | time_axis(span) | {"anchor": "y2", "minallowed": -0.1 * span}
    end = info.end
    made = axis("Trial", range=[-0.8, end + 0.3], anchor="y2", rangemode="nonnegative")
    return made | {"tick0": 0, "dtick": whole_step(end), "minallowed": -1}


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
    x = edit.x
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
            "x": [*(step.x for step in info.steps), end],
            "y": [*(step.value for step in info.steps), info.best.value],
            "line": {"color": "@best", "width": 2, "shape": "hv"},
        }
    ]


def _dots(info: ObjectiveInfo) -> list[dict[str, Any]]:
    best = info.best.number if info.best else None
    groups: dict[tuple[bool, int, bool], list[Dot]] = {}
    for dot in thinned(info):
        if dot.number != best:
            key = (not dot.out, RANKS[dot.status], dot.objective is not None)
            groups.setdefault(key, []).append(dot)
    # Those that the selection leaves out lie behind the others. So do, in a crowd, those that did
    # not complete: each spot is drawn once, and a few of them would hide all that did.
    crowd = len(info.dots) > MAX_DOTS
    completed = RANKS[TrialStatus.COMPLETED]
    order = sorted(groups, key=lambda key: (key[0], crowd and key[1] == completed, key))
    return [_dot_trace(groups[key], key[0], key[2], crowd) for key in order]


def _dot_trace(dots: Sequence[Dot], kept: bool, valued: bool, crowd: bool) -> dict[str, Any]:
    status = dots[0].status
    color, symbol, size, _ = MARKS[status]
    size = round(0.7 * size, 1) if crowd else size
    color = color if kept else "@border"
    filled = symbol == "circle"
    thin = 1.2 if crowd else 1.7
    line = {"width": 1, "color": "@surface"} if filled else {"width": thin, "color": color}
    return {
        "type": "scatter",
        "uid": f"{status.value}-{'value' if valued else 'none'}{'' if kept else '-out'}",
        "mode": "markers",
        "x": [dot.x for dot in dots],
        "y": [dot.objective if valued else 0 for dot in dots],
        "yaxis": "y" if valued else "y2",
        "customdata": [dot.number for dot in dots],
        "marker": {"color": color, "symbol": symbol, "size": size, "line": line, "opacity": 1},
        "cliponaxis": False,
    }


def _star(info: ObjectiveInfo, end: float) -> list[dict[str, Any]]:
    if info.best is None:
        return []
    number, value, _ = info.best
    share = info.best.x / end if end > 0 else 0
    side = " right" if share < 0.15 else " left" if share > 0.85 else " center"
    vertical = "bottom" if info.goal is Goal.MINIMIZE else "top"
    return [
        {
            "type": "scatter",
            "uid": "best",
            "mode": "markers+text",
            "x": [info.best.x],
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
