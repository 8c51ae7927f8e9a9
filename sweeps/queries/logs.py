"""Reading a trial's log piece by piece."""

from dataclasses import dataclass
from pathlib import Path

CHUNK = 256 * 1024
# Where a file can end at most.
_FARTHEST = 2**62


@dataclass(frozen=True, slots=True)
class LogPart:
    """Text from an offset on, and the byte offset after it."""

    text: str
    next_offset: int


def read_log(spool: Path | None, stream: str, offset: int, limit: int = CHUNK) -> LogPart:
    """Up to `limit` bytes of `stdout` or `stderr`, cut so that no character is split."""
    if spool is None or offset > _FARTHEST:
        return LogPart("", offset)
    try:
        with (spool / f"{stream}.log").open("rb") as file:
            file.seek(offset)
            data = file.read(limit)
    except FileNotFoundError:
        return LogPart("", offset)
    whole = _whole_characters(data)
    return LogPart(whole.decode(errors="replace"), offset + len(whole))


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
