"""The command's output: two pipes, drained into two files that only grow and stop at a cap.

Why pipes and not the files themselves as the command's stdout: a cap on the file would need
RLIMIT_FSIZE (which hits the user's own files too) or truncating behind the writer's back (which
overshoots between two looks and breaks whoever tails the file). A pipe is cut at the exact byte
and a flood is slowed to what we read. The usual danger of a pipe, waiting for an end-of-file that
a surviving grandchild withholds, does not arise: we never wait for it. The last drain comes after
the whole tree has ended and takes only what is there.
"""

import os
import select
from collections.abc import Sequence

from sweeps.runners.masking import Mask

_CHUNK = 64 * 1024
_LAST_DRAIN_BYTES = 4 * 2**20  # more than a pipe can hold


class Log:
    """One pipe into one file. `writer` is the end for the command; close it after the start.

    `secrets` are texts that get into the file as ***.
    """

    def __init__(self, path: str, cap_bytes: int, secrets: Sequence[str] = ()) -> None:
        self._mask = Mask(secrets)
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._cap_bytes = cap_bytes
        self._room = cap_bytes
        self._cut = False
        self.reader, self.writer = os.pipe()
        os.set_blocking(self.reader, False)
        self.problem = ""

    def drain(self, limit: int = 16 * _CHUNK) -> bool:
        """Move what is there, at most `limit` bytes; False at the end of the pipe."""
        moved = 0
        while moved < limit:
            try:
                data = os.read(self.reader, _CHUNK)
            except BlockingIOError:
                return True
            if not data:
                return False
            moved += len(data)
            self._keep(self._mask.feed(data))
        return True

    def close(self) -> None:
        """Take what is left in the pipe, without waiting for anybody, and close the file."""
        self.drain(_LAST_DRAIN_BYTES)
        self._keep(self._mask.rest())
        os.close(self.reader)
        os.close(self._file)

    def _keep(self, data: bytes) -> None:
        if self._cut or self.problem:
            return
        kept = data[: self._room]
        self._room -= len(kept)
        self._write(kept)
        if len(kept) < len(data):
            self._cut = True
            note = f"\n[log cut: it reached the limit of {self._cap_bytes:,} bytes]\n"
            self._write(note.encode())

    def _write(self, data: bytes) -> None:
        """Write all; after an error (disk full) go on draining, so that the command goes on."""
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            self.problem = f"Part of the log was dropped: {error.strerror}."


class Pump:
    """Waits for output of several logs and for one more descriptor that means "look up"."""

    def __init__(self, logs: list[Log], wake: int) -> None:
        self._poll = select.poll()
        self._logs = {log.reader: log for log in logs}
        self._wake = wake
        for descriptor in (*self._logs, wake):
            self._poll.register(descriptor, select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Return after some output was moved, the wake-up came, or the time is over."""
        for descriptor, _events in self._poll.poll(seconds * 1000):
            if descriptor == self._wake:
                os.read(self._wake, 4096)
            elif not self._logs[descriptor].drain():
                self._poll.unregister(descriptor)
