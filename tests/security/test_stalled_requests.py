"""Clients that are slow on purpose, or send half a request, hold up nobody else."""

import contextlib
import io
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from typing import Any

import pytest

from studio import web
from studio.serving import pace, who
from studio.serving.pace import Crowd, Paced, greediest, surplus
from studio.serving.worker import lacks
from tests.security.slow_server import CONNECTIONS, LARGE, PATIENCE_S, THREADS, UNSAID, WAITING
from tests.servers import CHECKOUT

# More than all threads of the server under test.
MANY = 3 * (THREADS + WAITING)
HEAD = b"GET /quick HTTP/1.1\r\nHost: x\r\n"
BODY = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + b"a" * 70_000
PEER = "127.0.0.1"


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, int]]:
    """Where a web process with little patience listens."""
    with socket.create_server((PEER, 0)) as listening:
        os.set_inheritable(listening.fileno(), True)
        command = [sys.executable, "-m", "tests.security.slow_server", str(listening.fileno())]
        environ = os.environ | {"DJANGO_SETTINGS_MODULE": "tests.settings"}
        process = subprocess.Popen(command, cwd=CHECKOUT, env=environ, close_fds=False)
        try:
            place = listening.getsockname()[:2]
            assert quick(place, patience_s=60)
            yield place
        finally:
            process.terminate()
            process.wait(30)


def quick(place: tuple[str, int], patience_s: float = 10) -> bool:
    """True if somebody else is answered."""
    with socket.create_connection(place, timeout=patience_s) as client:
        client.sendall(HEAD + b"Connection: close\r\n\r\n")
        return b"quick" in everything(client)


def test_no_header_says_what_of_the_address_is_the_path(server: tuple[str, int]) -> None:
    # gunicorn believes it of whoever is on its own machine.
    for header in ("SCRIPT_NAME: /api", "SCRIPT-NAME: /api", "PATH_INFO: /other"):
        with socket.create_connection(server, timeout=10) as client:
            head = f"GET /api/where HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n\r\n"
            client.sendall(head.encode())
            assert everything(client).endswith(b"\r\n\r\n|/api/where")


def test_what_needs_too_much_memory_fails_alone(server: tuple[str, int]) -> None:
    with socket.create_connection(server, timeout=30) as client:
        client.sendall(b"GET /endless HTTP/1.1\r\nHost: x\r\n\r\n")
        assert everything(client).startswith(b"HTTP/1.1 500")
    assert quick(server)


def everything(client: socket.socket) -> bytes:
    return b"".join(iter(lambda: client.recv(65536), b""))


Many = Callable[[bytes], list[socket.socket]]


@pytest.fixture
def many(server: tuple[str, int]) -> Iterator[Many]:
    """Opens many connections that begin with the same bytes."""
    with ExitStack() as stack:

        def opened(begin: bytes) -> list[socket.socket]:
            clients = [
                stack.enter_context(socket.create_connection(server, timeout=20))
                for _ in range(MANY)
            ]
            for client in clients:
                client.sendall(begin)
            return clients

        yield opened


def drip(clients: list[socket.socket], until: Callable[[], bool]) -> bool:
    """Send a byte over each now and then. False if there is no end to it."""
    end = time.monotonic() + 10 * PATIENCE_S
    while not until() and time.monotonic() < end:
        for client in clients:
            with contextlib.suppress(OSError):
                client.send(b"a")
        time.sleep(PATIENCE_S / 10)
    return until()


def is_over(client: socket.socket) -> bool:
    """True if the server has closed it."""
    client.setblocking(False)
    try:
        while client.recv(65_536):
            pass
        return True
    except BlockingIOError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("begin", [HEAD, BODY, b""], ids=["heads", "bodies", "nothing"])
def test_dripping_clients_hold_up_nobody_and_are_cut(
    server: tuple[str, int], many: Many, begin: bytes
) -> None:
    clients = many(begin)
    assert quick(server)
    assert drip(clients, lambda: all(is_over(client) for client in clients))


