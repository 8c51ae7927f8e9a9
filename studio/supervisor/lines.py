"""The studio's log: what the parts print, a line at a time, each under the name of its part."""

import os
import select
import sys
from collections import deque
from collections.abc import Iterable

# A line that is longer is told in pieces.
LONGEST = 32 * 1024
# What MLflow says echoes what it was asked, over and over: of its lines so much, in characters.
ECHOED = 4096
_ECHOES = "tracking"
# Lines kept while whoever reads the log takes none, a paused terminal say; then the oldest go.
KEPT = 2000


class Log:
    """Writes lines to standard output, without ever waiting for its reader.

    A part whose lines are no longer read would stand still, and so would its supervisor.
    """

    def __init__(self) -> None:
        self._waiting: deque[str] = deque(maxlen=KEPT)

    def say(self, name: str, text: str) -> None:
        """One line; lost where the log goes to a full disk, or to nobody."""
        self._waiting.append(f"{name:<8} | {text}\n")
        self.flush()

    def flush(self) -> None:
        """Write what waits, as far as it is taken."""
        try:
            while self._waiting and _takes_more():
                sys.stdout.write(self._waiting.popleft())
                sys.stdout.flush()
        except OSError:
            return


def _takes_more() -> bool:
    try:
        return bool(select.select([], [sys.stdout], [], 0)[1])
    except (TypeError, ValueError):  # no file behind it
        return True


_log = Log()
say = _log.say
flush = _log.flush


class Outputs:
    """The ends of the pipes that the parts print into."""

    def __init__(self) -> None:
        self._open: dict[int, tuple[str, bytearray]] = {}

    def add(self, name: str, descriptor: int) -> None:
        """Tell from now on what comes from the non-blocking `descriptor`; it is ours to close."""
        self._open[descriptor] = (name, bytearray())

    @property
    def descriptors(self) -> list[int]:
        """Where something may come."""
        return list(self._open)

    def read(self, descriptors: Iterable[int]) -> None:
        """Tell what came from these."""
        for descriptor in descriptors:
            name, rest = self._open[descriptor]
            try:
                chunk = os.read(descriptor, 65536)
            except BlockingIOError:
                continue
            rest += chunk
            _tell(name, rest, all_of_it=not chunk)
            if not chunk:
                os.close(descriptor)
                del self._open[descriptor]

    def drain(self) -> None:
        """Tell all that has come."""
        poll = select.poll()
        for descriptor in self._open:
            poll.register(descriptor, select.POLLIN)
        while ready := [descriptor for descriptor, _ in poll.poll(0)]:
            self.read(ready)
            for descriptor in set(ready) - set(self._open):
                poll.unregister(descriptor)


def _tell(name: str, rest: bytearray, all_of_it: bool) -> None:
    """Say the whole lines at the start of `rest`, and take them from it."""
    *lines, last = bytes(rest).split(b"\n")
    if last and (all_of_it or len(last) > LONGEST):
        lines.append(last)
        last = b""
    rest[:] = last
    for line in lines:
        text = line.decode(errors="replace").rstrip()
        if name == _ECHOES and len(text) > ECHOED:
            text = f"{text[:ECHOED]}… ({len(text):,} characters)"
        say(name, text)
