"""Axes of time spent: ticks as people say them (30 s, 5m, 2h)."""

from typing import Any

from sweeps.charts.text import duration_text

_DAY = 86_400
_STEPS = (
    *(1, 2, 5, 10, 15, 30),
    *(60 * minutes for minutes in (1, 2, 5, 10, 15, 30)),
    *(3600 * hours for hours in (1, 2, 3, 6, 12)),
)


def time_ticks(end: float, most: int = 7) -> list[float]:
    """Round moments from 0 to `end` seconds, at most `most` of them (and 0)."""
    if end <= 0:
        return [0.0]
    step = next((float(s) for s in _STEPS if end / s <= most), 0.0)
    if not step and end / _DAY <= most * 1e6:
        days = 1
        while end / (days * _DAY) > most:
            days *= 2
        step = float(days * _DAY)
    if not step:
        return [0.0, end]
    return [step * k for k in range(int(end / step) + 1)] if end >= step else [0.0, end]


def time_axis(end: float, most: int = 7) -> dict[str, Any]:
    """Settings of an axis from 0 to `end` seconds."""
    ticks = time_ticks(end, most)
    texts = ["0" if tick == 0 else short_time(tick) for tick in ticks]
    return {"tickmode": "array", "tickvals": ticks, "ticktext": texts}


def short_time(seconds: float) -> str:
    """A round time without its empty parts: "5m", not "5m 00s"."""
    words = duration_text(seconds)
    return words.removesuffix(" 00s").removesuffix(" 00m").removesuffix(" 00h")
