"""The server connects to nothing inside, whatever address it is given (SSRF)."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpcore
import pytest

from sweeps.domain.notices import web_address_problem
from sweeps.domain.problems import InvalidInput
from sweeps.domain.web_inputs import parse_web_input
from sweeps.notify import http, slack, webhook
from sweeps.notify.base import NotSent, Parcel
from sweeps.stores import downloads, guarded
from sweeps.stores.downloads import DownloadFailed, Limits, download
from tests.security.addresses import ADDRESSES, NAMES
from tests.stores.web import Web, reply, serving

AT = datetime(2026, 3, 1, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Inside:
    """Listens on this machine and counts who comes; notes whom anybody tries to reach."""

    def __init__(self) -> None:
        self.came = 0
        self.tried: list[Any] = []
        self.servers = [socket.create_server(("127.0.0.1", 0))]
        self.port = self.servers[0].getsockname()[1]
        if socket.has_dualstack_ipv6():
            self.servers.append(socket.create_server(("::1", self.port), family=socket.AF_INET6))
        for server in self.servers:
            threading.Thread(target=self._count, args=(server,), daemon=True).start()

    def _count(self, server: socket.socket) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            self.came += 1
            connection.close()

    def close(self) -> None:
        for server in self.servers:
            server.shutdown(socket.SHUT_RDWR)
            server.close()


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Inside]:
    found = Inside()
    asked, connect = socket.getaddrinfo, socket.socket.connect

    def look_up(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in NAMES:
            return asked(host, port, *rest, **more)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in NAMES[name]]

    def tries(self: socket.socket, address: Any) -> Any:
        found.tried.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket.socket, "connect", tries)
    yield found
    found.close()


def at(address: str, inside: Inside) -> str:
    return address.replace("PORT", str(inside.port))


def fetch(address: str, folder: Path) -> None:
    download(folder, parse_web_input(address), Limits(2**20, 0), lambda *_: None)


def test_there_are_sixty_and_more() -> None:
    assert len(set(ADDRESSES)) >= 60


@pytest.mark.parametrize("sender", [webhook.send, slack.send])
def test_no_notice_goes_inside(inside: Inside, sender: Any) -> None:
    data = {"workspace": "w", "sweep": "s", "display_name": "", "url": "http://s/", "reason": ""}
    data |= {"metric": "m", "goal": "minimize", "status": "Failed", "best": None}
    data |= {"trials": {"total": 1, "ended": 1, "completed": 0, "failed": 1}}
    payload = {"type": "sweep.failed", "timestamp": AT.isoformat(), "data": data}
    for address in ADDRESSES:
        parcel = Parcel("m", at(address, inside), SECRET, payload, AT, private=False)
        with pytest.raises(NotSent):
            sender(parcel)
        assert (inside.tried, inside.came) == ([], 0), address


def test_nothing_is_downloaded_from_inside(inside: Inside, tmp_path: Path) -> None:
    for address in ADDRESSES:
        with pytest.raises((InvalidInput, DownloadFailed)):
            fetch(at(address, inside), tmp_path)
        assert (inside.tried, inside.came) == ([], 0), address


def test_what_an_address_alone_tells_is_said_where_it_is_typed() -> None:
    for address in ADDRESSES:
        said = web_address_problem(address.replace("PORT", "80"), private=False)
        assert said or any(f"//{name}:" in address for name in NAMES), address


class Outside(guarded.PublicOnly):
    """The guard, to which `public.example` is a server of the test; it alone may be reached."""

    port = 0

    def connect_tcp(self, host: str, port: int, *rest: Any, **more: Any) -> Any:
        if host == "public.example":
            return httpcore.SyncBackend().connect_tcp("127.0.0.1", self.port)
        return super().connect_tcp(host, port, *rest, **more)


@pytest.fixture
def outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    with serving() as web:
        monkeypatch.setattr(Outside, "port", int(web.base.rpartition(":")[2]))
        for module in (downloads, http):
            monkeypatch.setattr(module, "PublicOnly", Outside)
        yield web


def test_no_redirect_leads_inside(outside: Web, inside: Inside, tmp_path: Path) -> None:
    known = ("127.0.0.1", Outside.port)
    for status, address in zip([301, 302, 303, 307, 308] * 20, ADDRESSES, strict=False):
        where = at(address, inside).encode("utf-8", "ignore").decode("latin-1")
        where = where.replace("\r", "%0d").replace("\n", "%0a")
        outside.special["/r"] = lambda _web, request, where=where, status=status: reply(
            request, status, b"", Location=where
        )
        with pytest.raises(DownloadFailed):
            fetch("http://public.example/r", tmp_path)
        with pytest.raises(NotSent):
            http.post("http://public.example/r", {}, b"{}", private=False)
        assert {*inside.tried} == {known}, address
        assert inside.came == 0, address


def test_a_name_that_means_another_address_by_then_leads_nowhere(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A public address first, this machine ever after: the first answer is the one used."""
    answers = [["93.184.216.34"]]

    def rebinding(host: Any, port: Any, *_rest: Any, **_more: Any) -> Any:
        found = answers.pop() if answers else ["127.0.0.1"]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, port)) for a in found]

    def out(_self: Any, address: Any) -> None:
        inside.tried.append(address)
        raise OSError("there is no internet here")

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket.socket, "connect", out)
    with pytest.raises(httpcore.ConnectError):
        guarded.PublicOnly().connect_tcp("rebinding.example", inside.port, 1)
    assert inside.tried == [("93.184.216.34", inside.port)]
    with pytest.raises(guarded.PrivateAddress):
        guarded.PublicOnly().connect_tcp("rebinding.example", inside.port, 1)
    assert len(inside.tried) == 1


def test_who_is_at_the_other_end_is_looked_at_too(
    inside: Inside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where the machine's own rules of routing lead a public address inside."""
    connect = socket.socket.connect
    here = ("127.0.0.1", inside.port)
    monkeypatch.setattr(socket.socket, "connect", lambda self, _address: connect(self, here))
    backend = guarded.PublicOnly(lambda _host, _port: ["93.184.216.34"])
    with pytest.raises(guarded.PrivateAddress, match=r"is 127\.0\.0\.1"):
        backend.connect_tcp("public.example", 80, 1)
