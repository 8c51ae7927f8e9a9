"""How busy this machine is, and was in the last minutes."""

import os
import shutil
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psutil

from sweeps.models import MachineSample

# How often the engine keeps a sample, and how far back pages look.
PERIOD_S = 5.0
SHOWN = timedelta(minutes=10)
# A sample that is older is the past; the present is measured then.
_FRESH = timedelta(seconds=3 * PERIOD_S)
# Two looks closer than this say nothing: the processor counts time in hundredths of a second.
_SAMPLE_S = 0.5


@dataclass(frozen=True, slots=True)
class Usage:
    """Use of processor (percent of all cores together) and memory (bytes)."""

    cpu_percent: float
    memory_used: int
    memory_total: int


@dataclass(frozen=True, slots=True)
class Gpu:
    """Use of a graphics card now: percent of the time, bytes of its memory."""

    percent: float
    memory_used: int
    memory_total: int


@dataclass(frozen=True, slots=True)
class Past:
    """A moment of the last minutes; `gpu_percent` is the mean of the cards, None without any."""

    at: datetime
    cpu_percent: float
    memory_percent: float
    gpu_percent: float | None


@dataclass(frozen=True, slots=True)
class Machine:
    """This machine: percent, cores, bytes, its graphics cards, and the last minutes in order."""

    cpu_percent: float
    cores: int
    load: float
    memory_used: int
    memory_total: int
    disk_free: int
    disk_total: int
    gpus: tuple[Gpu, ...] = ()
    past: tuple[Past, ...] = ()

    @property
    def memory_percent(self) -> float:
        """Share of the memory in use."""
        return 100 * self.memory_used / self.memory_total

    @property
    def disk_percent(self) -> float:
        """Share of the disk in use."""
        return 100 * (1 - self.disk_free / self.disk_total)


class _Processor:
    """Percent in use since the last look, whichever thread took it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at = 0.0
        self._busy, self._total, self._percent = 0.0, 0.0, 0.0

    def percent(self) -> float:
        """Of all cores together; the first answer is the mean since the machine started."""
        with self._lock:
            if time.monotonic() - self._at >= _SAMPLE_S:
                self._sample()
            return self._percent

    def _sample(self) -> None:
        times = psutil.cpu_times()
        total = sum(times) - getattr(times, "guest", 0) - getattr(times, "guest_nice", 0)
        busy = total - times.idle - getattr(times, "iowait", 0)
        if total > self._total:
            share = (busy - self._busy) / (total - self._total)
            self._percent = min(100.0, max(0.0, 100 * share))
        self._at, self._busy, self._total = time.monotonic(), busy, total


_processor = _Processor()


def usage() -> Usage:
    """Processor and memory now. Costs no waiting."""
    memory = psutil.virtual_memory()
    return Usage(_processor.percent(), memory.total - memory.available, memory.total)


def machine(folder: Path, now: datetime) -> Machine:
    """The machine now and in the last minutes; `folder` says which disk. One query.

    The present is the engine's newest sample, so that a number and the end of its picture agree;
    without a fresh one processor and memory are looked at here, and no card is known.
    """
    rows = list(MachineSample.objects.filter(at__gt=now - SHOWN).order_by("at"))
    newest = rows[-1] if rows and rows[-1].at > now - _FRESH else None
    disk, present = shutil.disk_usage(folder), usage()
    total = present.memory_total
    return Machine(
        cpu_percent=newest.cpu_percent if newest else present.cpu_percent,
        cores=psutil.cpu_count() or 1,
        load=os.getloadavg()[0],
        memory_used=newest.memory_used if newest else present.memory_used,
        memory_total=total,
        disk_free=disk.free,
        disk_total=disk.total,
        gpus=tuple(Gpu(**device) for device in newest.gpus) if newest else (),
        past=tuple(
            Past(row.at, row.cpu_percent, 100 * row.memory_used / total, _mean(row.gpus))
            for row in rows
        ),
    )


def _mean(gpus: list[Mapping[str, Any]]) -> float | None:
    return sum(gpu["percent"] for gpu in gpus) / len(gpus) if gpus else None
