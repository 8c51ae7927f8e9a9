"""Artifacts go through block by block, both ways: of a large one little is ever in memory."""

import tracemalloc
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from django.test import RequestFactory

from sweeps.gateway import proxy, upstream
from sweeps.gateway.adapt import Asked
from sweeps.gateway.routes import ARTIFACTS, match
from tests.gateway.conftest import ARTIFACTS as BASE
from tests.gateway.conftest import Running

MB = 2**20
SIZE = 64 * MB
PATH = ARTIFACTS + "/1/run/artifacts/weights.bin"


class Source(httpx.SyncByteStream):
    """Bytes out of nowhere, as a request's body or an answer's."""

    def __init__(self, size: int) -> None:
        self.left, self.gone = size, 0

    def read(self, size: int = -1) -> bytes:
        assert size > 0, "never all at once"
        piece = min(size, self.left)
        self.left -= piece
        self.gone += piece
        return b"\0" * piece

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(2**16):
            yield piece


class Server(httpx.BaseTransport):
    """Takes an upload piece by piece, and sends as much; `ahead` is the most that was read of the
    upload and had not come yet."""

    def __init__(self, source: Source) -> None:
        self.source, self.got, self.ahead = source, 0, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET":
            return httpx.Response(200, stream=self.source)
        assert isinstance(request.stream, httpx.SyncByteStream)
        for piece in request.stream:
            self.got += len(piece)
            self.ahead = max(self.ahead, self.source.gone - self.got)
        return httpx.Response(200, json={})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    found = Server(Source(SIZE))
    line = httpx.Client(transport=found, base_url="http://tracking")
    monkeypatch.setattr(upstream, "client", lambda: line)
    return found


@pytest.fixture
def little_memory() -> Iterator[None]:
    tracemalloc.start()
    yield
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 * MB, peak


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize("chunked", [False, True])
def test_an_upload_is_handed_on_as_it_comes(server: Server, chunked: bool) -> None:
    request = RequestFactory().generic("PUT", "/")
    length = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True}
    request.META |= length | {"CONTENT_LENGTH": ""} if chunked else {"CONTENT_LENGTH": str(SIZE)}
    request.META["wsgi.input"] = request._stream = server.source  # type: ignore[attr-defined]
    matched = match("PUT", PATH)
    assert matched is not None
    assert proxy.upload(request, matched, lambda: None).status_code == 200
    assert (server.got, server.source.left) == (SIZE, 0)
    assert server.ahead <= MB


@pytest.mark.usefixtures("little_memory")
def test_a_download_is_handed_on_as_it_comes(server: Server) -> None:
    matched = match("GET", PATH)
    assert matched is not None
    answer: Any = proxy.download(matched, Asked((), None))
    got = 0
    for piece in answer.streaming_content:
        got += len(piece)
        assert server.source.gone - got <= MB
    assert got == SIZE


def _resident() -> int:
    """MiB of this process at most so far."""
    with open("/proc/self/status") as file:
        return int(next(line for line in file if "VmHWM" in line).split()[1]) // 1024


@pytest.mark.long
@pytest.mark.django_db(transaction=True)
@pytest.mark.urls("tests.gateway.urls")
@pytest.mark.timeout(900)
def test_200_mb_through_the_real_servers(trial: Running) -> None:
    place = f"{trial.api.url}{BASE}{trial.experiment_id}/{trial.run_id}/artifacts/weights.bin"
    headers = {"Authorization": f"Bearer {trial.token}"}
    size, before = 200 * MB, _resident()
    with httpx.Client(headers=headers, trust_env=False, timeout=600) as client:
        sized = {"Content-Length": str(size)}
        assert client.put(place, content=iter(Source(size)), headers=sized).status_code == 200
        with client.stream("GET", place) as answer:
            assert sum(len(piece) for piece in answer.iter_raw(MB)) == size
    assert _resident() - before < 64
