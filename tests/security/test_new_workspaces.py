"""Who makes a workspace owns it and runs programs there: nobody gets to that by themselves."""

import pytest
from django.test import Client

from studio.models import User, Workspace
from tests.conftest import person


def tried(user: User) -> tuple[int, int, bool]:
    """What the form and sending it answer, and whether any page offers it."""
    client = Client()
    client.force_login(user)
    pages = [client.get(page).content.decode() for page in ("/", "/w/", "/help/")]
    form = client.get("/workspaces/new").status_code
    sent = client.post("/workspaces/new", {"name": "mine"}).status_code
    return form, sent, any("/workspaces/new" in page for page in pages)


@pytest.mark.parametrize("who", ["rita", "bob", "nina"])
def test_roles_below_owner_do_not_grow_by_a_workspace_of_their_own(
    who: str, workspace: Workspace, rita: User, bob: User
) -> None:
    user = {"rita": rita, "bob": bob}.get(who) or person("nina", None, None)
    assert tried(user) == (404, 404, False)
    assert not Workspace.objects.filter(name="mine").exists()


def test_owners_and_administrators_make_workspaces(workspace: Workspace, alice: User) -> None:
    assert tried(alice) == (200, 302, True)
    Workspace.objects.filter(name="mine").delete()
    root = User.objects.create_superuser("root")
    assert tried(root) == (200, 302, True)


def test_a_locked_out_owner_makes_none(workspace: Workspace, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_active=False)
    form, sent, _offered = tried(alice)
    assert (form, sent) == (302, 302)  # to the sign-in page
    assert not Workspace.objects.filter(name="mine").exists()
