"""Asking the health page: what comes of an answer, a refusal, silence and nonsense."""

import socket
import threading
import time
from collections.abc import Callable

import pytest

from studio.supervisor import probe as probe_module
from studio.supervisor.home import free_port
from studio.supervisor.probe import Probe
from tests.runners.processes import wait_for


def asked(port: int) -> dict[str, str]:
    probe = Probe(f"http://127.0.0.1:{port}/healthz")
    probe.ask(time.monotonic())
    found: list[dict[str, str]] = []

    def step() -> bool:
        states = probe.step(time.monotonic())
        if states is not None:
            found.append(states)
        return bool(found)

    wait_for(step, "an answer")
    assert not probe.is_open
    assert probe.waits_for() == ([], [])
    return found[0]


def served(answer: Callable[[socket.socket], None]) -> dict[str, str]:
    """What the probe makes of a server that deals so with its one connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(999).startswith(b"GET /healthz HTTP/1.0\r\nHost: 127")
                answer(connection)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            return asked(server.getsockname()[1])
        finally:
            thread.join()


HEAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n\r\n"


def test_an_answer_in_pieces_even_that_something_is_down() -> None:
    def answer(connection: socket.socket) -> None:
        for piece in (HEAD[:20], HEAD[20:], b'{"parts": {"web"', b': "up", "queue": "down"}}'):
            connection.sendall(piece)
            time.sleep(0.01)

    assert served(answer) == {"web": "up", "queue": "down"}


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"parts": []}', b"{}"])
def test_an_answer_without_sense_says_nothing(body: bytes) -> None:
    assert served(lambda connection: connection.sendall(HEAD + body)) == {}


def test_nobody_is_there() -> None:
    assert asked(free_port()) == {}


def test_silence_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe_module, "ANSWER_S", 0.2)
    heard: list[bytes] = []
    assert served(lambda connection: heard.append(connection.recv(1))) == {}
    assert heard == [b""]  # it hung up
