"""Reading a trial's log piece by piece."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

CHUNK = 256 * 1024
# The trial owns the folder: a link it planted is not followed, a pipe does not hold us.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class LogPart:
    """Text from an offset on, and the byte offset after it."""

    text: str
    next_offset: int


def read_log(spool: Path | None, stream: str, offset: int, limit: int = CHUNK) -> LogPart:
    """Up to `limit` bytes of `stdout` or `stderr`, cut so that no character is split."""
    with _opened(spool, stream) as file:
        if file is None or offset >= os.fstat(file.fileno()).st_size:
            return LogPart("", offset)
        file.seek(offset)
        data = file.read(limit)
    whole = _whole_characters(data)
    return LogPart(whole.decode(errors="replace"), offset + len(whole))


def log_bytes(spool: Path | None, stream: str, limit: int) -> Iterator[bytes]:
    """Up to `limit` bytes of `stdout` or `stderr` as they are, by pieces; nothing where there is no
    log. It is open only while it is read."""
    with _opened(spool, stream) as file:
        while file and (data := file.read(min(CHUNK, limit))):
            limit -= len(data)
            yield data


def log_size(spool: Path | None, stream: str) -> int:
    """Bytes of `stdout` or `stderr` so far."""
    with _opened(spool, stream) as file:
        return os.fstat(file.fileno()).st_size if file else 0


@contextmanager
def _opened(spool: Path | None, stream: str) -> Iterator[BinaryIO | None]:
    """The log, None where there is no regular file."""
    try:
        descriptor = os.open(spool / f"{stream}.log", _READ) if spool else -1
    except OSError:
        descriptor = -1
    if descriptor < 0:
        yield None
        return
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        yield None
        return
    with open(descriptor, "rb") as file:
        yield file


def _whole_characters(data: bytes) -> bytes:
    """`data` without the beginning of a character at its end (UTF-8 has four bytes at most)."""
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            return data
        if byte >= 0xC0:
            needed = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data if back >= needed else data[:-back]
    return data
