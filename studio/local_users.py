"""Which user of this machine is at the other end of a connection over loopback.

All have the same address there. The kernel is asked for each connection (sock_diag(7)): its table
of all of them, /proc/net/tcp, takes the longer the more have been closed lately.
"""

import contextlib
import ipaddress
import itertools
import socket
import struct
from collections.abc import Iterable, Iterator
from typing import Any

from django.http import HttpRequest

from studio.peers import address_of, client_address, is_loopback, network_of

End = tuple[str, int]

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h: head; request and the sockets' two ends.
_HEAD = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBxI")
_ENDS = struct.Struct("!HH16s16s")
_NO_INTERFACE_NO_COOKIE = struct.pack("=III", 0, 0xFFFFFFFF, 0xFFFFFFFF)
_NETLINK_SOCK_DIAG, _BY_FAMILY, _IS_REQUEST, _ANY_STATE = 4, 20, 1, 0xFFFFFFFF
# Where the user stands in an answer: after its head, four bytes, the ends, and three counts.
_USER_AT = _HEAD.size + 4 + 48 + 12
_sequence = itertools.count(1)


def users(connections: Iterable[tuple[End, End]]) -> dict[tuple[End, End], int]:
    """The number of the user who has the first end of each connection.

    Without those that are closed or not of this machine; empty where the kernel does not tell.
    """
    found = {}
    with contextlib.suppress(OSError), _asking() as kernel:
        for theirs, ours in connections:
            user = _user(kernel, theirs, ours)
            if user is not None:
                found[theirs, ours] = user
    return found


def ends(connection: Any) -> tuple[End, End] | None:
    """(the client's, ours) of a socket; None for what is closed, or no TCP."""
    with contextlib.suppress(OSError):
        peer, own = connection.getpeername(), connection.getsockname()
        if isinstance(peer, tuple):
            return _end(peer), _end(own)
    return None


def counted_for(request: HttpRequest) -> str:
    """Whom a limit by address means: the address's network, on this machine a user of it."""
    address = client_address(request)
    user = _user_at(address, request) if is_loopback(address) else None
    # Not by the address there: whoever asks chooses it among 16 millions.
    return network_of(address) if user is None else f"this machine, user {user}"


def _user_at(address: str, request: HttpRequest) -> int | None:
    """None for whom a proxy tells: the connection is the proxy's."""
    connection = request.META.get("gunicorn.socket")
    pair = ends(connection) if connection is not None else None
    return users([pair]).get(pair) if pair and pair[0][0] == address else None


def _end(name: tuple[Any, ...]) -> End:
    return str(address_of(name[0])), name[1]


@contextlib.contextmanager
def _asking() -> Iterator[socket.socket]:
    kind = socket.SOCK_DGRAM | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, kind, _NETLINK_SOCK_DIAG) as kernel:
        kernel.settimeout(1.0)  # it answers at once
        yield kernel


def _user(kernel: socket.socket, theirs: End, ours: End) -> int | None:
    here, there = (ipaddress.ip_address(address) for address, _port in (theirs, ours))
    if here.version != there.version:
        return None
    family = socket.AF_INET if here.version == 4 else socket.AF_INET6
    number = next(_sequence) & 0xFFFFFFFF
    asked = (
        _REQUEST.pack(family, socket.IPPROTO_TCP, 0, _ANY_STATE)
        + _ENDS.pack(theirs[1], ours[1], here.packed, there.packed)
        + _NO_INTERFACE_NO_COOKIE
    )
    head = _HEAD.pack(_HEAD.size + len(asked), _BY_FAMILY, _IS_REQUEST, number, 0)
    kernel.send(head + asked)
    answer = kernel.recv(4096)
    _size, kind, _flags, told, _port = _HEAD.unpack_from(answer)
    if kind != _BY_FAMILY or told != number:
        return None
    # Who has closed its end has no file of it, and is told as user 0, whoever it was.
    user, file = struct.unpack_from("=II", answer, _USER_AT)
    return int(user) if file else None
