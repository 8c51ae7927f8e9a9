"""Sign-in by OpenID Connect, against a provider on loopback: who gets in, and which tokens do not
count."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.utils import timezone

from studio import env, oidc
from studio.models import Identity, Role, User
from studio.people import invitations
from studio.people.identities import Known, _same_address, person_of
from tests.security import provider as providers
from tests.security.provider import CLIENT, SECRET, Provider

START, BACK = "/accounts/oidc/", "/accounts/oidc/callback/"


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    with providers.running() as running:
        settings.STUDIO_OIDC_ISSUER = running.url
        settings.STUDIO_OIDC_CLIENT_ID, settings.STUDIO_OIDC_CLIENT_SECRET = CLIENT, SECRET
        settings.STUDIO_URL = "http://testserver"
        yield running
    oidc._client.cache_clear()


def go(client: Client, provider: Provider, path: str = START) -> Any:
    """To the provider and back, as a browser does it."""
    answer = client.get(path)
    assert answer.status_code == 302
    provider.sent(answer["Location"])
    return client.get(BACK, {"code": "the-code", "state": provider.asked["state"]})


def is_signed_in(client: Client) -> bool:
    return client.get("/w/").status_code == 200


def connect(user: User, provider: Provider, subject: str = "subject-1") -> None:
    Identity.objects.create(user=user, issuer=provider.url, subject=subject)


# --- who gets in --------------------------------------------------------------------------------
def test_a_known_subject_signs_in_and_comes_back(
    client: Client, alice: User, provider: Provider
) -> None:
    connect(alice, provider)
    answer = go(client, provider, f"{START}?next=/w/default/")
    assert (answer.status_code, answer["Location"]) == (302, "/w/default/")
    assert client.session["_auth_user_id"] == str(alice.pk)
    asked = provider.asked
    assert asked["response_type"] == "code"
    assert asked["redirect_uri"] == f"http://testserver{BACK}"
    assert asked["code_challenge_method"] == "S256"
    assert len(asked["state"]) >= 20
    assert len(asked["nonce"]) >= 20
    assert client.session.get_expiry_age() > 24 * 3600


def test_it_comes_back_to_our_pages_only(client: Client, alice: User, provider: Provider) -> None:
    connect(alice, provider)
    for place in ("https://elsewhere.example/", "//elsewhere.example/", "javascript:alert(1)"):
        assert go(client, provider, f"{START}?next={quote(place)}")["Location"] == "/"


def test_who_is_unknown_needs_an_invitation(
    client: Client, alice: User, provider: Provider
) -> None:
    provider.claims = {"email": "dora@example.org", "email_verified": True}
    answer = go(client, provider)
    assert answer.status_code == 403
    assert "You have no account in this studio." in answer.content.decode()
    assert list(User.objects.all()) == [alice]
    assert not is_signed_in(client)


def test_with_an_invitation_somebody_new_gets_an_account_and_joins(
    client: Client, alice: User, workspace: Any, provider: Provider
) -> None:
    made = invitations.invite(workspace, alice, role=Role.READER, now=timezone.now(), note="D")
    page = "/" + made.link.split("/", 3)[3]
    assert START in client.get(page).content.decode()
    provider.claims = {
        "email": "dora@example.org", "email_verified": True, "name": "Dora E.",
        "preferred_username": "Alice",
    }  # fmt: skip
    assert go(client, provider, f"{START}?next={page}")["Location"] == page
    dora = User.objects.get(email="dora@example.org")
    assert (dora.username, dora.get_full_name(), dora.email_is_verified) == (
        "Alice-2",
        "Dora E.",
        True,
    )
    assert not dora.has_usable_password()
    assert not dora.memberships.exists()
    assert client.post(page).status_code == 302
    assert dora.memberships.get().role == Role.READER
    assert go(Client(), provider)["Location"] == "/"


def test_where_strangers_are_admitted_they_get_an_account_and_no_workspace(
    client: Client, workspace: Any, provider: Provider, settings: Any
) -> None:
    settings.STUDIO_OIDC_SIGN_UP = True
    provider.claims = {"preferred_username": "dora/<b>"}
    assert go(client, provider)["Location"] == "/"
    dora = User.objects.get()
    assert (dora.username, dora.is_superuser) == ("dora-b", False)
    assert client.get("/w/default/").status_code == 404
    assert client.get("/").status_code == 200
    assert "a member of no workspace" in client.get("/accounts/").content.decode()


@pytest.mark.parametrize(
    ("in_account", "told"),
    [
        (False, {"email": "alice@example.org", "email_verified": True}),
        (True, {"email": "alice@example.org", "email_verified": False}),
        (True, {"email": "alice@example.org", "email_verified": "true"}),
        (True, {"email": "alice@example.org"}),
        (True, {"email": "mallory@example.org", "email_verified": True}),
        (True, {"preferred_username": "alice"}),
    ],
)
def test_an_address_that_nobody_verified_makes_nobody_somebody(
    client: Client, alice: User, provider: Provider, in_account: bool, told: Any
) -> None:
    alice.email, alice.email_is_verified = "alice@example.org", in_account
    alice.save()
    provider.claims = told
    assert go(client, provider).status_code == 403
    assert not Identity.objects.exists()


def test_a_verified_address_of_one_account_connects_it_once(
    client: Client, alice: User, provider: Provider
) -> None:
    alice.email, alice.email_is_verified = "alice@example.org", True
    alice.save()
    provider.claims = {"email": "Alice@Example.org", "email_verified": True}
    assert go(client, provider).status_code == 302
    # From now on the subject counts: another one with that address is somebody else.
    provider.claims["sub"] = "subject-2"
    assert go(Client(), provider).status_code == 403


def test_userinfo_fills_in_for_a_short_token_but_for_nobody_else(
    client: Client, alice: User, provider: Provider
) -> None:
    alice.email, alice.email_is_verified = "alice@example.org", True
    alice.save()
    told = {"sub": "subject-9", "email": "alice@example.org", "email_verified": True}
    provider.userinfo = told
    assert go(client, provider).status_code == 403
    provider.userinfo = {**told, "sub": "subject-1", "nonce": "x", "iss": "x"}
    assert go(client, provider).status_code == 302


@pytest.mark.parametrize(
    ("in_token", "in_userinfo"),
    [
        ({"email_verified": True}, {"email": "alice@example.org", "email_verified": False}),
        ({"email_verified": True}, {"email": "alice@example.org"}),
        ({"email": "alice@example.org"}, {"email_verified": True}),
        ({"email": "", "email_verified": True}, {"email": "alice@example.org"}),
    ],
)
def test_an_address_is_verified_by_the_document_that_tells_it(
    client: Client, alice: User, provider: Provider, in_token: Any, in_userinfo: Any
) -> None:
    alice.email, alice.email_is_verified = "alice@example.org", True
    alice.save()
    provider.claims, provider.userinfo = in_token, {"sub": "subject-1", **in_userinfo}
    assert go(client, provider).status_code == 403
    assert not Identity.objects.exists()


def test_an_address_of_ones_own_is_not_verified(client: Client, alice: User) -> None:
    User.objects.update(email="alice@example.org", email_is_verified=True)
    client.force_login(alice)
    client.post("/accounts/", {"first_name": "", "email": "bob@example.org"})
    alice.refresh_from_db()
    assert (alice.email, alice.email_is_verified) == ("bob@example.org", False)


def test_who_is_locked_out_stays_out(client: Client, alice: User, provider: Provider) -> None:
    connect(alice, provider)
    User.objects.update(is_active=False)
    answer = go(client, provider)
    assert answer.status_code == 403
    assert "locked out" in answer.content.decode()
    assert not is_signed_in(client)


def connecting(client: Client) -> str:
    """The link of the account's page."""
    page = client.get("/accounts/").content.decode()
    return f"{START}?connect=" + page.split(f"{START}?connect=")[1].split('"')[0]


