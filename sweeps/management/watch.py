"""Watching a sweep in the terminal."""

from collections.abc import Callable
from time import sleep

from sweeps.domain.states import PausedBy, SweepStatus
from sweeps.management.words import progress
from sweeps.models import Sweep

POLL_S = 1.0


# What a command that watched exits with when the sweep waits for a person: 1 is for other errors.
PAUSED_CODE = 3


def watch(sweep: Sweep, write: Callable[[str], object]) -> None:
    """Write a line whenever the progress changes, until the sweep has ended.

    A person's pause is waited out, and the disk's, which ends by itself. Of the breaker's it is
    the end as soon as no trial runs any more: nobody may be there to resume.
    """
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
        broken = sweep.status == SweepStatus.PAUSED and sweep.paused_by == PausedBy.BREAKER
        if broken and not sweep.trials.active().exists():
            return
        sleep(POLL_S)
