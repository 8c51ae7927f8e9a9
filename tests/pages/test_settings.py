"""Settings of a workspace: texts, members, tokens; and the own password."""

from datetime import timedelta

import pytest
from django.contrib.auth import SESSION_KEY
from django.utils import timezone

from studio.models import ApiToken, Membership, Role, User, Workspace
from studio.models.token import digest
from studio.services import create_token
from studio.store import mlflow_ui_command
from sweeps.queries.tracking import role_of_token

URL = "/w/default/settings/"


@pytest.fixture
def owner(client, alice):
    client.force_login(alice)
    return client


def membership(user):
    return Membership.objects.get(user=user, workspace__name="default")


# --- texts --------------------------------------------------------------------------------------
def test_an_owner_changes_title_and_description(owner):
    answer = owner.post(URL, {"title": "Vision", "description": "Cats"})
    assert answer["Location"] == URL
    workspace = Workspace.objects.get(name="default")
    assert (workspace.title, workspace.description) == ("Vision", "Cats")


def test_a_title_too_long_is_said_at_the_field_and_the_page_keeps_its_name(owner):
    answer = owner.post(URL, {"title": "x" * 121, "description": "kept"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "at most 120 characters" in page
    assert "kept" in page
    assert Workspace.objects.get(name="default").title == ""


def test_readers_see_members_and_the_store_line_but_no_token_and_no_form(client, rita, alice):
    client.force_login(rita)
    page = client.get(URL).content.decode()
    assert "alice" in page
    assert "mlflow ui --backend-store-uri" in page
    assert "API tokens" not in page
    assert f'action="{URL}' not in page


def test_the_store_line_masks_a_password(settings):
    settings.TRACKING_STORE = "postgresql://studio:s3cret@db/mlflow"
    line = mlflow_ui_command()
    assert "s3cret" not in line
    assert "postgresql://studio:…@db/mlflow" in line


def test_the_store_line_is_quoted_for_a_shell(settings, tmp_path):
    settings.TRACKING_STORE = "sqlite:////home/me/my studio/mlflow.db"
    settings.TRACKING_ARTIFACTS = tmp_path
    assert mlflow_ui_command() == (
        "mlflow ui --backend-store-uri 'sqlite:////home/me/my studio/mlflow.db' "
        f"--artifacts-destination {tmp_path}"
    )


# --- members ------------------------------------------------------------------------------------
def test_an_owner_adds_an_account(owner, charlie):
    answer = owner.post(f"{URL}members", {"username": "Charlie", "role": "reader"})
    assert answer["Location"] == URL
    assert membership(charlie).role == Role.READER


@pytest.mark.parametrize(
    ("username", "message"),
    [
        ("nobody", "There is no account “nobody” in this studio."),
        ("bob", "bob is a member already."),
        ("", "This field is required."),
    ],
)
def test_a_member_that_cannot_be_added_is_said_at_the_field(owner, bob, username, message):
    answer = owner.post(f"{URL}members", {"username": username, "role": "reader"})
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert Membership.objects.count() == 2


def test_a_role_that_does_not_exist_is_refused(owner, bob):
    page = owner.post(f"{URL}members/{membership(bob).pk}/role", {"role": "king"}, follow=True)
    assert "Choose one of the three roles." in page.content.decode()
    assert membership(bob).role == Role.CONTRIBUTOR


def test_an_owner_changes_a_role_and_removes_a_member(owner, bob):
    pk = membership(bob).pk
    owner.post(f"{URL}members/{pk}/role", {"role": "reader"})
    assert membership(bob).role == Role.READER
    owner.post(f"{URL}members/{pk}/remove")
    assert not Membership.objects.filter(user=bob).exists()


def test_the_last_owner_stays(owner, alice):
    pk = membership(alice).pk
    for url, data in (
        (f"{URL}members/{pk}/role", {"role": "reader"}),
        (f"{URL}members/{pk}/remove", {}),
    ):
        page = owner.post(url, data, follow=True).content.decode()
        assert "alice is the only owner. Make somebody else an owner first." in page
    assert membership(alice).role == Role.OWNER


def test_an_owner_who_leaves_lands_on_the_first_page(owner, alice, bob):
    Membership.objects.filter(user=bob).update(role=Role.OWNER)
    answer = owner.post(f"{URL}members/{membership(alice).pk}/remove")
    assert answer["Location"] == "/"


def test_members_of_other_workspaces_are_out_of_reach(owner, charlie):
    theirs = Membership.objects.get(user=charlie)
    assert owner.post(f"{URL}members/{theirs.pk}/remove").status_code == 404
    assert Membership.objects.filter(pk=theirs.pk).exists()


# --- tokens -------------------------------------------------------------------------------------
def test_a_token_is_shown_once_and_works(owner, now):
    answer = owner.post(f"{URL}tokens", {"name": "nightly", "role": "contributor", "days": "30"})
    page = answer.content.decode()
    token = ApiToken.objects.get()
    secret = page.split('id="token-secret">')[1].split("<")[0]
    assert digest(secret) == token.digest
    assert "no-store" in answer["Cache-Control"]
    found = role_of_token(secret, timezone.now())
    assert found is not None
    assert (found[0].workspace.name, found[1]) == ("default", Role.CONTRIBUTOR)
    assert timedelta(days=29) < token.expires_at - timezone.now() < timedelta(days=31)
    assert secret not in owner.get(URL).content.decode()


def test_a_token_may_last_for_ever_but_not_be_nameless(owner):
    assert owner.post(f"{URL}tokens", {"name": "", "role": "reader"}).status_code == 422
    assert (
        owner.post(f"{URL}tokens", {"name": "x", "role": "reader", "days": "never"}).status_code
        == 200
    )
    assert ApiToken.objects.get().expires_at is None


def test_a_revoked_token_stops_working_and_leaves_the_list(owner, alice, workspace):
    made = create_token(workspace, alice, role=Role.READER, name="old", now=timezone.now())
    assert "old" in owner.get(URL).content.decode()
    owner.post(f"{URL}tokens/{made.token.pk}/revoke")
    assert role_of_token(made.secret, timezone.now()) is None
    assert f"token-{made.token.pk}" not in owner.get(URL).content.decode()


def test_tokens_of_other_workspaces_are_out_of_reach(owner, charlie):
    elsewhere = Workspace.objects.get(name="elsewhere")
    made = create_token(elsewhere, charlie, role=Role.READER, name="x", now=timezone.now())
    assert owner.post(f"{URL}tokens/{made.token.pk}/revoke").status_code == 404
    assert ApiToken.objects.get().revoked_at is None


# --- who may ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("", {"title": "mine"}),
        ("members", {"username": "rita", "role": "owner"}),
        ("members/{pk}/role", {"role": "reader"}),
        ("members/{pk}/remove", {}),
        ("tokens", {"name": "x", "role": "owner", "days": "never"}),
        ("tokens/1/revoke", {}),
    ],
)
def test_only_owners_change_settings(client, alice, bob, rita, charlie, path, data):
    url = URL + path.format(pk=membership(alice).pk)
    for person in (bob, rita, charlie):
        client.force_login(person)
        assert client.post(url, data).status_code == 404
    assert membership(alice).role == Role.OWNER
    assert not ApiToken.objects.exists()
    assert Workspace.objects.get(name="default").title == ""


