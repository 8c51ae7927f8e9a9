"""Clients that send half a request, or one that nobody reads, hold up nobody else."""

import io
import socket
from typing import Any

import pytest

from studio import web


def test_a_connection_that_sends_nothing_more_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PATIENCE_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        web.limit_waiting([listening.fileno()])
        with socket.create_connection(listening.getsockname()):
            accepted, _address = listening.accept()
            accepted.setblocking(True)
            with accepted, pytest.raises(BlockingIOError):
                accepted.recv(1)


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
