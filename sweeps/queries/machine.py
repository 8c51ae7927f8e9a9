"""How busy this machine is now."""

import shutil
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

# Two samples closer than this say nothing: the processor counts time in hundredths of a second.
_SAMPLE_S = 0.5


@dataclass(frozen=True, slots=True)
class Machine:
    """Use of this machine: percent, cores, and bytes of memory and of the studio's disk."""

    cpu_percent: float
    cores: int
    memory_used: int
    memory_total: int
    disk_free: int
    disk_total: int

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


def machine(folder: Path) -> Machine:
    """The machine now; `folder` says which disk. Costs no waiting."""
    memory, disk = psutil.virtual_memory(), shutil.disk_usage(folder)
    return Machine(
        cpu_percent=_processor.percent(),
        cores=psutil.cpu_count() or 1,
        memory_used=memory.total - memory.available,
        memory_total=memory.total,
        disk_free=disk.free,
        disk_total=disk.total,
    )
