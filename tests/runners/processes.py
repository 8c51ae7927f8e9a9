"""What the tests of runners need to know about processes, read from /proc by hand."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


# How long is waited for what takes a moment; for what a cluster decides on, much longer.
PATIENCE_S = 15.0


def wait_for(probe: Callable[[], T | None], what: str, seconds: float | None = None) -> T:
    """Return the first true answer of `probe`; fail with `what` if none came in time."""
    seconds = PATIENCE_S if seconds is None else seconds
    deadline = time.monotonic() + seconds
    while True:
        if answer := probe():
            return answer
        assert time.monotonic() < deadline, f"Waited {seconds:g} s in vain for {what}."
        time.sleep(0.01)


def state_and_parent(pid: int) -> tuple[str, int]:
    """Return the state letter and the parent of a process, ("gone", 0) if there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return "gone", 0
    state, parent = stat.rpartition(")")[2].split()[:2]
    return state, int(parent)


def pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def pids_with(token: str) -> set[int]:
    """Return the living processes that have `token` as one of their arguments."""
    found = set()
    for pid in pids():
        try:
            arguments = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if token.encode() in arguments and state_and_parent(pid)[0] not in "ZX":
            found.add(pid)
    return found


def zombie_children() -> list[int]:
    """Return our own children that nobody has waited for."""
    return [pid for pid in pids() if state_and_parent(pid) == ("Z", os.getpid())]
