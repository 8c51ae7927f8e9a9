"""A gauge's small area of the last minutes as SVG path data, from 0 to 100 percent always."""

from collections.abc import Sequence
from typing import NamedTuple


class Area(NamedTuple):
    """A line and what is under it, in a box of `width` x `height` units; "" while empty."""

    line: str
    fill: str
    width: int
    height: int
    summary: str


def area(
    points: Sequence[tuple[float, float | None]],
    *,
    span_s: float,
    gap_s: float,
    width: int = 120,
    height: int = 36,
) -> Area:
    """`points` are (seconds ago, percent), the oldest first; a hole of over `gap_s` stays a hole.

    The right edge is now.
    """
    known = [(ago, value) for ago, value in points if value is not None and ago <= span_s]
    line, fill = "", ""
    for run in _runs(known, gap_s):
        spots = [
            (round(width * (1 - ago / span_s), 1), round(height * (1 - _share(value)), 1))
            for ago, value in run
        ]
        path = "L".join(f"{x:g} {y:g}" for x, y in spots)
        line += f"M{path}" + (f"h{0.5}" if len(spots) == 1 else "")
        fill += f"M{spots[0][0]:g} {height}L{path}V{height}Z"
    return Area(line, fill, width, height, _summary([value for _, value in known], span_s))


def _runs(points: Sequence[tuple[float, float]], gap_s: float) -> list[list[tuple[float, float]]]:
    runs: list[list[tuple[float, float]]] = []
    for point in points:
        if not runs or runs[-1][-1][0] - point[0] > gap_s:
            runs.append([])
        runs[-1].append(point)
    return runs


def _share(percent: float) -> float:
    return min(1.0, max(0.0, percent / 100))


def _summary(values: Sequence[float], span_s: float) -> str:
    if not values:
        return "Nothing was measured yet."
    minutes = round(span_s / 60)
    mean = sum(values) / len(values)
    return (
        f"The last {minutes} minutes: {mean:.0f} % on average, "
        f"{min(values):.0f} to {max(values):.0f} %."
    )
