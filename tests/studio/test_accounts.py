"""Signing in, and that nothing is to be seen without."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from studio.models import SignInLink, User
from studio.models.token import digest, new_secret

# What may be reached without a session; each of them guards itself or tells nothing.
OPEN = (
    "accounts/login/",
    "accounts/link/",
    "accounts/invitation/",
    "accounts/oidc/",
    "healthz",
    # By token:
    "api/v1/",
    "tracking/",
    "relay/",
    # Files that anybody may have:
    "static/",
)
SAMPLES = {
    "ws": "default",
    "name": "x",
    "number": "1",
    "pk": "1",
    "stream": "stdout",
    "secret": "x",
    "path": "model/model.bin",
    "digest": "0f" * 32,
    "kind": "parallel",
    "key": "0f" * 16,
    "verb": "tell",
}


def link_for(user: User, **changes: Any) -> str:
    secret = new_secret()
    fields = {"expires_at": timezone.now() + timedelta(hours=1)} | changes
    SignInLink.objects.create(user=user, digest=digest(secret), **fields)
    return f"/accounts/link/{secret}/"


def is_signed_in(client: Client) -> bool:
    return client.get("/w/").status_code == 200


def test_a_link_signs_in_once(client: Client, alice: User) -> None:
    link = link_for(alice)
    response = client.get(link)
    assert (response.status_code, response.headers["Location"]) == (302, "/")
    assert is_signed_in(client)
    other = Client()
    again = other.get(link)
    assert again.status_code == 410
    assert "no longer works" in again.content.decode()
    assert not is_signed_in(other)
    assert is_signed_in(client)


def test_the_secret_of_a_link_is_not_kept(alice: User) -> None:
    secret = link_for(alice).split("/")[3]
    assert secret not in str(SignInLink.objects.values())


def test_a_look_at_the_link_does_not_use_it(client: Client, alice: User) -> None:
    link = link_for(alice)
    assert client.head(link).status_code == 405
    assert client.get(link).status_code == 302


def test_a_link_runs_out_and_dies_with_the_account(client: Client, alice: User) -> None:
    late = link_for(alice, expires_at=timezone.now() - timedelta(seconds=1))
    assert client.get(late).status_code == 410
    link = link_for(alice)
    User.objects.filter(pk=alice.pk).update(is_active=False)
    assert client.get(link).status_code == 410
    assert not is_signed_in(client)


def test_signing_in_again_changes_the_session(client: Client, alice: User, bob: User) -> None:
    client.get(link_for(alice))
    before = client.session.session_key
    client.get(link_for(bob))
    assert client.session.session_key != before
    assert client.session["_auth_user_id"] == str(bob.pk)


def test_a_password_signs_in_and_leads_back(client: Client, alice: User) -> None:
    body = {"username": "alice", "password": "alice-secret-1", "next": "/w/default/"}
    response = client.post("/accounts/login/", body)
    assert response.headers["Location"] == "/w/default/"
    assert is_signed_in(client)
    body["next"] = "https://elsewhere.example/"
    response = Client().post("/accounts/login/", body)
    assert response.headers["Location"] == "/"


def test_signing_out_is_a_post(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/accounts/logout/").status_code == 405
    assert is_signed_in(client)
    client.post("/accounts/logout/")
    assert not is_signed_in(client)


def routes(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    """Every address of the project, with made-up values for its parts."""
    for entry in patterns:
        route = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, route)
        else:
            yield route


def address(route: str) -> str:
    text = route.replace("<str:", "<").replace("<int:", "<").replace("<path:", "<")
    for name, value in SAMPLES.items():
        text = text.replace(f"<{name}>", value)
    return f"/{text}"


CLOSED = sorted(
    {address(route) for route in routes(get_resolver().url_patterns) if not route.startswith(OPEN)}
)


def test_the_walk_finds_the_pages() -> None:
    assert {"/", "/w/default/", "/w/default/sweeps/x/", "/w/default/sweeps/x/cancel"} <= set(CLOSED)
    assert not [path for path in CLOSED if "<" in path]


@pytest.mark.parametrize("path", CLOSED)
def test_nothing_is_shown_or_done_without_signing_in(client: Client, db: None, path: str) -> None:
    for response in (client.get(path), client.post(path)):
        assert response.status_code == 302, path
        assert response.headers["Location"].startswith("/accounts/login/?next=")


@pytest.mark.parametrize("path", ["/", "/w/default/sweeps/", "/w/default/settings/"])
def test_a_fragment_without_a_session_sends_the_whole_page_to_sign_in(
    client: Client, db: None, path: str
) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://testserver/w/default/?tab=2"}
    response = client.get(path, headers=headers)
    assert (response.status_code, response.content) == (204, b"")
    where = "/accounts/login/?next=%2Fw%2Fdefault%2F%3Ftab%3D2"
    assert response.headers["HX-Redirect"] == where


def test_a_page_of_another_site_is_not_led_back_to(client: Client, db: None) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "https://elsewhere.example/x"}
    response = client.get("/w/", headers=headers)
    assert response.headers["HX-Redirect"] == "/accounts/login/?next=%2F"


def test_every_answer_carries_the_policy(client: Client, db: None) -> None:
    for path in ("/accounts/login/", "/nothing", "/api/v1/docs", "/healthz"):
        policy = client.get(path).headers["Content-Security-Policy"]
        assert "script-src 'self';" in policy
        assert "frame-ancestors 'none'" in policy


def test_a_sign_in_link_is_never_logged(client, alice, caplog):
    from django.utils import timezone

    from studio.bootstrap import new_sign_in_link

    link = new_sign_in_link(alice, timezone.now()).split("/", 3)[3]
    assert client.head(f"/{link}").status_code == 405
    assert client.get(f"/{link}").status_code == 302
    assert client.get(f"/{link}").status_code == 410
    assert link.split("/")[-2] not in caplog.text
