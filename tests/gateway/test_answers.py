"""Answers of the tracking server that are too large, come too late, or blame the caller."""

from collections.abc import Callable

import httpx
import pytest

from sweeps.engine.tracking import TrackingUnavailable
from sweeps.gateway import proxy, upstream
from sweeps.gateway.adapt import Asked
from sweeps.gateway.refusals import Refusal
from sweeps.gateway.routes import V2, match

GET = match("GET", V2 + "runs/get")
Server = Callable[[httpx.Request], httpx.Response]


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Callable[[Server], None]:
    """Puts another tracking server in the place of ours."""

    def put(server: Server) -> None:
        client = httpx.Client(base_url="http://tracking", transport=httpx.MockTransport(server))
        monkeypatch.setattr(upstream, "client", lambda: client)

    return put


def ask() -> httpx.Response:
    assert GET is not None
    return proxy.exchange(GET, Asked((("run_id", "r"),), None))


def test_an_answer_is_told_as_it_is(answering: Callable[[Server], None]) -> None:
    answering(lambda _asked: httpx.Response(404, json={"error_code": "X"}))
    got = ask()
    assert (got.status_code, got.json()) == (404, {"error_code": "X"})
    assert got.headers["Content-Type"] == "application/json"


def test_one_that_is_too_large_is_not_held(
    answering: Callable[[Server], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proxy, "MOST_ANSWER", 2**20)
    sent = []

    def server(_asked: httpx.Request) -> httpx.Response:
        def blocks():
            for number in range(1_000):
                sent.append(number)
                yield b"x" * 2**18

        return httpx.Response(200, content=blocks())

    answering(server)
    with pytest.raises(Refusal) as refused:
        ask()
    assert refused.value.status == 413
    assert len(sent) < 20


def test_to_have_no_connection_left_is_not_the_callers_fault(
    answering: Callable[[Server], None],
) -> None:
    text = "QueuePool limit of size 5 overflow 10 reached, connection timed out"
    answering(lambda _asked: httpx.Response(400, json={"message": text}))
    with pytest.raises(TrackingUnavailable):
        ask()


def test_one_that_does_not_come_is_told_from_none_at_all(
    answering: Callable[[Server], None],
) -> None:
    def late(asked: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("late", request=asked)

    def away(asked: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("away", request=asked)

    answering(late)
    with pytest.raises(upstream.Unfinished):
        ask()
    answering(away)
    with pytest.raises(TrackingUnavailable) as refused:
        ask()
    assert not isinstance(refused.value, upstream.Unfinished)
