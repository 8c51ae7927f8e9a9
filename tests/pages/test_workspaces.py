"""Making, listing, archiving and restoring workspaces."""

import pytest
from django.utils import timezone

from studio import services
from studio.models import Compute, Membership, Role, Workspace


def test_whoever_makes_a_workspace_owns_it_and_gets_a_compute(client, charlie):
    client.force_login(charlie)
    answer = client.post("/workspaces/new", {"name": "vision", "title": "Vision team"})
    assert answer["Location"] == "/w/vision/"
    workspace = Workspace.objects.get(name="vision")
    assert Membership.objects.get(workspace=workspace).user == charlie
    assert Membership.objects.get(workspace=workspace).role == Role.OWNER
    compute = Compute.objects.get(workspace=workspace)
    assert (compute.name, compute.is_default) == ("local", True)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("default", "There is a workspace “default” already."),
        ("Default", "There is a workspace “Default” already."),
        ("A b", "Use lower-case letters"),
        ("", "This field is required."),
    ],
)
def test_a_wrong_name_is_said_at_the_field_and_the_rest_is_kept(client, alice, name, message):
    client.force_login(alice)
    answer = client.post(
        "/workspaces/new", {"name": name, "title": "My title", "description": "Why it is"}
    )
    page = answer.content.decode()
    assert answer.status_code == 422
    assert message in page
    assert 'value="My title"' in page
    assert "Why it is" in page
    assert Workspace.objects.count() == 1


def test_a_name_taken_in_the_meantime_is_a_message_too(client, alice, monkeypatch):
    client.force_login(alice)

    def taken(workspace, owner):
        raise services.NameTaken("There is a workspace “vision” already.")

    monkeypatch.setattr(services, "create_workspace", taken)
    answer = client.post("/workspaces/new", {"name": "vision"})
    assert answer.status_code == 422
    assert "There is a workspace “vision” already." in answer.content.decode()


def test_the_list_shows_own_workspaces_with_roles_only(client, bob, charlie):
    client.force_login(bob)
    page = client.get("/w/").content.decode()
    assert "Contributor" in page
    assert "elsewhere" not in page


def test_an_archived_workspace_leaves_the_lists_and_comes_back(client, alice):
    client.force_login(alice)
    assert client.post("/w/default/archive")["Location"] == "/w/"
    page = client.get("/w/").content.decode()
    assert "Archived" in page
    assert "/w/default/restore" in page
    assert client.post("/w/default/restore")["Location"] == "/w/default/"
    assert Workspace.objects.get(name="default").archived_at is None
    assert "/w/default/restore" not in client.get("/w/").content.decode()


def test_only_owners_may_restore_what_readers_see_archived(client, rita, workspace):
    Workspace.objects.update(archived_at=timezone.now())
    client.force_login(rita)
    assert "/w/default/restore" not in client.get("/w/").content.decode()


@pytest.mark.parametrize("url", ["/w/default/archive", "/w/default/restore"])
def test_archiving_is_for_owners(client, alice, bob, rita, charlie, url):
    for person in (bob, rita, charlie):
        client.force_login(person)
        assert client.post(url).status_code == 404
    assert Workspace.objects.get(name="default").archived_at is None
    client.force_login(alice)
    assert client.get(url).status_code == 405
    assert client.post(url).status_code == 302


@pytest.mark.parametrize("url", ["/workspaces/new", "/w/"])
def test_visitors_are_asked_to_sign_in(client, db, url):
    assert client.get(url)["Location"].startswith("/accounts/login/")


def test_the_list_is_only_read(client, alice):
    client.force_login(alice)
    assert client.post("/w/").status_code == 405
    assert client.put("/workspaces/new").status_code == 405
