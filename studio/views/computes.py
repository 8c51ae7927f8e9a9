"""What is done with a compute in one click; making, changing and listing them is the work's."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from studio import services
from studio.access import compute_for, workspace_for
from studio.models import Role


@require_safe
def compute_variable_row(request: HttpRequest, ws: str) -> HttpResponse:
    """One more empty row for an environment variable."""
    workspace_for(request, ws, Role.OWNER)
    return render(request, "computes/_variable.html", {"field": "environment_variables"})


@require_POST
def compute_default(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Make a compute the default of its workspace."""
    found = compute_for(request, ws, name, Role.OWNER)
    services.make_default(found)
    messages.success(request, f"New sweeps take “{found.name}” now.")
    return redirect("compute_list", ws=ws)


@require_POST
def compute_delete(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Delete a compute that no sweep ran on."""
    found = compute_for(request, ws, name, Role.OWNER)
    try:
        heir = services.delete_compute(found)
    except services.Refused as error:
        messages.error(request, str(error))
        return redirect("compute", ws=ws, name=name)
    more = f" “{heir.name}” is the default now." if heir else ""
    messages.success(request, f"The compute “{name}” is deleted.{more}")
    return redirect("compute_list", ws=ws)
