"""A connection of httpcore around another one, to which it passes everything on."""

import ssl
from abc import abstractmethod
from typing import Any

import httpcore


class Around(httpcore.NetworkStream):
    """What is done otherwise is overridden. `like` makes the same around a stream within TLS."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self.inner = inner

    @abstractmethod
    def like(self, inner: httpcore.NetworkStream) -> "Around":
        """The same around another stream."""

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See httpcore."""
        return self.inner.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See httpcore."""
        self.inner.write(buffer, timeout)

    def close(self) -> None:
        """See httpcore."""
        self.inner.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> "Around":
        """See httpcore."""
        return self.like(self.inner.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:
        """See httpcore."""
        return self.inner.get_extra_info(info)
