"""Settings of a workspace: its secrets, by name. Their values go in here and never come out."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.html import format_html
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from studio.access import may_in, signed_in, workspace_for
from studio.models import Role, Secret, Workspace
from studio.secrecy import reference
from studio.secret_services import delete_secret, set_secret
from sweeps.domain.wording import listed
from sweeps.forms.secret import SecretForm
from sweeps.queries.clock import database_now
from sweeps.queries.secrets import Uses, uses


@dataclass(frozen=True, slots=True)
class Row:
    """A secret in the list, with what uses it."""

    secret: Secret
    uses: Uses

    @property
    def reference(self) -> str:
        """How a sweep calls it."""
        return reference(self.secret.name)

    @property
    def warning(self) -> str:
        """What deleting it comes to."""
        names = [str(one) for one in (*self.uses.sweeps, *self.uses.computes)]
        if not names:
            return "Nothing that is not over names it. Its value is gone for good."
        return (
            f"Used by {listed(names)}: trials that start from now on fail, and say why. Its value "
            "is gone for good."
        )


@never_cache
@sensitive_post_parameters("value")
@require_http_methods(["GET", "HEAD", "POST"])
def secret_list(request: HttpRequest, ws: str) -> HttpResponse:
    """The secrets by name, for contributors; posted by an owner, one is set."""
    is_post = request.method == "POST"
    workspace = workspace_for(request, ws, Role.OWNER if is_post else Role.CONTRIBUTOR)
    form = SecretForm(
        request.POST if is_post else None,
        workspace=workspace,
        initial={"name": request.GET.get("name", "")[:63]},
    )
    if is_post and form.is_valid():
        name = form.cleaned_data["name"]
        user, now = signed_in(request), database_now()
        is_new = set_secret(workspace, name, form.cleaned_data["value"], user, now)
        said = "is set. Sweeps call it" if is_new else "has its new value. Sweeps call it"
        code = format_html("<code>{}</code>", reference(name))
        messages.success(request, format_html("The secret “{}” {} {}.", name, said, code))
        return redirect("secret_list", ws=ws)
    return _page(request, workspace, form)


def _page(request: HttpRequest, workspace: Workspace, form: SecretForm) -> HttpResponse:
    used = uses(workspace)
    rows = Secret.objects.filter(workspace=workspace).select_related("created_by").defer("sealed")
    context = {
        "workspace": workspace,
        "is_owner": may_in(request, workspace, Role.OWNER),
        "rows": [Row(row, used.get(row.name, Uses())) for row in rows],
        "form": form,
    }
    return render(request, "secrets/list.html", context, status=422 if form.errors else 200)


@require_POST
def secret_delete(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Forget a secret."""
    workspace = workspace_for(request, ws, Role.OWNER)
    found = get_object_or_404(Secret, workspace=workspace, name=name)
    delete_secret(found)
    messages.success(request, f"The secret “{name}” is deleted.")
    return redirect("secret_list", ws=ws)
