"""Whose a connection is: by address, and on this machine, where all have the same, by user.

Of what comes through a reverse proxy of ours it is the address that the proxy tells.
"""

import contextlib
import ipaddress
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from studio.peers import Address, address_of, is_trusted, network_of, told_address

# Of the kernel, one line a connection (proc_net_tcp): local and remote end, state, queues, user.
_TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_LINE = re.compile(
    r"^ *\d+: (\w+:(\w{4})) (\w+:(\w{4})) \w+ \S+ \S+ \w+ +(\d+) ", re.MULTILINE | re.ASCII
)
_End = tuple[str, int]


def keys(connections: Iterable[Any]) -> dict[Any, str]:
    """Whom each of these sockets counts for: its address's network, or a user of this machine."""
    ends = {one: _ends(one) for one in connections}
    local = {(a[1], b[1]) for a, b in ends.values() if a and b and _is_loopback(a[0])}
    users = _users(local) if local else {}
    return {one: _key(peer, users.get((peer, own))) for one, (peer, own) in ends.items()}


def told(peer: str, begun: bytes) -> str:
    """Whom a request of a trusted proxy is for, by its head; "" if it comes from elsewhere."""
    if not is_trusted(address_of(peer)):
        return ""
    meta = {"REMOTE_ADDR": peer}
    for line in begun.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        variable, value = "HTTP_" + name.upper().replace("-", "_"), value.strip()
        meta[variable] = f"{meta[variable]},{value}" if variable in meta else value
    client = told_address(meta)
    return "" if address_of(client) == address_of(peer) else f"behind a proxy {network_of(client)}"


def _key(peer: _End | None, user: str | None) -> str:
    if peer is None:
        return ""
    return f"user {user}" if user and _is_loopback(peer[0]) else network_of(peer[0])


def _is_loopback(address: str) -> bool:
    found = address_of(address)
    return found is not None and found.is_loopback


def _ends(connection: Any) -> tuple[_End | None, _End | None]:
    """(the client's, ours); None for what is closed."""
    with contextlib.suppress(OSError):
        peer, own = connection.getpeername(), connection.getsockname()
        return _end(peer[0], peer[1]), _end(own[0], own[1])
    return None, None


def _end(address: str, port: int) -> _End:
    return str(address_of(address)), port


def _users(ports: set[tuple[int, int]]) -> dict[tuple[_End | None, _End | None], str]:
    """User numbers by the two ends of connections between these ports, the client's first."""
    wanted = {(f"{client:04X}", f"{own:04X}") for client, own in ports}
    found: dict[tuple[_End | None, _End | None], str] = {}
    for table in _TABLES:
        with contextlib.suppress(OSError):
            for client, port, own, own_port, user in _LINE.findall(table.read_text()):
                if (port, own_port) in wanted:
                    found[_read(client), _read(own)] = user
    return found


def _read(text: str) -> _End:
    """`0100007F:1F90`: words of 32 bits in the order of the machine, and a port."""
    address, _, port = text.partition(":")
    words = [bytes.fromhex(address[at : at + 8])[::-1] for at in range(0, len(address), 8)]
    found: Address = ipaddress.ip_address(b"".join(words))
    return str(getattr(found, "ipv4_mapped", None) or found), int(port, 16)
