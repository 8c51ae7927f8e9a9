"""Parallel coordinates, how: scatter lines over axis indices, because Plotly's parcoords trace
can neither widen nor dash nor label a single line.

Lines share one trace per colour and dash (gaps between them), so that 500 trials stay a dozen
traces; `customdata` names the trial at every point.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from sweeps.charts.axes import AxisInfo
from sweeps.charts.figure import Figure, base_layout
from sweeps.charts.marks import ramp_color, trial_color, trial_dash
from sweeps.charts.parallel_coordinates import ABSENT, TOP, Line, ParallelInfo
from sweeps.charts.parallel_page import absent_text, page_meta
from sweeps.charts.text import escape, wrap_name

BUCKETS = 12
# Beyond so many lines they let each other through.
CROWD = 150
MIN_GAP_PX = 106
_CHAR_PX, _KIND_PX, _TICK_PX = 6.7, 5.9, 6.4
_NAME_LINE_PX, _KIND_LINE_PX = 15, 14
_BOTTOM_PX, _LEAST_PX = 12, 150
# Texts of categories are broken into lines of so many letters.
_TICK_LETTERS = 18


class Head(NamedTuple):
    """What stands above an axis, in lines: its name and its kind."""

    name: Sequence[str]
    kind: Sequence[str]

    @property
    def height(self) -> int:
        """In px."""
        return _NAME_LINE_PX * len(self.name) + _KIND_LINE_PX * len(self.kind)

    @property
    def half(self) -> float:
        """Half its width in px."""
        name, kind = (max(map(len, lines)) for lines in self)
        return max(name * _CHAR_PX, kind * _KIND_PX) / 2


def parallel_figure(info: ParallelInfo) -> Figure:
    """The Plotly figure of `info`; `layout.meta` is what the page needs to act on its axes."""
    heads = [Head(wrap_name(axis.name), wrap_name(axis.kind)) for axis in info.axes]
    left, right = _left(info, heads), _right(info, heads)
    top = 32 + max(head.height for head in heads)
    layout = base_layout(left=left, right=right, top=top, bottom=_BOTTOM_PX, revision="parallel")
    last = len(info.axes) - 1
    # Nothing to zoom: the axes are no numbers to people.
    still = {"visible": False, "fixedrange": True}
    layout["xaxis"] = {**still, "range": [0, max(last, 1)]}
    layout["yaxis"] = {**still, "range": [info.bottom, TOP]}
    layout["dragmode"] = False
    layout["annotations"] = [note for i, head in enumerate(heads) for note in _title(i, head)]
    layout["meta"] = page_meta(info) | {
        "minWidth": left + right + _gap(info, heads) * last,
        # Where names take several lines the lines below them still need room.
        "minHeight": top + _LEAST_PX + _BOTTOM_PX,
        "density": info.density.packed() if info.density else None,
    }
    others = [line for line in info.lines if line is not info.best and not line.picked]
    picked = [line for line in info.lines if line is not info.best and line.picked]
    opacity = 1.0 if len(others) <= CROWD else 0.6
    data = [
        *_bundles([line for line in others if line.out]),
        *(bundle | {"opacity": opacity} for bundle in _bundles(x for x in others if not x.out)),
        _axis_lines(info.axes, info.absent),
        *(trace for line in picked for trace in _picked(line)),
        *_best_line(info),
        _ticks(info),
        *_best_values(info),
    ]
    return {"data": data, "layout": layout}


# --- Widths -------------------------------------------------------------------------------------


def _gap(info: ParallelInfo, heads: Sequence[Head]) -> int:
    """Least distance of two axes at which no name and no tick runs into its neighbour."""
    by_name = [a.half + b.half + 14 for a, b in pairwise(heads)]
    by_tick = [_widest(axis) * _TICK_PX + 44 for axis in info.axes[1:-1]]
    return round(max([MIN_GAP_PX, *by_name, *by_tick]))


def _widest(axis: AxisInfo) -> int:
    """Letters of the widest line beside an axis."""
    lines = (line for tick in axis.scale.ticks() for line in wrap_name(tick.text, _TICK_LETTERS))
    return max(map(len, lines), default=0)


def _left(info: ParallelInfo, heads: Sequence[Head]) -> int:
    return round(max(34, heads[0].half + 2, _widest(info.axes[0]) * _TICK_PX + 14))


def _right(info: ParallelInfo, heads: Sequence[Head]) -> int:
    shown: list[float] = [_widest(info.axes[-1]), len("no value")]
    if info.best_texts:
        lines = wrap_name(info.best_texts[-1], _TICK_LETTERS)
        shown.append(max(map(len, lines)) * 1.1 + 1)
    return round(max(heads[-1].half + 2, max(shown) * _TICK_PX + 16))


def _text(text: str) -> str:
    """A tick's text, in lines."""
    return "<br>".join(escape(line) for line in wrap_name(text, _TICK_LETTERS))


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


