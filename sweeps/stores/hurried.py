"""Connections that are over at a certain moment, however slowly the other side drips."""

import ssl
import time
from collections.abc import Iterable

import httpcore

from sweeps.stores.streams import Around


class Hurried(httpcore.NetworkBackend):
    """Another backend, of whose connections no step lasts beyond `end` (monotonic clock)."""

    def __init__(self, inner: httpcore.NetworkBackend, end: float) -> None:
        self._inner, self._end = inner, end

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """See httpcore. Raises ConnectTimeout once it is too late."""
        left = _left(self._end, timeout, httpcore.ConnectTimeout)
        stream = self._inner.connect_tcp(host, port, left, local_address, socket_options)
        return _Stream(stream, self._end)


def _left(end: float, timeout: float | None, late: type[Exception]) -> float:
    left = end - time.monotonic()
    if left <= 0:
        raise late("out of time")
    return left if timeout is None else min(left, timeout)


class _Stream(Around):
    def __init__(self, inner: httpcore.NetworkStream, end: float) -> None:
        super().__init__(inner)
        self._end = end

    def like(self, inner: httpcore.NetworkStream) -> Around:
        return _Stream(inner, self._end)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return super().read(max_bytes, _left(self._end, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        super().write(buffer, _left(self._end, timeout, httpcore.WriteTimeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> Around:
        left = _left(self._end, timeout, httpcore.ConnectTimeout)
        return super().start_tls(ssl_context, server_hostname, left)
