"""Throwing away what a stranger made: out of the way at once, and removed later, by somebody else.

Removing takes as long as whoever filled a folder likes. So it is moved, in one step, into a folder
that only the studio gets into (`.trash`, of the place of the home that it lay in, which may be
on a disk of its own), and `engine/trash.py` empties that. What is thrown away is its group's, by
which a workspace's things are known: nobody's removal waits for that of all another's.
"""

import os
import uuid
from contextlib import suppress
from pathlib import Path

NAME = ".trash"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def throw_away(place: Path, thing: Path) -> bool:
    """Move a file or folder below `place` out of the way; False if it is not there.

    The folder that it is in is the studio's own. Links are moved, not followed. Raises OSError.
    """
    trash = place / NAME
    with suppress(FileNotFoundError):
        # Of the thing itself: whoever may write in it cannot exchange it.
        found = os.lstat(thing)
        trash.mkdir(exist_ok=True, mode=0o700)
        to = os.open(trash, _FOLDER)
        try:
            os.rename(thing, f"{found.st_gid}-{uuid.uuid4().hex}", dst_dir_fd=to)
        finally:
            os.close(to)
        return True
    return False


def thrown_away(place: Path) -> list[tuple[int, Path]]:
    """What waits in a place to be removed, with the group of each; in no order.

    Raises OSError.
    """
    with suppress(FileNotFoundError), os.scandir(place / NAME) as entries:
        return [(_group(entry.name), Path(entry.path)) for entry in entries]
    return []


def _group(name: str) -> int:
    group = name.partition("-")[0]
    return int(group) if group.isdecimal() else -1
