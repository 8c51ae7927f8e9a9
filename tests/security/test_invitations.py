"""Invitations: who may make one, that a link works once, and what it makes."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from studio.models import AuditEntry, Invitation, Membership, Role, User, Workspace
from studio.models.token import digest
from studio.people import invitations

URL = "/w/default/settings/invitations"
NEW = {
    "username": "dora",
    "full_name": "Dora Explorer",
    "new_password1": "correct horse 9 battery",
    "new_password2": "correct horse 9 battery",
}


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


@pytest.fixture
def link(alice: User, workspace: Workspace) -> str:
    made = invitations.invite(workspace, alice, role=Role.READER, now=timezone.now(), note="Dora")
    return path_of(made.link)


def role_of(name: str) -> str | None:
    rows = Membership.objects.filter(user__username=name, workspace__name="default")
    return rows.values_list("role", flat=True).first()


def test_an_owner_invites_and_sees_the_link_once(client: Client, alice: User) -> None:
    client.force_login(alice)
    answer = client.post(URL, {"note": "Dora", "role": "contributor"})
    page = answer.content.decode()
    secret = page.split("/accounts/invitation/")[1].split("/")[0]
    assert "no-store" in answer["Cache-Control"]
    kept = Invitation.objects.get()
    assert kept.digest == digest(secret)
    assert secret not in str(list(Invitation.objects.values()))
    assert secret not in str(list(AuditEntry.objects.values()))
    again = client.get("/w/default/settings/").content.decode()
    assert secret not in again
    assert "Dora" in again
    assert timedelta(days=6) < kept.expires_at - timezone.now() <= timedelta(days=7)


def test_it_has_to_be_for_somebody(client: Client, alice: User) -> None:
    client.force_login(alice)
    for body, message in (
        ({"role": "reader"}, "Say who it is for"),
        ({"role": "reader", "email": "x"}, "Enter a valid email address."),
        ({"role": "king", "note": "x"}, "Select a valid choice."),
    ):
        answer = client.post(URL, body)
        assert answer.status_code == 422
        assert message in answer.content.decode()
    assert not Invitation.objects.exists()


def test_it_is_mailed_where_there_is_a_mail_server(
    client: Client, alice: User, settings: Any
) -> None:
    settings.STUDIO_SMTP_URL = "smtp://mail.example.org"
    settings.STUDIO_URL = "https://studio.example.org"
    client.force_login(alice)
    body = {"email": "dora@example.org", "role": "reader"}
    page = client.post(URL, body, follow=True).content.decode()
    [sent] = mail.outbox
    assert sent.to == ["dora@example.org"]
    assert "https://studio.example.org/accounts/invitation/" in sent.body
    assert "/accounts/invitation/" not in page
    assert "The invitation is on its way to dora@example.org." in page


def test_a_mail_that_fails_leaves_the_link_to_copy(
    client: Client, alice: User, settings: Any, monkeypatch: Any
) -> None:
    settings.STUDIO_SMTP_URL = "smtp://mail.example.org"

    def refuse(self: Any) -> None:
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    client.force_login(alice)
    page = client.post(URL, {"email": "dora@example.org", "role": "reader"}).content.decode()
    assert "The mail could not be sent (nobody there)." in page
    assert "/accounts/invitation/" in page


def test_the_studio_is_no_mail_machine(client: Client, alice: User, monkeypatch: Any) -> None:
    monkeypatch.setattr(invitations, "PER_DAY", 2)
    client.force_login(alice)
    codes = [client.post(URL, {"note": f"n{n}", "role": "reader"}).status_code for n in range(3)]
    assert codes == [200, 200, 422]
    assert Invitation.objects.count() == 2
    Invitation.objects.update(created_at=timezone.now() - timedelta(days=1))
    assert client.post(URL, {"note": "next day", "role": "reader"}).status_code == 200


def test_somebody_new_picks_name_and_password_and_is_in(link: str) -> None:
    client = Client()
    page = client.get(link).content.decode()
    assert "alice invites you" in page
    assert client.get(link).status_code == 200  # looking does not use it
    assert client.post(link, NEW)["Location"] == "/w/default/"
    dora = User.objects.get(username="dora")
    assert dora.check_password(NEW["new_password1"])
    assert (dora.get_full_name(), dora.is_superuser) == ("Dora Explorer", False)
    assert role_of("dora") == Role.READER
    assert client.get("/w/default/").status_code == 200
    other = Client()
    for answer in (other.get(link), other.post(link, {**NEW, "username": "eve"})):
        assert answer.status_code == 410
    assert not User.objects.filter(username="eve").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"username": "ALICE"}, "There is an account “ALICE” already."),
        ({"username": "a b"}, "Enter a valid username."),
        ({"username": ""}, "This field is required."),
        ({"new_password2": "other"}, "didn’t match"),
        ({"username": "correct.horse9"}, "too similar to the username"),
        ({"new_password1": "password", "new_password2": "password"}, "too common"),
    ],
)
def test_what_is_wrong_is_said_and_the_link_stays(link: str, changes: Any, message: str) -> None:
    answer = Client().post(link, NEW | changes)
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert not User.objects.filter(first_name="Dora Explorer").exists()
    assert Client().post(link, NEW).status_code == 302


def test_who_is_signed_in_joins_by_a_click(client: Client, charlie: User, link: str) -> None:
    client.force_login(charlie)
    page = client.get(link).content.decode()
    assert "Join workspace" in page
    assert "new_password1" not in page
    assert client.post(link)["Location"] == "/w/default/"
    assert role_of("charlie") == Role.READER
    assert client.get(link).status_code == 410


def test_a_member_does_not_use_it_up(client: Client, bob: User, link: str) -> None:
    client.force_login(bob)
    assert "a member of this workspace already" in client.get(link).content.decode()
    assert client.post(link).status_code == 409
    assert role_of("bob") == Role.CONTRIBUTOR
    assert Client().post(link, NEW).status_code == 302


def test_of_two_who_come_at_once_one_joins(link: str, charlie: User) -> None:
    found = invitations.find(link.split("/")[3], timezone.now())
    assert found
    assert Client().post(link, NEW).status_code == 302
    with pytest.raises(invitations.Refused, match="used or revoked meanwhile"):
        invitations.join(found, charlie, timezone.now())
    assert role_of("charlie") is None


def lose_the_role(alice: User) -> None:
    Membership.objects.filter(user=alice).update(role=Role.CONTRIBUTOR)


def deactivate(alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)


def run_out(alice: User) -> None:
    Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))


def revoke(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    pk = Invitation.objects.get().pk
    assert client.post(f"{URL}/{pk}/revoke").status_code == 302


@pytest.mark.parametrize("end", [lose_the_role, deactivate, run_out, revoke])
def test_it_ends(link: str, alice: User, end: Any) -> None:
    end(alice)
    for answer in (Client().get(link), Client().post(link, NEW)):
        assert answer.status_code == 410
        assert "default" not in answer.content.decode()
    assert not User.objects.filter(username="dora").exists()


def test_only_owners_invite_and_revoke(
    client: Client, bob: User, rita: User, charlie: User, link: str
) -> None:
    pk = Invitation.objects.get().pk
    for person in (bob, rita, charlie):
        client.force_login(person)
        assert client.post(URL, {"note": "x", "role": "owner"}).status_code == 404
        assert client.post(f"{URL}/{pk}/revoke").status_code == 404
    client.force_login(charlie)
    elsewhere = f"/w/elsewhere/settings/invitations/{pk}/revoke"
    assert client.post(elsewhere).status_code == 404
    [kept] = Invitation.objects.all()
    assert kept.revoked_at is None


def test_pending_ones_are_shown_to_owners_only(
    client: Client, bob: User, alice: User, link: str
) -> None:
    client.force_login(bob)
    assert "Dora" not in client.get("/w/default/settings/").content.decode()
    client.force_login(alice)
    assert "Dora" in client.get("/w/default/settings/").content.decode()


def test_a_member_leaves_and_the_last_owner_does_not(
    client: Client, alice: User, bob: User
) -> None:
    client.force_login(bob)
    assert client.post("/w/default/leave")["Location"] == "/"
    assert role_of("bob") is None
    assert client.post("/w/default/leave").status_code == 404
    client.force_login(alice)
    page = client.post("/w/default/leave", follow=True).content.decode()
    assert "alice is the only owner." in page
    assert role_of("alice") == Role.OWNER


def test_all_of_it_is_in_the_log(alice: User) -> None:
    client = Client()
    client.force_login(alice)
    page = client.post(URL, {"note": "Dora", "role": "reader"}).content.decode()
    link = "/accounts/invitation/" + page.split("/accounts/invitation/")[1].split("/")[0] + "/"
    Client().post(link, NEW)
    told = list(AuditEntry.objects.values_list("who", "verb", "noun", "name"))
    assert ("alice", "created", "invitation", "Dora") in told
    assert ("dora", "created", "account", "dora") in told
    assert ("dora", "joined", "member", "dora") in told
