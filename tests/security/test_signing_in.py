"""Signing in: how often one may try, what it tells, what happens to sessions."""

import ipaddress
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from studio.models import Session, SignInAttempt, User
from studio.peers import network_of
from studio.people import throttle
from studio.people.passwords import new_sign_in_link
from studio.sessions import kept_as

LOGIN = "/accounts/login/"
RIGHT = "alice-secret-1"
SAME = "This name and password do not fit."


def attempt(name: str = "alice", password: str = "wrong", **where: Any) -> Any:
    return Client().post(LOGIN, {"username": name, "password": password}, **where)


def is_signed_in(client: Client) -> bool:
    return client.get("/w/").status_code == 200


# --- how often ----------------------------------------------------------------------------------
def test_after_ten_failures_even_the_right_password_waits(alice: User) -> None:
    assert [attempt().status_code for _ in range(10)] == [200] * 10
    refused = attempt(password=RIGHT)
    assert refused.status_code == 429
    assert 14 * 60 < int(refused["Retry-After"]) <= 15 * 60
    page = refused.content.decode()
    assert "Too many tries." in page
    assert "Wait 15 minutes" in page
    assert RIGHT not in page
    assert "_auth_user_id" not in refused.wsgi_request.session


def test_after_the_window_it_goes_on(alice: User) -> None:
    for _ in range(10):
        attempt()
    SignInAttempt.objects.update(at=timezone.now() - throttle.WINDOW)
    assert attempt(password=RIGHT).status_code == 302
    assert not SignInAttempt.objects.exists()


def test_what_was_refused_does_not_make_the_wait_longer(alice: User) -> None:
    for _ in range(30):
        attempt()
    assert SignInAttempt.objects.count() == 10


def test_the_right_password_clears_the_count(alice: User) -> None:
    for _ in range(3):
        for _ in range(9):
            assert attempt().status_code == 200
        assert attempt(password=RIGHT).status_code == 302


def test_others_and_other_places_are_not_held_up(alice: User, bob: User) -> None:
    for _ in range(11):
        attempt()
    assert attempt("bob", "bob-secret-1").status_code == 302
    assert attempt(password=RIGHT, REMOTE_ADDR="192.0.2.7").status_code == 302
    assert attempt(password=RIGHT).status_code == 429


def test_case_and_width_of_the_name_make_no_other_counter(alice: User) -> None:
    for name in ("alice", "ALICE", " alice ", "ａｌｉｃｅ", "Alice") * 2:
        assert attempt(name).status_code == 200
    assert attempt("aLICE").status_code == 429


