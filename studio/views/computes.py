"""Making, changing and deleting computes; the list, which shows trials, is the work's."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from studio import services
from studio.access import compute_for, workspace_for
from studio.forms import ComputeForm
from studio.models import Compute, Role, Workspace


@require_http_methods(["GET", "POST"])
def compute_new(request: HttpRequest, ws: str) -> HttpResponse:
    """A form for a new compute."""
    workspace = workspace_for(request, ws, Role.OWNER)
    compute = Compute(workspace=workspace, created_at=timezone.now())
    return _edit(request, workspace, compute, "The compute “{}” is ready. Test it once.")


@require_http_methods(["GET", "POST"])
def compute(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """A form to change a compute; what runs goes on as it was started."""
    found = compute_for(request, ws, name, Role.OWNER)
    return _edit(request, found.workspace, found, "The compute “{}” is changed.")


def _edit(request: HttpRequest, workspace: Workspace, compute: Compute, done: str) -> HttpResponse:
    form = ComputeForm(request.POST if request.method == "POST" else None, instance=compute)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_compute(
                form.save(commit=False), is_default=form.cleaned_data["is_default"]
            )
        except services.NameTaken as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, done.format(compute.name))
            return redirect("compute_list", ws=workspace.name)
    if compute.pk and form.errors:
        # Beside the form the page shows, and addresses, what is stored.
        compute.refresh_from_db()
    context = {"form": form, "workspace": workspace, "compute": compute, "name": compute.name}
    return render(request, "computes/edit.html", context, status=422 if form.errors else 200)


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
