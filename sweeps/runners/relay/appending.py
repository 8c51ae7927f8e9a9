"""Logs that come in pieces, each of which says where it belongs."""

import base64
import binascii
import fcntl
import os
from typing import Any

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def size(path: str) -> int:
    """How long a log is; 0 where there is none."""
    try:
        return os.stat(path).st_size
    except FileNotFoundError:
        return 0


def append(path: str, piece: Any, most: int) -> None:
    """Add what is new of a piece `{"at": offset, "data": base64}`, never past `most`.

    It may come twice, for its answer may have been lost; what is missing before it is asked for by
    the size.
    """
    at, data = _read(piece)
    descriptor = os.open(path, _FLAGS, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        there = os.fstat(descriptor).st_size
        if at > there:
            return
        fresh = data[there - at : max(0, most - at)]
        while fresh:
            written = os.pwrite(descriptor, fresh, there)
            there, fresh = there + written, fresh[written:]
    finally:
        os.close(descriptor)


def _read(piece: Any) -> tuple[int, bytes]:
    """Offset and bytes; nothing of what is no piece."""
    if not isinstance(piece, dict) or type(piece.get("at")) is not int or piece["at"] < 0:
        return 0, b""
    try:
        return piece["at"], base64.b64decode(str(piece.get("data", "")), validate=True)
    except (binascii.Error, ValueError):
        return 0, b""