def test_another_site_does_not_start_connecting(
    client: Client, alice: User, bob: User, provider: Provider
) -> None:
    """Whoever could would sign in as alice from then on, with an identity of their own."""
    client.force_login(alice)
    bobs = Client()
    bobs.force_login(bob)
    for path in (f"{START}?connect=", f"{START}?connect=1", connecting(bobs)):
        assert client.get(path).status_code == 400
    assert not Identity.objects.exists()


def test_an_account_is_connected_and_disconnected(
    client: Client, alice: User, bob: User, provider: Provider
) -> None:
    client.force_login(alice)
    assert "Connect account" in client.get("/accounts/").content.decode()
    assert go(client, provider, connecting(client))["Location"] == "/accounts/"
    assert Identity.objects.get().user == alice
    bobs = Client()
    bobs.force_login(bob)
    assert go(bobs, provider, connecting(bobs)).status_code == 403
    client.post("/accounts/disconnect")
    assert not Identity.objects.exists()


def test_without_a_password_it_stays_connected(
    client: Client, alice: User, provider: Provider
) -> None:
    alice.set_unusable_password()
    alice.save()
    connect(alice, provider)
    client.force_login(alice)
    page = client.post("/accounts/disconnect", follow=True).content.decode()
    assert "Set a password first" in page
    assert Identity.objects.exists()


