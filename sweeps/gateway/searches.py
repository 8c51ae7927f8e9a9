"""Searches of a workspace whose name has `_`, which stands for any character in MLflow's LIKE.

`team_a.%` finds what `team-a` has, too. The rows of others are dropped, but where pages end would
tell that there are some, and with a filter what they hold. So pages are cut here, from own rows.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.http import HttpResponse, JsonResponse

from sweeps.gateway import proxy
from sweeps.gateway.adapt import Asked, items_of, visible
from sweeps.gateway.identity import Caller
from sweeps.gateway.page_sizes import at_most
from sweeps.gateway.refusals import invalid
from sweeps.gateway.routes import Matched
from sweeps.services import room

# How many MLflow gives where nobody says.
_SIZES = {"experiments": 1000, "registered_models": 100, "model_versions": 10_000}
_MOST = 50_000
_SIZE, _TOKEN = ("max_results", "maxResults"), ("page_token", "pageToken")


def is_loose(caller: Caller, matched: Matched) -> bool:
    """True if MLflow would find others' things by the workspace's prefix."""
    return "_" in caller.workspace and bool(items_of(matched))


def search(caller: Caller, matched: Matched, asked: Asked) -> HttpResponse:
    """MLflow's answer as if there were no other workspace.

    Raises Refusal for a page that cannot be meant, and TrackingUnavailable.
    """
    items = items_of(matched)
    given = asked.body if asked.body is not None else dict(reversed(asked.query))
    size = _number(given, _SIZE) or _SIZES[items]
    start = _number(given, _TOKEN)
    # As many at a time as may be on a page, whosever they are.
    batch = str(min(1_000, at_most(room.heaviest_of())))
    rows: list[Any] = []
    token = ""
    while len(rows) <= start + size:
        got = proxy.exchange(matched, _page(asked, token, batch))
        if not got.is_success:
            return proxy.answer(caller, matched, got)
        told = visible(caller, matched, got.json())
        rows += told.get(items, ())
        token = told.get("next_page_token") or ""
        if not token:
            break
    end = start + size
    answer: dict[str, Any] = {items: rows[start:end]} if rows[start:end] else {}
    return JsonResponse(answer | ({"next_page_token": str(end)} if len(rows) > end else {}))


def _number(given: Mapping[str, Any], keys: tuple[str, ...]) -> int:
    text = next((str(given[key]) for key in keys if given.get(key) not in (None, "")), "0")
    if not text.isascii() or not text.isdecimal() or len(text) > 9 or int(text) > _MOST * 1000:
        raise invalid(f"Invalid value for parameter '{keys[0]}'.")
    return int(text)


def _page(asked: Asked, token: str, batch: str) -> Asked:
    """The same search, from its first page on, or from where the last page ended."""
    fresh = {"max_results": batch} | ({"page_token": token} if token else {})
    if asked.body is not None:
        kept = {k: v for k, v in asked.body.items() if k not in (*_SIZE, *_TOKEN)}
        return replace(asked, body=kept | fresh)
    pairs = tuple((k, v) for k, v in asked.query if k not in (*_SIZE, *_TOKEN))
    return replace(asked, query=(*pairs, *fresh.items()))
