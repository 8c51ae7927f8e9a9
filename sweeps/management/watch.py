"""Watching a sweep in the terminal."""

import time
from collections.abc import Callable

from sweeps.domain.states import SweepStatus
from sweeps.management.words import progress
from sweeps.models import Sweep

POLL_S = 1.0


def watch(sweep: Sweep, write: Callable[[str], object]) -> None:
    """Write a line whenever the progress changes, until the sweep has ended."""
    told = ""
    while True:
        sweep.refresh_from_db()
        line = progress(sweep)
        if sweep.status == SweepStatus.PAUSED:
            line = f"{line}. {sweep.reason}"
        if line != told:
            write(line)
            told = line
        if SweepStatus(sweep.status).is_final:
            return
        time.sleep(POLL_S)