def _ticks(info: ParallelInfo) -> dict[str, Any]:
    """Tick marks and their texts: left of each axis, right of the last."""
    last = len(info.axes) - 1
    ticks: list[tuple[int, float, str]] = []
    for i, axis in enumerate(info.axes):
        own = [(tick.position, tick.text) for tick in axis.scale.ticks()] if info.lines else []
        if info.absent[i]:
            own.append((ABSENT, absent_text(info.shown[i].is_objective)))
        ticks += [(i, *tick) for tick in own if not _replaced(info, i, *tick)]
    return {
        "type": "scatter",
        "uid": "ticks",
        "mode": "markers+text",
        "x": [i for i, _, _ in ticks],
        "y": [place for _, place, _ in ticks],
        "text": [_apart(text) for _, _, text in ticks],
        "textposition": ["middle right" if i == last else "middle left" for i, _, _ in ticks],
        "textfont": {"size": 11.5, "color": "@text"},
        "marker": {"symbol": "line-ew", "size": 5, "line": {"color": "@axis", "width": 1}},
        "cliponaxis": False,
    }


def _apart(text: str) -> str:
    """No-break spaces keep the lines of a tick's text off its mark."""
    return "<br>".join(f"\u00a0{line}\u00a0" for line in _text(text).split("<br>"))


def _labelled(info: ParallelInfo) -> Line | None:
    """The best trial, if its values are written: one that the selection leaves out steps back."""
    return info.best if info.best and not info.best.out else None


def _replaced(info: ParallelInfo, i: int, place: float, text: str) -> bool:
    """True when the best trial's label stands for this tick or in its way."""
    best = _labelled(info)
    if best is None:
        return False
    if info.best_texts[i] == text:
        return True
    own = best.positions[i]
    return i == len(info.axes) - 1 and own is not None and abs(own - place) < 0.06


def _alone(line: Line, uid: str) -> dict[str, Any]:
    path = _path(line)
    return {
        "type": "scatter",
        "uid": uid,
        "mode": "lines",
        "x": list(range(len(path))),
        "y": path,
        "cliponaxis": False,
    }


def _halo(line: Line, uid: str) -> dict[str, Any]:
    return _alone(line, f"{uid}-halo") | {"line": {"color": "@surface", "width": 6}}


def _picked(line: Line) -> list[dict[str, Any]]:
    """A picked trial over a halo, in its own colour and dash."""
    uid = f"picked-{line.number}"
    style = {"color": trial_color(line.number), "width": 2.6, "dash": trial_dash(line.number)}
    numbers = [line.number] * len(line.positions)
    return [_halo(line, uid), _alone(line, uid) | {"customdata": numbers, "line": style}]


def _best_line(info: ParallelInfo) -> list[dict[str, Any]]:
    """The best trial on top: a halo in the surface's colour, and the line."""
    line = info.best
    if line is None:
        return []
    best = _alone(line, "best") | {
        "customdata": [line.number] * len(line.positions),
        "line": {"color": "@best", "width": 3},
    }
    if line.out:
        return [best | {"opacity": 0.45, "line": {"color": "@best", "width": 1.4}}]
    return [_halo(line, "best"), best]


def _best_values(info: ParallelInfo) -> list[dict[str, Any]]:
    """The dots of the best trial with their values, above everything else."""
    line = _labelled(info)
    if line is None:
        return []
    path = _path(line)
    return [
        _alone(line, "best-values")
        | {
            "mode": "markers+text",
            "marker": {"size": 8, "color": "@best", "line": {"color": "@surface", "width": 1.5}},
            "text": [f"<b>{_text(text)}</b>" for text in info.best_texts],
            "textposition": [_label_side(path, i) for i in range(len(path))],
            "textfont": {"size": 11.5, "color": "@best"},
        }
    ]


def _label_side(path: Sequence[float], i: int) -> str:
    """Right of the axis, on the side of the line that leaves it."""
    if i == len(path) - 1:
        return "middle right"
    return "bottom right" if path[i + 1] > path[i] else "top right"


def _title(i: int, head: Head) -> list[dict[str, Any]]:
    """The name in bold and, muted below it, the kind."""
    place = {"x": i, "y": 1, "xref": "x", "yref": "paper", "yanchor": "bottom"}
    bold = "<br>".join(f"<b>{escape(part)}</b>" for part in head.name)
    kind = "<br>".join(map(escape, head.kind))
    return [
        {**place, "text": text, "yshift": shift, "showarrow": False, "borderpad": 0}
        | {"font": {"size": size, "color": color}}
        for text, shift, size, color in (
            (bold, 18 + _KIND_LINE_PX * len(head.kind), 12, "@text"),
            (kind, 18, 11, "@muted"),
        )
    ]
