"""Connections whose clients have to keep a pace, and who has to go when threads wait for too many.

A client may pause for as long as its credit lasts, and earns credit by what it sends or takes. That
alone keeps out nobody who sends a thousand bytes a second over each of a hundred connections, or
a hundred thousand: so of too many that wait at the same time some go, of whoever has the most.
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
# That decides between connections of the same owner, and says nothing of owners.
_GOOD_RATE = 64 * 1024
_SLOW_S = 0.5
_BLOCK = 1 << 18

T = TypeVar("T")
Key = Callable[[Iterable["Paced"]], dict["Paced", str]]


class Crowd:
    """Those whose clients keep a thread waiting now: `most` of them, whatever pace they keep."""

    def __init__(self, most: int, key: Key) -> None:
        self._most, self._key = most, key
        self._lock = threading.Lock()
        self._since: dict[Paced, float] = {}

    def enter(self, paced: "Paced") -> None:
        """One more waits; another one may have to go for it, or itself."""
        with self._lock:
            self._since[paced] = time.monotonic()
            nameless = [one for one in self._since if one.key is None] if self._is_crowded() else []
        # With the lock free: whose they are is read from a table of the kernel.
        for one, key in self._key(nameless).items() if nameless else ():
            one.owner = key
        for one in self._take_surplus():
            one.cut()

    def leave(self, paced: "Paced") -> None:
        """It waits no longer."""
        with self._lock:
            self._since.pop(paced, None)

    def _is_crowded(self) -> bool:
        return len(self._since) > self._most

    def _take_surplus(self) -> list["Paced"]:
        """Who has to go, and is not counted any more. The nameless are about to see for others."""
        with self._lock:
            if not self._is_crowded():
                return []
            keys = {one: one.key for one in self._since if one.key is not None}
            gone = surplus(keys, self._late(keys), self._most)
            for one in gone:
                del self._since[one]
            return gone

    def _late(self, waiting: Iterable["Paced"]) -> dict["Paced", tuple[float, float]]:
        """How late each is, if it is slow, and when its request began."""
        now = time.monotonic()
        lags = {one: one.lag + now - self._since[one] for one in waiting}
        return {one: (lag if lag > _SLOW_S else 0.0, one.began) for one, lag in lags.items()}


def surplus(keys: dict[Any, str], late: dict[Any, Any], most: int) -> list[Any]:
    """Who has to go so that `most` stay: each time the latest of those of whoever has the most.

    So nobody goes of who has no more than `most` divided by the number of owners.
    """
    keys, late, gone = dict(keys), dict(late), []
    while len(late) > most:
        gone.append(greediest(keys, late))
        del late[gone[-1]], keys[gone[-1]]
    return gone


def greediest(keys: dict[Any, str], late: dict[Any, Any]) -> Any:
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
        # Whom the connection counts for, once somebody has looked.
        self.owner: str | None = None
        self.begin()

    def begin(self, lag: float = 0.0, told: str = "") -> None:
        """A new request: with all of its credit, so late already (seconds), for `told` if any."""
        self.lag, self.began, self.told = lag, time.monotonic(), told
        self._left = {select.POLLIN: SENDING_S, select.POLLOUT: TAKING_S}

    @property
    def key(self) -> str | None:
        """Whom the request counts for; None as long as nobody has looked."""
        return self.told or self.owner

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
