"""What many or noisy points say together: exponential smoothing, and quantiles of many curves."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from sweeps.charts.decimate import Point
from sweeps.charts.figure import Key

# Fewer values at one place than this have no quantiles worth drawing.
LEAST = 10
_SHARES = (0.1, 0.5, 0.9)


class Quantiles(NamedTuple):
    """The median of many curves by place, and between which values four in five of them lie."""

    xs: tuple[float, ...]
    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]
    trials: int

    @property
    def keys(self) -> tuple[Key, Key]:
        of = f"of {self.trials:,} trials"
        return Key("line", "@text", f"median {of}"), Key(
            "dash", "@text", "four in five lie between"
        )


def smoothed(points: Sequence[Point], weight: float) -> list[Point]:
    """Each value with those before it, which fade by `weight` (0 to below 1); gaps stay gaps.

    The mean is that of the values seen so far, so that the first ones are not pulled to zero.
    """
    total, share = 0.0, 0.0
    found: list[Point] = []
    for x, value in points:
        if value is None:
            found.append((x, None))
            continue
        total = weight * total + (1 - weight) * value
        share = weight * share + (1 - weight)
        found.append((x, total / share))
    return found


def quantiles(curves: Iterable[Sequence[Point]], count: int) -> Quantiles | None:
    """Of `count` curves, at the places where at least ten of them have a value; None for none."""
    by_place: dict[float, list[float]] = {}
    for points in curves:
        for x, value in points:
            if value is not None:
                by_place.setdefault(x, []).append(value)
    rows = [
        (x, *np.quantile(values, _SHARES).tolist())
        for x, values in sorted(by_place.items())
        if len(values) >= LEAST
    ]
    if len(rows) < 2:
        return None
    xs, low, middle, high = zip(*rows, strict=True)
    return Quantiles(xs, low, middle, high, count)
