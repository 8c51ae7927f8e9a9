"""A bell between processes: who has work for another rings, who waits for work listens.

A ring is a hint and may be lost (nobody listens, the pipe is full, the file system knows no named
pipes), so whoever waits looks after a second all the same. What it saves is that second.
"""

import contextlib
import os
import select
import stat
import threading
import time
from collections.abc import Sequence
from pathlib import Path

# Without named pipes there is nothing but to look often.
BLIND_S = 0.2


class Bell:
    """A named pipe. A path has no limit of 108 bytes, as the address of a socket has."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._reader: int | None = None
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def ring(self) -> None:
        """Wake one who waits. Costs some 20 µs and never fails; safe in a signal handler."""
        with contextlib.suppress(OSError):
            writer = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if stat.S_ISFIFO(os.fstat(writer).st_mode):
                    os.write(writer, b"!")
            finally:
                os.close(writer)

    def wait(self, seconds: float, also: Sequence[int] = ()) -> bool:
        """Wait for a ring, for at most `seconds`; True if it came.

        Returns as well when one of the descriptors `also` becomes readable. Each ring wakes one
        of several threads that wait: one of them listens, the others wait for their turn.
        """
        end = time.monotonic() + seconds
        if not self._turn.acquire(timeout=seconds):
            return False
        try:
            return self._heard(max(0.0, end - time.monotonic()), also)
        finally:
            self._turn.release()

    def _heard(self, seconds: float, also: Sequence[int]) -> bool:
        reader = self._listen()
        if reader is None and not also:
            time.sleep(min(seconds, BLIND_S))
            return True
        poll = select.poll()
        for descriptor in (*also, *([] if reader is None else [reader])):
            poll.register(descriptor, select.POLLIN)
        ready = [descriptor for descriptor, _ in poll.poll(seconds * 1000)]
        return reader in ready and _take(reader)

    def hush(self) -> None:
        """Take all rings that came: whoever waits alone looks at everything, once."""
        while self._reader is not None and _take(self._reader, 4096):
            continue

    def _listen(self) -> int | None:
        """Our end of the pipe, made when it is first needed: a ring before it is lost."""
        with self._lock:
            if self._reader is None:
                with contextlib.suppress(OSError):
                    self._reader = _open(self._path)
            return self._reader


def _open(path: Path) -> int:
    with contextlib.suppress(FileExistsError):
        os.mkfifo(path, 0o600)
    # For reading and writing: with a writer of its own it never sees the end of the pipe.
    reader = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISFIFO(os.fstat(reader).st_mode):
        os.close(reader)
        raise FileExistsError(f"{path} is no named pipe.")
    return reader


def _take(reader: int, count: int = 1) -> bool:
    try:
        return bool(os.read(reader, count))
    except BlockingIOError:
        return False
