"""Connections that end where the other side sends next to nothing, and goes on with it."""

import time
from collections.abc import Callable, Iterable

import httpcore

from sweeps.stores.streams import Around


class Paced(httpcore.NetworkBackend):
    """Another backend, from whose connections `rate` bytes a second must come.

    Judged over each `window_s` seconds that somebody waited for them: what we do with them takes
    the time that it takes. Raises ReadTimeout for less.
    """

    def __init__(
        self,
        inner: httpcore.NetworkBackend,
        rate: int,
        window_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner, self._rate, self._window, self._clock = inner, rate, window_s, clock

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """See httpcore."""
        stream = self._inner.connect_tcp(host, port, timeout, local_address, socket_options)
        return _Stream(stream, self._rate, self._window, self._clock)


class _Stream(Around):
    def __init__(
        self,
        inner: httpcore.NetworkStream,
        rate: int,
        window: float,
        clock: Callable[[], float],
    ) -> None:
        super().__init__(inner)
        self._rate, self._window, self._clock = rate, window, clock
        self._came, self._waited = 0, 0.0

    def like(self, inner: httpcore.NetworkStream) -> Around:
        return _Stream(inner, self._rate, self._window, self._clock)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        began = self._clock()
        data = super().read(max_bytes, timeout)
        self._came += len(data)
        self._waited += self._clock() - began
        if data and self._waited >= self._window:
            if self._came < self._rate * self._waited:
                text = f"it sends less than {self._rate // 1024:,} KiB a second"
                raise httpcore.ReadTimeout(text)
            self._came, self._waited = 0, 0.0
        return data