def test_clients_that_keep_the_pace_hold_up_nobody_either(
    server: tuple[str, int], many: Many
) -> None:
    clients = many(BODY.replace(b"200000", b"999999999"))
    over = threading.Event()

    def feed() -> None:
        for client in clients:
            client.setblocking(False)
        while not over.wait(0.05):
            for client in clients:
                with contextlib.suppress(OSError):
                    client.send(b"a" * 16_384)

    feeding = threading.Thread(target=feed)
    feeding.start()
    try:
        assert all(quick(server) for _ in range(5))
    finally:
        over.set()
        feeding.join()
    assert 0 < sum(not is_over(client) for client in clients) <= THREADS + WAITING


def test_answers_that_nobody_reads_hold_up_nobody_and_are_cut(
    server: tuple[str, int], many: Many
) -> None:
    clients = many(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert quick(server)
    time.sleep(PATIENCE_S * 2)  # what is tested is that pausing for so long ends it
    for client in clients:
        with contextlib.suppress(ConnectionResetError):
            assert len(everything(client)) < LARGE


def test_clients_that_do_not_close_hold_up_nobody(server: tuple[str, int], many: Many) -> None:
    clients = many(HEAD + b"Connection: close\r\n\r\n")
    start = time.monotonic()
    assert quick(server)
    assert time.monotonic() - start < 2 * MANY / 4  # gunicorn waits for two seconds for each
    assert all(everything(client).endswith(b"quick") for client in clients)


def test_more_of_these_than_may_be_keep_nobody_out(server: tuple[str, int], many: Many) -> None:
    clients: list[socket.socket] = []
    while len(clients) <= CONNECTIONS:
        clients += many(HEAD + b"Connection: close\r\n\r\n")
        assert all(everything(client).endswith(b"quick") for client in clients[-MANY:])
    assert quick(server)


def test_of_too_many_requests_some_are_turned_away(server: tuple[str, int], many: Many) -> None:
    ask = b"GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    clients = [client for _ in range(3) for client in many(ask)]
    told = Counter(everything(client)[:12] for client in clients)
    assert set(told) == {b"HTTP/1.1 200", b"HTTP/1.1 503"}
    assert quick(server)


def test_more_silent_connections_than_may_be_keep_nobody_out(
    server: tuple[str, int], many: Many
) -> None:
    clients = [client for _ in range(UNSAID // MANY + 1) for client in many(b"GET")]
    assert len(clients) > UNSAID
    assert quick(server)


def test_who_is_slow_and_goes_on_is_served(server: tuple[str, int]) -> None:
    size = 70_000
    with socket.create_connection(server, timeout=20) as client:
        client.sendall(b"POST /read HTTP/1.1\r\nHost: x\r\nConnection: close\r\n")
        client.sendall(b"Content-Length: %d\r\n\r\n" % size + b"a" * (size - 12 * 1024))
        for _ in range(12):
            time.sleep(PATIENCE_S / 6)  # longer than its patience in all, at 3 KiB a second
            client.sendall(b"a" * 1024)
        assert everything(client).endswith(str(size).encode())


def test_whoever_reads_gets_a_large_answer_and_pipelined_requests_theirs(
    server: tuple[str, int],
) -> None:
    with socket.create_connection(server, timeout=20) as client:
        client.sendall(HEAD + b"\r\n" + HEAD + b"\r\n")
        client.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        told = everything(client)
    assert told.count(b"quick") == 2
    assert told.endswith(b"x" * LARGE)


PUT = b"PUT /tracking/w/api/2.0/mlflow-artifacts/artifacts/read HTTP/1.1\r\nHost: x\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
LAST = HEAD + b"Connection: close\r\n\r\n"


@pytest.mark.parametrize("method", [b"GET", b"POST", b"PUT"])
def test_a_body_in_chunks_is_taken_of_artifacts_alone(
    server: tuple[str, int], method: bytes
) -> None:
    with socket.create_connection(server, timeout=20) as client:
        client.sendall(
            method + b" /read HTTP/1.1\r\nHost: x\r\n" + CHUNKED + b"2\r\nhi\r\n0\r\n\r\n"
        )
        client.sendall(LAST)
        told = everything(client)
    assert told.startswith(b"HTTP/1.1 411 ")
    head, _, text = told.partition(b"\r\n\r\n")
    assert b"Connection: close" in head
    assert b"Content-Length: %d" % len(text) in head
    assert b"HTTP" not in text


def test_chunks_of_an_artifact_are_taken_and_the_connection_kept(server: tuple[str, int]) -> None:
    with socket.create_connection(server, timeout=20) as client:
        client.sendall(PUT + CHUNKED + b"2;a=b\r\nhi\r\n1\r\n!\r\n0\r\nX-Sum: 1\r\n\r\n")
        client.sendall(LAST)
        told = everything(client)
    assert told.count(b" 200 OK") == 2
    assert b"\r\n\r\n3" in told
    assert told.endswith(b"quick")


@pytest.mark.parametrize(
    "body",
    [
        b"2\r\nhi\r\nZZ\r\n", b"2\r\nhiXX", b"2;a\rb\r\nhi\r\n0\r\n\r\n",
        b"2\r\nhi\r\n0\r\nHost: a\r\n\r\n", b"-2\r\n", b"\r\n",
        b"0" * 65 + b"\r\n", b"0" * 9000, b"2;" + b"a" * 9000, b"0\r\nX: " + b"a" * 9000,
        b"0\r\nX: " + b"a" * 9000 + b"\r\n\r\n",
    ],
    ids=lambda body: body[:24].decode(),
)  # fmt: skip
def test_after_broken_chunks_nothing_is_read_as_a_request(
    server: tuple[str, int], body: bytes
) -> None:
    with socket.create_connection(server, timeout=20) as client:
        client.sendall(PUT + CHUNKED + body + LAST)
        told = everything(client)
    assert told.startswith(b"HTTP/1.1 400 ")
    assert told.endswith(b"broken")
    assert told.count(b"HTTP/1.1") == 1
    assert b"Connection: close" in told


def test_after_chunks_that_nobody_read_nothing_is_read_as_a_request(
    server: tuple[str, int],
) -> None:
    with socket.create_connection(server, timeout=20) as client:
        client.sendall(PUT.replace(b"/read", b"/not") + CHUNKED + b"2\r\nhi\r\nZZ\r\n" + LAST)
        told = everything(client)
    assert told.count(b"HTTP/1.1") == 1
    assert b"Connection: close" in told


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"", True),
        (HEAD, True),
        (HEAD + b"\r\n", False),
        (b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nab", True),
        (b"POST / HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc", False),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\nabc", True),
        (b"POST / HTTP/1.1\r\nContent-Length: 9999999\r\n\r\n" + b"a" * 65536, False),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n", False),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", False),
        (b"a" * 65536, False),
    ],
)
def test_a_thread_gets_a_request_when_it_is_whole_or_large(begun: bytes, more: bool) -> None:
    assert lacks(begun) is more


