"""The audit log: who, what, before and after, from where; with the change or not at all."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.utils import timezone

from studio import actor, audit, services
from studio.forms import ComputeForm, WorkspaceTextForm
from studio.models import ApiToken, AuditEntry, Compute, Membership, Role, User, Workspace
from studio.models.audit import AppendOnly
from sweeps.engine.audit import AuditLog
from sweeps.forms.channel import ChannelForm
from sweeps.forms.environment import EnvironmentForm
from sweeps.models import Environment
from sweeps.services import channels, environments


def newest() -> AuditEntry:
    return AuditEntry.objects.order_by("-id")[:1].get()


@pytest.fixture
def page(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


@pytest.fixture
def acting(alice: User) -> Any:
    with actor.acting(actor.Actor(actor.Origin.BROWSER, lambda: alice, lambda: "192.0.2.1")):
        yield


def test_an_entry_says_who_what_from_where_and_when(page: Client, workspace: Workspace) -> None:
    began = timezone.now()
    page.post(
        "/w/default/settings/",
        {"title": "Vision", "description": ""},
        headers={"X-Request-ID": "req-7"},
        REMOTE_ADDR="192.0.2.7",
    )
    entry = newest()
    assert (entry.who, entry.verb, entry.noun, entry.name) == (
        "alice", "changed", "workspace", "default",
    )  # fmt: skip
    assert (entry.user and entry.user.username, entry.workspace) == ("alice", workspace)
    assert (entry.origin, entry.address, entry.request_id) == ("browser", "192.0.2.7", "req-7")
    assert entry.changes == {"title": ["", "Vision"]}
    assert began <= entry.at <= timezone.now()


def test_an_id_that_is_none_of_a_request_is_not_kept(page: Client) -> None:
    page.post("/w/default/archive", headers={"X-Request-ID": "a b<script>"})
    assert newest().request_id == ""


def test_what_changes_nothing_leaves_no_entry(page: Client, workspace: Workspace) -> None:
    page.post("/w/default/settings/", {"title": "Vision", "description": ""})
    count = AuditEntry.objects.count()
    page.post("/w/default/settings/", {"title": "Vision", "description": ""})
    assert page.post("/w/default/restore").status_code == 302
    assert AuditEntry.objects.count() == count


def test_without_its_entry_a_change_is_undone(
    page: Client, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError("no room for entries")

    monkeypatch.setattr(AuditEntry, "save", full)
    with pytest.raises(OSError, match="no room"):
        page.post("/w/default/settings/", {"title": "Vision", "description": ""})
    workspace.refresh_from_db()
    assert workspace.title == ""


@pytest.mark.django_db(transaction=True)
def test_an_entry_by_itself_is_refused(acting: None) -> None:
    with pytest.raises(audit.NotInTransaction):
        audit.note("changed", "workspace", "default")
    assert not AuditEntry.objects.exists()


def test_entries_are_never_changed_and_never_deleted(page: Client) -> None:
    page.post("/w/default/archive")
    entry = newest()
    entry.who = "somebody else"
    for act in (
        entry.save,
        entry.delete,
        lambda: AuditEntry.objects.update(who="x"),
        lambda: AuditEntry.objects.all().delete(),
    ):
        with pytest.raises(AppendOnly):
            act()
    assert newest().who == "alice"


def test_an_entry_outlasts_the_account(page: Client, alice: User) -> None:
    page.post("/w/default/archive")
    Membership.objects.filter(user=alice).delete()
    alice.delete()
    entry = newest()
    assert (entry.who, entry.user) == ("alice", None)


def test_variables_are_named_and_not_told(acting: None, compute: Compute) -> None:
    compute.environment_variables = {"API_KEY": "canary-1", "GONE": "canary-2"}
    services.save_compute(compute, is_default=True)
    assert newest().changes == {
        "environment_variables.API_KEY": [None, "(hidden)"],
        "environment_variables.GONE": [None, "(hidden)"],
    }
    compute.environment_variables = {"API_KEY": "canary-3"}
    services.save_compute(compute, is_default=True)
    assert newest().changes == {
        "environment_variables.API_KEY": ["(hidden)", "(hidden) changed"],
        "environment_variables.GONE": ["(hidden)", None],
    }
    assert "canary" not in str(list(AuditEntry.objects.values()))


def test_a_token_is_named_by_its_hint(acting: None, workspace: Workspace, alice: User) -> None:
    made = services.create_token(
        workspace, alice, role=Role.READER, name="nightly", now=timezone.now()
    )
    assert newest().name == f"nightly ({made.secret[:8]}…)"
    assert newest().changes == {
        "person": [None, "alice"], "role": [None, "reader"], "expires_at": [None, "never"],
    }  # fmt: skip
    assert made.secret not in str(list(AuditEntry.objects.values()))
    services.revoke_token(made.token, timezone.now())
    services.revoke_token(made.token, timezone.now())
    assert [entry.verb for entry in AuditEntry.objects.order_by("id")] == ["created", "revoked"]


def test_long_and_unstorable_values_are_cut(acting: None, workspace: Workspace) -> None:
    many = {f"field {n}": (None, n) for n in range(60)}
    odd = {"text": (None, "a\0b\ud800" + "x" * 1_000), "list": ([1], list(range(1_000)))}
    with transaction.atomic():
        audit.note("changed", "workspace", "n" * 500, changes={**odd, **many, "same": (1, 1)})
    entry = newest()
    assert entry.changes["text"][1].startswith("ab?xxx")
    assert max(len(str(pair[1])) for pair in entry.changes.values()) <= 300
    assert entry.changes["…"] == [None, "22 more"]
    assert len(entry.name) == 300


def test_people_who_sign_in_and_out_are_noted(client: Client, alice: User) -> None:
    wrong = {"username": "ALICE", "password": "nothing"}
    client.post("/accounts/login/", wrong)
    assert (newest().verb, newest().name, newest().who) == (
        "failed to sign in", "alice", "(unknown)",
    )  # fmt: skip
    client.post("/accounts/login/", wrong | {"username": "alice-secret-1"})
    assert newest().name == "(unknown)"
    client.post("/accounts/login/", {"username": "alice", "password": "alice-secret-1"})
    assert (newest().verb, newest().who) == ("signed in", "alice")
    client.post("/accounts/logout/")
    assert (newest().verb, newest().who) == ("signed out", "alice")
    assert "alice-secret-1" not in str(list(AuditEntry.objects.values()))


def test_a_password_is_noted_without_a_word_of_it(page: Client) -> None:
    new = {"new_password1": "quite-another-1", "new_password2": "quite-another-1"}
    page.post("/accounts/password/", {"old_password": "alice-secret-1"} | new)
    assert (newest().verb, newest().noun, newest().changes) == ("changed", "password", {})


def test_a_command_is_noted_as_such(workspace: Workspace, alice: User) -> None:
    call_command("token", user="alice", stdout=StringIO())
    entry = newest()
    assert (entry.who, entry.origin, entry.user) == ("command line", "command line", None)
    assert entry.changes["person"] == [None, "alice"]
    call_command("signin", user="alice", stdout=StringIO())
    assert (newest().verb, newest().name) == ("made a sign-in link", "alice")


def test_what_nobody_did_leaves_no_entry(workspace: Workspace, alice: User) -> None:
    services.archive_workspace(workspace, timezone.now())
    assert not AuditEntry.objects.exists()
    assert actor.current() is None


def test_a_token_s_change_names_person_and_hint(
    client: Client, workspace: Workspace, alice: User
) -> None:
    made = services.create_token(workspace, alice, role=Role.OWNER, name="ci", now=timezone.now())
    bearer = {"Authorization": f"Bearer {made.secret}"}
    client.delete("/api/v1/workspaces/default", headers=bearer)
    entry = newest()
    assert (entry.who, entry.token_hint, entry.origin) == (
        "alice",
        ApiToken.objects.get().hint,
        "REST",
    )
    assert entry.verb == "archived"


def test_what_is_older_than_is_kept_is_forgotten(page: Client) -> None:
    page.post("/w/default/archive")
    first = newest()
    page.post("/w/default/restore")
    assert AuditEntry.objects.forget_before(first.at) == 0
    assert AuditEntry.objects.forget_before(newest().at) == 1
    assert AuditEntry.objects.get().verb == "restored"


def test_the_engine_forgets_only_where_a_number_of_days_is_set(page: Client, settings: Any) -> None:
    page.post("/w/default/archive")
    later = timezone.now() + timedelta(days=31)
    AuditLog().look(later)
    assert AuditEntry.objects.exists()
    settings.STUDIO_AUDIT_DAYS = 30
    log = AuditLog()
    log.look(later - timedelta(days=2))
    assert AuditEntry.objects.exists()
    log.look(later)  # not yet an hour later
    assert AuditEntry.objects.exists()
    AuditLog().look(later)
    assert not AuditEntry.objects.exists()


def test_whatever_a_form_changes_is_told() -> None:
    """By name at least: a new field of one of these forms has to be in the log."""
    forms: dict[Any, tuple[str, ...]] = {
        ComputeForm: (*services.SAID_OF_COMPUTES, "environment_variables"),
        ChannelForm: (*channels.SAID, "address"),
        EnvironmentForm: tuple(environments.said(Environment())),
        WorkspaceTextForm: ("title", "description"),
    }
    for form, told in forms.items():
        assert set(form.Meta.fields) <= set(told), form
