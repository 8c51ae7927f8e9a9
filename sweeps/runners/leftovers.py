"""What a user's commands leave in shared memory: it takes memory until somebody removes it."""

import os
import stat
import time
from contextlib import suppress

from sweeps.runners import proc

_PLACE = "/dev/shm"  # noqa: S108 - where the kernel's POSIX shared memory and semaphores are


def clear(uid: int, place: str = _PLACE) -> int:
    """Remove the user's shared memory and semaphores, if nothing of that user runs any more.

    Returns how many. What a command that begins in this moment makes is younger, and stays.
    """
    began = time.time()
    if proc.runs_anything(uid):
        return 0
    count = 0
    with suppress(OSError), os.scandir(place) as entries:
        for entry in entries:
            with suppress(OSError):
                found = entry.stat(follow_symlinks=False)
                if found.st_uid == uid and found.st_ctime < began and stat.S_ISREG(found.st_mode):
                    os.unlink(entry.path)
                    count += 1
    return count
