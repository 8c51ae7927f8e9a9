"""The client against the studio in this process: real requests, real rows, no sockets."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from studio.models import Compute, Role, User, Workspace
from studio.services import create_token
from sweeps.client import MLClient
from tests.conftest import NOW

URL = "http://testserver"


@pytest.fixture
def secret(workspace: Workspace, compute: Compute, bob: User) -> str:
    """Bob's token: he may run code."""
    return create_token(workspace, bob, role=Role.CONTRIBUTOR, name="t", now=NOW).secret


@pytest.fixture
def make_client(secret: str) -> Iterator[Callable[..., MLClient]]:
    """Makes clients of the studio; `asked` of each lists its requests."""
    made: list[MLClient] = []
    # A request's end would close the connection that the test's rows live in.
    ends = (request_started, request_finished)
    for signal in ends:
        signal.disconnect(close_old_connections)

    def make(**more: object) -> MLClient:
        asked: list[str] = []
        http = httpx.Client(
            base_url=URL,
            transport=httpx.WSGITransport(app=WSGIHandler(), raise_app_exceptions=True),
            event_hooks={"request": [lambda r: asked.append(f"{r.method} {r.url.path}")]},
        )
        client = MLClient(URL, http=http, **{"token": secret, **more})
        client.asked = asked
        made.append(client)
        return client

    yield make
    for client in made:
        client.close()
    for signal in ends:
        signal.connect(close_old_connections)


@pytest.fixture
def client(make_client: Callable[..., MLClient]) -> MLClient:
    """Bob's client."""
    return make_client()


@pytest.fixture
def src(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder ./src with a script, beside which the program runs."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.py").write_text("print(1)\n")
    return tmp_path / "src"
