"""Parallel coordinates, how: scatter lines over axis indices, because Plotly's parcoords trace
can neither widen nor dash nor label a single line.

Lines share one trace per colour and dash (gaps between them), so that 500 trials stay a dozen
traces; `customdata` names the trial at every point.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any

from sweeps.charts.axes import AxisInfo
from sweeps.charts.figure import Figure, base_layout
from sweeps.charts.marks import ramp_color
from sweeps.charts.parallel_coordinates import Line, ParallelInfo
from sweeps.charts.text import escape, wrap_name

BUCKETS = 12
# Beyond so many lines they let each other through.
CROWD = 150
# Where "none" and "no value" stand, below the lowest value at 0.
ABSENT = -0.12
MIN_GAP_PX = 106
_CHAR_PX, _TICK_PX = 6.7, 6.4


def parallel_figure(info: ParallelInfo) -> Figure:
    """The Plotly figure of `info`; `layout.meta.minWidth` is in pixels."""
    names = [wrap_name(axis.name) for axis in info.axes]
    left, right = _left(info, names), _right(info, names)
    top = 46 + 15 * max(len(name) for name in names)
    layout = base_layout(left=left, right=right, top=top, bottom=12, revision="parallel")
    last = len(info.axes) - 1
    absent = [any(line.positions[i] is None for line in info.lines) for i in range(last + 1)]
    # Nothing to zoom: the axes are no numbers to people.
    still = {"visible": False, "fixedrange": True}
    layout["xaxis"] = {**still, "range": [0, max(last, 1)]}
    layout["yaxis"] = {**still, "range": [ABSENT - 0.05 if any(absent) else -0.03, 1.03]}
    layout["dragmode"] = False
    layout["annotations"] = [
        note for i, axis in enumerate(info.axes) for note in _title(i, axis, names[i])
    ]
    layout["meta"] = {
        "minWidth": left + right + _gap(info, names) * last,
        "axes": [axis.name for axis in info.axes],
    }
    others = [line for line in info.lines if line is not info.best]
    best = [info.best] if info.best else []
    opacity = 1.0 if len(others) <= CROWD else 0.6
    data = [
        *_bundles([line for line in others if line.out]),
        *(bundle | {"opacity": opacity} for bundle in _bundles(x for x in others if not x.out)),
        _axis_lines(info.axes, absent),
        _ticks(info, absent),
        *(trace for line in best for trace in _best(line, info.axes)),
    ]
    return {"data": data, "layout": layout}


# --- Widths -------------------------------------------------------------------------------------


def _half(name: Sequence[str]) -> float:
    return max(len(part) for part in name) * _CHAR_PX / 2


def _gap(info: ParallelInfo, names: Sequence[Sequence[str]]) -> int:
    """Least distance of two axes at which no name and no tick runs into its neighbour."""
    by_name = [_half(a) + _half(b) + 14 for a, b in pairwise(names)]
    by_tick = [
        max((len(tick.text) for tick in axis.scale.ticks()), default=0) * _TICK_PX + 44
        for axis in info.axes[1:-1]
    ]
    return round(max([MIN_GAP_PX, *by_name, *by_tick]))


def _left(info: ParallelInfo, names: Sequence[Sequence[str]]) -> int:
    widest = max((len(tick.text) for tick in info.axes[0].scale.ticks()), default=0)
    return round(max(34, _half(names[0]) + 2, widest * _TICK_PX + 14))


def _right(info: ParallelInfo, names: Sequence[Sequence[str]]) -> int:
    shown = [len(tick.text) for tick in info.axes[-1].scale.ticks()]
    shown += [len(info.best.texts[-1]) + 1] if info.best else []
    shown += [8]
    return round(max(_half(names[-1]) + 2, max(shown) * _TICK_PX + 14))


# --- Traces -------------------------------------------------------------------------------------


def _path(line: Line) -> list[float]:
    return [ABSENT if place is None else round(place, 4) for place in line.positions]


def _bundles(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Lines joined by colour and dash, in the order in which each comes first: worst behind."""
    bundles: dict[tuple[str, str], list[Line]] = {}
    for line in lines:
        bundles.setdefault(_style(line), []).append(line)
    return [_bundle(color, dash, members) for (color, dash), members in bundles.items()]


def _style(line: Line) -> tuple[str, str]:
    if line.out:
        return "@border", "solid"
    if line.kind == "bare":
        return "@red-mark", "2px,3px"
    dash = "7px,5px" if line.kind == "running" else "solid"
    if line.strength is None:
        return "@ramp-0.50", dash
    return ramp_color(round(line.strength * (BUCKETS - 1)) / (BUCKETS - 1)), dash


