"""Whose a connection is: by address, and on this machine, where all have the same, by user.

Of what comes through a reverse proxy of ours it is the address that the proxy tells.
"""

from collections.abc import Iterable
from typing import Any

from studio.local_users import ends, users
from studio.peers import address_of, is_loopback, is_trusted, network_of, told_address


def keys(connections: Iterable[Any]) -> dict[Any, str]:
    """Whom each of these sockets counts for: its address's network, or a user of this machine."""
    pairs = {one: ends(one) for one in connections}
    local = {pair for pair in pairs.values() if pair and is_loopback(pair[0][0])}
    known = users(local) if local else {}
    return {one: _key(pair[0][0], known.get(pair)) if pair else "" for one, pair in pairs.items()}


def told(peer: str, begun: bytes) -> str:
    """Whom a request of a trusted proxy is for, by its head; "" if it comes from elsewhere."""
    if not is_trusted(address_of(peer)):
        return ""
    meta = {"REMOTE_ADDR": peer}
    for line in begun.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if "_" in name:
            continue  # gunicorn drops it; else a client's X_Forwarded_For stands beside the proxy's
        variable, value = "HTTP_" + name.upper().replace("-", "_"), value.strip()
        meta[variable] = f"{meta[variable]},{value}" if variable in meta else value
    client = told_address(meta)
    return "" if address_of(client) == address_of(peer) else f"behind a proxy {network_of(client)}"


def _key(address: str, user: int | None) -> str:
    return network_of(address) if user is None else f"user {user}"
