"""Knowing a process beyond its pid: start time and boot id, so that a reused pid is not it."""

import contextlib
import ctypes
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path

_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that can be recognised after the studio was restarted."""

    pid: int
    start_ticks: int
    boot_id: str


def boot_id() -> str:
    """The kernel's id of this boot."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def identify(pid: int, *, even_zombie: bool = False) -> Identity | None:
    """The identity of a living process, None if there is none (or only its zombie)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may hold anything, so fields are counted from its end.
    fields = stat.rpartition(")")[2].split()
    if fields[0] in ("Z", "X") and not even_zombie:
        return None
    return Identity(pid, int(fields[19]), boot_id())


def own_child(session: int, name: str) -> Identity | None:
    """The living child of this process in that session whose `comm` is `name`, if there is one."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal() and _is_child(folder, os.getpid(), session, name):
            return identify(int(folder.name))
    return None


def _is_child(folder: Path, parent: int, session: int, name: str) -> bool:
    try:
        head, _, tail = (folder / "stat").read_text().rpartition(")")
    except (FileNotFoundError, ProcessLookupError):
        return False
    state, ppid, _, sid = tail.split()[:4]
    is_ours = (int(ppid), int(sid), head.partition("(")[2]) == (parent, session, name)
    return is_ours and state not in ("Z", "X")


def is_alive(identity: Identity) -> bool:
    """True if that very process still runs."""
    return identify(identity.pid) == identity


def end(identity: Identity, grace_s: float) -> None:
    """SIGTERM, then SIGKILL after `grace_s`, to a process and its group.

    Does nothing when the process has gone: its pid may be somebody else's by now.
    """
    if not is_alive(identity):
        return
    for number, seconds in ((signal.SIGTERM, grace_s), (signal.SIGKILL, 5.0)):
        deadline = time.monotonic() + seconds
        while is_alive(identity):
            _signal_group(identity.pid, number)
            if time.monotonic() > deadline:
                break
            time.sleep(0.05)
    kill_group(identity.pid)


def kill_group(pid: int) -> None:
    """SIGKILL whatever is left of the group that the process led."""
    _signal_group(pid, signal.SIGKILL)


def _signal_group(pid: int, number: signal.Signals) -> None:
    # Gone in between: what we wanted.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def become_subreaper() -> None:
    """Make orphaned descendants ours, so that they are reaped and never zombies.

    Raises OSError where the kernel refuses (it is Linux's prctl).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
