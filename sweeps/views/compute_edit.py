"""Making and changing computes of every kind."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from studio import services
from studio.access import compute_for, workspace_for
from studio.models import Compute, Role, Workspace
from studio.models.compute import ComputeKind
from sweeps.domain.computes.kinds import KINDS
from sweeps.forms.compute import ComputeForm


@require_http_methods(["GET", "POST"])
def compute_new(request: HttpRequest, ws: str) -> HttpResponse:
    """A form for a new compute of the kind `?kind=`, by default on this machine."""
    workspace = workspace_for(request, ws, Role.OWNER)
    kind = request.GET.get("kind", "")
    compute = Compute(
        workspace=workspace,
        kind=kind if kind in KINDS else ComputeKind.LOCAL,
        created_at=timezone.now(),
    )
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
    context = {
        "form": form,
        "workspace": workspace,
        "compute": compute,
        "name": compute.name,
        "kind": KINDS[compute.kind],
        "kinds": KINDS.values(),
    }
    return render(request, "computes/edit.html", context, status=422 if form.errors else 200)
