"""Parallel coordinates as a static picture."""

from collections.abc import Sequence

from sweeps.charts.axes import AxisInfo
from sweeps.charts.marks import ramp_color
from sweeps.charts.parallel_coordinates import Line, ParallelInfo
from sweeps.charts.svg import WIDTH, Box, path, picture, polyline, text
from sweeps.charts.text import wrap_name

MAX_AXES = 16
_APART, _HEIGHT, _NONE = 112, 400, 24
_TICK_LETTERS = 12


def parallel_svg(info: ParallelInfo) -> str:
    """A line for every trial drawn, worst first, the best on top with its values.

    Of very many parameters the first are drawn, and the objective.
    """
    keep = list(range(len(info.axes)))
    if len(keep) > MAX_AXES:
        keep = [*keep[: MAX_AXES - 1], keep[-1]]
    axes = [info.axes[i] for i in keep]
    width = max(WIDTH, _APART * len(axes))
    box = Box(84, 62, width - 84, _HEIGHT - 16 - _NONE)
    places = [box.x(i / max(len(axes) - 1, 1)) for i in range(len(axes))]
    parts = [_line(line, keep, places, box) for line in info.lines if line is not info.best]
    for axis, x in zip(axes, places, strict=True):
        parts += _axis(axis, x, box, is_objective=axis is axes[-1])
    if info.best:
        parts += _best(info.best, keep, places, box)
    return picture(width, _HEIGHT, info.summary, parts)


def _spots(
    line: Line, keep: Sequence[int], places: Sequence[float], box: Box
) -> list[tuple[float, float]]:
    """Where it crosses each axis; what has no place stands on the tick below it."""
    found = []
    for i, x in zip(keep, places, strict=True):
        at = line.positions[i]
        found.append((x, box.bottom + _NONE if at is None else box.y(min(max(at, 0.0), 1.0))))
    return found


def _line(line: Line, keep: Sequence[int], places: Sequence[float], box: Box) -> str:
    d = polyline(_spots(line, keep, places, box))
    if line.kind == "bare":
        return path(d, "@red-mark", 1, dash="dot", opacity=0.6)
    dash = "dash" if line.kind == "running" else "solid"
    return path(d, ramp_color(line.strength or 0.0), 1.2, dash=dash, opacity=0.75)


def _axis(axis: AxisInfo, x: float, box: Box, *, is_objective: bool) -> list[str]:
    names = wrap_name(axis.name, 16)[:2]
    parts = [path(f"M{x:g} {box.top:g}V{box.bottom:g}", "@axis", 1)]
    for row, name in enumerate(names):
        parts.append(text(x, 16 + 14 * row, name, "middle", "name strong"))
    parts.append(text(x, 18 + 14 * len(names), axis.kind, "middle", "tick"))
    for tick in axis.scale.ticks(5):
        y = box.y(tick.position)
        short = tick.text if len(tick.text) <= _TICK_LETTERS else f"{tick.text[:_TICK_LETTERS]}…"
        parts.append(path(f"M{x - 4:g} {y:g}H{x:g}", "@axis", 1))
        parts.append(text(x - 7, y + 4, short, "end", "tick halo"))
    word = "no value" if is_objective else "none"
    parts.append(text(x - 7, box.bottom + _NONE + 4, word, "end", "tick halo"))
    return parts


def _best(best: Line, keep: Sequence[int], places: Sequence[float], box: Box) -> list[str]:
    spots = _spots(best, keep, places, box)
    d = polyline(spots)
    parts = [path(d, "@surface", 6), path(d, "@best", 3)]
    for i, (x, y) in zip(keep, spots, strict=True):
        parts.append(text(x + 7, y + 4, best.texts[i][:18], "start", "best halo"))
    return parts
