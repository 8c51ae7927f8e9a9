"""Who is at the other end of a request: the address, told by a proxy only where one is trusted."""

import ipaddress
from collections.abc import Mapping, Sequence

from django.conf import settings
from django.http import HttpRequest
from django.utils.crypto import constant_time_compare

SECRET_HEADER = "X-Studio-Proxy-Secret"  # noqa: S105 - its name
_SECRET = "HTTP_" + SECRET_HEADER.upper().replace("-", "_")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(text: str) -> Address | None:
    """An address as it stands in a header; None for what is none. IPv4 within IPv6 is IPv4."""
    try:
        found = ipaddress.ip_address(text.strip().strip("[]").partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None)
    return mapped or found


def is_trusted(address: Address | None, trusted: Sequence[Network] | None = None) -> bool:
    """True for a reverse proxy of ours (STUDIO_PROXY_TRUSTED)."""
    networks = settings.STUDIO_PROXY_TRUSTED if trusted is None else trusted
    return address is not None and any(address in network for network in networks)


def is_from_proxy(request: HttpRequest) -> bool:
    """True if a reverse proxy of ours sent this, with the secret if there is one.

    On one machine the address alone says nothing: trials have the same.
    """
    return _is_from_proxy(request.META)


def _is_from_proxy(meta: Mapping[str, str]) -> bool:
    if not is_trusted(address_of(meta.get("REMOTE_ADDR", ""))):
        return False
    secret = settings.STUDIO_PROXY_SECRET
    return not secret or constant_time_compare(meta.get(_SECRET, ""), secret)


def client_address(request: HttpRequest) -> str:
    """Where a request came from."""
    return told_address(request.META)


def told_address(meta: Mapping[str, str]) -> str:
    """Where a request with these variables of WSGI came from.

    Each proxy appends whom it heard; from the right, the first that is no proxy of ours is the
    last whom anybody trustworthy has seen. Without a trusted proxy the header counts for nothing.
    """
    peer = address_of(meta.get("REMOTE_ADDR", ""))
    if not _is_from_proxy(meta):
        return str(peer or "")
    told = meta.get("HTTP_X_FORWARDED_FOR", "").split(",")
    seen = peer
    for text in reversed(told):
        address = address_of(text)
        if address is None:
            break
        seen = address
        if not is_trusted(address):
            break
    return str(seen)


def network_of(address: str) -> str:
    """Whom a limit by address means: one IPv4 address, the /64 of an IPv6 one, all of loopback."""
    found = address_of(address)
    if found is not None and found.is_loopback:
        return "this machine"
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found or "")


def is_loopback(host: str) -> bool:
    """True if only this machine reaches what listens on `host`."""
    address = address_of(host)
    if address is not None:
        return address.is_loopback
    return host == "localhost" or host.endswith(".localhost")
