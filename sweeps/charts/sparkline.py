"""Tiny pictures as SVG path data: no script, coloured by the page's own CSS."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from sweeps.charts.scales import Scale, numeric_scale, prefers_log
from sweeps.charts.text import objective_text
from sweeps.domain.objective import Objective
from sweeps.domain.preview import Density

_PAD = 2.0


class Sparkline(NamedTuple):
    """Path data in a box of `width` x `height` units; `end` is where its last point stands.

    `path` is "" and `end` None when there is nothing to draw.
    """

    path: str
    end: tuple[float, float] | None
    width: int
    height: int
    summary: str


def best_so_far(
    values: Sequence[float | None], objective: Objective, *, width: int = 96, height: int = 24
) -> Sparkline:
    """The best value so far over trials 0..n-1, as a staircase; higher on the picture is larger.

    `values` are objectives by trial number, None for those without (or not able to win).
    """
    steps: list[tuple[int, float]] = []
    for number, value in enumerate(values):
        if value is not None and objective.is_better(value, steps[-1][1] if steps else None):
            steps.append((number, value))
    if not steps:
        return Sparkline("", None, width, height, f"No value of {objective.primary_metric} yet.")
    reached = [value for _, value in steps]
    scale = numeric_scale(min(reached), max(reached), log=prefers_log(reached))
    last = max(len(values) - 1, 1)
    points = [(_across(n / last, width), _up(v, scale, height)) for n, v in steps]
    end = (_across((len(values) - 1) / last if len(values) > 1 else 1.0, width), points[-1][1])
    path = f"M{points[0][0]:g} {points[0][1]:g}"
    path += "".join(f"H{x:g}V{y:g}" for x, y in points[1:])
    path += f"H{end[0]:g}"
    summary = f"Best {objective.primary_metric} so far: from {objective_text(reached[0])}"
    return Sparkline(path, end, width, height, f"{summary} to {objective_text(reached[-1])}.")


def _across(share: float, width: int) -> float:
    return round(_PAD + share * (width - 2 * _PAD), 1)


def _up(value: float, scale: Scale, height: int) -> float:
    return round(height - _PAD - (scale.position(value) or 0.0) * (height - 2 * _PAD), 1)


def density_path(density: Density, *, width: int = 96, height: int = 24) -> str:
    """The bars of a distribution as one closed path: apart when few, a skyline when many."""
    count = len(density.heights)
    if not count:
        return ""
    edges = [round(width * i / count, 2) for i in range(count + 1)]
    tops = [round(height - h * (height - 1), 2) for h in density.heights]
    gap = min(2.0, width / count / 4) if count <= 12 else 0.0
    if not gap:
        skyline = "".join(
            f"V{top:g}H{right:g}" for top, (_, right) in zip(tops, pairwise(edges), strict=True)
        )
        return f"M0 {height}{skyline}V{height}Z"
    return "".join(
        f"M{left + gap / 2:g} {height}V{top:g}H{right - gap / 2:g}V{height}Z"
        for top, (left, right) in zip(tops, pairwise(edges), strict=True)
    )
