"""Connections that end where the other side sends next to nothing, and goes on with it."""

import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any

import httpcore


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


class _Stream(httpcore.NetworkStream):
    def __init__(
        self,
        inner: httpcore.NetworkStream,
        rate: int,
        window: float,
        clock: Callable[[], float],
    ) -> None:
        self._inner, self._rate, self._window, self._clock = inner, rate, window, clock
        self._came, self._waited = 0, 0.0

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        began = self._clock()
        data = self._inner.read(max_bytes, timeout)
        self._came += len(data)
        self._waited += self._clock() - began
        if data and self._waited >= self._window:
            if self._came < self._rate * self._waited:
                text = f"it sends less than {self._rate // 1024:,} KiB a second"
                raise httpcore.ReadTimeout(text)
            self._came, self._waited = 0, 0.0
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        inner = self._inner.start_tls(ssl_context, server_hostname, timeout)
        return _Stream(inner, self._rate, self._window, self._clock)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
