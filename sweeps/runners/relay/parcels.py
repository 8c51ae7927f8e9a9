"""Outputs of a command far away: an archive that comes in pieces, and is unpacked here.

The command may have written it: names and kinds of what is in it are judged one by one.
"""

import os
import posixpath
import tarfile
from contextlib import suppress
from typing import Any

ARCHIVE = "outputs.tar"
# Folders of the spool that outputs come from, and go to.
FOLDERS = ("outputs", "work/outputs")
# What an archive has beside the files: a head for each, their names, and padding.
_HEAD_BYTES = 4096
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
LEFT = "Some outputs could not be taken over: {}."


def most_bytes(files: int, size: int) -> int:
    """How long an archive of so many files with so many bytes is at most."""
    return size + (files + 16) * _HEAD_BYTES


def keep(folder: str, at: int, data: bytes, most: int) -> int:
    """Add a piece of the archive, unless it is known or does not fit; its size then."""
    descriptor = os.open(os.path.join(folder, ARCHIVE), _FLAGS, 0o600)
    try:
        there = os.fstat(descriptor).st_size
        if at == there and there + len(data) <= most:
            while data:
                written = os.pwrite(descriptor, data, there)
                there, data = there + written, data[written:]
        return there
    finally:
        os.close(descriptor)


def unpack(folder: str, files: int, size: int) -> str:
    """Put the archive's files where outputs lie, and remove it; a sentence on what was left."""
    path = os.path.join(folder, ARCHIVE)
    if not os.path.exists(path):
        return ""
    try:
        with tarfile.open(path, "r:", tarinfo=_Head) as archive:
            return _unpack(folder, archive, files, size)
    except RecursionError:  # a head of a head of a head
        return LEFT.format("their archive cannot be read")
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        return LEFT.format(getattr(error, "strerror", None) or error)
    finally:
        with suppress(FileNotFoundError):
            os.unlink(path)


class _Head(tarfile.TarInfo):
    """A head whose further ones, which are read at once, are as long as names need. Of files with
    holes, whose maps have any length, there are none: carriers write none."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Head":
        """See tarfile. Raises ReadError."""
        found = super().frombuf(buf, encoding, errors)
        if not found.isreg() and found.size > _HEAD_BYTES:
            raise tarfile.ReadError("a head is too long")
        return found

    def _refuse(self, *_args: Any) -> Any:
        raise tarfile.ReadError("a file has holes")

    _proc_sparse = _proc_gnusparse_00 = _proc_gnusparse_01 = _proc_gnusparse_10 = _refuse


def _unpack(folder: str, archive: tarfile.TarFile, files: int, size: int) -> str:
    left = size
    for count, member in enumerate(archive):
        name = _plain(member.name)
        if name is None or not member.isreg():
            return LEFT.format("a name or a kind of file that outputs cannot have")
        left -= member.size
        if count >= files or left < 0:
            return LEFT.format("there are too many, or they are too large")
        source = archive.extractfile(member)
        assert source is not None  # of a regular file
        _write(folder, name, source, member.mode & 0o700 | 0o600)
    return ""


def _plain(name: str) -> str | None:
    """A path below one of the folders; None for any other."""
    inside = any(name.startswith(f"{folder}/") for folder in FOLDERS)
    parts = name.split("/")
    is_plain = posixpath.normpath(name) == name and ".." not in parts and "\0" not in name
    return name if inside and is_plain else None


def _write(folder: str, name: str, source: object, mode: int) -> None:
    """A file, and the folders above it. Nobody else writes there, so no link can lead away."""
    path = os.path.join(folder, *name.split("/"))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with suppress(FileNotFoundError):
        os.unlink(path)
    descriptor = os.open(path, _FLAGS | os.O_EXCL, mode)
    with open(descriptor, "wb") as file:
        while data := source.read(2**20):  # type: ignore[attr-defined]
            file.write(data)
