"""The studio's first page, a workspace's overview, the example, help."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from studio.access import may_in, signed_in, workspace_for
from studio.models import Compute, Role, Workspace
from sweeps import intake, tasks
from sweeps.domain.problems import InvalidInput
from sweeps.queries import compute_load, health, lists
from sweeps.queries.attention import Concern, Kind, concerns
from sweeps.queries.clock import database_now
from sweeps.queries.finds import finds
from sweeps.spec.yaml_text import MAX_BYTES
from sweeps.views.gauges import gauges
from sweeps.views.lists import ACTIVE_MS, QUIET_MS, trace
from sweeps.views.live import around, place_news
from sweeps.views.remedies import Remedy, remedy

_RUNNING_SHOWN = 8
_RECENT_SHOWN = 8
_FRAGMENTS = {
    "home-attention": "workspaces/_attention.html",
    "home-running": "workspaces/_running.html",
    "home-finds": "workspaces/_finds.html",
    "home-computes": "workspaces/_computes_card.html",
}


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A first page for an empty studio; else what runs and what was found, in all workspaces."""
    workspaces = _workspaces(request)
    now = database_now()
    parts = {"parts": health.parts(now), "workspaces": workspaces}
    if not lists.sweeps_of(workspaces).exists():
        return render(request, "home_empty.html", parts | _first_run(request, workspaces))
    return render(request, "home.html", _places(request, workspaces, now) | parts)


@require_safe
def home_live(request: HttpRequest) -> HttpResponse:
    """What changed on the first page."""
    now = database_now()
    context = _places(request, _workspaces(request), now)
    parts = {"parts": health.parts(now)}
    return place_news(request, context | parts, _FRAGMENTS | {"home-parts": "_parts.html"})


def _workspaces(request: HttpRequest) -> list[Workspace]:
    return list(Workspace.objects.visible_to(signed_in(request)).active())


def _places(request: HttpRequest, workspaces: Sequence[Workspace], now: datetime) -> dict[str, Any]:
    """What runs, was found, and needs somebody in these workspaces, and their computes."""
    sweeps = lists.sweeps_of(workspaces)
    live = list(lists.listed(sweeps.live(), now)[:_RUNNING_SHOWN])
    ended = list(lists.ended_with_value(sweeps)[:_RECENT_SHOWN])
    rows = lists.rows([*live, *ended], now)
    running, found = rows[: len(live)], concerns(workspaces, now)
    computes = list(Compute.objects.filter(workspace__in=workspaces).select_related("workspace"))
    used = compute_load.slots_used(computes)
    words = [row.reason for row in running] + [one.text for one in found]
    told = {one.row.sweep.pk for one in found if one.row}
    running = [replace(row, reason="") if row.sweep.pk in told else row for row in running]
    return {
        "concerns": [(one, _helps(one)) for one in found],
        "running": [(row, trace(row), remedy(row)) for row in running],
        "running_more": sweeps.live().count() - len(running) if len(live) == _RUNNING_SHOWN else 0,
        "recent": [(find, trace(find.row)) for find in finds(rows[len(live) :])],
        "computes": [(compute, used[compute.pk]) for compute in computes],
        "gauges": gauges(now) if computes else [],
        "show_workspace": len(workspaces) > 1,
        "around": around(now, lists.revision(sweeps), *words, *map(str, used.values())),
        "live_ms": ACTIVE_MS if live else QUIET_MS,
    }


def _helps(concern: Concern) -> Remedy | None:
    """The one thing to do about it."""
    if concern.row:
        return remedy(concern.row)
    if concern.compute:
        workspace = concern.compute.workspace.name
        return Remedy("Computes", reverse("compute_list", args=[workspace]))
    return Remedy("What needs room", reverse("help")) if concern.kind is Kind.DISK else None


def _first_run(request: HttpRequest, workspaces: Sequence[Workspace]) -> dict[str, Any]:
    """The workspace in which the person may run the example, and what it runs on."""
    workspace = next((row for row in workspaces if may_in(request, row, Role.CONTRIBUTOR)), None)
    compute = Compute.objects.filter(workspace=workspace).first() if workspace else None
    return {
        "workspace": workspace or next(iter(workspaces), None),
        "may_run": workspace is not None,
        "may_manage": workspace is not None and may_in(request, workspace, Role.OWNER),
        "compute": compute,
        "at_once": min(10, compute.slots) if compute else 0,
        "base_url": request.build_absolute_uri("/").rstrip("/"),
        "most_bytes": MAX_BYTES,
    }


@require_safe
def workspace(request: HttpRequest, ws: str) -> HttpResponse:
    """Counts, what runs, what was found, and the computes of one workspace."""
    found = workspace_for(request, ws)
    return render(request, "workspaces/overview.html", _overview(request, found))


@require_safe
def workspace_live(request: HttpRequest, ws: str) -> HttpResponse:
    """What changed on the overview of a workspace."""
    found = workspace_for(request, ws)
    fragments = _FRAGMENTS | {"home-groups": "workspaces/_groups.html"}
    return place_news(request, _overview(request, found), fragments)


def _overview(request: HttpRequest, found: Workspace) -> dict[str, Any]:
    return _places(request, [found], database_now()) | {
        "workspace": found,
        "groups": lists.groups(lists.sweeps_of([found])),
        "may_run": may_in(request, found, Role.CONTRIBUTOR),
        "may_manage": may_in(request, found, Role.OWNER),
    }


@require_POST
def run_example(request: HttpRequest, ws: str) -> HttpResponse:
    """Submit the iris LightGBM sweep and go and watch it."""
    found = workspace_for(request, ws, Role.CONTRIBUTOR)
    try:
        sweep = intake.submit_iris(
            found, user=signed_in(request), now=timezone.now(), rng=random.SystemRandom()
        )
    except InvalidInput as error:
        messages.error(request, f"The example cannot run here. {error.problems[0].message}")
        return redirect("compute_list", ws=ws)
    tasks.advance_sweep(sweep.pk)
    return redirect("sweep", ws=ws, name=sweep.name)


@require_safe
def help_page(request: HttpRequest) -> HttpResponse:
    """What there is, and where it is."""
    return render(request, "help.html", {"base_url": request.build_absolute_uri("/").rstrip("/")})