def test_of_those_who_have_most_the_latest_goes() -> None:
    keys = dict.fromkeys("abc", "greedy") | {"d": "honest"}
    assert greediest(keys, {"a": 1.0, "b": 3.0, "c": 2.0, "d": 99.0}) == "b"


def test_who_crowds_goes_and_not_who_is_slow() -> None:
    owners: dict[Any, str] = {}
    crowd = Crowd(4, lambda waiting: {one: owners[one] for one in waiting})
    with contextlib.ExitStack() as stack:

        def waiting(owner: str, lag: float = 0.0) -> Paced:
            ours, _theirs = (stack.enter_context(end) for end in socket.socketpair())
            paced = Paced(ours, crowd)
            owners[paced] = owner
            paced.begin(lag)
            crowd.enter(paced)
            return paced

        slow = [waiting("honest", lag=5), waiting("honest", lag=9)]
        keeping = [waiting("greedy") for _ in range(5)]
        assert [one.is_cut for one in keeping] == [False, False, True, True, True]
        assert not any(one.is_cut for one in slow)
        # Of their own connections it is the late one that goes for a new one.
        slow.append(waiting("honest"))
        assert [one.is_cut for one in slow] == [False, True, False]


@pytest.mark.parametrize(
    ("many", "left"),
    [
        ({"a": 40}, {"a": 32}),
        ({"a": 40, "b": 1}, {"a": 31, "b": 1}),
        ({"a": 20, "b": 20, "c": 10}, {"a": 11, "b": 11, "c": 10}),
        (dict.fromkeys("abcd", 9), dict.fromkeys("abcd", 8)),
        (dict.fromkeys("abcd", 8), dict.fromkeys("abcd", 8)),
    ],
)
def test_nobody_goes_of_who_has_a_fair_share(many: dict[str, int], left: dict[str, int]) -> None:
    keys = {(key, at): key for key, count in many.items() for at in range(count)}
    late = {one: float(one[0] == min(many, key=lambda key: many[key])) for one in keys}
    gone = surplus(keys, late, 32)
    assert Counter(keys.values()) - Counter(keys[one] for one in gone) == left


