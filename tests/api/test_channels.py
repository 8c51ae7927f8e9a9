"""Channels over REST: made by owners, listed for contributors, without addresses and secrets."""

from typing import Any

import pytest

from studio.models import Role, User, Workspace
from sweeps.models import Channel
from tests.api.conftest import Caller

ALL = "/workspaces/default/channels"
HOOK = {"name": "ops", "kind": "webhook", "address": "https://hooks.example.org/t/very-secret"}


@pytest.fixture
def owner(alice: User, token_for: Any) -> Caller:
    return Caller(token_for(alice, Role.OWNER))


def test_a_webhook_is_made_and_its_secret_told_once(owner: Caller, api: Caller) -> None:
    response = owner.post(ALL, HOOK | {"on_ended": False, "on_best": True})
    assert response.status_code == 201
    made = response.json()
    row = Channel.objects.get()
    assert made["secret"] == row.secret
    assert row.secret.startswith("whsec_")
    assert (row.address, row.on_ended, row.on_broken, row.on_best) == (
        HOOK["address"], False, True, True,
    )  # fmt: skip
    listed = api.get(ALL)
    assert [one["name"] for one in listed.json()["items"]] == ["ops"]
    for answer in (response, listed):
        assert "very-secret" not in answer.content.decode()
    assert "whsec_" not in listed.content.decode()
    assert listed.json()["items"][0].keys() == made.keys() - {"secret"}


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"address": "ftp://hooks.example.org/"}, "address"),
        ({"on_ended": False, "on_broken": False}, "on_ended"),
        ({"on_best": "yes"}, "on_best"),
        ({"secret": "mine"}, "secret"),
        ({"name": ""}, "name"),
    ],
)
def test_what_cannot_be_told_is_refused_by_its_field(
    owner: Caller, change: dict[str, Any], field: str
) -> None:
    response = owner.post(ALL, HOOK | change)
    assert response.status_code == 422
    assert response.json()["error"]["field"] == field
    assert not Channel.objects.exists()


def test_owners_delete_and_nobody_reaches_another_workspaces(
    owner: Caller, api: Caller, workspace: Workspace, charlie: User
) -> None:
    theirs = Channel.objects.create(
        workspace=charlie.workspaces.get(), name="theirs", kind="email", address="c@example.org"
    )
    ours = owner.post(ALL, HOOK).json()["id"]
    assert api.send("DELETE", f"{ALL}/{ours}").status_code == 404
    assert api.post(ALL, HOOK).status_code == 404
    for nobodys in (theirs.pk, 10**30, -1):
        assert owner.send("DELETE", f"{ALL}/{nobodys}").status_code == 404
    assert owner.send("DELETE", f"{ALL}/{ours}").status_code == 204
    assert [*Channel.objects.all()] == [theirs]


def test_channels_of_one_name_are_paged_through(owner: Caller, api: Caller) -> None:
    made = [owner.post(ALL, HOOK).json()["id"] for _ in range(3)]
    first = api.get(ALL, limit=2).json()
    rest = api.get(ALL, limit=2, cursor=first["next_cursor"]).json()
    assert [one["id"] for one in (*first["items"], *rest["items"])] == made
