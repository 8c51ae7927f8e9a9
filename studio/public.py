"""Files of this machine that any of its users may read, opened so that no other ones are.

A studio that may become other users may read everything; whoever hands in a path must not have it
read what they could not.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import BinaryIO

_WAY = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC

_LISTED = stat.S_IXOTH | stat.S_IROTH
_MOST_STEPS = 1000


class NotPublic(PermissionError):
    """Some users of this machine may not read it; the message names what is in the way."""


def check_public(path: Path) -> None:
    """Raises NotPublic for what not every user may read; OSError for what is not there.

    `path` is absolute and leads through no link.
    """
    folder = _enter(os.open("/", _WAY), path.parts[1:-1], Path("/"))
    try:
        mode = os.stat(path.name or ".", dir_fd=folder, follow_symlinks=False).st_mode
        needed = stat.S_IROTH | (stat.S_IXOTH if stat.S_ISDIR(mode) else 0)
        if mode & needed != needed:
            raise NotPublic(errno.EACCES, f"not every user of this machine may read {path}")
    finally:
        os.close(folder)


def real_public(path: Path) -> Path:
    """Where an absolute path leads that every user may follow to its end, and read what is there.

    Links on the way are followed if they are root's or our own: whoever could make others might
    ask by them what is where nobody but us may look. Raises NotPublic, and OSError for what is not
    there.
    """
    if not path.is_absolute():
        raise FileNotFoundError(errno.ENOENT, "It is no absolute path", str(path))
    found, left = Path("/"), list(reversed(Path(os.path.normpath(path)).parts[1:]))
    for _ in range(_MOST_STEPS):
        if not left:
            check_public(found)
            return found
        part = left.pop()
        if part == "..":
            found = found.parent
            continue
        target = _link_at(found, part)
        if target is None:
            found /= part
        else:
            found = Path("/") if target.is_absolute() else found
            left += reversed(target.parts[1:] if target.is_absolute() else target.parts)
    raise NotPublic(errno.ELOOP, f"too many links on the way to {path}")


def _link_at(folder: Path, name: str) -> Path | None:
    """Where a link in a folder of real folders leads; None for anything else."""
    way = _enter(os.open("/", _WAY), folder.parts[1:], Path("/"))
    try:
        found = os.stat(name, dir_fd=way, follow_symlinks=False)
        if not stat.S_ISLNK(found.st_mode):
            return None
        # The links of /proc are the kernel's, and lead through what is closed.
        if found.st_uid not in (0, os.geteuid()) or os.fstat(way).st_dev == os.stat("/proc").st_dev:
            raise NotPublic(errno.EACCES, f"{folder / name} is a link of somebody else")
        return Path(os.readlink(name, dir_fd=way))
    finally:
        os.close(way)


def open_public(folder: Path, name: str) -> BinaryIO:
    """A file below a folder, to read, whatever has become of the way there in the meantime.

    Raises NotPublic, and OSError for what is no file (any more).
    """
    parts = PurePosixPath(name).parts
    way = _enter(os.open("/", _WAY), folder.parts[1:], Path("/"))
    # What is found by looking, others must be able to find.
    way = _enter(way, parts[:-1], folder, _LISTED)
    try:
        descriptor = os.open(parts[-1], _FILE, dir_fd=way)
    finally:
        os.close(way)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode) and mode & stat.S_IROTH:
        return open(descriptor, "rb")
    os.close(descriptor)
    raise NotPublic(errno.EACCES, f"not every user of this machine may read {folder / name}")


def walk_public(folder: Path) -> Iterator[tuple[str, list[str], list[str]]]:
    """`os.walk` of a folder, as far as every user may look into all of it.

    Raises NotPublic before anything is told of what a closed one holds. `folder` is absolute and
    leads through no link.
    """
    way = _enter(os.open("/", _WAY), folder.parts[1:], Path("/"))
    try:
        for here, folders, files, descriptor in os.fwalk(".", dir_fd=way):
            if os.fstat(descriptor).st_mode & _LISTED != _LISTED:
                text = f"not every user of this machine may look into {folder / here}"
                raise NotPublic(errno.EACCES, text)
            yield str(folder / here), folders, files
    finally:
        os.close(way)


def _enter(top: int, parts: tuple[str, ...], path: Path, needed: int = stat.S_IXOTH) -> int:
    """The descriptor at the end of a way that is open to every user. Closes `top`."""
    for part in parts:
        path /= part
        try:
            inner = os.open(part, _WAY, dir_fd=top)
        finally:
            with suppress(OSError):
                os.close(top)
        top = inner
        if os.fstat(top).st_mode & needed != needed:
            os.close(top)
            what = "look into" if needed & stat.S_IROTH else "pass through"
            raise NotPublic(errno.EACCES, f"not every user of this machine may {what} {path}")
    return top
