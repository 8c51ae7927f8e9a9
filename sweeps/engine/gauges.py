"""Measuring this machine every few seconds, for the pages that show how busy it is.

The processor and the memory take microseconds. A driver of graphics cards may take long, or never
answer: a thread asks it, and the engine takes what it last said.
"""

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any

from sweeps.queries.machine import PERIOD_S, Usage, usage
from sweeps.services.machine import keep_sample

log = logging.getLogger(__name__)

Device = dict[str, Any]
# What a thread that hangs said last, is no news after this long.
_STALE_S = 4 * PERIOD_S


class Gauges:
    """One sample per period; `measure` and `gpus` stand in for the machine in tests."""

    def __init__(
        self,
        measure: Callable[[], Usage] = usage,
        gpus: "Callable[[], list[Device]] | None" = None,
    ) -> None:
        self._measure, self._gpus = measure, gpus or GpuWatch().latest
        self._due: float | None = None

    def look(self, now: datetime) -> None:
        """Keep a sample if it is time. The first look only begins to measure."""
        tick = time.monotonic()
        if self._due is not None and tick < self._due:
            return
        found, gpus = self._measure(), self._gpus()
        if self._due is not None:
            keep_sample(found.cpu_percent, found.memory_used, gpus, now)
        self._due = tick + PERIOD_S


class GpuWatch:
    """The NVIDIA devices of this machine; without a driver there are none, and no thread."""

    def __init__(self, pause: Callable[[float], None] = time.sleep) -> None:
        self._pause = pause
        self._found: list[Device] = []
        self._at = 0.0
        self._begun = False

    def latest(self) -> list[Device]:
        """What each device was last seen doing, [] while nothing is known. Never waits."""
        if not self._begun:
            self._begun = True
            threading.Thread(target=self._watch, name="gpus", daemon=True).start()
        return self._found if time.monotonic() - self._at < _STALE_S else []

    def _watch(self) -> None:
        nvml = _driver()
        while nvml is not None:
            with suppress(Exception):  # a device that fell off its bus; the others go on
                self._found = devices(nvml)
                self._at = time.monotonic()
            self._pause(PERIOD_S)


def _driver() -> Any:
    """NVIDIA's library, ready to answer; None where there is none."""
    try:
        import pynvml  # here: whoever has no such device does not pay for it

        pynvml.nvmlInit()
    except Exception as error:
        log.debug("no graphics cards are watched: %s", error)
        return None
    return pynvml


def devices(nvml: Any) -> list[Device]:
    """Use of each device: percent of the time, bytes of its memory. One that fails is left out."""
    found = []
    for index in range(nvml.nvmlDeviceGetCount()):
        with suppress(nvml.NVMLError):
            handle = nvml.nvmlDeviceGetHandleByIndex(index)
            rates, memory = (
                nvml.nvmlDeviceGetUtilizationRates(handle),
                nvml.nvmlDeviceGetMemoryInfo(handle),
            )
            found.append(
                {
                    "percent": float(rates.gpu),
                    "memory_used": int(memory.used),
                    "memory_total": int(memory.total),
                }
            )
    return found
