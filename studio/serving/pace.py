"""Connections whose clients have to keep a pace, and who has to go when too many are slow.

A client may pause for as long as its credit lasts, and earns credit by what it sends or takes. That
alone keeps out nobody who sends a thousand bytes a second over each of a hundred connections:
so of those that wait at the same time the slowest go, of whoever has the most.
"""

import contextlib
import errno
import os
import select
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any, TypeVar

# Bytes a second that a client has to send, or take, at least: on the average over its patience.
LEAST_RATE = 1024
# So long a client may pause altogether, in seconds: while it sends, and while it takes an answer.
SENDING_S, TAKING_S = 10.0, 30.0
# Who has kept a thread waiting for longer than this rate explains, by so many seconds, is slow.
_GOOD_RATE = 64 * 1024
_SLOW_S = 0.5
# How many go at a time, besides one too many: whose they are is read from a table of the kernel.
_ROOM = 4
_BLOCK = 1 << 18

T = TypeVar("T")
Key = Callable[[Iterable["Paced"]], dict["Paced", str]]


class Crowd:
    """Those whose clients keep a thread waiting now: `most` of them, as far as some are slow."""

    def __init__(self, most: int, key: Key) -> None:
        self._most, self._key = most, key
        self._lock = threading.Lock()
        self._since: dict[Paced, float] = {}

    def enter(self, paced: "Paced") -> None:
        """One more waits; another one may have to go for it, or itself."""
        with self._lock:
            self._since[paced] = time.monotonic()
            crowded = dict(self._since) if len(self._since) > self._most else {}
        if crowded:
            self._thin(crowded)

    def leave(self, paced: "Paced") -> None:
        """It waits no longer."""
        with self._lock:
            self._since.pop(paced, None)

    def _thin(self, crowded: dict["Paced", float]) -> None:
        now = time.monotonic()
        late = {paced: paced.lag + now - since for paced, since in crowded.items()}
        late = {paced: lag for paced, lag in late.items() if lag > _SLOW_S}
        keys = self._key(crowded) if late else {}
        for _ in range(min(len(late), len(crowded) - self._most + _ROOM)):
            slowest = greediest(keys, late)
            del late[slowest], keys[slowest]
            slowest.cut()


def greediest(keys: dict[Any, str], late: dict[Any, float]) -> Any:
    """The latest of those of whoever has the most. Both by connection; `late` is not empty."""
    many = Counter(keys.values())
    return max(late, key=lambda one: (many[keys[one]], late[one]))


class Paced:
    """A socket to a client: waits no longer for it than its credit lasts.

    Raises ConnectionResetError to who waits for a client that is too slow, or was cut.
    """

    def __init__(
        self,
        sock: socket.socket,
        crowd: Crowd,
        outside: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._sock, self._crowd, self._outside = sock, crowd, outside
        self._sock.setblocking(False)
        self._timeout: float | None = None
        self.is_cut = False
        self.begin()

    def begin(self, lag: float = 0.0) -> None:
        """A new request: with all of its credit, and so late already (seconds)."""
        self.lag = lag
        self._left = {select.POLLIN: SENDING_S, select.POLLOUT: TAKING_S}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)

    def settimeout(self, timeout: float | None) -> None:
        """Seconds for one call, besides the credit; 0: do not wait. As sockets have it."""
        self._timeout = timeout

    def gettimeout(self) -> float | None:
        """As sockets have it."""
        return self._timeout

    def setblocking(self, flag: bool) -> None:
        """As sockets have it."""
        self._timeout = None if flag else 0.0

    def recv(self, size: int, flags: int = 0) -> bytes:
        """What has come, b"" at the end."""
        return self._do(select.POLLIN, lambda: self._sock.recv(size, flags), len)

    def send(self, data: Any, flags: int = 0) -> int:
        """How many bytes of the data are on their way."""
        return self._do(select.POLLOUT, lambda: self._sock.send(data, flags), int)

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Send all of it."""
        left = memoryview(data).cast("B")
        while left:
            left = left[self.send(left, flags) :]

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        """Send a file, or `count` bytes of it, without reading it. Returns how many went."""
        end = os.fstat(file.fileno()).st_size if count is None else offset + count
        at = offset
        while at < end:
            send = partial(self._sendfile, file, at, end)
            sent = self._do(select.POLLOUT, send, int)
            if not sent:
                break  # the file has become shorter
            at += sent
        return at - offset

    def _sendfile(self, file: Any, at: int, end: int) -> int:
        return os.sendfile(self._sock.fileno(), file.fileno(), at, min(_BLOCK, end - at))

    def cut(self) -> None:
        """Have done with it, whoever waits for it."""
        self.is_cut = True
        with contextlib.suppress(OSError):  # gone already
            self._sock.shutdown(socket.SHUT_RDWR)

    def _do(self, event: int, act: Callable[[], T], size: Callable[[T], int]) -> T:
        while True:
            try:
                done = act()
            except BlockingIOError:
                if self._timeout == 0.0:
                    raise
                self._wait(event)
                continue
            self._earn(event, size(done))
            return done

    def _earn(self, event: int, size: int) -> None:
        most = SENDING_S if event == select.POLLIN else TAKING_S
        self._left[event] = min(most, self._left[event] + size / LEAST_RATE)
        self.lag = max(0.0, self.lag - size / _GOOD_RATE)

    def _wait(self, event: int) -> None:
        """Until the client goes on."""
        credit = max(0.0, self._left[event])
        longest = credit if self._timeout is None else min(credit, self._timeout)
        start = time.monotonic()
        self._crowd.enter(self)
        try:
            with self._outside():
                ready = _poll(self._sock, event, longest)
        finally:
            self._crowd.leave(self)
        waited = time.monotonic() - start
        self._left[event] -= waited
        self.lag += waited
        if self.is_cut or (not ready and longest == credit):
            self.cut()
            raise ConnectionResetError(errno.ECONNRESET, "The client is too slow.")
        if not ready:
            raise TimeoutError(errno.ETIMEDOUT, "The client took too long.")


def _poll(sock: socket.socket, event: int, seconds: float) -> bool:
    poller = select.poll()
    poller.register(sock, event)
    return bool(poller.poll(seconds * 1000))
