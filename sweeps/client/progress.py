"""Watching a sweep in the terminal."""

import time
from collections.abc import Callable
from typing import Protocol, TextIO

from sweeps.client.errors import JobException, JobPaused, StreamInterrupted
from sweeps.client.records import Job

POLL_S = 1.0
_WIDTH = 30
_CLEAR = "\r\x1b[K"


class Screen(Protocol):
    """Shows how a sweep stands."""

    def show(self, job: Job) -> None:
        """Once per poll."""

    def close(self) -> None:
        """Nothing more comes."""


class Lines:
    """A plain line whenever something has changed: for logs and pipes."""

    def __init__(self, out: TextIO) -> None:
        self._out, self._told = out, ""

    def show(self, job: Job) -> None:
        """See `Screen`."""
        text = news(job)
        if text != self._told:
            print(text, file=self._out, flush=True)
            self._told = text

    def close(self) -> None:
        """See `Screen`."""


class Bar:
    """One line that is drawn over: for a terminal."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def show(self, job: Job) -> None:
        """See `Screen`."""
        total = max(job.limits["max_total_trials"], 1)
        full = min(_WIDTH, _WIDTH * job.done // total)
        bar = "█" * full + "░" * (_WIDTH - full)
        self._out.write(f"{_CLEAR}{bar} {job.status}: {news(job)}")
        self._out.flush()

    def close(self) -> None:
        """See `Screen`."""
        self._out.write("\n")
        self._out.flush()


def screen_for(out: TextIO) -> Screen:
    """A bar on a terminal, lines elsewhere."""
    return Bar(out) if out.isatty() else Lines(out)


def words(job: Job) -> str:
    """One line: "12 of 20 trials done, 4 running, 1 not completed, best 0.0832 (#7)"."""
    failed = job.not_completed
    text = f"{job.done} of {job.limits['max_total_trials']} trials done, {job.running} running"
    text += f", {failed} not completed" if failed else ""
    if job.best_trial:
        text += f", best {short(job.best_trial['value'])} (#{job.best_trial['number']})"
    return text


def news(job: Job) -> str:
    """The same for whoever watches, with the reason of a pause."""
    return words(job) + (f". {job.reason}" if job.status == "Paused" else "")


def short(value: float | str | None) -> str:
    """A number in six digits."""
    return f"{value:.6g}" if isinstance(value, int | float) else str(value or "")


def follow(
    look: Callable[[], Job], screen: Screen, sleep: Callable[[float], None] = time.sleep
) -> Job:
    """Show the sweep until it has ended, or waits for a person after failures.

    A person's pause is waited out, and the disk's, which ends by itself.
    """
    try:
        while True:
            job = look()
            screen.show(job)
            if job.is_final or job.is_broken:
                return job
            sleep(POLL_S)
    finally:
        screen.close()


def watch(name: str, look: Callable[[], Job], out: TextIO) -> Job:
    """Show a sweep's progress until it ends; the sweep as it ended.

    Raises JobException if it has failed, JobPaused if it has paused itself after failures,
    StreamInterrupted after Ctrl-C, which leaves the sweep running.
    """
    try:
        job = follow(look, screen_for(out))
    except KeyboardInterrupt:
        text = f"Watching was interrupted; {name} goes on."
        raise StreamInterrupted(text) from None
    if job.status == "Paused":
        raise JobPaused(f"{name} has paused itself: {job.reason}", job)
    if job.status == "Failed":
        raise JobException(f"{name} has failed: {job.reason}", job)
    return job
