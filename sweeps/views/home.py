"""The studio's first page, a workspace's overview, the example, help."""

import random
from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from studio.access import may_in, signed_in, workspace_for
from studio.models import Compute, Role, Workspace
from sweeps import intake, tasks
from sweeps.domain.problems import InvalidInput
from sweeps.queries import compute_load, health, lists
from sweeps.queries.clock import database_now
from sweeps.views.lists import trace

_RUNNING_SHOWN = 8
_RECENT_SHOWN = 8


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """A first page for an empty studio; else what runs and what was found, in all workspaces."""
    user = signed_in(request)
    workspaces = list(Workspace.objects.visible_to(user).active())
    sweeps = lists.sweeps_of(workspaces)
    context: dict[str, Any] = {"parts": health.parts(database_now()), "workspaces": workspaces}
    if not sweeps.exists():
        return render(request, "home_empty.html", context | _first_run(request, workspaces))
    running, recent = _running_and_recent(sweeps)
    computes = list(Compute.objects.filter(workspace__in=workspaces).select_related("workspace"))
    used = compute_load.slots_used(computes)
    context |= {
        "running": running,
        "recent": recent,
        "computes": [(compute, used[compute.pk]) for compute in computes],
        "show_workspace": len(workspaces) > 1,
    }
    return render(request, "home.html", context)


def _running_and_recent(sweeps: Any) -> tuple[Sequence[Any], Sequence[Any]]:
    live = list(lists.listed(sweeps.live())[:_RUNNING_SHOWN])
    ended = lists.in_group(sweeps, "completed").select_related("workspace", "compute", "created_by")
    recent = list(ended.order_by("-ended_at", "-pk")[:_RECENT_SHOWN])
    rows = [(row, trace(row)) for row in lists.rows([*live, *recent], timezone.now())]
    return rows[: len(live)], rows[len(live) :]


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
    }


@require_safe
def workspace(request: HttpRequest, ws: str) -> HttpResponse:
    """Counts, what runs, what was found, and the computes of one workspace."""
    found = workspace_for(request, ws)
    sweeps = lists.sweeps_of([found])
    computes = compute_load.computes_of(found)
    used = compute_load.slots_used(computes)
    running, recent = _running_and_recent(sweeps)
    context = {
        "workspace": found,
        "groups": lists.groups(sweeps),
        "running": running,
        "recent": recent,
        "computes": [(compute, used[compute.pk]) for compute in computes],
        "may_run": may_in(request, found, Role.CONTRIBUTOR),
        "may_manage": may_in(request, found, Role.OWNER),
    }
    return render(request, "workspaces/overview.html", context)


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
