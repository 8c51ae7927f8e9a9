"""The list of a workspace's sweeps."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from studio.access import may_in, workspace_for
from studio.models import Role, Workspace
from sweeps.charts.sparkline import Sparkline, best_so_far
from sweeps.queries import lists
from sweeps.queries.clock import database_now
from sweeps.queries.records import objective_of
from sweeps.spec.yaml_text import MAX_BYTES
from sweeps.views.live import around, place_news
from sweeps.views.remedies import remedy

# A trace of 64 pixels cannot show more steps than this.
_TRACE_STEPS = 400
# How often the page asks: while something is active, and while all is quiet.
ACTIVE_MS, QUIET_MS = 3_000, 15_000
_FRAGMENTS = {
    "sweep-statuses": "sweeps/_sweep_statuses.html",
    "sweep-chips": "sweeps/_sweep_chips.html",
    "sweep-rows": "sweeps/_sweep_rows.html",
}
_COLUMNS = (
    ("name", "Sweep", ""),
    ("", "Status", ""),
    ("trials", "Trials", ""),
    ("best", "Best", "end"),
    ("", "Objective", ""),
    ("", "", ""),
    ("", "Algorithm", ""),
    ("compute", "Compute", ""),
    ("started", "Started", ""),
    ("duration", "Duration", "end"),
    ("by", "By", ""),
)
# Larger is what one looks for first.
_DOWN_FIRST = ("trials", "started", "duration")


def wants_fragment(request: HttpRequest) -> bool:
    """True for htmx, except when it restores a page that the browser has forgotten."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx and not htmx.history_restore_request)


@require_safe
def sweep_list(request: HttpRequest, ws: str) -> HttpResponse:
    """Sweeps, the active ones first; `status`, `q`, `tag`, `sort` and `page` stand in the URL."""
    workspace = workspace_for(request, ws)
    context = _context(request, workspace, database_now())
    kept = lists.sweeps_of([workspace])
    context |= {"tags": _tags(ws, kept, context["chosen"]), "most_bytes": MAX_BYTES}
    return render(request, "sweeps/list.html", context)


@require_safe
def sweep_list_live(request: HttpRequest, ws: str) -> HttpResponse:
    """What changed of the list since the page that asks; 204 if nothing has."""
    workspace = workspace_for(request, ws)
    context = _context(request, workspace, database_now())
    return place_news(request, context, _FRAGMENTS)


def _asked(request: HttpRequest) -> lists.Selection:
    given = {key: request.GET.get(key, "").replace("\0", "").strip() for key in _WORDS}
    sort = given["sort"] if given["sort"].removeprefix("-") in lists.SORTS else ""
    group = given["status"] if given["status"] in lists.GROUPS else ""
    return lists.Selection(group, given["q"], given["tag"], sort)


_WORDS = ("status", "q", "tag", "sort")


def _kept(chosen: lists.Selection) -> dict[str, str]:
    """The words of the address that say this."""
    words = (chosen.group, chosen.text, chosen.tag, chosen.sort)
    return {key: value for key, value in zip(_WORDS, words, strict=True) if value}


def _context(request: HttpRequest, workspace: Workspace, now: datetime) -> dict[str, Any]:
    ws, chosen = workspace.name, _asked(request)
    found = lists.tagged(lists.matching(lists.sweeps_of([workspace]), chosen.text), chosen.tag)
    shown = lists.listed(lists.in_group(found, chosen.group), now, chosen.sort)
    page = Paginator(shown, lists.PAGE_SIZE).get_page(request.GET.get("page"))
    rows = lists.rows(list(page.object_list), now)
    groups, kept = lists.groups(found), _kept(chosen)
    is_live = any(row.key == "active" and row.count for row in groups)
    # Why a sweep waits may change without a change to the sweep.
    word = around(now, lists.revision(found), *(row.reason for row in rows))
    return {
        "workspace": workspace,
        "may_run": may_in(request, workspace, Role.CONTRIBUTOR),
        "may_delete": may_in(request, workspace, Role.OWNER),
        "chosen": chosen,
        "columns": _columns(ws, kept),
        "groups": [(row, _url(ws, kept | {"status": row.key})) for row in groups],
        "chips": _chips(ws, kept),
        "list_url": _url(ws, {}),
        "page": page,
        "rows": [(row, trace(row), remedy(row)) for row in rows],
        "around": word,
        "live_ms": ACTIVE_MS if is_live else QUIET_MS,
        "previous_url": page.has_previous() and _url(ws, kept | {"page": page.number - 1}),
        "next_url": page.has_next() and _url(ws, kept | {"page": page.number + 1}),
        "can_compare": _can_compare(ws),
        "selectable": True,
    }


def _columns(ws: str, kept: Mapping[str, str]) -> list[dict[str, str]]:
    """The heads of the table; `url` sorts by it, the other way round if it is sorted already."""
    sort = kept.get("sort", "")
    found = []
    for word, label, place in _COLUMNS:
        column = {"label": label, "place": place, "url": "", "order": ""}
        if word:
            first, second = (f"-{word}", word) if word in _DOWN_FIRST else (word, f"-{word}")
            # The third time it is the usual order again.
            following = {first: second, second: ""}.get(sort, first)
            column["url"] = _url(ws, {**kept, "sort": following})
            if sort.removeprefix("-") == word:
                column["order"] = "descending" if sort.startswith("-") else "ascending"
        found.append(column)
    return found


def _chips(ws: str, kept: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Name, words and the address without it of each filter but the status."""
    names = {"q": "text", "tag": "tag"}
    return [
        (name, kept[word], _url(ws, {**kept, word: ""}))
        for word, name in names.items()
        if word in kept
    ]


def _tags(ws: str, sweeps: Any, chosen: lists.Selection) -> list[tuple[str, int, str, bool]]:
    kept = _kept(chosen)
    return [
        (tag, count, _url(ws, kept | {"tag": tag}), tag == chosen.tag)
        for tag, count in lists.tags_of(sweeps)
    ]


def _can_compare(ws: str) -> bool:
    """True once there is a page that compares sweeps."""
    try:
        reverse("compare_sweeps", args=[ws])
    except NoReverseMatch:
        return False
    return True


def trace(row: lists.Row) -> Sparkline:
    """The best-so-far staircase of a sweep."""
    trials = sum(row.counts.values())
    steps = min(trials, _TRACE_STEPS)
    values: list[float | None] = [None] * steps
    for number, value in row.records:
        values[min(number, trials - 1) * steps // trials] = value
    return best_so_far(values, objective_of(row.sweep), width=64, height=18)


def _url(ws: str, query: Mapping[str, object]) -> str:
    words = urlencode({key: value for key, value in query.items() if value not in ("", None)})
    return reverse("sweep_list", args=[ws]) + (f"?{words}" if words else "")
