"""Inviting into a workspace, and what the invited person sees."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from studio import oidc, services
from studio.access import signed_in, workspace_for
from studio.account_forms import InvitationForm, NewAccountForm
from studio.models import Invitation, Membership, Role, User
from studio.people import invitations
from studio.people.signing_in import sign_in
from studio.views.accounts import unlogged
from studio.views.settings import settings_page


@never_cache
@require_POST
def invitation_create(request: HttpRequest, ws: str) -> HttpResponse:
    """Invite somebody; where it was not mailed, this answer is the only one to show the link."""
    workspace = workspace_for(request, ws, Role.OWNER)
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return settings_page(request, workspace, invitation_form=form)
    data = form.cleaned_data
    try:
        made = invitations.invite(
            workspace,
            signed_in(request),
            role=Role(data["role"]),
            now=timezone.now(),
            note=data["note"],
            email=data["email"],
        )
    except services.Refused as error:
        form.add_error("note", str(error))
        return settings_page(request, workspace, invitation_form=form)
    if made.is_mailed:
        messages.success(request, f"The invitation is on its way to {made.invitation.email}.")
        return redirect("workspace_settings", ws=ws)
    return settings_page(request, workspace, new_invitation=made)


@require_POST
def invitation_revoke(request: HttpRequest, ws: str, pk: int) -> HttpResponse:
    """Its link no longer works."""
    workspace = workspace_for(request, ws, Role.OWNER)
    rows = Invitation.objects.allowed(signed_in(request)).pending()
    found = get_object_or_404(rows, workspace=workspace, pk=pk)
    invitations.revoke(found, timezone.now())
    messages.success(request, f"The invitation for {found} no longer works.")
    return redirect("workspace_settings", ws=ws)


@require_POST
def workspace_leave(request: HttpRequest, ws: str) -> HttpResponse:
    """End one's own membership."""
    workspace, user = workspace_for(request, ws), signed_in(request)
    member = get_object_or_404(
        Membership.objects.select_related("user"), workspace=workspace, user=user
    )
    try:
        services.remove_member(member)
    except services.Refused as error:
        messages.error(request, str(error))
        return redirect("workspace_settings", ws=ws)
    messages.success(request, f"You have left “{workspace.label}”.")
    return redirect("home")


@login_not_required
@sensitive_post_parameters()
@never_cache
@require_http_methods(["GET", "POST"])
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Who is signed in joins; others make an account first. Looking at it changes nothing."""
    found = invitations.find(secret, timezone.now())
    if found is None:
        return unlogged(render(request, "accounts/invitation_used.html", status=410))
    if isinstance(request.user, User):
        return unlogged(_join(request, found, request.user))
    return unlogged(_make_account(request, found))


def _join(request: HttpRequest, found: Invitation, user: User) -> HttpResponse:
    if request.method == "POST":
        try:
            invitations.join(found, user, timezone.now())
        except services.Refused as error:
            return _page(request, found, refused=str(error), status=409)
        return _welcome(request, found)
    member = Membership.objects.filter(workspace=found.workspace, user=user).exists()
    return _page(request, found, is_member=member)


def _make_account(request: HttpRequest, found: Invitation) -> HttpResponse:
    form = NewAccountForm(request.POST if request.method == "POST" else None)
    if request.method != "POST" or not form.is_valid():
        return _page(request, found, form=form, status=422 if form.errors else 200)
    data = form.cleaned_data
    try:
        user = invitations.join_as_somebody_new(
            found,
            username=data["username"],
            full_name=data["full_name"],
            password=data["new_password1"],
            now=timezone.now(),
        )
    except services.NameTaken as error:
        form.add_error("username", str(error))
        return _page(request, found, form=form, status=422)
    except services.Refused as error:
        return _page(request, found, form=form, refused=str(error), status=409)
    sign_in(request, user, "invitation")
    return _welcome(request, found)


def _welcome(request: HttpRequest, found: Invitation) -> HttpResponse:
    role = found.get_role_display().lower()
    messages.success(request, f"You are {role} of “{found.workspace.label}” now.")
    return redirect(found.workspace)


def _page(
    request: HttpRequest, found: Invitation, *, status: int = 200, **context: object
) -> HttpResponse:
    button = settings.STUDIO_OIDC_BUTTON if oidc.is_on() else ""
    context |= {"invitation": found, "here": request.path, "oidc_button": button}
    return render(request, "accounts/invitation.html", context, status=status)
