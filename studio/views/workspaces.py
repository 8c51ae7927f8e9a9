"""Making, listing, archiving and restoring workspaces."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from studio import services
from studio.access import may_make_workspaces, signed_in, workspace_for
from studio.forms import WorkspaceForm
from studio.models import Membership, Role, Workspace


@require_safe
def workspaces(request: HttpRequest) -> HttpResponse:
    """Every workspace of the person, the archived ones last."""
    user = signed_in(request)
    rows = list(Workspace.objects.visible_to(user))
    roles = dict(Membership.objects.filter(user=user).values_list("workspace", "role"))
    listed = [(row, _role(roles.get(row.pk), user.is_superuser)) for row in rows]
    context = {
        "active": [pair for pair in listed if pair[0].archived_at is None],
        "archived": [pair for pair in listed if pair[0].archived_at is not None],
    }
    return render(request, "workspaces/list.html", context)


def _role(role: str | None, is_administrator: bool) -> Role:
    return Role.OWNER if is_administrator else Role(role or Role.READER)


@require_http_methods(["GET", "POST"])
def workspace_new(request: HttpRequest) -> HttpResponse:
    """A form for a new workspace; whoever makes it owns it."""
    if not may_make_workspaces(signed_in(request)):
        raise Http404
    form = WorkspaceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        workspace = form.save(commit=False)
        workspace.created_at = timezone.now()
        try:
            services.create_workspace(workspace, signed_in(request))
        except services.NameTaken as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, f"The workspace “{workspace.label}” is ready.")
            return redirect("workspace", ws=workspace.name)
    status = 422 if form.errors else 200
    return render(request, "workspaces/new.html", {"form": form}, status=status)


@require_POST
def workspace_archive(request: HttpRequest, ws: str) -> HttpResponse:
    """Hide a workspace from the lists."""
    workspace = workspace_for(request, ws, Role.OWNER)
    services.archive_workspace(workspace, timezone.now())
    messages.success(request, f"“{workspace.label}” is archived. Nothing in it was deleted.")
    return redirect("workspaces")


@require_POST
def workspace_restore(request: HttpRequest, ws: str) -> HttpResponse:
    """Bring an archived workspace back."""
    workspace = workspace_for(request, ws, Role.OWNER)
    services.restore_workspace(workspace)
    messages.success(request, f"“{workspace.label}” is back in the lists.")
    return redirect("workspace", ws=workspace.name)
