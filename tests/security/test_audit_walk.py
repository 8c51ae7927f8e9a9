"""Everything that a person can change by a page leaves an entry: a new route without one fails."""

from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone

from studio.models import AuditEntry, Compute, Role, User
from studio.services import create_token
from sweeps.models import Attempt, Sweep
from sweeps.services.registry import note_logged
from tests.pages import everywhere
from tests.security.audit_steps import CANARY, LEFT, PAGES, Stage, Step
from tests.studio.test_accounts import address, routes

# By token; `test_audit_of_programs.py` has them.
_OTHERS = ("api/v1/", "tracking/", "relay/", "static/")


def page_routes() -> list[str]:
    return [r for r in routes(get_resolver().url_patterns) if not r.startswith(_OTHERS)]


def forgotten(client: Client, known: Iterable[str]) -> list[str]:
    """Routes that take a POST and are not among the known ones."""
    rest = [route for route in page_routes() if route not in set(known)]
    return [r for r in rest if client.post(address(r)).status_code != 405]


@pytest.fixture
def alices(client: Client, alice: User) -> Client:
    User.objects.filter(pk=alice.pk).update(is_superuser=True)
    client.force_login(alice)
    return client


def test_every_route_that_takes_a_post_has_a_row(alices: Client) -> None:
    known = [*(step.route for step in PAGES), *LEFT]
    assert set(known) <= set(page_routes()), "These are no routes any more."
    assert not forgotten(alices, known), "Give these a row in tests/security/audit_steps.py."


def test_a_row_less_is_seen(alices: Client) -> None:
    one = "w/<str:ws>/archive"
    known = [route for route in [*(step.route for step in PAGES), *LEFT] if route != one]
    assert forgotten(alices, known) == [one]


def taken(stage: Stage, step: Step) -> Iterator[str]:
    """What was wrong with a step."""
    try:
        path = step.path(stage) if callable(step.path) else step.path or address(step.route)
        data: Any = step.data(stage) if callable(step.data) else step.data
    except Exception as error:  # an earlier step has not made what this one needs
        yield f"{step.route}: {error!r}"
        return
    last = AuditEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0
    answer = stage.client.post(path, data)
    if answer.status_code not in (200, 202, 204, 302):
        yield f"{path}: {answer.status_code}"
    found = list(AuditEntry.objects.filter(id__gt=last))
    if not any(entry.noun == step.noun for entry in found):
        yield f"{path}: no {step.noun} in {found} ({answer.status_code})"
    wrong = [entry for entry in found if entry.who not in ("alice", "bob") or not entry.address]
    if wrong or any(entry.origin != "browser" for entry in found):
        yield f"{path}: {wrong} by nobody"


@pytest.mark.django_db(transaction=True)
def test_each_change_leaves_its_entry_in_its_transaction(
    alices: Client, alice: User, bob: User, rita: User, charlie: User, compute: Compute, now: Any
) -> None:
    """Outside of a transaction `note` raises; this database has real ones."""
    everywhere.set_up(alice, compute, now)
    create_token(compute.workspace, alice, role=Role.READER, name="own", now=timezone.now())
    first = Attempt.objects.get(trial__sweep__name="done", trial__number=0)
    note_logged(first, f"m-{first.pk:032x}", "model")
    bundle = alices.get("/w/default/sweeps/done/bundle.zip").getvalue()
    stage = Stage(alices, alice, bundle)
    problems = [problem for step in PAGES for problem in taken(stage, step)]
    assert "\n".join(problems) == ""
    everything = str(list(AuditEntry.objects.values()))
    assert CANARY not in everything
    assert "secret-1" not in everything
    assert Sweep.objects.filter(name="done").count() == 0
