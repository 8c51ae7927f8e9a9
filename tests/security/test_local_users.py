"""On this machine all have one address: limits by address count its users by themselves."""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client, RequestFactory

from studio import local_users
from studio.local_users import counted_for, ends, users
from studio.models import User
from studio.serving import who
from tests.isolated import IS_ROOT, UID, open_python

LOGIN = "/accounts/login/"
HOSTS = [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)]


class Server:
    """Listens, and gives the server's end of each connection."""

    def __init__(self, stack: ExitStack, host: str, family: socket.AddressFamily) -> None:
        self._stack = stack
        self._listening = stack.enter_context(socket.create_server((host, 0), family=family))
        self.place: tuple[str, int] = self._listening.getsockname()[:2]

    def accept(self) -> socket.socket:
        return self._stack.enter_context(self._listening.accept()[0])

    def connected(self) -> tuple[socket.socket, socket.socket]:
        """(the client's end, ours)"""
        client = self._stack.enter_context(socket.create_connection(self.place))
        return client, self.accept()


@pytest.fixture(params=HOSTS, ids=["IPv4", "IPv6"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with ExitStack() as stack:
        yield Server(stack, *request.param)


def test_the_user_of_a_connection_is_known_until_it_is_closed(server: Server) -> None:
    client, ours = server.connected()
    pair = ends(ours)
    assert pair is not None
    assert users([pair]) == {pair: os.getuid()}
    assert who.keys([ours]) == {ours: f"user {os.getuid()}"}
    # Half of it may be closed; who has closed all of it has no user, and is not taken for root.
    client.shutdown(socket.SHUT_WR)
    assert users([pair]) == {pair: os.getuid()}
    client.close()
    assert users([pair]) == {}
    assert who.keys([ours]) == {ours: local_users.network_of(server.place[0])}


def test_a_connection_to_both_kinds_of_addresses_is_found(request: pytest.FixtureRequest) -> None:
    with ExitStack() as stack:
        both = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
        stack.enter_context(both)
        place = ("127.0.0.1", both.getsockname()[1])
        stack.enter_context(socket.create_connection(place))
        ours = stack.enter_context(both.accept()[0])
        pair = ends(ours)
        assert pair is not None
        assert pair[0][0] == "127.0.0.1"
        assert users([pair]) == {pair: os.getuid()}


if IS_ROOT:

    def test_another_user_of_this_machine_counts_by_itself(server: Server) -> None:
        source = f"import socket\ns = socket.create_connection({server.place!r})\ninput()"
        other = subprocess.Popen(
            [open_python(), "-I", "-c", source], stdin=subprocess.PIPE, user=UID, group=UID
        )
        try:
            theirs = server.accept()
            _client, ours = server.connected()
            assert who.keys([theirs, ours]) == {theirs: f"user {UID}", ours: "user 0"}
        finally:
            other.communicate(b"\n", timeout=20)


def test_where_the_kernel_does_not_tell_the_address_counts(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    _client, ours = server.connected()
    monkeypatch.setattr(local_users.socket, "AF_NETLINK", 99)
    assert who.keys([ours]) == {ours: local_users.network_of(server.place[0])}


def asked(ours: socket.socket | None, address: str, **headers: str) -> Any:
    environ = {"REMOTE_ADDR": address, "gunicorn.socket": ours, **headers}
    return RequestFactory().get("/", **environ)


def test_limits_count_a_user_here_and_an_address_elsewhere(server: Server, settings: Any) -> None:
    _client, ours = server.connected()
    here = server.place[0]
    assert counted_for(asked(ours, here)) == f"this machine, user {os.getuid()}"
    for address in ("127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.2"):
        assert counted_for(asked(None, address)) == "this machine"
    assert counted_for(asked(ours, "192.0.2.7")) == "192.0.2.7"
    assert counted_for(asked(ours, "2001:db8:1:2::7")) == "2001:db8:1:2::/64"
    # The connection of a proxy says nothing of whom it speaks for.
    settings.STUDIO_PROXY_TRUSTED = [ip_network(here)]
    told = {"HTTP_X_FORWARDED_FOR": "127.0.0.9"}
    assert counted_for(asked(ours, here, **told)) == "this machine"


def test_no_other_address_of_this_machine_is_worth_more_tries(alice: User) -> None:
    given = {"username": "alice", "password": "wrong"}
    answers = [
        Client().post(LOGIN, given, REMOTE_ADDR=f"127.0.{number}.1").status_code
        for number in range(11)
    ]
    assert answers == [200] * 10 + [429]


def test_one_user_counts_alike_from_every_address_here() -> None:
    with ExitStack() as stack:
        server = Server(stack, *HOSTS[0])
        client = stack.enter_context(
            socket.create_connection(server.place, source_address=("127.5.6.7", 0))
        )
        ours = server.accept()
        assert client.getsockname()[0] == "127.5.6.7"
        assert counted_for(asked(ours, "127.5.6.7")) == f"this machine, user {os.getuid()}"


def test_a_user_of_this_machine_uses_up_no_tries_of_others(
    alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an isolated trial may, which has no other way to sign in as anybody."""
    with ExitStack() as stack:
        server = Server(stack, *HOSTS[0])
        _client, ours = server.connected()
        pair = ends(ours)
        assert pair is not None

        def tries(user: int, password: str) -> int:
            monkeypatch.setattr(local_users, "users", lambda _pairs: {pair: user})
            given = {"username": "alice", "password": password}
            where: dict[str, Any] = {"gunicorn.socket": ours}
            return Client().post(LOGIN, given, **where).status_code

        assert [tries(UID, "wrong") for _ in range(11)] == [200] * 10 + [429]
        assert tries(0, "alice-secret-1") == 302
