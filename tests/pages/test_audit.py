"""The pages, files and REST answers of the audit log: who sees what of it."""

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from studio import actor, audit
from studio.models import AuditEntry, Role, User, Workspace
from studio.services import create_token

PAGES = ("/w/default/settings/audit/", "/w/default/settings/audit.csv", "/audit/", "/audit.csv")
FORMULA = "=HYPERLINK(1)"


@pytest.fixture
def log(workspace: Workspace, alice: User, bob: User) -> None:
    """One entry of each kind that pages tell apart."""
    elsewhere = Workspace.objects.create(name="other")
    for who, noun, place, changes in (
        (alice, "compute", workspace, {"slots": (2, 4), "description": ("", FORMULA)}),
        (bob, "sweep", workspace, {}),
        (bob, "member", elsewhere, {"role": ("reader", None)}),
        (bob, "session", None, {}),
    ):
        by = actor.Actor(actor.Origin.BROWSER, lambda who=who: who, lambda: "192.0.2.7")
        with actor.acting(by), transaction.atomic():
            audit.note("changed", noun, f"<b>{noun}</b>", workspace=place, changes=changes)


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def shown(client: Client, address: str) -> list[str]:
    found = client.get(address)
    assert found.status_code == 200
    return [entry.noun for entry, _ in found.context["rows"]]


def test_owners_see_their_workspace_and_administrators_everything(
    log: None, alice: User, bob: User, rita: User, charlie: User
) -> None:
    assert shown(signed_in(alice), PAGES[0]) == ["sweep", "compute"]
    for user in (bob, rita, charlie):
        assert [signed_in(user).get(page).status_code for page in PAGES] == [404] * 4
    assert [signed_in(alice).get(page).status_code for page in PAGES[2:]] == [404] * 2
    User.objects.filter(pk=charlie.pk).update(is_superuser=True)
    admin = signed_in(charlie)
    assert shown(admin, "/audit/?noun=member") == ["member"]
    assert {"session", "member", "sweep", "compute"} <= set(shown(admin, "/audit/"))


def test_entries_are_found_by_person_noun_and_day(log: None, alice: User) -> None:
    page = signed_in(alice)
    assert shown(page, f"{PAGES[0]}?person=BO") == ["sweep"]
    assert shown(page, f"{PAGES[0]}?noun=compute") == ["compute"]
    today = timezone.now().date()
    for query, count in (
        (f"since={today}", 2),
        (f"until={today}", 2),
        (f"since={today + timedelta(days=1)}", 0),
        (f"until={today - timedelta(days=1)}", 0),
        ("until=9999-12-31", 2),
    ):
        assert len(shown(page, f"{PAGES[0]}?{query}")) == count, query
    text = page.get(f"{PAGES[0]}?since=yesterday&noun=nope&before=99999999999999999999").content
    assert "Write a day as 2026-03-31, not “yesterday”." in text.decode()


def test_before_and_after_are_readable_and_names_are_no_markup(log: None, alice: User) -> None:
    text = signed_in(alice).get(PAGES[0]).content.decode()
    assert "<del>2</del>" in text
    assert "<ins>4</ins>" in text
    assert "&lt;b&gt;sweep&lt;/b&gt;" in text
    assert "<b>sweep</b>" not in text
    assert "192.0.2.7" in text


def test_pages_lead_from_the_newest_to_the_oldest(workspace: Workspace, alice: User) -> None:
    with actor.acting(actor.of_command()), transaction.atomic():
        for number in range(120):
            audit.note("changed", "sweep", f"s{number}", workspace=workspace)
    page, found, query = signed_in(alice), [], "?"
    while query:
        answer = page.get(PAGES[0] + query)
        found += [entry.name for entry, _ in answer.context["rows"]]
        query = answer.context["older"]
    assert found == [f"s{number}" for number in range(119, -1, -1)]


def test_an_empty_log_says_what_will_stand_there(workspace: Workspace, alice: User) -> None:
    page = signed_in(alice)
    assert "Nothing was changed yet." in page.get(PAGES[0]).content.decode()
    assert "No entry is so." in page.get(f"{PAGES[0]}?noun=sweep").content.decode()


def test_the_file_has_a_line_per_field_and_no_formula(log: None, alice: User) -> None:
    answer = signed_in(alice).get(PAGES[1])
    assert answer["Content-Disposition"] == 'attachment; filename="default-audit.csv"'
    lines = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert [line["noun"] for line in lines] == ["sweep", "compute", "compute"]
    assert [line["after"] for line in lines] == ["", "4", f"'{FORMULA}"]
    assert lines[0]["workspace"] == "default"


def test_an_owner_s_token_reads_it_and_no_other(
    client: Client, log: None, workspace: Workspace, alice: User, bob: User
) -> None:
    def get(user: User, role: Role, query: str = "") -> Any:
        made = create_token(workspace, user, role=role, name="t", now=timezone.now())
        bearer = {"Authorization": f"Bearer {made.secret}"}
        return client.get(f"/api/v1/workspaces/default/audit{query}", headers=bearer)

    items = get(alice, Role.OWNER).json()["items"]
    assert [item["noun"] for item in items] == ["sweep", "compute"]
    assert items[1]["changes"] == {"slots": [2, 4], "description": ["", FORMULA]}
    assert (items[1]["who"], items[1]["origin"], items[1]["token"]) == ("alice", "browser", "")
    assert get(alice, Role.CONTRIBUTOR).status_code == get(bob, Role.OWNER).status_code == 404
    assert [item["noun"] for item in get(alice, Role.OWNER, "?person=bob").json()["items"]] == [
        "sweep"
    ]
    wrong = get(alice, Role.OWNER, "?since=x&noun=x").json()["errors"]
    assert {error["field"] for error in wrong} == {"since", "noun"}
    one = get(alice, Role.OWNER, "?limit=1").json()
    rest = get(alice, Role.OWNER, f"?limit=1&cursor={one['next_cursor']}").json()
    assert [page["items"][0]["noun"] for page in (one, rest)] == ["sweep", "compute"]
    assert AuditEntry.objects.count() == 4  # reading leaves no entry
