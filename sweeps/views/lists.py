"""The list of a workspace's sweeps."""

from collections.abc import Mapping
from urllib.parse import urlencode

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from studio.access import may_in, workspace_for
from studio.models import Role
from sweeps.charts.sparkline import Sparkline, best_so_far
from sweeps.queries import lists
from sweeps.queries.clock import database_now
from sweeps.queries.records import objective_of
from sweeps.spec.yaml_text import MAX_BYTES
from sweeps.views.live import around

# A trace of 64 pixels cannot show more steps than this.
_TRACE_STEPS = 400


def wants_fragment(request: HttpRequest) -> bool:
    """True for htmx, except when it restores a page that the browser has forgotten."""
    htmx = getattr(request, "htmx", None)
    return bool(htmx and not htmx.history_restore_request)


@require_safe
def sweep_list(request: HttpRequest, ws: str) -> HttpResponse:
    """Sweeps, the active ones first. htmx gets the rows alone; 204 if they are as at `rev`."""
    workspace = workspace_for(request, ws)
    group = request.GET.get("status", "")
    chosen = lists.Selection(
        group if group in lists.GROUPS else "", request.GET.get("q", "").strip()
    )
    found = lists.matching(lists.sweeps_of([workspace]), chosen.text)
    shown = lists.in_group(found, chosen.group)
    now = database_now()
    page = Paginator(lists.listed(shown), lists.PAGE_SIZE).get_page(request.GET.get("page"))
    rows = lists.rows(list(page.object_list), now)
    # Why a sweep waits may change without a change to the sweep.
    revision = f"{lists.revision(found)}.{around(now, *(row.reason for row in rows))}"
    is_fragment = wants_fragment(request)
    if is_fragment and request.GET.get("rev") == revision:
        return HttpResponse(status=204)
    groups = lists.groups(found)
    kept = {key: value for key, value in (("status", chosen.group), ("q", chosen.text)) if value}
    context = {
        "workspace": workspace,
        "may_run": may_in(request, workspace, Role.CONTRIBUTOR),
        "chosen": chosen,
        "most_bytes": MAX_BYTES,
        "groups": [(row, _url(ws, kept | {"status": row.key})) for row in groups],
        "page": page,
        "rows": [(row, trace(row)) for row in rows],
        "is_live": any(row.key == "active" and row.count for row in groups),
        "is_fragment": is_fragment,
        "poll_url": _url(ws, kept | {"page": page.number, "rev": revision}),
        "previous_url": page.has_previous() and _url(ws, kept | {"page": page.number - 1}),
        "next_url": page.has_next() and _url(ws, kept | {"page": page.number + 1}),
    }
    template = "sweeps/_sweep_rows.html" if is_fragment else "sweeps/list.html"
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def trace(row: lists.Row) -> Sparkline:
    """The best-so-far staircase of a sweep."""
    trials = sum(row.counts.values())
    steps = min(trials, _TRACE_STEPS)
    values: list[float | None] = [None] * steps
    for number, value in row.records:
        values[number * steps // trials] = value
    return best_so_far(values, objective_of(row.sweep), width=64, height=18)


def _url(ws: str, query: Mapping[str, object]) -> str:
    words = urlencode({key: value for key, value in query.items() if value not in ("", None)})
    return reverse("sweep_list", args=[ws]) + (f"?{words}" if words else "")
