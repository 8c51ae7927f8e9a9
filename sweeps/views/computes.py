"""The computes of a workspace: what runs on them, what waits for them."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from studio.access import may_in, workspace_for
from studio.models import Compute, Role, Workspace
from sweeps.queries import compute_load
from sweeps.queries.clock import database_now
from sweeps.queries.lanes import SPANS, lanes_of
from sweeps.views.gauges import gauges
from sweeps.views.lanes import lines, rows
from sweeps.views.live import around, news

# Lanes and gauges move all the time: there is always news, so it is asked for less often.
LIVE_MS = 3000
_FRAGMENTS = {
    "computes-facts": "computes/_facts.html",
    "computes-machine": "computes/_machine.html",
    "computes-lanes": "computes/_computes.html",
    "computes-queue": "computes/_queue.html",
}


@require_safe
def compute_list(request: HttpRequest, ws: str) -> HttpResponse:
    """Gauges of this machine, slots as lanes (or `as=table`) over `span`, the queue."""
    workspace = workspace_for(request, ws)
    return render(request, "computes/list.html", _context(request, workspace, database_now()))


@require_safe
def compute_live(request: HttpRequest, ws: str) -> HttpResponse:
    """The parts of the page that move."""
    workspace = workspace_for(request, ws)
    now = database_now()
    context = _context(request, workspace, now)
    return news(
        request,
        context,
        revision=0,
        around=around(now),
        final=False,
        fragments=_FRAGMENTS,
        figures={},
        every_ms=LIVE_MS,
    )


@require_safe
def compute_lanes(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The lanes of one compute, for the page on which it is changed."""
    workspace = workspace_for(request, ws)
    now = database_now()
    compute = get_object_or_404(Compute, workspace=workspace, name=name)
    [load] = lanes_of([compute], now)
    return render(request, "computes/_lanes.html", {"load": load, "shown": lines(load, now)})


def _context(request: HttpRequest, workspace: Workspace, now: datetime) -> dict[str, Any]:
    span = request.GET.get("span", "")
    span, as_table = (span if span in SPANS else ""), request.GET.get("as") == "table"
    computes = compute_load.computes_of(workspace)
    # As the page's head counts: all active trials, also those without an open attempt.
    used = compute_load.slots_used(computes)
    loads = [replace(load, used=used[load.compute.pk]) for load in lanes_of(computes, now, span)]
    show = rows if as_table else lines
    return {
        "workspace": workspace,
        "may_manage": may_in(request, workspace, Role.OWNER),
        "may_run": may_in(request, workspace, Role.CONTRIBUTOR),
        "loads": [(load, show(load, now)) for load in loads],
        "queue": compute_load.waiting(workspace, now),
        "used": sum(used.values()),
        "slots": sum(compute.slots for compute in computes),
        "gauges": gauges(now),
        "as_table": as_table,
        "span": span,
        "spans": [(key, _query(key, as_table)) for key in ("", *SPANS)],
        "other_view": _query(span, not as_table),
        "live_ms": LIVE_MS,
    }


def _query(span: str, as_table: bool) -> str:
    words = {"span": span, "as": "table" if as_table else ""}
    return "?" + urlencode({key: value for key, value in words.items() if value})
