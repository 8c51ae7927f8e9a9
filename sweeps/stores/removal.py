"""Removing what a stranger made: however deep, whatever links are in it, while they go on."""

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from itertools import count

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NO_FOLDER = (errno.ENOTDIR, errno.ELOOP)


def remove_tree(folder: "str | os.PathLike[str]", most_s: float = 30.0) -> bool:
    """Remove a folder with all that is in it; False if some of it is left after `most_s` seconds.
    The same call again goes on, and each removes some.

    Folders in it are moved up to the top and emptied there: neither the depth of calls nor the
    number of open files grows, and no path is looked up twice. Raises OSError.
    """
    try:
        top = os.open(folder, _FOLDER)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno not in _NO_FOLDER:
            raise
        os.unlink(folder)
        return True
    try:
        if not _empty(top, time.monotonic() + most_s):
            return False
    finally:
        os.close(top)
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(folder)
    return True


def _empty(top: int, end: float) -> bool:
    # An earlier call may have left names behind, and each that is taken costs a try.
    numbers = count(int.from_bytes(os.urandom(6), "big"))
    found = True
    while found:
        found = False
        for name in _names(top):
            found = True
            with contextlib.suppress(FileNotFoundError):
                if not _unlink(name, top):
                    _dissolve(name, top, numbers, end)
            if time.monotonic() > end:
                return False
    return True


def _names(folder: int) -> Iterator[str]:
    """As they are read: a list of all may take longer than there is time. Some may be left out
    where names come and go meanwhile."""
    with os.scandir(folder) as entries:
        for entry in entries:
            yield entry.name


def _unlink(name: str, folder: int) -> bool:
    """False for a folder."""
    try:
        os.unlink(name, dir_fd=folder)
    except IsADirectoryError:
        return False
    return True


def _dissolve(name: str, top: int, numbers: "count[int]", end: float) -> None:
    """Empty a folder, its own folders to the top; the next round comes to them."""
    try:
        here = os.open(name, _FOLDER, dir_fd=top)
    except OSError as error:
        if error.errno in _NO_FOLDER:  # replaced meanwhile
            return
        raise
    try:
        for child in _names(here):
            with contextlib.suppress(FileNotFoundError):
                if not _unlink(child, here):
                    _lift(child, here, top, numbers)
            if time.monotonic() > end:
                return
    finally:
        os.close(here)
    with contextlib.suppress(FileNotFoundError, OSError):  # filled again: the next round
        os.rmdir(name, dir_fd=top)


def _lift(child: str, here: int, top: int, numbers: "count[int]") -> None:
    for number in numbers:
        name = f".removed-{number}"
        try:
            # Onto an empty folder of the name this succeeds as well, and one less is left.
            os.rename(child, name, src_dir_fd=here, dst_dir_fd=top)
            return
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, *_NO_FOLDER):
                raise
