"""Every page x method x identity: who is let in, and that the others learn nothing."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from studio.models import Compute, User
from tests.security.matrix.rows import PAGES, Who
from tests.security.matrix.stage import (
    NOWHERE,
    Stage,
    ask,
    asked_for,
    page_routes,
    plain,
    set_up,
    undone,
)

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LOGIN = "/accounts/login/?next="
# An administrator of the site is no member, and has nothing to leave.
NOT_FOR_ALL = {("workspace_leave", Who.ADMIN)}
# Not there until somebody configures it.
OFF = ("oidc_start", "oidc_callback")
# What somebody who may is answered, whatever the state of things is.
WELL = (200, 204, 302, 304, 400, 409, 410, 422)

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.timeout(600)]


@pytest.fixture
def stage(alice: User, compute: Compute, now: Any, settings: Any) -> Stage:
    settings.STUDIO_API_RATE = 0
    return set_up(alice, compute, now)


def unjudged(rows: dict[str, Any]) -> list[str]:
    """Routes without a row, and rows without a route."""
    names = {name for name, _route in page_routes()}
    return sorted(names ^ set(rows))


def least(name: str, method: str) -> Who:
    """Who may do this, by the row of the route."""
    get, post = PAGES[name]
    return {"GET": get, "HEAD": get, "POST": post}.get(method, Who.NOBODY)


def asked(stage: Stage) -> Iterator[tuple[str, str, str, Who]]:
    """Name, pattern, method and least identity of every request."""
    for name, route in page_routes():
        for method in METHODS:
            yield name, route, method, least(name, method)


def test_every_page_has_a_row() -> None:
    assert unjudged(PAGES) == [], "Give these a row in tests/security/matrix/rows.py."


def test_a_row_that_is_missing_is_told() -> None:
    fewer = {name: row for name, row in PAGES.items() if name != "sweep_cancel"}
    assert unjudged(fewer) == ["sweep_cancel"]


def test_without_a_session_there_is_only_the_way_in(stage: Stage) -> None:
    wrong = []
    bearers = {kind: f"Bearer {token}" for kind, token in stage.tokens.items()}
    for name, route, method, who in asked(stage):
        address = stage.address(route)
        for kind, header in {"nobody": "", **bearers}.items():
            if kind != "nobody" and method not in ("GET", "POST"):
                continue
            headers = {"Authorization": header} if header else {}
            status, _body, where = ask(Client(), method, address, headers=headers)
            is_sent_in = status == 302 and where.startswith(LOGIN)
            if get_or_post_is_open(name):
                if (status >= 500 and name != "healthz") or (who is Who.NOBODY and status != 405):
                    wrong.append((kind, method, address, status))
            elif not is_sent_in:
                wrong.append((kind, method, address, status))
    assert not wrong, "\n".join(map(str, wrong))


def get_or_post_is_open(name: str) -> bool:
    return Who.ANYBODY in PAGES[name]


def test_everybody_gets_what_their_role_allows_and_not_a_thing_more(stage: Stage) -> None:
    wrong = []
    for name, route, method, who in asked(stage):
        address = stage.address(route)
        for me, client in stage.clients.items():
            if method == "HEAD" and who <= me < Who.OWNER:
                continue  # as GET, once more
            if method == "OPTIONS" and me is not Who.OWNER:
                continue  # nobody's; strangers are asked below
            status, _body, _where = ask(client, method, address)
            if who is Who.NOBODY:
                is_right = status == 405
            elif (name, me) in NOT_FOR_ALL or name in OFF:
                is_right = status == 404
            elif who is Who.SELF:
                is_right = status in (WELL if me is Who.OWNER else (404,))
            elif me >= who:
                is_right = status in WELL or name == "healthz"
            else:
                is_right = status == 404
            if not is_right and not (method == "HEAD" and status == 405):
                wrong.append((me.name, method, address, status))
    assert not wrong, "\n".join(map(str, wrong))


def test_strangers_learn_nothing_of_a_workspace(stage: Stage) -> None:
    wrong = []
    for _name, route, method, who in asked(stage):
        if "<str:ws>" not in route and who not in (Who.ADMIN, Who.SELF):
            continue
        address = stage.address(route)
        missing = stage.address(route, which=2, ws=NOWHERE)
        for kind, client in stage.strangers.items():
            status, body, _where = ask(client, method, address)
            if who is Who.NOBODY:
                is_right = status == 405
            else:
                is_right = status == 404 and same(client, method, body, address, missing)
            if not is_right and not (method == "HEAD" and status == 405):
                wrong.append((kind, method, address, status))
    assert not wrong, "\n".join(map(str, wrong))


def test_ids_of_elsewhere_are_missing_in_the_own_workspace(stage: Stage) -> None:
    wrong = []
    for _name, route, method, who in asked(stage):
        foreign, missing = stage.address(route, which=1), stage.address(route, which=2)
        if who in (Who.NOBODY, Who.ADMIN) or foreign == missing:
            continue
        client = stage.clients[Who.OWNER]
        status, body, _where = ask(client, method, foreign)
        if method == "HEAD" and status == 405:
            continue
        if status != 404 or not same(client, method, body, foreign, missing):
            wrong.append((method, foreign, status))
    assert not wrong, "\n".join(map(str, wrong))


def same(client: Client, method: str, body: bytes, address: str, missing: str) -> bool:
    """Whether what is missing is answered by the same bytes, but for the names asked for."""
    status, other, _where = ask(client, method, missing)
    names = asked_for(address, missing)
    return status == 404 and plain(body, *names) == plain(other, *names)


# --- Forgery ------------------------------------------------------------------------------------
def test_nothing_is_done_without_the_pages_own_token(
    stage: Stage, alice: User, settings: Any
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    client.get("/w/default/settings/")
    token = client.cookies[settings.CSRF_COOKIE_NAME].value
    wrong = []
    for name, route in page_routes():
        if PAGES[name][1] is Who.NOBODY:
            continue
        address = stage.address(route)
        for kind, headers in {
            "no token": {},
            "another's origin": {"Origin": "https://evil.example", "X-CSRFToken": token},
            "another's token": {"X-CSRFToken": "x" * len(token)},
        }.items():
            status, _body, _where = ask(client, "POST", address, headers=headers)
            if status != 403:
                wrong.append((kind, address, status))
    assert not wrong, "\n".join(map(str, wrong))


# GETs that change rows, and why that is no harm.
CHANGING = {"sign_in_link": "the link itself is what signs in, once"}


def test_no_page_changes_anything_by_being_looked_at(stage: Stage) -> None:
    wrong = []
    client = stage.clients[Who.OWNER]
    for name, route in page_routes():
        if PAGES[name][0] is Who.NOBODY or name in CHANGING:
            continue
        address = stage.address(route)
        with undone(client):
            before = connection.connection.total_changes
            client.get(address).getvalue()
            if connection.connection.total_changes != before:
                wrong.append(address)
    assert not wrong, "\n".join(map(str, wrong))
