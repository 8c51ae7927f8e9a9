"""The y axis of values, linear and log: the page switches between the two without asking."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeAlias

from sweeps.charts.scales import linear_ticks, log_ticks, prefers_log
from sweeps.charts.text import tick_text

YScale = Literal["auto", "linear", "log"]


def resolve_scale(scale: YScale, values: Sequence[float]) -> Literal["linear", "log"]:
    """The scale to draw: log only where something is positive, auto by the span of `values`."""
    if scale == "auto":
        return "log" if prefers_log(values) else "linear"
    return scale if any(value > 0 for value in values) else "linear"


# Shares of the span left free below and above the values.
Air: TypeAlias = tuple[float, float]
AIR: Air = (0.07, 0.09)
# Between both ends a float can still say the distance.
_BIGGEST = 8.9e307


def value_scales(values: Sequence[float], air: Air = AIR) -> dict[str, dict[str, Any]]:
    """By scale the axis settings that show all of `values` (not empty, finite)."""
    scales = {"linear": linear_axis(min(values), max(values), air)}
    positive = [value for value in values if value > 0]
    if positive:
        scales["log"] = log_axis(min(positive), max(positive), air)
    return scales


def left_margin(axes: Iterable[dict[str, Any]], *others: str) -> int:
    """Pixels for the axis's name and the longest of its ticks, whatever the scale."""
    texts = [text for axis in axes for text in axis.get("ticktext", ())]
    return round(25 + 6.2 * max(map(len, [*texts, *others]), default=4))


def linear_axis(low: float, high: float, air: Air = AIR) -> dict[str, Any]:
    """Range with a little air, and round ticks."""
    span = (high - low) or abs(high) * 0.1 or 1.0
    ends = (low - air[0] * span, high + air[1] * span)
    if not all(map(math.isfinite, ends)):
        return {"type": "linear", "range": [-_BIGGEST, _BIGGEST], "tickmode": "auto"}
    ticks = linear_ticks(*ends, 6)
    decimals = max((len(f"{t:.10f}".rstrip("0").partition(".")[2]) for t in ticks), default=0)
    return {
        "type": "linear",
        "range": list(ends),
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [tick_text(t, min(decimals, 6)) for t in ticks],
    }


def log_axis(low: float, high: float, air: Air = AIR) -> dict[str, Any]:
    """Range (as logarithms, which is how Plotly wants it) and ticks as people write them."""
    a, b = math.log10(low), math.log10(high)
    span = (b - a) or 0.3
    ends = (max(a - air[0] * span, -307.0), min(b + air[1] * span, 307.0))
    ticks = log_ticks(10 ** ends[0], 10 ** ends[1], 6)
    return {
        "type": "log",
        "range": list(ends),
        "tickmode": "array",
        "tickvals": ticks,
        "ticktext": [tick_text(t) for t in ticks],
    }