def test_behind_a_proxy_of_ours_a_connection_is_whom_it_names(settings: Any) -> None:
    settings.STUDIO_PROXY_TRUSTED = (ip_network("10.0.0.0/24"),)
    settings.STUDIO_PROXY_SECRET = "known"
    headers = HEAD + b"X-Forwarded-For: 8.8.8.8\r\nx-forwarded-for:2001:db8::5, 10.0.0.9\r\n"
    secret = b"X-Studio-Proxy-Secret: known\r\n\r\n"
    assert who.told("10.0.0.1", headers + secret) == "behind a proxy 2001:db8::/64"
    assert who.told("10.0.0.1", HEAD + secret) == ""
    forged = headers + b"X_Forwarded_For: 203.0.113.99\r\n" + secret
    assert who.told("10.0.0.1", forged) == "behind a proxy 2001:db8::/64"
    assert who.told("10.0.0.1", headers) == ""
    assert who.told("10.0.1.1", headers + secret) == ""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        paced = Paced(ours, Crowd(9, dict))
        paced.owner = "10.0.0.1"
        paced.begin(told="behind a proxy 8.8.8.8")
        assert paced.key == "behind a proxy 8.8.8.8"
        paced.begin()
        assert paced.key == "10.0.0.1"


def test_the_pace_is_a_thousand_bytes_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "SENDING_S", 0.05)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        paced = Paced(ours, Crowd(9, dict))
        theirs.send(b"a")
        assert paced.recv(9) == b"a"
        with pytest.raises(ConnectionResetError):
            paced.recv(9)
        assert theirs.recv(9) == b""


def test_on_this_machine_a_connection_is_its_users() -> None:
    with (
        socket.create_server((PEER, 0)) as listening,
        socket.create_connection(listening.getsockname()),
    ):
        accepted, _address = listening.accept()
        with accepted:
            assert who.keys([accepted]) == {accepted: f"user {os.getuid()}"}
        assert who.keys([accepted]) == {accepted: ""}


@pytest.mark.parametrize(("length", "left"), [("6", 0), ("65536", 6), ("", 6), ("x", 6)])
def test_a_body_that_nobody_read_is_gone_before_the_answer(length: str, left: int) -> None:
    """More than gunicorn would throw away stays: it closes the connection then."""
    body = io.BytesIO(b"unread")
    seen = []

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["wsgi.input"])
        return [b"no"]

    environ = {"CONTENT_LENGTH": length, "wsgi.input": body}
    assert list(web.drained(application)(environ, None)) == [b"no"]
    assert seen == [body]
    assert len(body.read()) == left


def test_a_body_that_never_comes_does_not_spoil_the_answer() -> None:
    class Silent(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            raise BlockingIOError

    environ = {"CONTENT_LENGTH": "6", "wsgi.input": Silent()}
    assert list(web.drained(lambda _environ, _start: [b"no"])(environ, None)) == [b"no"]
