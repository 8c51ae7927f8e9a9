"""The administrators' page of all accounts: who may, and what each act ends."""

import re
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from studio.models import ApiToken, Role, Session, User, Workspace
from studio.people import administration
from studio.people.passwords import new_sign_in_link
from studio.services import Refused, create_token
from sweeps.queries.tracking import role_of_token

ACTS = ("deactivate", "reactivate", "promote", "demote", "link")


def plain(answer: Any) -> str:
    """A page without its tokens against forgery, which no two have alike."""
    text = answer.content.decode()
    return re.sub(r'(csrfmiddlewaretoken" value="|X-CSRFToken": ")[A-Za-z0-9]+', "", text)


@pytest.fixture
def root(workspace: Workspace) -> User:
    return User.objects.create_superuser("root", password="root-secret-1")


@pytest.fixture
def admin(client: Client, root: User) -> Client:
    client.force_login(root)
    return client


def test_an_administrator_sees_everybody(admin: Client, alice: User, charlie: User) -> None:
    page = admin.get("/people/").content.decode()
    assert all(name in page for name in ("root", "alice", "charlie", "3 accounts"))
    assert 'href="/people/"' in page


def test_to_others_there_is_no_such_page(client: Client, alice: User, root: User) -> None:
    client.force_login(alice)
    missing = plain(client.get("/people/nothing"))
    for answer in (client.get("/people/"), *(client.post(f"/people/{root.pk}/{a}") for a in ACTS)):
        assert answer.status_code == 404
        assert plain(answer) == missing
    assert 'href="/people/"' not in client.get("/accounts/").content.decode()
    root.refresh_from_db()
    assert (root.is_active, root.is_superuser) == (True, True)


def test_acts_are_posted(admin: Client, alice: User) -> None:
    for act in ACTS:
        assert admin.get(f"/people/{alice.pk}/{act}").status_code == 405
        assert admin.post(f"/people/999999/{act}").status_code == 404


def test_deactivating_ends_sessions_tokens_and_links_at_once(
    admin: Client, alice: User, workspace: Workspace
) -> None:
    now = timezone.now()
    hers = Client()
    hers.force_login(alice)
    link = "/" + new_sign_in_link(alice, now).split("/", 3)[3]
    token = create_token(workspace, alice, role=Role.OWNER, name="x", now=now).secret
    assert role_of_token(token, now)
    admin.post(f"/people/{alice.pk}/deactivate")
    assert role_of_token(token, timezone.now()) is None
    assert hers.get("/w/").status_code == 302
    assert Client().get(link).status_code == 410
    assert not Session.objects.filter(user=alice).exists()
    body = {"username": "alice", "password": "alice-secret-1"}
    assert hers.post("/accounts/login/", body).status_code == 200
    admin.post(f"/people/{alice.pk}/reactivate")
    assert hers.get("/w/").status_code == 302
    assert role_of_token(token, timezone.now()) is None
    assert Client().get(link).status_code == 410
    assert hers.post("/accounts/login/", body).status_code == 302


def test_the_last_administrator_stays(admin: Client, root: User, alice: User) -> None:
    for act in ("deactivate", "demote"):
        page = admin.post(f"/people/{root.pk}/{act}", follow=True).content.decode()
        assert "root is the only administrator. Make somebody else one first." in page
    admin.post(f"/people/{alice.pk}/promote")
    admin.post(f"/people/{alice.pk}/deactivate")  # one who is locked out does not count
    with pytest.raises(Refused):
        administration.set_administrator(root, False)
    root.refresh_from_db()
    assert (root.is_active, root.is_superuser) == (True, True)


def test_an_administrator_makes_another_and_steps_down(
    admin: Client, root: User, alice: User
) -> None:
    admin.post(f"/people/{alice.pk}/promote")
    assert admin.post(f"/people/{root.pk}/demote")["Location"] == "/"
    assert admin.get("/people/").status_code == 404
    assert list(User.objects.filter(is_superuser=True)) == [alice]


def test_a_link_for_a_forgotten_password_is_shown_once(admin: Client, alice: User) -> None:
    answer = admin.post(f"/people/{alice.pk}/link")
    page = answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    link = "/accounts/link/" + page.split("/accounts/link/")[1].split("/")[0] + "/"
    assert link not in admin.get("/people/").content.decode()
    hers = Client()
    assert hers.get(link)["Location"] == "/accounts/password/"
    assert "old_password" not in hers.get("/accounts/password/").content.decode()


def test_nobody_gets_a_link_while_locked_out(admin: Client, alice: User) -> None:
    admin.post(f"/people/{alice.pk}/deactivate")
    assert admin.post(f"/people/{alice.pk}/link").status_code == 404


def test_tokens_stay_revoked_and_others_stay(
    admin: Client, alice: User, bob: User, workspace: Any
) -> None:
    now = timezone.now()
    for person in (alice, bob):
        create_token(workspace, person, role=Role.READER, name="x", now=now)
    admin.post(f"/people/{alice.pk}/deactivate")
    left = ApiToken.objects.filter(revoked_at=None).values_list("user__username", flat=True)
    assert list(left) == ["bob"]
