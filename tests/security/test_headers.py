"""What every answer tells the browser: pages, programs' answers, files, errors and redirects."""

from pathlib import Path
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory, override_settings

from studio.models import Role, User, Workspace
from studio.security_headers import HEADERS
from studio.services import create_token
from sweeps.models import Sweep

pytestmark = pytest.mark.django_db
ADDRESSES = (
    "/", "/accounts/login/", "/accounts/password/", "/w/", "/w/default/", "/w/default/nothing/",
    "/nothing", "/healthz", "/api/v1/docs", "/api/v1/openapi.json", "/api/v1/nothing",
    "/api/v1/workspaces/default/sweeps", "/tracking/default/api/2.0/mlflow/runs/get",
    "/w/default/sweeps/s/report.html", "/w/default/sweeps/s/config/job.yml", "/notices",
    "/w/default/sweeps/s/trials.csv", "/w/default/sweeps/s/charts/objective.json", "/static/no.js",
    "/w/%00/",
)  # fmt: skip
ALWAYS = sorted(HEADERS)


@pytest.fixture
def alices(client: Client, alice: User, make_sweep: Any) -> Client:
    make_sweep(name="s")
    client.force_login(alice)
    return client


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_answer_has_them(alices: Client, address: str) -> None:
    for answer in (alices.get(address), alices.post(address), Client().get(address)):
        assert [name for name in ALWAYS if name not in answer.headers] == [], address
        policy = answer["Content-Security-Policy"]
        assert "unsafe-eval" not in policy
        assert "script-src" not in policy or "script-src 'self';" in policy
        assert answer["X-Content-Type-Options"] == "nosniff"
        # No answer may be read by a page of another origin.
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


def test_scripts_come_from_files_of_ours_and_nothing_else_is_embedded(client: Client) -> None:
    policy = client.get("/accounts/login/")["Content-Security-Policy"]
    told = dict(one.strip().split(" ", 1) for one in policy.split(";"))
    assert told["default-src"] == "'none'"
    assert told["script-src"] == told["connect-src"] == told["form-action"] == "'self'"
    assert told["frame-ancestors"] == told["base-uri"] == "'none'"
    # Frames, objects, workers, manifests and media fall back on the default.
    assert not {"frame-src", "object-src", "worker-src", "manifest-src", "media-src"} & {*told}
    assert not [source for source in told.values() if "*" in source or "http" in source]


def test_what_no_page_needs_is_off(client: Client) -> None:
    told = client.get("/accounts/login/")["Permissions-Policy"]
    assert {"camera=()", "microphone=()", "geolocation=()"} <= {*told.split(", ")}


def test_an_answer_that_has_not_changed_says_it_too(
    alices: Client, workspace: Workspace, alice: User, now: Any
) -> None:
    token = create_token(workspace, alice, role=Role.READER, name="t", now=now)
    said = {"Authorization": f"Bearer {token.secret}"}
    first = alices.get("/api/v1/workspaces/default/sweeps/s", headers=said)
    again = alices.get(
        "/api/v1/workspaces/default/sweeps/s", headers=said | {"If-None-Match": first["ETag"]}
    )
    assert again.status_code == 304
    assert [name for name in ALWAYS if name not in again.headers] == []


def test_pages_are_not_kept(alices: Client) -> None:
    for address in ("/", "/w/default/sweeps/s/", "/w/default/sweeps/s/trials.csv", "/notices"):
        assert "no-store" in alices.get(address)["Cache-Control"]


def test_static_files_have_them_and_are_kept(tmp_path: Path) -> None:
    from whitenoise.middleware import WhiteNoiseMiddleware

    from studio.security_headers import security_headers

    (tmp_path / "a.js").write_text("1;")
    with override_settings(STATIC_ROOT=str(tmp_path), WHITENOISE_AUTOREFRESH=True):
        handler = security_headers(WhiteNoiseMiddleware(lambda request: HttpResponse(status=404)))
        answer = handler(RequestFactory().get("/static/a.js"))
    answer.close()
    assert answer.status_code == 200
    assert answer["Content-Security-Policy"] == HEADERS["Content-Security-Policy"]
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "max-age" in answer["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_headers_stand_before_all_that_answers_itself(settings: Any) -> None:
    assert settings.MIDDLEWARE[0] == "studio.security_headers.security_headers"


def test_a_foreign_page_learns_nothing_from_asking_first(alices: Client, sweep: Sweep) -> None:
    """A preflight is answered as any other request: without leave."""
    for address in ("/w/default/", "/api/v1/workspaces/default/sweeps"):
        said = {"Origin": "https://evil.example", "Access-Control-Request-Method": "DELETE"}
        answer = alices.options(address, headers=said)
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
