"""What a page of another site can get out of a member's browser: nothing."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver

from studio.models import User
from sweeps.figures.registry import KINDS
from tests.pages import everywhere
from tests.studio.test_accounts import SAMPLES, address, routes

EVIL = "https://evil.example"
# Names that a page of another site may have had resolved to this machine.
HOSTS = (
    "evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example",
    "testserver.evil.example", "127.1", "2130706433", "0x7f000001", "[::ffff:127.0.0.1]",
    "127.0.0.1@evil.example", "evil.example#127.0.0.1", "evil.example/127.0.0.1", "",
)  # fmt: skip
ELSEWHERE = (
    EVIL, "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "https:evil.example", "https:///evil.example", "http:\\\\evil.example", "javascript:alert(1)",
    "/\t/evil.example", "\t//evil.example", "//evil.example/%2f..", "https://testserver@evil.example",
    "https://testserver.evil.example", "data:text/html,x", "//evil%2eexample", "/%5cevil.example",
    "////evil.example", "https://evil.example\\@testserver", "/.//evil.example/../",
)  # fmt: skip
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("host", HOSTS)
@pytest.mark.parametrize("path", ["/accounts/login/", "/w/", "/api/v1/docs", "/healthz"])
def test_a_name_that_is_not_ours_is_refused(
    client: Client, alice: User, host: str, path: str
) -> None:
    client.force_login(alice)
    assert client.get(path, headers={"host": host}).status_code == 400


def test_no_wildcard_is_among_the_names() -> None:
    assert not [name for name in settings.ALLOWED_HOSTS if name.startswith((".", "*"))]


def stays(location: str) -> bool:
    """Whether a browser that follows it stays: a path, which no browser reads as a host."""
    return location.startswith("/") and location[1:2] not in ("/", "\\", "\t")


@pytest.mark.parametrize("place", ELSEWHERE)
def test_signing_in_leads_nowhere_else(alice: User, place: str) -> None:
    told = {"username": "alice", "password": "alice-secret-1", "next": place}
    answer = Client().post(f"/accounts/login/?{urlencode({'next': place})}", told)
    assert answer.status_code == 302
    assert stays(answer["Location"]), answer["Location"]
    signed_in = Client()
    signed_in.force_login(alice)
    again = signed_in.get(f"/accounts/login/?{urlencode({'next': place})}")
    assert stays(again["Location"]), again["Location"]


@pytest.mark.parametrize(
    "place",
    [ELSEWHERE[1], *(pytest.param(place, marks=pytest.mark.long) for place in ELSEWHERE)],
)
def test_no_answer_to_a_request_leads_where_its_words_say(
    client: Client, alice: User, workspace: Any, compute: Any, sweep: Any, place: str
) -> None:
    """With `next` and its like in address, body and headers; each page and each button."""
    client.force_login(alice)
    words = dict.fromkeys(("next", "back", "return", "url", "to", "from", "page"), place)
    samples = SAMPLES | {"name": sweep.name}
    for route in routes(get_resolver().url_patterns):
        if route.startswith(("api/", "tracking/", "relay/", "accounts/log")):
            continue
        for send in (client.get, client.post):
            said = {"referer": f"{EVIL}/x", "hx-current-url": f"{EVIL}/x"}
            answer = send(f"{_address(route, samples)}?{urlencode(words)}", words, headers=said)
            for name in ("Location", "HX-Redirect", "HX-Location"):
                assert stays(answer.headers.get(name, "/")), (route, answer[name])


def _address(route: str, samples: dict[str, str]) -> str:
    for name, value in samples.items():
        route = route.replace(f"<str:{name}>", value)
    return address(route)


def unsafe() -> list[str]:
    """Each address that a browser may post to."""
    found = {address(route) for route in routes(get_resolver().url_patterns)}
    return sorted(path for path in found if not path.startswith(("/api/", "/tracking/", "/relay/")))


@pytest.fixture
def strict(alice: User) -> Client:
    """Alice, with the protection against forged requests that tests are spared else."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    return client


def test_no_request_without_a_token_changes_anything(
    strict: Client, workspace: Any, compute: Any, sweep: Any
) -> None:
    token = _token(strict)
    for path in unsafe():
        for headers in ({}, {"X-CSRFToken": "x" * 32}):
            assert strict.post(path, headers=headers).status_code == 403, path
        # A token is of no use where the request comes from elsewhere.
        for origin in (EVIL, "null", "http://testserver.evil.example", "http://testserver:8001"):
            foreign = {"X-CSRFToken": token, "Origin": origin}
            assert strict.post(path, headers=foreign).status_code == 403, (path, origin)
        for method in (strict.put, strict.patch, strict.delete):
            assert method(path).status_code == 403, path


def test_with_the_token_of_the_page_it_is_taken(strict: Client, workspace: Any) -> None:
    """As htmx sends it; the test above would be met by a studio that takes nothing, too."""
    said = {"X-CSRFToken": _token(strict), "HX-Request": "true"}
    answer = strict.post("/workspaces/new", {"name": "fresh"}, headers=said)
    assert answer.status_code in (200, 204, 302)
    assert strict.get("/w/fresh/").status_code == 200


def _token(client: Client) -> str:
    page = client.get("/w/").content.decode()
    return page.split('"X-CSRFToken": "')[1].split('"')[0]


def test_reading_changes_nothing(client: Client, alice: User, compute: Any, now: Any) -> None:
    """A link or an image of another site may have a member's browser read any page."""
    everywhere.set_up(alice, compute, now)
    client.force_login(alice)
    charts = [f"/w/default/sweeps/going/charts/{kind}.json" for kind in KINDS]
    writes = []
    for path in (*everywhere.addresses(), *everywhere.STATES, *charts):
        with CaptureQueriesContext(connection) as seen:
            # Read to its end, a file is closed.
            client.get(path).getvalue()
        writes += [
            (path, one["sql"][:150])
            for one in seen
            if one["sql"].lstrip().upper().startswith(("INSERT", "UPDATE", "DELETE"))
            # What was worked out for a chart is kept: nobody's words, and there again when missing.
            and '"sweeps_analysis"' not in one["sql"]
        ]
    assert writes == []


def test_pages_cannot_be_framed(client: Client, alice: User) -> None:
    client.force_login(alice)
    for path in ("/", "/w/default/", "/accounts/login/", "/nothing", "/api/v1/docs"):
        answer = client.get(path)
        assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
        assert answer["X-Frame-Options"] == "DENY"