def _bundle(color: str, dash: str, lines: Sequence[Line]) -> dict[str, Any]:
    x: list[int | None] = []
    y: list[float | None] = []
    numbers: list[int | None] = []
    for line in lines:
        path = _path(line)
        x += [*range(len(path)), None]
        y += [*path, None]
        numbers += [line.number] * len(path) + [None]
    return {
        "type": "scatter",
        "uid": f"{color}{dash}",
        "mode": "lines",
        "x": x,
        "y": y,
        "customdata": numbers,
        "line": {"color": color, "width": 1.4, "dash": dash},
        "connectgaps": False,
        "cliponaxis": False,
    }


def _axis_lines(axes: Sequence[AxisInfo], absent: Sequence[bool]) -> dict[str, Any]:
    x: list[int | None] = []
    y: list[float | None] = []
    for i in range(len(axes)):
        x += [i, i, None]
        y += [ABSENT - 0.03 if absent[i] else 0, 1, None]
    return {
        "type": "scatter",
        "uid": "axes",
        "mode": "lines",
        "x": x,
        "y": y,
        "line": {"color": "@axis", "width": 1},
        "cliponaxis": False,
    }


def _ticks(info: ParallelInfo, absent: Sequence[bool]) -> dict[str, Any]:
    """Tick marks and their texts: left of each axis, right of the last."""
    last = len(info.axes) - 1
    ticks: list[tuple[int, float, str]] = []
    for i, axis in enumerate(info.axes):
        own = [(tick.position, tick.text) for tick in axis.scale.ticks()] if info.lines else []
        if absent[i]:
            own.append((ABSENT, "no value" if i == last else "none"))
        ticks += [(i, *tick) for tick in own if not _replaced(info, i, *tick)]
    return {
        "type": "scatter",
        "uid": "ticks",
        "mode": "markers+text",
        "x": [i for i, _, _ in ticks],
        "y": [place for _, place, _ in ticks],
        # No-break spaces keep the texts off their tick marks.
        "text": [f"\u00a0{escape(text)}\u00a0" for _, _, text in ticks],
        "textposition": ["middle right" if i == last else "middle left" for i, _, _ in ticks],
        "textfont": {"size": 11.5, "color": "@muted"},
        "marker": {"symbol": "line-ew", "size": 5, "line": {"color": "@axis", "width": 1}},
        "cliponaxis": False,
    }


def _replaced(info: ParallelInfo, i: int, place: float, text: str) -> bool:
    """True when the best trial's label stands for this tick or in its way."""
    if info.best is None:
        return False
    if info.best.texts[i] == text:
        return True
    own = info.best.positions[i]
    return i == len(info.axes) - 1 and own is not None and abs(own - place) < 0.06


def _best(line: Line, axes: Sequence[AxisInfo]) -> list[dict[str, Any]]:
    """The best trial on top: a halo in the surface's colour, the line, its dots and values."""
    path = _path(line)
    shared: dict[str, Any] = {
        "type": "scatter",
        "x": list(range(len(path))),
        "y": path,
        "cliponaxis": False,
    }
    halo = shared | {"uid": "best-halo", "mode": "lines"}
    halo["line"] = {"color": "@surface", "width": 6}
    best = shared | {
        "uid": "best",
        "mode": "lines+markers+text",
        "customdata": [line.number] * len(path),
        "line": {"color": "@best", "width": 3},
        "marker": {"size": 8, "color": "@best", "line": {"color": "@surface", "width": 1.5}},
        "text": [f"<b>{escape(text)}</b>" for text in line.texts],
        "textposition": [_label_side(path, i) for i in range(len(path))],
        "textfont": {"size": 11.5, "color": "@best"},
    }
    return [halo, best]


def _label_side(path: Sequence[float], i: int) -> str:
    """Right of the axis, on the side of the line that leaves it."""
    if i == len(path) - 1:
        return "middle right"
    return "bottom right" if path[i + 1] > path[i] else "top right"


def _title(i: int, axis: AxisInfo, name: Sequence[str]) -> list[dict[str, Any]]:
    """The name in bold and, muted below it, the kind."""
    place = {"x": i, "y": 1, "xref": "x", "yref": "paper", "yanchor": "bottom"}
    bold = "<br>".join(f"<b>{escape(part)}</b>" for part in name)
    return [
        {**place, "text": text, "yshift": shift, "showarrow": False, "borderpad": 0}
        | {"font": {"size": size, "color": color}}
        for text, shift, size, color in (
            (bold, 32, 12, "@text"),
            (escape(axis.kind), 18, 11, "@muted"),
        )
    ]
