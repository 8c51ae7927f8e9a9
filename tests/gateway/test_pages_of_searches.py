"""Where a page of a search ends tells nothing of workspaces that a name with `_` is like."""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from studio.models import Membership, Role, User, Workspace
from studio.services import create_token
from tests.gateway.conftest import Api

WORDS = (
    "", "name LIKE '%'", "name LIKE 'team-x%'", "tags.t = 'v'",
    "name LIKE 'team%' AND tags.t = 'v'",
)  # fmt: skip
KINDS = ("registered-models", "experiments")


@pytest.fixture
def place(gateway_url: str, db: None) -> Callable[[str], Api]:
    """Makes workspaces; what comes back is an owner's way into one."""

    def make(name: str) -> Api:
        workspace = Workspace.objects.create(name=name)
        user = User.objects.create_user(username=name)
        Membership.objects.create(workspace=workspace, user=user, role=Role.OWNER)
        made = create_token(workspace, user, role=Role.OWNER, name="t", now=timezone.now())
        return Api(f"{gateway_url}/{name}", made.secret)

    return make


def make(api: Api, kind: str, *names: str) -> None:
    for name in names:
        tags = [{"key": "t", "value": "v"}]
        assert api.post(f"{kind}/create", name=name, tags=tags).is_success


def found(api: Api, kind: str, words: str, size: int) -> list[list[str]]:
    """Names page by page."""
    pages: list[list[str]] = []
    asked: dict[str, Any] = {"filter": words, "max_results": str(size)}
    while True:
        told = api.get(f"{kind}/search", **asked).json()
        pages.append([item["name"] for item in told.get(kind.replace("-", "_"), ())])
        if not told.get("next_page_token"):
            return pages
        asked["page_token"] = told["next_page_token"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_search_is_as_if_there_were_no_workspace_of_a_like_name(
    kind: str, place: Callable[[str], Api]
) -> None:
    spy = place("team__")
    other = place("team-x")
    make(other, kind, "secret-1", "secret-2", "secret-3")
    for words in WORDS:
        assert found(spy, kind, words, 1) == [[]], words
    make(spy, kind, "a", "b", "z")
    pages = found(spy, kind, "tags.t = 'v'", 2)
    assert [len(page) for page in pages] == [2, 1]
    assert sorted(name for page in pages for name in page) == [
        f"team__{'/' if kind == 'experiments' else '.'}{name}" for name in ("a", "b", "z")
    ]


@pytest.mark.parametrize("key", ["max_results", "page_token", "maxResults", "pageToken"])
def test_a_page_that_cannot_be_meant_is_refused(key: str, place: Callable[[str], Api]) -> None:
    spy = place("team__")
    # A page may be asked for that is too large, and is smaller then.
    for value in ("-1", "x", "9" * 30 if "oken" in key else "-0.5", "٣"):
        answer = spy.get("registered-models/search", **{key: value})
        assert answer.status_code == 400, value
        answer = spy.post("experiments/search", **{key: value})
        assert answer.status_code == 400, value
