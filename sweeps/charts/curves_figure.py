"""Metric curves, how: lines, marks and labels at their ends."""

import math
from collections.abc import Sequence
from typing import Any

from sweeps.charts.clock import time_axis
from sweeps.charts.figure import Figure, axis, base_layout, whole_step
from sweeps.charts.metric_curves import X_TITLES, CurveLine, CurvesInfo
from sweeps.charts.smoothing import Quantiles
from sweeps.charts.text import escape, tick_text
from sweeps.charts.value_axis import left_margin, value_scales

MIN_LABEL_PX = 14.0
# The lowest label stands above the ticks of the axis.
_FLOOR_PX = 7.0
# Height of the plot area for which labels are kept apart; higher ones only have more room.
PLOT_PX = 210.0
_CHAR_PX = 6.8
# Ends closer than this share of the x axis share a column of labels.
_NEAR = 0.15


def curves_figure(info: CurvesInfo) -> Figure:
    """The Plotly figure of `info`; `layout.meta.scales` holds axis and labels, linear and log."""
    longest = max((len(" ".join(_words(line, info))) for line in info.lines), default=0)
    right = round(min(max(longest * _CHAR_PX + 18, 40), 160)) if info.labelled else 24
    layout = base_layout(right=right, revision="curves")
    layout["xaxis"] = axis(X_TITLES[info.x], anchor="y")
    layout["uirevision"] = f"curves-{info.x}"
    values = [y for line in info.lines for _, y in (*line.points, *line.raw) if y is not None]
    values += [*info.quantiles.low, *info.quantiles.high] if info.quantiles else []
    if not values:
        layout["yaxis"] = axis(escape(info.metric))
        return {"data": [], "layout": layout}
    low, high = _x_range(info.lines)
    steps = {"tick0": 0, "dtick": whole_step(high - low, 7)}
    layout["xaxis"] |= {"range": [low, high]} | (time_axis(high, 4) if info.x == "time" else steps)
    scales = value_scales(values)
    layout["margin"]["l"] = left_margin(scales.values())
    layout["meta"] = {
        "scale": info.scale,
        "scales": {
            kind: {"yaxis": settings, "annotations": _labels(info, settings["range"], kind)}
            for kind, settings in scales.items()
        },
    }
    layout["yaxis"] = axis(escape(info.metric), showgrid=True) | scales[info.scale]
    layout["annotations"] = layout["meta"]["scales"][info.scale]["annotations"]
    # Among many lines the strong one stands out only when the others step back.
    others = 0.3 if info.quantiles else 0.45
    data = [_raw(line) for line in info.lines if line.raw]
    data += [_line(line, 1.0 if info.labelled or line.strong else others) for line in info.lines]
    data += _quantile_lines(info.quantiles) if info.quantiles else []
    ended = info.lines if info.labelled else [line for line in info.lines if line.end == "star"]
    return {"data": [*data, *_ends(ended)], "layout": layout}


def _x_range(lines: Sequence[CurveLine]) -> list[float]:
    xs = [x for line in lines for x, _ in line.points]
    low, high = min(xs), max(xs)
    span = (high - low) or 1.0
    return [low - 0.03 * span, high + 0.02 * span]


def _line(line: CurveLine, opacity: float) -> dict[str, Any]:
    single = len(line.points) == 1
    return {
        "type": "scatter",
        "uid": f"line-{line.number}-{line.label}",
        "mode": "markers" if single else "lines",
        "name": escape(line.label),
        "x": [x for x, _ in line.points],
        "y": [y for _, y in line.points],
        "customdata": [line.number] * len(line.points),
        "line": {"color": line.color, "width": 2.6 if line.strong else 1.8, "dash": line.dash},
        "marker": {"color": line.color, "size": 6},
        "opacity": opacity,
        "connectgaps": False,
    }


def _raw(line: CurveLine) -> dict[str, Any]:
    """What the line was smoothed from; nothing to point at."""
    return {
        "type": "scatter",
        "uid": f"raw-{line.number}-{line.label}",
        "mode": "lines",
        "x": [x for x, _ in line.raw],
        "y": [y for _, y in line.raw],
        "line": {"color": line.color, "width": 1.2},
        "opacity": 0.3,
        "connectgaps": False,
    }


def _quantile_lines(quantiles: Quantiles) -> list[dict[str, Any]]:
    shared = {"type": "scatter", "mode": "lines", "x": list(quantiles.xs)}
    dashed = {"color": "@text", "width": 1.4, "dash": "dash"}
    return [
        {**shared, "uid": "quantile-low", "y": list(quantiles.low), "line": dashed},
        {**shared, "uid": "quantile-high", "y": list(quantiles.high), "line": dashed},
        {**shared, "uid": "median", "y": list(quantiles.middle)}
        | {"line": {"color": "@text", "width": 2}},
    ]


