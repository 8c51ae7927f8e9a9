"""How much must come from the other side, and that our own time is not its."""

from typing import Any

import httpcore
import pytest

from sweeps.stores.paced import Paced


class Server(httpcore.NetworkStream):
    """Each read waits a second and gives so many bytes."""

    now = 0.0
    gives = 2000

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self.now += 1.0
        return b"x" * self.gives

    def start_tls(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        return self


class Backend(httpcore.NetworkBackend):
    def __init__(self, server: Server) -> None:
        self.server = server

    def connect_tcp(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        return self.server


def test_so_much_must_come_in_each_window_of_waiting() -> None:
    server = Server()
    stream = Paced(Backend(server), 1024, 10.0, lambda: server.now).connect_tcp("x", 1)
    stream = stream.start_tls(None)  # type: ignore[arg-type]
    for _ in range(100):
        stream.read(100)
        server.now += 1000.0  # what we do ourselves
    server.gives = 1000
    for _ in range(9):
        stream.read(100)
    with pytest.raises(httpcore.ReadTimeout, match="less than 1 KiB a second"):
        stream.read(100)


def test_an_end_is_an_end_however_long_it_took() -> None:
    server = Server()
    server.gives = 0
    stream = Paced(Backend(server), 1024, 0.5, lambda: server.now).connect_tcp("x", 1)
    assert stream.read(100) == b""
