"""Stopping in time when the disk fills up: what is full, loses what trials write.

Nothing here is remembered: what holds is in the database, and a look puts it right.
"""

import logging
import os
import time
from collections.abc import Callable
from datetime import datetime
from functools import partial
from pathlib import Path

from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import PausedBy
from sweeps.queries import work
from sweeps.queries.conditions import DISK, holds
from sweeps.services import conditions, control

log = logging.getLogger(__name__)

ACTOR = "studio"
LOOK_S = 3.0
# So much more must be free before sweeps go on, or they would come and go with every trial.
MARGIN = 1.2
_MB = 2**20


def free_bytes(folder: Path) -> int:
    """What this user may still write there."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize


class DiskWatch:
    """Looks every few seconds; `least_mb` of 0 turns it off."""

    def __init__(
        self, folder: Path, least_mb: int, free: Callable[[Path], int] = free_bytes
    ) -> None:
        self._folder, self._least, self._free = folder, least_mb * _MB, free
        self._due = 0.0

    def look(self, now: datetime) -> None:
        """Pause everything when too little is free, and resume it when there is enough again."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + LOOK_S
        free = self._free(self._folder)
        low = holds(DISK)
        if free < self._least * (MARGIN if low else 1.0):
            self._pause(free, now)
        elif low:
            self._resume(now)

    def _pause(self, free: int, now: datetime) -> None:
        text = (
            f"Disk space is low: less than {self._least // _MB:,} MB free in {self._folder}. "
            "Sweeps are paused, and go on by themselves once there is room again."
        )
        if conditions.set_condition(DISK, text, now):
            log.warning("%s (%d MB free)", text, free // _MB)
        # At every look: a sweep may have been submitted or resumed meanwhile.
        for sweep in work.going_sweeps():
            by, reason = PausedBy.DISK, text
            _unless_it_changed(
                partial(control.pause_sweep, sweep, actor=ACTOR, now=now, by=by, reason=reason)
            )

    def _resume(self, now: datetime) -> None:
        for sweep in work.paused_by(PausedBy.DISK):
            _unless_it_changed(partial(control.resume_sweep, sweep, actor=ACTOR, now=now))
        # Last: whatever interrupts this, the next look does the rest.
        conditions.clear_condition(DISK)
        log.warning("there is disk space again: paused sweeps go on")


def _unless_it_changed(act: Callable[[], object]) -> None:
    try:
        act()
    except InvalidInput as error:
        log.info("somebody was quicker: %s", error)
