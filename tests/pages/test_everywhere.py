"""No page is forgotten by those who look at all of them."""

from typing import Any

import pytest
from django.test import Client

from studio.models import Compute, User
from tests.pages import everywhere


@pytest.fixture
def alices(client: Client, alice: User, compute: Compute, now: Any) -> Client:
    everywhere.set_up(alice, compute, now)
    client.force_login(alice)
    return client


def test_every_route_has_something_to_show(alices: Client) -> None:
    missing = []
    for address in everywhere.addresses():
        answer = alices.get(address)
        if "<" in address or answer.status_code not in (200, 204, 302, 405, 422):
            missing.append(address)
        answer.getvalue()  # read to its end, a file is closed
    assert missing == [], "Give these a value in tests/pages/everywhere.py."


def test_the_walk_leads_through_all_kinds_of_pages(alices: Client) -> None:
    pages = everywhere.pages(alices)
    assert len(pages) == len(set(pages))
    for name in ("", "trials/", "charts/", "compare/", "logs/", "config/", "edit", "trials/1/"):
        assert f"/w/default/sweeps/going/{name}" in pages
    assert {"/", "/help/", "/w/", "/w/default/sweeps/new", "/w/default/computes/new"} <= {*pages}
    assert not [page for page in pages if page.endswith(("/live", "/variable", "/result"))]


@pytest.mark.parametrize("state", everywhere.STATES)
def test_each_state_is_there(alices: Client, state: str) -> None:
    expected = 404 if state.endswith("/nothing/") else 200
    assert alices.get(state).status_code == expected
