"""Metric curves as a static picture."""

from sweeps.charts.metric_curves import CurveLine, CurvesInfo
from sweeps.charts.scales import Scale, Tick, linear_ticks, numeric_scale
from sweeps.charts.svg import (
    WIDTH,
    Box,
    base_axis,
    marks,
    path,
    picture,
    polyline,
    star,
    text,
    value_axis,
)
from sweeps.charts.text import objective_text

_HEIGHT, _LABEL_GAP = 320, 14


def curves_svg(info: CurvesInfo) -> str:
    """A line for each curve with its end marked; few have labels at their ends."""
    box = Box(74, 14, WIDTH - (130 if info.labelled else 18), _HEIGHT - 46)
    values = [y for line in info.lines for _, y in line.points if y is not None] or [0.0, 1.0]
    at = [x for line in info.lines for x, _ in line.points] or [0.0, 1.0]
    up = _scale(min(values), max(values), info.scale == "log")
    first, last = min(at), max(at)
    across = numeric_scale(first, last if last > first else first + 1, bounded=False)
    ticks = [Tick(across.position(n) or 0.0, f"{n:g}") for n in linear_ticks(first, last, 8, True)]
    parts = [
        *value_axis(box, up.ticks(6), info.metric),
        *base_axis(box, ticks, info.x.capitalize()),
    ]
    for line in info.lines:
        parts += _line(line, across, up, box)
    if info.labelled:
        parts += _labels(info, up, box)
    return picture(WIDTH, _HEIGHT, info.summary, parts)


def _scale(low: float, high: float, log: bool) -> Scale:
    if low == high:
        air = abs(low) * 0.1 or 1.0
        low, high = low - air, high + air
    return numeric_scale(low, high, log=log, bounded=False)


def _spot(point: tuple[float, float], across: Scale, up: Scale, box: Box) -> tuple[float, float]:
    return box.x(across.position(point[0]) or 0.0), box.y(up.position(point[1]) or 0.0)


def _line(line: CurveLine, across: Scale, up: Scale, box: Box) -> list[str]:
    spots = [None if y is None else _spot((x, y), across, up, box) for x, y in line.points]
    width = 2.6 if line.strong else 1.8
    parts = [path(polyline(spots), line.color, width, dash=line.dash)]
    end = line.star_at if line.end == "star" and line.star_at else line.last
    if end is None or line.end == "none":
        return parts
    x, y = _spot(end, across, up, box)
    if line.end == "star":
        return [*parts, star(x, y)]
    shape = "disc" if line.end == "circle" else "diamond"
    return [*parts, path(marks(shape, [(x, y)]), line.color, 7 if shape == "disc" else 1.7)]


def _labels(info: CurvesInfo, up: Scale, box: Box) -> list[str]:
    """At the lines' ends, kept apart and within the picture."""
    ends = [(box.y(up.position(line.last[1]) or 0.0), line) for line in info.lines if line.last]
    ends.sort(key=lambda end: end[0])
    heights, floor = [], 0.0
    for y, _ in ends:
        floor = max(y, floor + _LABEL_GAP)
        heights.append(floor)
    ceiling = _HEIGHT - 8.0
    for place in reversed(range(len(heights))):
        heights[place] = min(heights[place], ceiling)
        ceiling = heights[place] - _LABEL_GAP
    return [
        text(box.right + 10, y + 4, _words(line), "start", "best" if line.strong else "tick")
        for y, (_, line) in zip(heights, ends, strict=True)
    ]


def _words(line: CurveLine) -> str:
    return f"{line.label[:16]} {objective_text(line.last[1] if line.last else None)}"
