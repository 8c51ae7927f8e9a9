"""Files in folders that others write to: opened without following links or waiting for pipes."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FOLDER = READ | os.O_DIRECTORY
_PART = 2**18
# Deeper is nobody's; each level holds a descriptor while it is walked.
MAX_DEPTH = 64


def open_plain(path: Path | str, folder: int | None = None) -> BinaryIO:
    """A regular file, to read; `folder` is a descriptor that the path is relative to.

    Raises OSError for anything else: a link, a pipe, a device, a folder, nothing.
    """
    descriptor = os.open(path, READ, dir_fd=folder)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no regular file")
    return open(descriptor, "rb")


def size_of(path: Path) -> int:
    """Bytes of a regular file that can be read. Raises OSError."""
    with open_plain(path) as file:
        return os.fstat(file.fileno()).st_size


def parts(path: Path) -> Iterator[bytes]:
    """The contents of a regular file, which is open only while it is read. Raises OSError."""
    with open_plain(path) as file:
        while data := file.read(_PART):
            yield data


def is_plain_way(root: Path, path: str) -> bool:
    """True if nothing on the way from `root` down to `path` is a link, and its end, where there is
    one, is a file or a folder."""
    place, mode = str(root), stat.S_IFDIR
    for part in path.split("/"):
        place = os.path.join(place, part)
        try:
            mode = os.lstat(place).st_mode
        except (OSError, ValueError):
            return True  # nothing is there, and so nothing that leads elsewhere
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return False
    return True


def walk(top: Path) -> Iterator[tuple[str, int, str, os.stat_result]]:
    """All below a folder that is no folder: its relative name, the descriptor of the folder that
    it stands in, its name there, and what it is; in a fixed order.

    Folders are entered by descriptor, so that one that becomes a link meanwhile leads nowhere.
    Folders too deep are told of as they are. Raises nothing: what cannot be read is not there.
    """
    try:
        descriptor = os.open(top, _FOLDER)
    except OSError:
        return
    try:
        yield from _walk(descriptor, "", 0)
    finally:
        os.close(descriptor)


def _walk(folder: int, above: str, depth: int) -> Iterator[tuple[str, int, str, os.stat_result]]:
    folders = []
    for name in sorted(_names(folder)):
        try:
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
        except OSError:
            continue
        if stat.S_ISDIR(found.st_mode) and depth < MAX_DEPTH:
            folders.append(name)
        else:
            yield above + name, folder, name, found
    for name in folders:
        try:
            inner = os.open(name, _FOLDER, dir_fd=folder)
        except OSError:
            continue
        try:
            yield from _walk(inner, f"{above}{name}/", depth + 1)
        finally:
            os.close(inner)


def _names(folder: int) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []
