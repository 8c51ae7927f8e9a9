"""What a request may cost: each limit answers 4xx within a second, without the body where it can.

(S14; for REST's rate per token see tests/api/test_pages_of_lists.py, for job files and JSON that
are deep, long or crowded tests/spec and tests/fuzz.)
"""

import socket
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import get_resolver
from django.utils import timezone

from studio import limits
from studio.models import Role, User, Workspace
from studio.services import create_token
from sweeps.domain.problems import InvalidInput
from sweeps.models import Sweep
from tests.api.conftest import Caller
from tests.pages.new_sweep_form import COMPLETE, Form
from tests.studio.test_accounts import address, routes

MIB = 2**20


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has asked for anything, and no bucket fills while a busy machine takes its time."""
    limits.buckets._levels.clear()
    monkeypatch.setattr("studio.rates.time", SimpleNamespace(monotonic=lambda: 0.0))


def announced(live_server: Any, path: str, size: int, *headers: str) -> tuple[str, float]:
    """The first line of the answer to a request that says how much it will send, and sends none;
    after how many seconds it came."""
    host, port = live_server.url.removeprefix("http://").split(":")
    head = [f"POST {path} HTTP/1.1", f"Host: {host}", f"Content-Length: {size}", *headers]
    began = time.monotonic()
    with socket.create_connection((host, int(port)), timeout=10) as line:
        line.sendall("\r\n".join([*head, "", ""]).encode())
        first = line.makefile("rb").readline().decode()
    return first, time.monotonic() - began


FORM = "Content-Type: multipart/form-data; boundary=x"
# A stranger may write any cookie: the check against forgery then reads the form.
FORGED = f"Cookie: studio_csrf_8000={'a' * 32}"


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/accounts/login/", 11 * MIB),
        ("/accounts/login/", 10**12),
        ("/w/default/sweeps/new", 11 * MIB),  # for who has signed in, not for strangers
        ("/w/default/sweeps/import", 10**12),
        ("/api/v1/workspaces/default/sweeps", 10**12),
        ("/api/v1/workspaces/default/computes", 11 * MIB),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_a_large_body_is_refused_before_it_comes(live_server: Any, path: str, size: int) -> None:
    # The quickest of three: a busy machine may take its time once.
    found = [announced(live_server, path, size, FORM, FORGED) for _ in range(3)]
    assert all(" 413 " in answer for answer, _ in found), found
    assert min(took for _, took in found) < 1


def test_a_length_that_is_no_number_is_refused(client: Client, db: None) -> None:
    for length in ("-1", "1e9", "٣", "x"):
        answer = client.post("/accounts/login/", {}, CONTENT_LENGTH=length)
        assert answer.status_code == 400, length


def test_a_refusal_has_the_shape_of_its_place(client: Client, db: None) -> None:
    page = client.post("/accounts/login/", {}, CONTENT_LENGTH=str(10**12))
    assert (page.status_code, "10 MiB at most" in page.content.decode()) == (413, True)
    rest = client.post("/api/v1/workspaces", {}, CONTENT_LENGTH=str(10**12))
    assert (rest.status_code, rest.json()["error"]["code"]) == (413, "too_large")


def test_who_has_signed_in_uploads_as_much_as_an_upload_may_have(settings: Any) -> None:
    settings.STUDIO_UPLOAD_CAP_MB = 30
    middleware = limits.refuse_large_bodies(lambda _: HttpResponse())

    def status(mib: int, session: dict[str, str]) -> int:
        request = RequestFactory().post("/w/default/sweeps/import")
        request.META["CONTENT_LENGTH"] = str(mib * MIB)
        request.session = session
        return middleware(request).status_code

    person = {SESSION_KEY: "1"}
    assert [status(mib, person) for mib in (9, 20, 31, 32)] == [200, 200, 200, 413]
    assert [status(mib, {}) for mib in (9, 20)] == [200, 413]


def test_what_takes_files_is_known() -> None:
    """The two pages whose views read `request.FILES`; REST's four say multipart in the schema."""
    found = list(routes(get_resolver().url_patterns))
    pages = {r for r in found if not r.startswith("api/") and limits.UPLOADS.fullmatch(address(r))}
    assert pages == {"w/<str:ws>/sweeps/new", "w/<str:ws>/sweeps/import"}
    schema = Client().get("/api/v1/openapi.json").json()["paths"]
    multipart = {
        path
        for path, methods in schema.items()
        for operation in methods.values()
        if "multipart/form-data" in operation.get("requestBody", {}).get("content", {})
    }
    assert multipart
    assert all(limits.UPLOADS.fullmatch(path.replace("{ws}", "x")) for path in multipart)


def test_too_many_fields_are_refused(client: Client, alice: User) -> None:
    client.force_login(alice)
    for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        part = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
        body = b"a=1&" * 5_001 if "urlencoded" in kind else part * 5_001 + b"--x--\r\n"
        began = time.process_time()
        answer = client.post("/w/default/settings/", body, content_type=kind)
        assert answer.status_code == 400
        assert time.process_time() - began < 1


# --- How often ----------------------------------------------------------------------------------


def test_a_person_is_slowed_down_and_others_are_not(
    client: Client, alice: User, bob: User, settings: Any
) -> None:
    settings.STUDIO_PAGE_RATE = 40
    client.force_login(alice)
    answers = [client.get("/help/") for _ in range(44)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:40] == [200] * 40
    assert statuses[-1] == 429
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    assert "That was too fast" in answers[-1].content.decode()
    other = Client()
    other.force_login(bob)
    assert other.get("/help/").status_code == 200
    again = Client()  # another session of the same person
    again.force_login(alice)
    assert again.get("/help/").status_code == 429
    for free in ("/healthz", "/api/v1/workspaces"):
        assert client.get(free).status_code != 429


def test_what_is_heavy_is_asked_for_less_often(client: Client, alice: User, settings: Any) -> None:
    settings.STUDIO_PAGE_RATE = 100
    client.force_login(alice)
    path = "/w/default/settings/audit.csv"
    assert [client.get(path).status_code for _ in range(4)] == [200, 200, 429, 429]
    assert client.get("/help/").status_code == 200


def test_strangers_are_counted_by_address(client: Client, db: None, settings: Any) -> None:
    settings.STUDIO_PAGE_RATE = 100
    page = "/accounts/login/"
    statuses = [client.get(page, REMOTE_ADDR="192.0.2.1").status_code for _ in range(12)]
    assert statuses == [200] * 10 + [429] * 2
    forged = Client()
    forged.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    assert forged.get(page, REMOTE_ADDR="192.0.2.1").status_code == 429
    assert client.get(page, REMOTE_ADDR="192.0.2.2").status_code == 200


# --- Shapes -------------------------------------------------------------------------------------


def test_what_is_deep_is_refused_in_words(workspace: Workspace, alice: User) -> None:
    now = timezone.now()
    caller = Caller(create_token(workspace, alice, role=Role.OWNER, name="t", now=now).secret)
    for kind, text in (
        ("application/json", "[" * 200_000),
        ("application/json", '{"a":' * 100_000 + "1" + "}" * 100_000),
        ("application/yaml", "[" * 100_000),
        ("application/yaml", "a: " * 20_000),
        ("application/json", '{"limits": ' + "9" * 5_000 + "}"),
    ):
        for path in ("sweeps", "computes", "sweeps?dry_run=1"):
            began = time.process_time()
            answer = caller.post(f"/workspaces/default/{path}", text, kind)
            assert 400 <= answer.status_code < 500, (path, kind, text[:20])
            assert time.process_time() - began < 1


# --- What a workspace may have ------------------------------------------------------------------


def test_a_workspace_has_so_many_sweeps(
    make_sweep: Any, workspace: Workspace, alice: User, client: Client, settings: Any
) -> None:
    settings.STUDIO_MAX_SWEEPS = 2
    first, _ = make_sweep(name="a"), make_sweep(name="b")
    with pytest.raises(InvalidInput, match="2 sweeps, as many as it may have"):
        make_sweep(name="c")
    secret = create_token(workspace, alice, role=Role.OWNER, name="t", now=timezone.now()).secret
    began = time.process_time()
    answer = Caller(secret).post("/workspaces/default/sweeps/a/clone", {})
    assert (answer.status_code, time.process_time() - began < 1) == (409, True)
    assert "STUDIO_MAX_SWEEPS" in answer.json()["error"]["message"]
    form = Form(alice, workspace).press("submit", **COMPLETE)
    assert form.response.status_code == 422
    assert "as many as it may have" in form.text
    Sweep.objects.filter(pk=first.pk).update(deleted_at=timezone.now(), name="gone")
    make_sweep(name="c")
    settings.STUDIO_MAX_SWEEPS = 0
    make_sweep(name="d")