# --- what does not count ------------------------------------------------------------------------
FORGED: dict[str, dict[str, Any]] = {
    "another nonce": {"claims": {"nonce": "another"}},
    "no nonce": {"claims": {"nonce": None}},
    "another issuer": {"claims": {"iss": "https://evil.example"}},
    "no issuer": {"claims": {"iss": None}},
    "another audience": {"claims": {"aud": "another-client"}},
    "another audience, by us": {"claims": {"aud": "another-client", "azp": CLIENT}},
    "no audience": {"claims": {"aud": None}},
    "for another party": {"claims": {"aud": [CLIENT, "other"], "azp": "other"}},
    "expired": {"claims": {"exp": 1}},
    "no end": {"claims": {"exp": None}},
    "no subject": {"claims": {"sub": None}},
    "an empty subject": {"claims": {"sub": ""}},
    "a number as subject": {"claims": {"sub": 1}},
    "a subject that no database holds": {"claims": {"sub": "subject\0-1"}},
    "not signed": {"header": {"alg": "none"}},
    "not signed, as offered": {
        "header": {"alg": "none"},
        "metadata": {"id_token_signing_alg_values_supported": ["none", "RS256"]},
    },
    "signed by somebody else": {"key": providers.OTHER_KEY},
    "signed with the public key": {
        "header": {"alg": "HS256", "kid": "k1"},
        "metadata": {"id_token_signing_alg_values_supported": ["HS256", "RS256"]},
    },
    "no token": {"without_token": True},
    "metadata of another issuer": {"metadata": {"issuer": "https://evil.example"}},
}


@pytest.mark.parametrize("how", FORGED)
def test_a_wrong_token_signs_nobody_in(
    client: Client, alice: User, provider: Provider, how: str, caplog: Any
) -> None:
    connect(alice, provider)
    Identity.objects.create(user=User.objects.create(username="empty"), issuer=provider.url)
    for name, value in FORGED[how].items():
        setattr(provider, name, value)
    answer = client.get(START)
    if answer.status_code == 302:
        provider.sent(answer["Location"])
        answer = client.get(BACK, {"code": "the-code", "state": provider.asked["state"]})
    assert answer.status_code in (400, 503)
    assert not is_signed_in(client)
    for secret in (SECRET, "the-code", "an-access-token"):
        assert secret not in caplog.text


def test_of_what_is_offered_only_signatures_by_the_provider_count(
    client: Client, db: None, provider: Provider
) -> None:
    offered = ["none", "HS256", "RS256", "ES256"]
    provider.metadata = {"id_token_signing_alg_values_supported": offered}
    client.get(START)
    kept = oidc._checked_client().server_metadata["id_token_signing_alg_values_supported"]
    assert kept == ["RS256", "ES256"]