def test_one_address_may_not_try_all_names(alice: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(throttle, "PER_ADDRESS", 20)
    assert [attempt(f"name{n}").status_code for n in range(20)] == [200] * 20
    assert attempt(password=RIGHT).status_code == 429
    assert attempt(password=RIGHT, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_addresses_of_one_ipv6_network_count_together(alice: User) -> None:
    for n in range(10):
        attempt(REMOTE_ADDR=f"2001:db8:1:2::{n:x}")
    assert attempt(REMOTE_ADDR="2001:db8:1:2:ffff::1").status_code == 429
    assert attempt(REMOTE_ADDR="2001:db8:1:3::1").status_code == 200


def test_a_forwarded_address_counts_from_a_trusted_proxy_only(alice: User, settings: Any) -> None:
    for n in range(10):
        attempt(REMOTE_ADDR="10.0.0.5", HTTP_X_FORWARDED_FOR=f"198.51.100.{n}")
    forged = {"REMOTE_ADDR": "10.0.0.5", "HTTP_X_FORWARDED_FOR": "198.51.100.99"}
    assert attempt(**forged).status_code == 429
    settings.STUDIO_PROXY_TRUSTED = [ipaddress.ip_network("10.0.0.5")]
    assert attempt(**forged).status_code == 200
    # What the person behind the proxy has written there stands further left.
    for n in range(9):
        where = {**forged, "HTTP_X_FORWARDED_FOR": f"203.0.113.{n}, 198.51.100.99"}
        assert attempt(**where).status_code == 200
    assert attempt(**forged).status_code == 429


def test_with_a_secret_the_address_is_believed_with_it_only(alice: User, settings: Any) -> None:
    """A trial on this machine has the proxy's address."""
    settings.STUDIO_PROXY_TRUSTED = [ipaddress.ip_network("127.0.0.1")]
    settings.STUDIO_PROXY_SECRET = "between us"
    for n in range(10):
        attempt(HTTP_X_FORWARDED_FOR=f"198.51.100.{n}", HTTP_X_STUDIO_PROXY_SECRET="x")
    assert attempt(HTTP_X_FORWARDED_FOR="198.51.100.99").status_code == 429
    proxied = {"HTTP_X_STUDIO_PROXY_SECRET": "between us"}
    assert attempt(HTTP_X_FORWARDED_FOR="198.51.100.99", **proxied).status_code == 200


def test_the_old_password_is_not_guessed_either(client: Client, alice: User) -> None:
    client.force_login(alice)
    body = {"old_password": "wrong", "new_password1": "x-9-battery", "new_password2": "x-9-battery"}
    codes = [client.post("/accounts/password/", body).status_code for _ in range(11)]
    assert codes == [422] * 10 + [429]
    right = {**body, "old_password": RIGHT}
    assert client.post("/accounts/password/", right).status_code == 429
    assert User.objects.get(pk=alice.pk).check_password(RIGHT)


@pytest.mark.django_db(transaction=True)
def test_tries_side_by_side_are_counted_too() -> None:
    now = timezone.now()

    def one(_: int) -> bool:
        try:
            return not isinstance(throttle.begin("alice", "192.0.2.7", now), throttle.Wait)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        heard = sum(threads.map(one, range(24)))
    assert 1 <= heard <= 10
    assert SignInAttempt.objects.count() == heard


def test_an_address_with_a_zone_is_the_address() -> None:
    assert network_of("fe80::1%eth0") == "fe80::/64"
    assert network_of("::ffff:192.0.2.7") == "192.0.2.7"
    assert network_of("not an address") == ""


# --- what it tells ------------------------------------------------------------------------------
@pytest.fixture
def hashed(monkeypatch: Any) -> Iterator[list[str]]:
    """Each time that a password is hashed."""
    seen: list[str] = []
    encode = MD5PasswordHasher.encode

    def counted(self: MD5PasswordHasher, password: str, salt: str) -> str:
        seen.append(salt)
        return encode(self, password, salt)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    return seen


def test_unknown_inactive_and_without_password_look_like_a_wrong_password(
    alice: User, bob: User, rita: User, hashed: list[str]
) -> None:
    User.objects.filter(pk=bob.pk).update(is_active=False)
    rita.set_unusable_password()
    rita.save()
    pages, costs = set(), set()
    cases = (("alice", "wrong"), ("bob", "bob-secret-1"), ("rita", "x"), ("nobody", "x"))
    for name, password in cases:
        hashed.clear()
        with CaptureQueriesContext(connection) as queries:
            answer = attempt(name, password)
        costs.add((len(hashed), len(queries)))
        page = answer.content.decode()
        assert SAME in page
        token = str(answer.context["csrf_token"])
        pages.add((answer.status_code, page.replace(token, "").replace(f'value="{name}"', "")))
    assert costs == {(1, len(queries))}
    assert len(pages) == 1


def test_what_was_typed_is_not_kept(alice: User) -> None:
    attempt("my-Passw0rd-in-the-wrong-field", "another-secret")
    kept = str(list(SignInAttempt.objects.values()))
    assert "passw0rd" not in kept.casefold()
    assert "another-secret" not in kept


# --- sessions -----------------------------------------------------------------------------------
def test_the_key_changes_whenever_somebody_signs_in(
    client: Client, alice: User, settings: Any
) -> None:
    keys = []
    for _ in range(2):
        client.get("/" + new_sign_in_link(alice, timezone.now()).split("/", 3)[3])
        keys.append(client.session.session_key)
    assert len({*keys}) == 2
    assert Session.objects.count() == 1
    old = Client()
    old.cookies[settings.SESSION_COOKIE_NAME] = keys[0]
    assert not is_signed_in(old)
    assert is_signed_in(client)


def test_a_key_chosen_by_somebody_else_is_not_taken(alice: User, settings: Any) -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    client.post(LOGIN, {"username": "alice", "password": RIGHT})
    assert is_signed_in(client)
    assert client.cookies[settings.SESSION_COOKIE_NAME].value != "a" * 32


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(alice: User, settings: Any) -> None:
    cookie = attempt(password=RIGHT).cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_the_database_holds_no_key(client: Client, alice: User, settings: Any) -> None:
    client.post(LOGIN, {"username": "alice", "password": RIGHT})
    key = client.session.session_key
    assert key not in str(list(Session.objects.values()))
    [row] = Session.objects.all()
    assert (row.pk, row.user) == (kept_as(key), alice)
    # What is in the database is no key.
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = row.pk
    assert not is_signed_in(thief)


def test_an_expired_session_signs_nobody_in(client: Client, alice: User) -> None:
    client.force_login(alice)
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_signed_in(client)


def test_signing_out_clears_what_the_browser_keeps(client: Client, alice: User) -> None:
    client.force_login(alice)
    assert client.get("/w/")["Cache-Control"] == "private, no-store"
    answer = client.post("/accounts/logout/")
    assert answer["Location"] == LOGIN
    assert answer["Clear-Site-Data"] == '"cache", "storage"'
    assert not Session.objects.filter(user=alice).exists()


# --- the own account ----------------------------------------------------------------------------
def test_sessions_are_listed_and_ended(client: Client, alice: User, bob: User) -> None:
    where = {
        "REMOTE_ADDR": "192.0.2.7",
        "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux) Firefox/150.0",
    }
    far, third, bobs = Client(), Client(), Client()
    far.post(LOGIN, {"username": "alice", "password": RIGHT}, **where)
    for each, person in ((client, alice), (third, alice), (bobs, bob)):
        each.force_login(person)
    page = client.get("/accounts/").content.decode()
    assert "Firefox on Linux" in page
    assert "192.0.2.7" in page
    assert page.count("End session") == 2
    key = kept_as(far.session.session_key)
    assert bobs.post(f"/accounts/sessions/{key}/end").status_code == 404
    assert client.post(f"/accounts/sessions/{key}/end").status_code == 302
    assert (is_signed_in(far), is_signed_in(third)) == (False, True)
    page = client.post("/accounts/sessions/end", follow=True).content.decode()
    assert "sessions ended: 1" in page
    assert [is_signed_in(each) for each in (client, third, bobs)] == [True, False, True]


def test_a_new_password_ends_other_sessions_and_unused_links(client: Client, alice: User) -> None:
    other = Client()
    other.force_login(alice)
    client.force_login(alice)
    before = client.session.session_key
    link = new_sign_in_link(alice, timezone.now())
    new = "correct horse 9 battery"
    body = {"old_password": RIGHT, "new_password1": new, "new_password2": new}
    assert client.post("/accounts/password/", body)["Location"] == "/accounts/"
    assert client.session.session_key != before
    assert Session.objects.filter(user=alice).count() == 1, "gone before it is used again"
    assert (is_signed_in(client), is_signed_in(other)) == (True, False)
    assert Client().get("/" + link.split("/", 3)[3]).status_code == 410


def test_tokens_are_listed_after_a_new_password_and_revoked(
    client: Client, alice: User, bob: User, workspace: Any
) -> None:
    from studio.models import Role
    from studio.services import create_token

    now = timezone.now()
    mine = create_token(workspace, alice, role=Role.READER, name="a notebook", now=now).token
    theirs = create_token(workspace, bob, role=Role.READER, name="bobs", now=now).token
    client.force_login(alice)
    new = "correct horse 9 battery"
    body = {"old_password": RIGHT, "new_password1": new, "new_password2": new}
    page = client.post("/accounts/password/", body, follow=True).content.decode()
    assert "1 API token still works" in page
    assert "a notebook" in page
    assert "bobs" not in page
    assert client.post(f"/accounts/tokens/{theirs.pk}/revoke").status_code == 404
    client.post(f"/accounts/tokens/{mine.pk}/revoke")
    mine.refresh_from_db()
    theirs.refresh_from_db()
    assert mine.revoked_at
    assert not theirs.revoked_at
    client.get("/accounts/")  # says that it is revoked
    assert "a notebook" not in client.get("/accounts/").content.decode()


def test_who_came_by_a_link_may_replace_a_forgotten_password(client: Client, alice: User) -> None:
    link = new_sign_in_link(alice, timezone.now(), for_password=True)
    assert client.get("/" + link.split("/", 3)[3])["Location"] == "/accounts/password/"
    assert "old_password" not in client.get("/accounts/password/").content.decode()
    new = "correct horse 9 battery"
    client.post("/accounts/password/", {"new_password1": new, "new_password2": new})
    assert User.objects.get(pk=alice.pk).check_password(new)


@pytest.mark.parametrize(
    "led",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Purpose": "prefetch"},
    ],
)
def test_another_site_signs_nobody_in_by_a_link_of_its_own(
    client: Client, alice: User, bob: User, led: dict[str, str]
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(bob)
    link = "/" + new_sign_in_link(alice, timezone.now()).split("/", 3)[3]
    page = client.get(link, headers=led)
    assert page.status_code == 200
    assert "Sign in as “alice”?" in page.content.decode()
    assert client.session["_auth_user_id"] == str(bob.pk)
    assert client.post(link, headers=led).status_code == 403
    body = {"csrfmiddlewaretoken": str(page.context["csrf_token"])}
    assert client.post(link, body, headers={"Sec-Fetch-Site": "same-origin"})["Location"] == "/"
    assert client.session["_auth_user_id"] == str(alice.pk)
    assert client.get(link, headers=led).status_code == 410


@pytest.mark.parametrize("site", ["none", "same-origin"])
def test_a_link_from_a_terminal_signs_in_at_once(client: Client, alice: User, site: str) -> None:
    link = "/" + new_sign_in_link(alice, timezone.now()).split("/", 3)[3]
    assert client.get(link, headers={"Sec-Fetch-Site": site}).status_code == 302
    assert is_signed_in(client)


def test_a_while_after_the_link_the_old_password_is_asked_for(client: Client, alice: User) -> None:
    client.get("/" + new_sign_in_link(alice, timezone.now()).split("/", 3)[3])
    session = client.session
    at = timezone.now() - timedelta(minutes=16)
    session["origin"] = {**session["origin"], "at": at.isoformat()}
    session.save()
    assert "old_password" in client.get("/accounts/password/").content.decode()


def test_who_has_no_password_is_asked_for_one_and_not_made_to(client: Client, alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    link = new_sign_in_link(alice, timezone.now())
    answer = client.get("/" + link.split("/", 3)[3], follow=True)
    assert answer.redirect_chain == [("/", 302)]
    assert '<a href="/accounts/password/">Set a password</a>' in answer.content.decode()


def test_name_and_mail_are_saved_and_a_wrong_mail_is_said(client: Client, alice: User) -> None:
    client.force_login(alice)
    answer = client.post("/accounts/", {"first_name": "Alice Liddell", "email": "wrong"})
    assert answer.status_code == 422
    assert "Enter a valid email address." in answer.content.decode()
    client.post("/accounts/", {"first_name": "Alice Liddell", "email": "a@example.org"})
    alice.refresh_from_db()
    assert (alice.get_full_name(), alice.email) == ("Alice Liddell", "a@example.org")
