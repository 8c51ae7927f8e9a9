"""What Linux tells about processes, by /proc and prctl(2)."""

import ctypes
import os
import signal
import time
from collections.abc import Callable
from typing import Any

COOKIE = "SWEEP_PROCESS_COOKIE"

# include/uapi/linux/prctl.h
_PR_SET_NAME = 15
_PR_SET_CHILD_SUBREAPER = 36

_GONE = (FileNotFoundError, ProcessLookupError)
_GUARD_NAME, _SHIM_NAME = "sweep-guard", "sweep-shim"
# Looks at the process table until nothing is left; whoever forks as fast as that is looked at
# again with the next attempt.
_ROUNDS = 200


def become_subreaper(name: str) -> None:
    """Adopt every orphan among our descendants, and show as `name` (15 bytes) in ps and top."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER) failed")
    libc.prctl(_PR_SET_NAME, name.encode(), 0, 0, 0)


def boot_id() -> str:
    """Return the identifier of this boot of the machine: pids mean nothing across boots."""
    with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
        return file.read().strip()


def identity(pid: int) -> dict[str, Any]:
    """Return what tells this process from a later one with the same pid.

    Raises ProcessLookupError if there is no such process.
    """
    stat = _stat(pid)
    if stat is None:
        raise ProcessLookupError(f"No process has the pid {pid}.")
    return {"pid": pid, "start_time": stat[2], "boot_id": boot_id()}


def is_alive(who: dict[str, Any], boot: str) -> bool:
    """Alive = same pid, start time and boot, and neither a zombie nor dead."""
    stat = _stat(who["pid"])
    if stat is None or who["boot_id"] != boot:
        return False
    state, _parent, start_time = stat
    return start_time == who["start_time"] and state not in "ZX"


def descendants(roots: set[int]) -> set[int]:
    """Return the pids below `roots`, without them, that are not zombies."""
    parents = {pid: stat for pid in _pids() if (stat := _stat(pid)) is not None}
    found: set[int] = set()
    layer = set(roots)
    while layer:
        layer = {pid for pid, stat in parents.items() if stat[1] in layer} - found - roots
        found |= layer
    return {pid for pid in found if parents[pid][0] not in "ZX"}


def kill_carriers(cookie: str) -> int:
    """SIGKILL all that carry the cookie in the environment they were started with, and all
    below them, until none is left; return how many.

    The limit: a process that has cleared or overwritten its environment (setproctitle does)
    and whose parents are all gone escapes, and so does one of another user, whose memory is not
    looked into: it could make whoever looks wait.
    """
    killed: set[int] = set()
    pause = 0.005
    while True:
        carriers = {pid for pid in _pids() if _carries(pid, cookie)} - {os.getpid()}
        found = carriers | descendants(carriers)
        mine = {pid for pid in found if send(pid, signal.SIGKILL)}
        killed |= mine
        if not mine or pause > 1.0:
            return len(killed)
        time.sleep(pause)
        pause *= 2


def kill_strays(uid: int) -> int:
    """SIGKILL all processes of a user that no shim or guard stands above; return how many.

    For users that only commands run as: what is below no living shim has outlived its own. What a
    process does to its name or environment changes nothing, and it cannot change its user.
    """
    killed: set[int] = set()
    for _ in range(_ROUNDS):
        mine = {pid for pid in _strays(uid) if send(pid, signal.SIGKILL)}
        killed |= mine
        if not mine:
            break
        time.sleep(0.005)
    return len(killed)


def runs_anything(uid: int) -> bool:
    """Whether a process of that user lives."""
    return any(_owner(pid) == uid and (_stat(pid) or "Z")[0] not in "ZX" for pid in _pids())


def _strays(uid: int) -> set[int]:
    """Living processes of a user without one of our watchers among their ancestors."""
    stats = {pid: stat for pid in _pids() if (stat := _stat(pid)) is not None}
    own = {pid for pid in stats if _owner(pid) == uid and stats[pid][0] not in "ZX"}
    return {pid for pid in own if not _is_watched(pid, stats, own)}


def _is_watched(pid: int, stats: dict[int, tuple[str, int, int]], own: set[int]) -> bool:
    while pid in stats:
        if pid not in own and _name(pid) in (_GUARD_NAME, _SHIM_NAME):
            return True
        pid = stats[pid][1]
    return False


def _owner(pid: int) -> int | None:
    """The real user, as the kernel tells all of a process that hides the rest."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            words = next((line.split() for line in file if line.startswith(b"Uid:")), None)
    except _GONE:
        return None
    return int(words[1]) if words else None


def _name(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except _GONE:
        return ""


def send(pid: int, number: int) -> bool:
    """Send a signal; False if the process is gone or not ours to signal."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


class Tree:
    """Everything below a sub-reaper: its children and, sooner or later, all their orphans.

    `status` is the wait status of the child `pid`, once that has ended.
    """

    def __init__(self) -> None:
        self.pid: int | None = None
        self.status: int | None = None
        self.peak_memory_bytes = 0

    def reap(self) -> bool:
        """Collect what has ended; True when nothing is left.

        No child means no descendant: orphans are re-parented to us before we can ask.
        """
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return True
            if pid == 0:
                return False
            if pid == self.pid and self.status is None:  # a later orphan may get the same pid
                self.status = status
            self.peak_memory_bytes = max(self.peak_memory_bytes, usage.ru_maxrss * 1024)

    def signal(self, number: int) -> None:
        """Send a signal to all; to frozen ones too, which would not notice it."""
        for pid in descendants({os.getpid()}):
            send(pid, number)
            send(pid, signal.SIGCONT)

    def end(self, grace_left: Callable[[], float], pause: Callable[[float], None]) -> None:
        """SIGTERM, wait for the grace, SIGKILL until nothing is left.

        `grace_left` returns seconds and may shrink meanwhile; `pause` waits at most so long.
        """
        if self.reap():
            return
        self.signal(signal.SIGTERM)
        while not self.reap() and (left := grace_left()) > 0:
            pause(min(left, 0.1))
        wait = 0.005
        while not self.reap():
            self.signal(signal.SIGKILL)
            pause(wait)
            wait = min(wait * 2, 1.0)  # a process stuck in the kernel dies when it comes back


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]


def _stat(pid: int) -> tuple[str, int, int] | None:
    """Return state letter, parent's pid and start time in clock ticks since boot (proc(5))."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()  # a name may hold blanks and ")"
    except _GONE:
        return None
    return fields[0].decode(), int(fields[1]), int(fields[19])


def _carries(pid: int, cookie: str) -> bool:
    if _owner(pid) != os.geteuid():
        return False
    entry = f"{COOKIE}={cookie}".encode()
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return entry in file.read().split(b"\0")
    except (*_GONE, PermissionError):
        return False