def test_strangers_do_not_see_the_settings(client, charlie, workspace):
    client.force_login(charlie)
    assert client.get(URL).status_code == 404


@pytest.mark.parametrize("path", ["members", "members/1/role", "members/1/remove", "tokens"])
def test_changes_are_posted(owner, path):
    assert owner.get(URL + path).status_code == 405


# --- password -----------------------------------------------------------------------------------
STRONG = "correct horse 9 battery"


def test_a_password_is_changed_and_other_sessions_end(client, alice):
    other = type(client)()
    for each in (client, other):
        each.force_login(alice)
    answer = client.post(
        "/accounts/password/",
        {"old_password": "alice-secret-1", "new_password1": STRONG, "new_password2": STRONG},
    )
    assert answer["Location"] == "/accounts/"
    assert User.objects.get(pk=alice.pk).check_password(STRONG)
    assert client.get("/w/").status_code == 200
    assert other.get("/w/").status_code == 302


def test_whoever_came_by_a_link_sets_a_password_without_an_old_one(client, alice):
    alice.set_unusable_password()
    alice.save()
    client.force_login(alice)
    page = client.get("/accounts/password/").content.decode()
    assert "Set a password" in page
    assert "old_password" not in page
    client.post("/accounts/password/", {"new_password1": STRONG, "new_password2": STRONG})
    assert User.objects.get(pk=alice.pk).check_password(STRONG)
    assert SESSION_KEY in client.session


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"old_password": "wrong"}, "Your old password was entered incorrectly"),
        ({"new_password2": "another"}, "didn’t match"),
        ({"new_password1": "1234", "new_password2": "1234"}, "too short"),
    ],
)
def test_a_wrong_password_form_says_why_and_changes_nothing(client, alice, changes, message):
    client.force_login(alice)
    given = {"old_password": "alice-secret-1", "new_password1": STRONG, "new_password2": STRONG}
    answer = client.post("/accounts/password/", given | changes)
    assert answer.status_code == 422
    assert message in answer.content.decode()
    assert STRONG not in answer.content.decode()
    assert User.objects.get(pk=alice.pk).check_password("alice-secret-1")


def test_visitors_have_no_password_page(client, db):
    assert client.get("/accounts/password/").status_code == 302
