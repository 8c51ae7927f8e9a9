"""An upload counts if it is whole, and if whoever sends it still may when its end has come."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from django.http import UnreadablePostError
from django.test import Client, RequestFactory
from django.utils import timezone
from gunicorn.http.errors import ChunkMissingTerminator, InvalidChunkSize, InvalidHeader, NoMoreData

from studio.models import ApiToken, Role, User, Workspace
from studio.services import create_token
from sweeps.gateway import proxy, upstream, views
from sweeps.gateway.routes import ARTIFACTS

PATH = ARTIFACTS + "/1/run/artifacts/weights.bin"
BLOCKS = (b"a" * 9, b"b" * 9)


class Server(httpx.BaseTransport):
    """MLflow, as far as uploads go: keeps what came to its end."""

    def __init__(self) -> None:
        self.kept = b""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        assert isinstance(request.stream, httpx.SyncByteStream)
        self.kept = b"".join(request.stream)
        return httpx.Response(200, json={})


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    found = Server()
    line = httpx.Client(transport=found, base_url="http://tracking")
    monkeypatch.setattr(upstream, "client", lambda: line)
    monkeypatch.setattr(views.policy, "authorize", lambda *_: None)
    monkeypatch.setattr(proxy, "LONG_S", -1.0)  # every upload has taken long
    return found


@pytest.fixture
def token(workspace: Workspace) -> str:
    user = User.objects.create(username="carol")
    workspace.memberships.create(user=user, role=Role.CONTRIBUTOR)
    made = create_token(workspace, user, role=Role.CONTRIBUTOR, name="t", now=timezone.now())
    return made.secret


def revoke() -> None:
    ApiToken.objects.update(revoked_at=timezone.now())


class Body:
    """Comes in two blocks; before the second one something happens."""

    def __init__(self, happens: Callable[[], object]) -> None:
        self.blocks, self.happens = list(BLOCKS), happens

    def read(self, _size: int = -1) -> bytes:
        if len(self.blocks) == 1:
            self.happens()
        return self.blocks.pop(0) if self.blocks else b""


def put(workspace: Workspace, token: str, happens: Callable[[], object]) -> Any:
    request = RequestFactory().generic("PUT", "/", headers={"Authorization": f"Bearer {token}"})
    request.META |= {
        "CONTENT_LENGTH": "", "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input_terminated": True, "wsgi.input": Body(happens),
    }  # fmt: skip
    return views.gateway(request, workspace.name, PATH.removeprefix("/"))


def test_an_upload_is_stored(server: Server, workspace: Workspace, token: str) -> None:
    assert put(workspace, token, lambda: None).status_code == 200
    assert server.kept == b"".join(BLOCKS)


def test_an_artifact_of_a_token_that_was_revoked_meanwhile_is_not_stored(
    server: Server, workspace: Workspace, token: str
) -> None:
    answer = put(workspace, token, revoke)
    assert (answer.status_code, server.kept) == (401, b"")


BROKEN = (
    NoMoreData(b""), InvalidChunkSize(b"x"), ChunkMissingTerminator(b""), InvalidHeader("x"),
    ConnectionResetError(), UnreadablePostError(),
)  # fmt: skip


@pytest.mark.parametrize("error", BROKEN, ids=lambda error: type(error).__name__)
def test_a_body_that_breaks_off_is_no_fault_of_ours(
    server: Server, workspace: Workspace, token: str, error: Exception
) -> None:
    def breaks() -> None:
        raise error

    answer = put(workspace, token, breaks)
    assert (answer.status_code, server.kept) == (400, b"")
    assert json.loads(answer.content)["error_code"] == "INVALID_PARAMETER_VALUE"


def test_a_body_shorter_than_announced_is_no_fault_of_ours(
    server: Server, workspace: Workspace, token: str
) -> None:
    """As it is where the connection was cut."""
    request = RequestFactory().generic("PUT", "/", headers={"Authorization": f"Bearer {token}"})
    request.META["CONTENT_LENGTH"] = "19"
    request._stream = Body(lambda: None)  # type: ignore[attr-defined]
    answer = views.gateway(request, workspace.name, PATH.removeprefix("/"))
    assert (answer.status_code, server.kept) == (400, b"")


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any) -> bytes:
        raise OSError("The client is too slow.")

    monkeypatch.setattr("django.test.client.FakePayload.read", read)


@pytest.mark.usefixtures("broken")
def test_so_it_is_on_pages_and_over_rest(client: Client, workspace: Workspace, token: str) -> None:
    form, text = "application/x-www-form-urlencoded", "application/json"
    ways = {
        "/accounts/login/": (form, "text/html; charset=utf-8"),
        f"/api/v1/workspaces/{workspace.name}/sweeps": (text, text),
        f"/tracking/{workspace.name}/api/2.0/mlflow/runs/search": (text, text),
    }
    client.raise_request_exception = False
    for path, (kind, told) in ways.items():
        answer = client.post(path, b"{}", kind, headers={"Authorization": f"Bearer {token}"})
        assert (answer.status_code, answer["Content-Type"]) == (400, told), path


def test_data_of_a_token_that_was_revoked_meanwhile_is_not_kept(
    client: Client, workspace: Workspace, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile
    from django.http.multipartparser import MultiPartParser

    parse = MultiPartParser.parse

    def revoked_meanwhile(self: Any) -> Any:
        parsed = parse(self)
        revoke()
        return parsed

    monkeypatch.setattr(MultiPartParser, "parse", revoked_meanwhile)
    for kind, part in (("data", "file"), ("code", "code"), ("bundles", "bundle")):
        ApiToken.objects.update(revoked_at=None)
        answer = client.post(
            f"/api/v1/workspaces/{workspace.name}/{kind}",
            {part: SimpleUploadedFile("a.zip", b"x")},
            headers={"Authorization": f"Bearer {token}"},
        )
        assert answer.status_code == 401, kind


@pytest.mark.parametrize("change", ["role", "gone"])
def test_who_may_no_longer_once_a_request_has_come_starts_nothing(
    client: Client, workspace: Workspace, token: str, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    from django.core.handlers.wsgi import WSGIRequest

    body = WSGIRequest.body

    def lowered_meanwhile(self: Any) -> bytes:
        found: bytes = body.fget(self)  # type: ignore[attr-defined]
        rows = workspace.memberships.all()
        rows.update(role=Role.READER) if change == "role" else rows.delete()
        return found

    monkeypatch.setattr(WSGIRequest, "body", property(lowered_meanwhile))
    answer = client.post(
        f"/api/v1/workspaces/{workspace.name}/sweeps?dry_run=1",
        b"{}",
        "application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code in (401, 404)
