"""What a user's commands leave in shared memory: it takes memory until somebody removes it."""

import os
import stat
import time
from contextlib import suppress

from sweeps.runners import proc
from sweeps.stores.removal import remove_tree

_PLACE = "/dev/shm"  # noqa: S108 - where the kernel's POSIX shared memory and semaphores are
# What is left after that goes with the next command.
_MOST_S = 5.0


def clear(uid: int, place: str = _PLACE, most_s: float = _MOST_S) -> int:
    """Remove what is the user's there: shared memory, semaphores, and whatever else was made, if
    nothing of that user runs any more.

    Returns how many things. What a command that begins in this moment makes is younger, and stays.
    """
    began = time.time()
    if proc.runs_anything(uid):
        return 0
    count, end = 0, time.monotonic() + most_s
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            with suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                if found.st_uid != uid or found.st_ctime >= began:
                    continue
                count += _remove(entry.path, found.st_mode, end)
            if time.monotonic() > end:
                break
    return count


def _remove(path: str, mode: int, end: float) -> bool:
    """False for a folder of which some is left. Raises OSError."""
    if stat.S_ISDIR(mode):
        return remove_tree(path, max(0.0, end - time.monotonic()))
    os.unlink(path)
    return True