def test_the_same_token_untouched_is_accepted(
    client: Client, alice: User, provider: Provider
) -> None:
    connect(alice, provider)
    assert go(client, provider).status_code == 302
    assert provider.tokens_given == 1


def test_an_answer_is_for_the_browser_that_asked(
    client: Client, alice: User, provider: Provider
) -> None:
    connect(alice, provider)
    provider.sent(client.get(START)["Location"])
    answer = {"code": "the-code", "state": provider.asked["state"]}
    victim = Client()
    assert victim.get(BACK, answer).status_code == 400
    victim.get(START)
    assert victim.get(BACK, answer).status_code == 400
    assert not is_signed_in(victim)
    for wrong in ({**answer, "state": "x"}, {"code": "the-code"}, {"error": "access_denied"}, {}):
        assert client.get(BACK, wrong).status_code == 400
    assert client.get(BACK, answer).status_code == 302
    assert client.get(BACK, answer).status_code == 400  # once


@pytest.mark.parametrize("says_so", [True, False])
def test_an_answer_of_another_provider_signs_nobody_in(
    client: Client, alice: User, provider: Provider, says_so: bool
) -> None:
    """RFC 9207: an issuer in the answer has to be ours, and has to be there if it should."""
    connect(alice, provider)
    provider.metadata = {"authorization_response_iss_parameter_supported": says_so}
    provider.sent(client.get(START)["Location"])
    answer = {"code": "the-code", "state": provider.asked["state"]}
    refused = [["https://evil.example"], [provider.url, "https://evil.example"], [""]]
    for told in refused + ([[]] if says_so else []):
        assert client.get(BACK, {**answer, "iss": told}).status_code == 400
    assert provider.tokens_given == 0
    assert client.get(BACK, {**answer, "iss": provider.url}).status_code == 302


def test_a_provider_that_is_away_fails_nothing_else(
    client: Client, settings: Any, db: None
) -> None:
    settings.STUDIO_OIDC_ISSUER = "http://127.0.0.1:9"
    settings.STUDIO_OIDC_CLIENT_ID = settings.STUDIO_OIDC_CLIENT_SECRET = "x"
    assert client.get(START).status_code == 503
    page = client.get("/accounts/login/").content.decode()
    assert "Sign in with single sign-on" in page
    oidc._client.cache_clear()


def test_without_a_provider_there_is_no_such_page(client: Client, db: None) -> None:
    assert client.get(START).status_code == client.get(BACK).status_code == 404
    assert START not in client.get("/accounts/login/").content.decode()


@pytest.mark.parametrize(
    ("issuer", "client", "message"),
    [
        ("https://id.example.org", ("", "x"), "STUDIO_OIDC_CLIENT_ID"),
        ("https://id.example.org", ("x", ""), "STUDIO_OIDC_CLIENT_SECRET"),
        ("http://id.example.org", ("x", "x"), "must begin with https://"),
    ],
)
def test_half_a_configuration_is_refused(issuer: str, client: Any, message: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=message):
        env.check_sign_in(issuer=issuer, client=client, header="", trusted=[], secret="")


def test_letters_that_only_look_alike_to_a_database_are_others(alice: User) -> None:
    """UPPER makes a dotless i an i, and Python's lower the kelvin sign a k."""
    alice.email, alice.email_is_verified = "kim@example.org", True
    alice.save()
    for number, email in enumerate(("kım@example.org", "\u212aim@example.org")):
        known = Known("https://issuer.example", f"subject-{number}", email=email)
        assert person_of(known, timezone.now()) is None
    assert _same_address("kim@example.org", "KIM@Example.ORG")
    assert not _same_address("kim@example.org", "kım@example.org")
    assert not _same_address("kim@example.org", "\u212aim@example.org")
