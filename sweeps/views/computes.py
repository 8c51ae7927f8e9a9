"""The computes of a workspace: what runs on them, what waits for them."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from studio.access import may_in, workspace_for
from studio.models import Role
from sweeps.queries import compute_load, machine
from sweeps.queries.clock import database_now
from sweeps.views.lists import wants_fragment


@require_safe
def compute_list(request: HttpRequest, ws: str) -> HttpResponse:
    """Slots as lanes, gauges of this machine, the queue. htmx gets the live part alone."""
    workspace = workspace_for(request, ws)
    now = database_now()
    computes = compute_load.computes_of(workspace)
    attempts = compute_load.recent_attempts(computes, now)
    window = compute_load.window_of(attempts, now)
    loads = compute_load.loads(computes, attempts, window, now)
    queue = compute_load.waiting(workspace, now)
    context = {
        "workspace": workspace,
        "may_manage": may_in(request, workspace, Role.OWNER),
        "loads": loads,
        "queue": queue,
        "ticks": compute_load.ticks(window, now),
        "used": sum(load.used for load in loads),
        "slots": sum(load.compute.slots for load in loads),
        "machine": machine.machine(settings.STUDIO_HOME),
    }
    template = "computes/_live.html" if wants_fragment(request) else "computes/list.html"
    return render(request, template, context)
