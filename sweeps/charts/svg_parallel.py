"""Parallel coordinates as a static picture."""

from collections.abc import Iterator, Sequence

import numpy as np

from sweeps.charts.axes import AxisInfo
from sweeps.charts.density import Density
from sweeps.charts.marks import ramp_color
from sweeps.charts.parallel_coordinates import ABSENT, TOP, Line, ParallelInfo
from sweeps.charts.svg import WIDTH, Box, color, path, picture, polyline, text
from sweeps.charts.text import wrap_name

MAX_AXES = 16
_APART, _HEIGHT = 112, 400
_TICK_LETTERS, _VALUE_LETTERS = 12, 18
# Shades of the density: how many lines pass, and how good they are.
_LEVELS, _STRENGTHS = 6, 5


def parallel_svg(info: ParallelInfo) -> str:
    """A line for every trial drawn, worst first, the best on top with its values; of very many
    trials their density below these.

    Of very many axes the first are drawn, and the objective.
    """
    keep = list(range(len(info.axes)))
    if len(keep) > MAX_AXES:
        keep = [*keep[: MAX_AXES - 1], keep[-1]]
    width = max(WIDTH, _APART * len(keep))
    # Values stand right of the last axis, in whatever font the reader has.
    box = Box(84, 62, width - 104, _HEIGHT - 60)
    places = [box.x(i / max(len(keep) - 1, 1)) for i in range(len(keep))]
    parts: list[str] = []
    # Where an axis is left out there is no gap to which the last columns would belong.
    if info.density and len(keep) == len(info.axes):
        parts += _ground(info.density, info.bottom, box)
    parts += [_line(line, keep, places, box) for line in info.lines if line is not info.best]
    parts += [path(f"M{x:g} {box.top:g}V{box.bottom:g}", "@axis", 1) for x in places]
    if info.best:
        parts += _best_line(info.best, keep, places, box)
    # Texts last: no line goes through one.
    for i, x in zip(keep, places, strict=True):
        last = i == keep[-1]
        parts += _axis(info.axes[i], x, box, "no value" if last else "none", info.absent[i])
    if info.best:
        parts += _best_values(info.best, info.best_texts, keep, places, box)
    return picture(width, _HEIGHT, info.summary, parts)


def _ground(density: Density, bottom: float, box: Box) -> Iterator[str]:
    """One path for each shade: runs of cells, as strokes of a column's width."""
    rows, columns = density.lines.shape
    top = float(density.lines.max(initial=0.0)) or 1.0
    levels = np.ceil(_LEVELS * np.log1p(density.lines) / np.log1p(top)).astype(int)
    strengths = np.nan_to_num(np.floor(density.strength * (_STRENGTHS - 0.01)), nan=-1).astype(int)
    across = (box.right - box.left) / columns
    height = lambda row: box.y(TOP - row / rows * (TOP - bottom))  # noqa: E731
    shades: dict[tuple[int, int], list[str]] = {}
    for column in range(columns):
        x = box.left + (column + 0.5) * across
        for first, last, level, strength in _runs(levels[:, column], strengths[:, column]):
            run = f"M{x:.1f} {height(first):g}V{height(last):g}"
            shades.setdefault((level, strength), []).append(run)
    for (level, strength), runs in sorted(shades.items()):
        share = (strength + 0.5) / _STRENGTHS
        tone = color(ramp_color(share) if strength >= 0 else "@red-mark")
        yield (
            f'<path d="{"".join(runs)}" style="stroke:{tone}" stroke-width="{across + 0.2:.1f}" '
            f'stroke-opacity="{level / _LEVELS * 0.75:.2f}" fill="none"/>'
        )


def _runs(levels: object, strengths: object) -> Iterator[tuple[int, int, int, int]]:
    """(first row, row after the last, level, strength) of equal cells; without those of level 0."""
    cells = list(zip(levels.tolist(), strengths.tolist(), strict=True))  # type: ignore[attr-defined]
    first = 0
    for row in range(1, len(cells) + 1):
        if row == len(cells) or cells[row] != cells[first]:
            if cells[first][0]:
                yield first, row, *cells[first]
            first = row


def _spots(
    line: Line, keep: Sequence[int], places: Sequence[float], box: Box
) -> list[tuple[float, float]]:
    """Where it crosses each axis; what has no place stands on the tick below it."""
    found = []
    for i, x in zip(keep, places, strict=True):
        at = line.positions[i]
        found.append((x, box.y(ABSENT if at is None else min(max(at, 0.0), 1.0))))
    return found


def _line(line: Line, keep: Sequence[int], places: Sequence[float], box: Box) -> str:
    d = polyline(_spots(line, keep, places, box))
    if line.kind == "bare":
        return path(d, "@red-mark", 1, dash="dot", opacity=0.6)
    dash = "dash" if line.kind == "running" else "solid"
    return path(d, ramp_color(line.strength or 0.0), 1.2, dash=dash, opacity=0.75)


def _axis(axis: AxisInfo, x: float, box: Box, missing: str, is_missing: bool) -> list[str]:
    names = wrap_name(axis.name, 16)[:2]
    parts = []
    for row, name in enumerate(names):
        parts.append(text(x, 16 + 14 * row, name, "middle", "name strong"))
    parts.append(text(x, 18 + 14 * len(names), axis.kind, "middle", "tick"))
    for tick in axis.scale.ticks(5):
        y = box.y(tick.position)
        short = tick.text if len(tick.text) <= _TICK_LETTERS else f"{tick.text[:_TICK_LETTERS]}…"
        parts.append(path(f"M{x - 4:g} {y:g}H{x:g}", "@axis", 1))
        parts.append(text(x - 7, y + 4, short, "end", "tick halo"))
    if is_missing:
        parts.append(text(x - 7, box.y(ABSENT) + 4, missing, "end", "tick halo"))
    return parts


def _best_line(best: Line, keep: Sequence[int], places: Sequence[float], box: Box) -> list[str]:
    d = polyline(_spots(best, keep, places, box))
    return [path(d, "@surface", 6), path(d, "@best", 3)]


def _best_values(
    best: Line, texts: Sequence[str], keep: Sequence[int], places: Sequence[float], box: Box
) -> list[str]:
    spots = _spots(best, keep, places, box)
    return [
        text(x + 7, y + 4, texts[i][:_VALUE_LETTERS], "start", "best halo")
        for i, (x, y) in zip(keep, spots, strict=True)
    ]
