"""Axes: where a value stands between the ends of its range, and which values are written there."""

import math
from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from sweeps.charts.text import param_text, tick_text
from sweeps.domain.space import Scalar

Floats = npt.NDArray[np.float64]
ScaleKind = Literal["linear", "log", "category"]
# A log scale is chosen when positive values span more than this ratio.
LOG_SPAN = 30.0
# Ticks closer than this share of the axis to an end give way to it.
_MIN_GAP = 0.08
_MAX_CATEGORY_TICKS = 24


class Tick(NamedTuple):
    """A written value: `position` from 0 (low end) to 1."""

    position: float
    text: str


class Scale(NamedTuple):
    """How values lie on an axis.

    `low` and `high` are the ends of a numeric one (both > 0 for "log"), `categories` the texts of
    a categorical one from the low end up. `bounded` says that the ends are declared bounds, `bare`
    that nothing is known of the ends: such an axis has no ticks.
    """

    kind: ScaleKind
    low: float = 0.0
    high: float = 1.0
    categories: tuple[str, ...] = ()
    integer: bool = False
    bounded: bool = True
    bare: bool = False

    def position(self, value: Scalar) -> float | None:
        """Where `value` stands from 0 to 1; None for one that has no place here."""
        if self.kind == "category":
            text = param_text(value)
            if text not in self.categories:
                return None
            return (self.categories.index(text) + 0.5) / len(self.categories)
        if isinstance(value, str) or not math.isfinite(value):
            return None
        if self.kind == "linear":
            # Halved, so that the difference of huge ends stays finite.
            span = self.high / 2 - self.low / 2
            return (value / 2 - self.low / 2) / span if span else 0.5
        if value <= 0:
            return None
        span = math.log(self.high) - math.log(self.low)
        return (math.log(value) - math.log(self.low)) / span if span else 0.5

    def places(self, values: Floats) -> Floats:
        """Where numbers stand on a numeric scale, NaN for missing ones; what has no logarithm
        stands at the low end."""
        if self.low == self.high:
            return np.where(np.isnan(values), np.nan, 0.5)
        if self.kind == "linear":
            places = (values / 2 - self.low / 2) / (self.high / 2 - self.low / 2)
        else:
            low, high = math.log(self.low), math.log(self.high)
            known = np.where(values > 0, values, np.where(np.isnan(values), np.nan, self.low))
            places = (np.log(known) - low) / (high - low)
        return np.asarray(places, dtype=np.float64)

    def ticks(self, count: int = 5) -> tuple[Tick, ...]:
        """About `count` written values, the ends among them where they are bounds."""
        if self.bare:
            return ()
        if self.kind == "category":
            step = -(-len(self.categories) // _MAX_CATEGORY_TICKS) or 1
            size = len(self.categories)
            return tuple(Tick((i + 0.5) / size, self.categories[i]) for i in range(0, size, step))
        if self.low == self.high:
            return (Tick(0.5, param_text(self.low)),)
        inner = (
            log_ticks(self.low, self.high, count)
            if self.kind == "log"
            else linear_ticks(self.low, self.high, count, self.integer)
        )
        return self._written(inner)

    def _written(self, values: Sequence[float]) -> tuple[Tick, ...]:
        decimals = _decimals(values) if self.kind == "linear" else None
        # Where the ends are no bounds but what was seen, they are not worth a tick.
        gap = _MIN_GAP if self.bounded else 0.0
        ticks = []
        for value in values:
            position = self.position(value)
            if position is not None and gap <= position <= 1 - gap:
                ticks.append(Tick(position, tick_text(value, decimals)))
        if not self.bounded:
            return tuple(ticks)
        return (
            Tick(0.0, _end_text(self.low, decimals)),
            *ticks,
            Tick(1.0, _end_text(self.high, decimals)),
        )


def _end_text(value: float, decimals: int | None) -> str:
    """A bound with as many decimals as its ticks, or as many as it needs."""
    short = float(f"{value:.4g}")
    if decimals is not None and round(short, decimals) == short:
        return tick_text(short, decimals)
    return tick_text(short)


def numeric_scale(
    low: float, high: float, *, log: bool = False, integer: bool = False, bounded: bool = True
) -> Scale:
    """A numeric scale; linear when its low end has no logarithm."""
    if log and low > 0:
        return Scale("log", low, high, integer=integer, bounded=bounded)
    return Scale("linear", low, high, integer=integer, bounded=bounded)


def prefers_log(values: Sequence[float]) -> bool:
    """True when values are best read on a log scale: all positive, spanning more than 30 times."""
    return bool(values) and min(values) > 0 and max(values) / min(values) > LOG_SPAN


def linear_ticks(low: float, high: float, count: int = 6, integer: bool = False) -> list[float]:
    """Round values (steps of 1, 2 or 5 times a power of ten) in [low, high]."""
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return [low]
    raw = span / max(count, 1)
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 5, 10) if m * magnitude >= raw * (1 - 1e-9))
    if integer:
        step = max(step, 1.0)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{k * step:.12g}") for k in range(first, last + 1)]


def log_ticks(low: float, high: float, count: int = 7) -> list[float]:
    """Values in [low, high] as people write them on a log axis: 1-2-5, 1-5, or every k-th decade.

    Within less than a decade, where those are too few, round linear steps.
    """
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    best: list[float] = []
    for digits, stride in [((1, 2, 5), 1), ((1, 5), 1), *(((1,), k) for k in range(1, 700))]:
        best = [
            value
            for decade in range(first, last + 1)
            if decade % stride == 0
            for value in (float(f"{digit}e{decade}") for digit in digits)
            if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)
        ]
        if len(best) <= count + 2:
            break
    return best if len(best) >= 3 else linear_ticks(low, high, count - 2)


def _decimals(values: Sequence[float]) -> int:
    """How many decimals all of `values` need."""
    needed = 0
    for value in values:
        if 1e-3 <= abs(value) < 1e6:
            needed = max(needed, len(f"{value:.10f}".rstrip("0").partition(".")[2]))
    return min(needed, 6)
