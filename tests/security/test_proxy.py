"""Sign-in by a header of a reverse proxy: from the proxy alone, and never by anybody else."""

import ipaddress
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from studio import env
from studio.models import Session, User

PROXY = {"REMOTE_ADDR": "10.0.0.5"}
ALICE = {"HTTP_X_REMOTE_USER": "alice"}


@pytest.fixture(autouse=True)
def proxy(settings: Any) -> None:
    settings.STUDIO_PROXY_USER_HEADER = "X-Remote-User"
    settings.STUDIO_PROXY_TRUSTED = [
        ipaddress.ip_network("10.0.0.5"),
        ipaddress.ip_network("fd00::/8"),
    ]


def who(client: Client, **meta: str) -> str | None:
    """Whose page that is; None for the sign-in page."""
    answer = client.get("/accounts/", **meta)  # type: ignore[arg-type]
    return answer.context["request"].user.username if answer.status_code == 200 else None


def test_the_proxy_says_who_it_is(client: Client, alice: User, bob: User) -> None:
    assert who(client, **PROXY, **ALICE) == "alice"
    key = client.session.session_key
    assert who(client, **PROXY, **ALICE) == "alice"
    assert client.session.session_key == key  # signed in once, not with each request
    assert who(client, **PROXY, HTTP_X_REMOTE_USER="bob") == "bob"
    assert client.session.session_key != key
    assert Session.objects.count() == 1
    assert who(Client(), REMOTE_ADDR="fd00::7", HTTP_X_REMOTE_USER="alice") == "alice"


@pytest.mark.parametrize(
    "peer", ["127.0.0.1", "10.0.0.6", "192.0.2.1", "::1", "::ffff:10.0.0.6", "", "unix:"]
)
def test_from_anybody_else_the_header_is_nothing(alice: User, peer: str) -> None:
    forged = {
        "REMOTE_ADDR": peer, "HTTP_X_FORWARDED_FOR": "10.0.0.5", "HTTP_X_REAL_IP": "10.0.0.5",
        "HTTP_FORWARDED": "for=10.0.0.5",
    }  # fmt: skip
    assert who(Client(), **forged, **ALICE) is None
    assert not Session.objects.exists()


def test_a_session_of_the_proxys_is_nothing_without_it(client: Client, alice: User) -> None:
    for meta in (PROXY, {"REMOTE_ADDR": "192.0.2.1", **ALICE}, {"REMOTE_ADDR": "192.0.2.1"}):
        assert who(client, **PROXY, **ALICE) == "alice"
        assert who(client, **meta) is None


def test_nor_is_it_where_the_address_is_said_to_begin_like_one_for_tokens(
    client: Client, alice: User
) -> None:
    assert who(client, **PROXY, **ALICE) == "alice"
    assert who(client, SCRIPT_NAME="/api") is None


def test_a_password_still_signs_in(client: Client, alice: User) -> None:
    client.post("/accounts/login/", {"username": "alice", "password": "alice-secret-1"})
    assert who(client) == "alice"
    assert who(client, **PROXY) == "alice"


def test_the_proxy_names_somebody_else_than_the_session(
    client: Client, alice: User, bob: User
) -> None:
    client.force_login(bob)
    assert who(client, **PROXY, **ALICE) == "alice"
    assert who(client, **PROXY, HTTP_X_REMOTE_USER="nobody") is None


def test_with_a_secret_the_header_needs_it(client: Client, alice: User, settings: Any) -> None:
    settings.STUDIO_PROXY_SECRET = "between us"
    for secret in ("", "between", "between us "):
        assert who(client, **PROXY, **ALICE, HTTP_X_STUDIO_PROXY_SECRET=secret) is None
    assert who(client, **PROXY, **ALICE, HTTP_X_STUDIO_PROXY_SECRET="between us") == "alice"


def test_who_has_no_account_or_is_locked_out_is_told(client: Client, alice: User) -> None:
    User.objects.update(is_active=False)
    for name in ("alice", "dora", "a b", "alice,bob"):
        meta = {**PROXY, "HTTP_X_REMOTE_USER": name}
        assert who(client, **meta) is None
        page = client.get("/accounts/login/", **meta).content.decode()
        assert f"{name} has no account here, or is locked out." in page
    assert User.objects.count() == 1


def test_where_strangers_are_admitted_they_get_an_account(
    client: Client, alice: User, settings: Any
) -> None:
    settings.STUDIO_PROXY_SIGN_UP = True
    assert who(client, **PROXY, HTTP_X_REMOTE_USER="dora@example.org") == "dora@example.org"
    assert not User.objects.get(username="dora@example.org").has_usable_password()
    for name in ("ALICE", "a b", "x" * 151, "<b>"):
        assert who(Client(), **PROXY, HTTP_X_REMOTE_USER=name) is None
    assert User.objects.count() == 2


def test_tokens_take_no_notice(alice: User) -> None:
    for path in ("/api/v1/workspaces", "/tracking/default/api/2.0/mlflow/experiments/search"):
        assert Client().get(path, **PROXY, **ALICE).status_code == 401  # type: ignore[arg-type]


def test_without_the_setting_it_is_a_header_like_others(alice: User, settings: Any) -> None:
    settings.STUDIO_PROXY_USER_HEADER = ""
    assert who(Client(), **PROXY, **ALICE, HTTP_="x", REMOTE_USER="alice") is None


@pytest.mark.parametrize(
    ("trusted", "secret", "message"),
    [
        ([], "", "needs STUDIO_PROXY_TRUSTED"),
        (["127.0.0.1"], "", "needs STUDIO_PROXY_SECRET"),
        (["0.0.0.0/0"], "", "needs STUDIO_PROXY_SECRET"),
        (["10.0.0.5", "::1"], "", "needs STUDIO_PROXY_SECRET"),
        (["10.0.0.5"], "", ""),
        (["127.0.0.1"], "x", ""),
    ],
)
def test_it_is_not_set_so_that_anybody_could_use_it(
    trusted: list[str], secret: str, message: str
) -> None:
    networks = [ipaddress.ip_network(text) for text in trusted]
    given: Any = {"issuer": "", "client": ("", ""), "header": "X-User", "secret": secret}
    if not message:
        env.check_sign_in(trusted=networks, **given)
        return
    with pytest.raises(ImproperlyConfigured, match=message):
        env.check_sign_in(trusted=networks, **given)