def _ends(lines: Sequence[CurveLine]) -> list[dict[str, Any]]:
    """One trace per kind of end mark."""
    traces = []
    for mark in ("circle", "diamond", "star"):
        ended = [
            (line, line.star_at or line.last) for line in lines if line.end == mark and line.last
        ]
        if not ended:
            continue
        star = mark == "star"
        traces.append(
            {
                "type": "scatter",
                "uid": f"end-{mark}",
                "mode": "markers",
                "x": [last[0] for _, last in ended],
                "y": [last[1] for _, last in ended],
                "customdata": [line.number for line, _ in ended],
                "marker": {
                    "symbol": mark,
                    "size": 14 if star else 6 if mark == "circle" else 8,
                    "color": "@best" if star else [line.color for line, _ in ended],
                    "line": {"width": 1 if star else 0, "color": "@surface"},
                },
                "cliponaxis": False,
            }
        )
    return traces


def _words(line: CurveLine, info: CurvesInfo) -> tuple[str, str]:
    """What stands at a line's end: its label, and among few lines its last value."""
    if line.last is None or len(info.lines) > 4:
        return line.label, ""
    return line.label, tick_text(float(f"{line.last[1]:.4g}"))


def _labels(info: CurvesInfo, ends: Sequence[float], kind: str) -> list[dict[str, Any]]:
    """Labels at line ends, moved so that neighbours stand at least 14 pixels apart."""
    placed: list[tuple[CurveLine, float, float, float]] = []
    for line in info.lines if info.labelled else ():
        if line.last is None or (kind == "log" and line.last[1] <= 0):
            continue
        y = math.log10(line.last[1]) if kind == "log" else line.last[1]
        placed.append((line, line.last[0], y, (y - ends[0]) / (ends[1] - ends[0]) * PLOT_PX))
    near = _NEAR * (max((x for _, x, *_ in placed), default=0.0) or 1.0)
    notes = []
    for column in columns_of(placed, near):
        heights = spread([pixel for *_, pixel in column], MIN_LABEL_PX, _FLOOR_PX, PLOT_PX)
        for (line, x, y, pixel), height in zip(column, heights, strict=True):
            notes.append(_annotation(line, info, x, y, height - pixel))
    return notes


def columns_of(
    placed: Sequence[tuple[CurveLine, float, float, float]], near: float
) -> list[list[tuple[CurveLine, float, float, float]]]:
    """Ends grouped by x: those of curves that stopped early do not push the others' labels."""
    columns: list[list[tuple[CurveLine, float, float, float]]] = []
    for item in sorted(placed, key=lambda item: item[1]):
        if columns and item[1] - columns[-1][-1][1] <= near:
            columns[-1].append(item)
        else:
            columns.append([item])
    return columns


def _annotation(
    line: CurveLine, info: CurvesInfo, x: float, y: float, shift: float
) -> dict[str, Any]:
    label, value = (escape(text) for text in _words(line, info))
    head = f"<b>{label}</b>" if line.strong or (value and label.startswith("#")) else label
    return {
        "x": x,
        "y": y,
        "xref": "x",
        "yref": "y",
        "xanchor": "left",
        "xshift": 8,
        "yshift": round(shift, 1),
        "showarrow": False,
        "text": f"{head} {value}" if value else head,
        "font": {"size": 11.5, "color": "@text"},
    }


def spread(
    heights: Sequence[float], gap: float, floor: float = -math.inf, ceiling: float = math.inf
) -> list[float]:
    """`heights` moved as little as needed so that all stand at least `gap` apart, order kept,
    none below `floor`, and none above `ceiling` unless there is no room for all.

    Neighbours that collide become a block around their common middle (pool adjacent violators).
    """
    order = sorted(range(len(heights)), key=lambda i: heights[i])
    # Each block: how many, and the sum of (height - rank * gap); its start is their mean.
    blocks: list[tuple[int, float]] = []
    for rank, i in enumerate(order):
        blocks.append((1, heights[i] - rank * gap))
        while len(blocks) > 1 and _mean(blocks[-2]) > _mean(blocks[-1]):
            (n, a), (m, b) = blocks[-2:]
            blocks[-2:] = [(n + m, a + b)]
    moved, rank = [0.0] * len(heights), 0
    top = max(ceiling - (len(heights) - 1) * gap, floor)
    for block in blocks:
        for _ in range(block[0]):
            moved[order[rank]] = min(max(_mean(block), floor), top) + rank * gap
            rank += 1
    return moved


def _mean(block: tuple[int, float]) -> float:
    return block[1] / block[0]
