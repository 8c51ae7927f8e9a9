"""Connections to public addresses only: what a name means is looked up once, checked, and used.

A name that is looked up again for connecting could mean another address by then.
"""

import socket
from collections.abc import Callable, Iterable

import httpcore
from httpcore._backends.sync import SyncStream

from sweeps.domain.addresses import is_public


class PrivateAddress(Exception):
    """A host's name leads into the studio's own network; `str()` says which address."""


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class PublicOnly(httpcore.NetworkBackend):
    """Connects to hosts whose every address is public, and to the very address that was checked."""

    def __init__(self, resolver: Callable[[str, int], list[str]] = resolve) -> None:
        self._resolve = resolver

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """See httpcore. Raises PrivateAddress, httpcore.ConnectError."""
        try:
            addresses = self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} is not known: {error}") from error
        for address in addresses:
            if not is_public(address):
                raise PrivateAddress(f"{host} is {address}")
        return _connect(addresses, port, timeout)


def _connect(addresses: list[str], port: int, timeout: float | None) -> httpcore.NetworkStream:
    error: Exception = OSError("no address")
    for address in addresses:
        try:
            return SyncStream(_opened(address, port, timeout))
        except TimeoutError as failed:
            error = httpcore.ConnectTimeout(str(failed))
        except OSError as failed:
            error = httpcore.ConnectError(str(failed))
    raise error


def _opened(address: str, port: int, timeout: float | None) -> socket.socket:
    """A connection to an address in numbers: nothing is looked up any more.

    Raises PrivateAddress where somebody else than was checked is at the other end, OSError.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.settimeout(timeout)
        found.connect((address, port))
        peer = str(found.getpeername()[0])
        if not is_public(peer):
            raise PrivateAddress(f"{address} is {peer}")
    except BaseException:
        found.close()
        raise
    return found
