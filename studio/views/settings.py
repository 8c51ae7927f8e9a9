"""Settings of a workspace: its texts, members and tokens."""

from typing import Any

from django.conf import settings
from django.conf import settings as django_settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from studio import services
from studio.access import may_in, signed_in, workspace_for
from studio.account_forms import InvitationForm
from studio.forms import MemberForm, RoleForm, TokenForm, WorkspaceTextForm
from studio.models import ApiToken, Invitation, Membership, Role, Workspace
from studio.store import mlflow_ui_command


def settings_page(request: HttpRequest, workspace: Workspace, **forms: Any) -> HttpResponse:
    """The settings page; `forms` are those that were just rejected, or a token just made."""
    members = Membership.objects.filter(workspace=workspace).select_related("user")
    tokens = ApiToken.objects.filter(workspace=workspace, revoked_at=None).select_related("user")
    context = {
        "workspace": workspace,
        "is_owner": may_in(request, workspace, Role.OWNER),
        "may_run": may_in(request, workspace, Role.CONTRIBUTOR),
        "members": members.order_by("user__username"),
        "tokens": tokens,
        "roles": Role.choices,
        "now": timezone.now(),
        "text_form": WorkspaceTextForm(instance=workspace),
        "member_form": MemberForm(workspace=workspace),
        "token_form": TokenForm(),
        "invitation_form": InvitationForm(),
        "invitations": Invitation.objects.filter(workspace=workspace).pending(),
        "may_mail": bool(settings.STUDIO_SMTP_URL),
        "is_member": members.filter(user=signed_in(request)).exists(),
        "quota_gb": django_settings.STUDIO_WORKSPACE_QUOTA_GB,
        "mlflow_ui": mlflow_ui_command(),
    } | forms
    wrong = any(getattr(form, "errors", None) for form in forms.values())
    return render(request, "settings/workspace.html", context, status=422 if wrong else 200)


@require_http_methods(["GET", "POST"])
def workspace_settings(request: HttpRequest, ws: str) -> HttpResponse:
    """Everybody in the workspace sees the settings, owners change them."""
    if request.method != "POST":
        return settings_page(request, workspace_for(request, ws))
    workspace = workspace_for(request, ws, Role.OWNER)
    form = WorkspaceTextForm(request.POST, instance=workspace)
    if not form.is_valid():
        return settings_page(request, workspace_for(request, ws), text_form=form)
    services.save_texts(form.save(commit=False))
    messages.success(request, "The settings are saved.")
    return redirect("workspace_settings", ws=ws)


@require_POST
def member_add(request: HttpRequest, ws: str) -> HttpResponse:
    """Make an existing account a member."""
    workspace = workspace_for(request, ws, Role.OWNER)
    form = MemberForm(request.POST, workspace=workspace)
    if form.is_valid():
        user, role = form.cleaned_data["username"], Role(form.cleaned_data["role"])
        try:
            services.add_member(workspace, user, role, timezone.now())
        except services.Refused as error:
            form.add_error("username", str(error))
        else:
            messages.success(request, f"{user} is {role.label.lower()} of this workspace now.")
            return redirect("workspace_settings", ws=ws)
    return settings_page(request, workspace, member_form=form)


def _member(request: HttpRequest, ws: str, pk: int) -> Membership:
    rows = Membership.objects.filter(workspace=workspace_for(request, ws, Role.OWNER))
    return get_object_or_404(rows.select_related("user"), pk=pk)


@require_POST
def member_role(request: HttpRequest, ws: str, pk: int) -> HttpResponse:
    """Give a member another role."""
    member = _member(request, ws, pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the three roles.")
        return redirect("workspace_settings", ws=ws)
    role = Role(form.cleaned_data["role"])
    try:
        services.change_role(member, role)
    except services.Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{member.user} is {role.label.lower()} now.")
    return _after_change(request, ws)


@require_POST
def member_remove(request: HttpRequest, ws: str, pk: int) -> HttpResponse:
    """End a membership."""
    member = _member(request, ws, pk)
    try:
        services.remove_member(member)
    except services.Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{member.user} is no longer a member.")
    return _after_change(request, ws)


def _after_change(request: HttpRequest, ws: str) -> HttpResponse:
    """Whoever took the own membership away sees the workspace no more."""
    is_visible = Workspace.objects.visible_to(signed_in(request)).filter(name=ws).exists()
    return redirect("workspace_settings", ws=ws) if is_visible else redirect("home")


@require_POST
@never_cache
def token_create(request: HttpRequest, ws: str) -> HttpResponse:
    """Make a token; this answer is the only one that ever shows it."""
    workspace = workspace_for(request, ws, Role.OWNER)
    form = TokenForm(request.POST)
    if not form.is_valid():
        return settings_page(request, workspace, token_form=form)
    now = timezone.now()
    made = services.create_token(
        workspace,
        signed_in(request),
        role=Role(form.cleaned_data["role"]),
        name=form.cleaned_data["name"],
        now=now,
        expires_at=form.expires_at(now),
    )
    return settings_page(request, workspace, new_token=made)


@require_POST
def token_revoke(request: HttpRequest, ws: str, pk: int) -> HttpResponse:
    """End a token at once."""
    workspace = workspace_for(request, ws, Role.OWNER)
    token = get_object_or_404(ApiToken, workspace=workspace, pk=pk)
    services.revoke_token(token, timezone.now())
    messages.success(request, f"The token “{token.name}” no longer works.")
    return redirect("workspace_settings", ws=ws)
