"""The table of roles in docs/accounts.md, tried on the pages: who may, and who is offered it."""

import re

import pytest
from django.test import Client

from studio.models import Compute, User
from tests.pages import everywhere
from tests.security.audit_steps import PAGES
from tests.studio.test_accounts import address

# What takes an owner, by what the address says of it; all else in a workspace a contributor.
OWNERS = re.compile(r"w/<str:ws>/(archive|restore|settings/|computes/)|w/<str:ws>/sweeps/selected")
ANYBODYS = {"w/<str:ws>/leave"}


@pytest.fixture
def place(alice: User, compute: Compute, now: object) -> None:
    everywhere.set_up(alice, compute, now)  # type: ignore[arg-type]


def posted(user: User, route: str, data: object, path: object) -> int:
    client = Client()
    client.force_login(user)
    where = path if isinstance(path, str) and path else address(route)
    return client.post(where, data if isinstance(data, dict) else {}).status_code


def test_what_takes_an_owner_is_not_there_for_a_contributor(place: None, bob: User) -> None:
    """Nothing is changed by the others' tries, so that all are of the same place."""
    steps = [step for step in PAGES if OWNERS.match(step.route)]
    assert len(steps) > 20
    found = {step.route: posted(bob, step.route, step.data, step.path) for step in steps}
    assert {route for route, status in found.items() if status != 404} == set()


def test_what_takes_a_contributor_is_not_there_for_a_reader(place: None, rita: User) -> None:
    steps = [step for step in PAGES if step.route.startswith("w/") and step.route not in ANYBODYS]
    found = {step.route: posted(rita, step.route, step.data, step.path) for step in steps}
    assert {route for route, status in found.items() if status != 404} == set()


# Where forms and buttons of a page lead that change something, and links to forms.
_POSTED = re.compile(
    r'<form[^>]*method="post"[^>]*action="([^"]*)"|(?:formaction|hx-post)="([^"]*)"'
)
_LINKED = re.compile(r'href="(/w/default/(?:sweeps/new|computes/new|settings/audit/)[^"?]*)')
OWNED = re.compile(r"/w/default/(archive|restore|settings/|computes/)")
EVERYBODYS = ("/accounts/", "/w/default/leave", "/w/default/sweeps/selected")
SEEN = (
    "/", "/help/", "/w/default/", "/w/default/sweeps/", "/w/default/sweeps/going/",
    "/w/default/sweeps/going/trials/", "/w/default/sweeps/broken/", "/w/default/sweeps/paused/",
    "/w/default/sweeps/going/trials/0/", "/w/default/sweeps/going/trials/2/",
    "/w/default/sweeps/done/trials/0/", "/w/default/computes/", "/w/default/environments/",
    "/w/default/environments/trees/", "/w/default/settings/", "/w/default/models/",
    "/w/default/settings/notifications/", "/w/default/settings/secrets/",
)  # fmt: skip


def offered(text: str) -> set[str]:
    """Addresses, without their queries, that a page offers for changing something."""
    posted = {one or other for one, other in _POSTED.findall(text)}
    return {target.partition("?")[0] for target in {*posted, *_LINKED.findall(text)}}


@pytest.mark.parametrize("who", ["rita", "bob", "alice"])
def test_no_page_offers_what_the_person_may_not_do(
    who: str, place: None, alice: User, bob: User, rita: User
) -> None:
    client = Client()
    client.force_login({"rita": rita, "bob": bob, "alice": alice}[who])
    wrong, found = [], set()
    for page in SEEN:
        answer = client.get(page)
        if answer.status_code == 404:
            continue  # not for this person at all
        for target in offered(answer.content.decode()):
            found.add(target)
            ours = target.startswith("/w/default/") and target not in EVERYBODYS
            if ours and (who == "rita" or (who == "bob" and OWNED.match(target))):
                wrong.append((page, target))
    assert wrong == []
    assert len(found) > {"rita": 0, "bob": 15, "alice": 30}[who], sorted(found)
