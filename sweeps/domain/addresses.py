"""Addresses of the internet, and those that lead into the studio's own network."""

import ipaddress
import socket

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
# Python 3.11 takes these for public: old relays to 6to4, examples, assignments of protocols (RFC
# 7526, 9637, 6890). The last is of the internet, but answers each machine of Azure's about itself.
_NOT_OURS_TO_ASK = tuple(
    map(
        ipaddress.ip_network,
        ("192.88.99.0/24", "3fff::/20", "192.0.0.0/24", "168.63.129.16/32"),
    )
)


def is_public(address: str) -> bool:
    """True for addresses of the internet; what an IPv6 address wraps counts."""
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    inner = _wrapped(found)
    if inner is not None:
        return is_public(str(inner))
    return found.is_global and not (
        found.is_multicast
        or found.is_reserved
        or getattr(found, "is_site_local", False)
        or any(found in network for network in _NOT_OURS_TO_ASK if network.version == found.version)
    )


# Where clouds tell their machines secrets, besides link-local addresses.
_TELLERS = frozenset(
    map(
        ipaddress.ip_address,
        ("fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16"),
    )
)


def tells_secrets(address: str) -> bool:
    """True for an address at which a cloud tells its machines what is secret, also where an IPv6
    one wraps it."""
    found: Address = ipaddress.ip_address(address.partition("%")[0])
    inner = _wrapped(found)
    if found.version == 6 and int(found) < 2**32:
        inner = ipaddress.IPv4Address(int(found))  # as it was wrapped once (RFC 4291, 2.5.5.1)
    if inner is not None:
        return tells_secrets(str(inner))
    return found.is_link_local or found.is_multicast or found in _TELLERS


def _wrapped(address: Address) -> Address | None:
    if isinstance(address, ipaddress.IPv4Address):
        return None
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)


def literal(host: str) -> str | None:
    """The address that a host is without a look-up, None for a name.

    As resolvers read it: 127.1 and 0x7f000001 are 127.0.0.1, and so is localhost (RFC 6761).
    """
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return "127.0.0.1"
    try:
        if ":" in host:
            return str(ipaddress.ip_address(host))
        return socket.inet_ntoa(socket.inet_aton(name))
    except (OSError, ValueError):
        return None
