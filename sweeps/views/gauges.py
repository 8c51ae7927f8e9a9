"""Gauges of this machine as pages show them: a number, its limit, the last minutes."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from django.conf import settings

from studio.formatting import memory, size
from sweeps.charts.gauge import Area, area
from sweeps.queries.machine import PERIOD_S, SHOWN, Machine, Past, machine

# Where trials stop starting, sweeps go on only with a fifth more than that.
_MARGIN = 1.2
_MB = 2**20


class Gauge(NamedTuple):
    """`value` of `limit` in words; `area` is its past, or else `share` a bar in percent.

    `is_low`: past a limit that acts, which `note` tells.
    """

    name: str
    value: str
    limit: str
    area: Area | None = None
    share: float | None = None
    note: str = ""
    is_low: bool = False


def gauges(now: datetime) -> list[Gauge]:
    """Processor, memory, graphics cards if there are any, and the disk of the studio."""
    found = machine(settings.STUDIO_HOME, now)
    cores = f"of {found.cores} core{'s' if found.cores > 1 else ''}, load {found.load:.1f}"
    tiles = [
        Gauge("CPU", f"{found.cpu_percent:.0f} %", cores, _past(found, now, _cpu)),
        Gauge(
            "Memory",
            memory(found.memory_used),
            f"of {memory(found.memory_total)}",
            _past(found, now, _memory),
        ),
    ]
    if found.gpus:
        tiles.append(_gpu(found, now))
    return [*tiles, _disk(found)]


def _gpu(found: Machine, now: datetime) -> Gauge:
    cards = found.gpus
    percent = sum(card.percent for card in cards) / len(cards)
    used, total = sum(c.memory_used for c in cards), sum(c.memory_total for c in cards)
    each = ", ".join(f"{card.percent:.0f} %" for card in cards) if 1 < len(cards) <= 16 else ""
    return Gauge(
        "GPU",
        f"{percent:.0f} %",
        f"{len(cards)} GPU{'s' if len(cards) > 1 else ''}, {memory(used)} of {memory(total)}",
        _past(found, now, _gpus),
        note=each and f"each: {each}",
    )


def _disk(found: Machine) -> Gauge:
    least = settings.STUDIO_MIN_FREE_MB * _MB
    return Gauge(
        "Disk of the studio",
        f"{size(found.disk_free)} free",
        f"of {size(found.disk_total)}",
        share=found.disk_percent,
        note=f"all sweeps pause below {size(least)}" if least else "",
        is_low=found.disk_free < least * _MARGIN,
    )


def _cpu(past: Past) -> float:
    return past.cpu_percent


def _memory(past: Past) -> float:
    return past.memory_percent


def _gpus(past: Past) -> float | None:
    return past.gpu_percent


def _past(found: Machine, now: datetime, figure: Callable[[Past], float | None]) -> Area:
    points = [((now - past.at).total_seconds(), figure(past)) for past in found.past]
    return area(points, span_s=SHOWN.total_seconds(), gap_s=4 * PERIOD_S)
