"""Reaching things of a workspace: foreign and missing are the same 404."""

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from studio.models import Compute, Membership, Role, User, Workspace
from studio.models.workspace import may


def signed_in(request: HttpRequest) -> User:
    """The person behind the request, which the sign-in middleware has checked."""
    user = request.user
    if not isinstance(user, User):
        raise Http404
    return user


def workspace_for(request: HttpRequest, name: str, role: Role = Role.READER) -> Workspace:
    """The workspace, if the person has at least `role` there.

    Raises Http404 otherwise: a reader who may not act is told the same as a stranger.
    """
    return get_object_or_404(Workspace.objects.allowed(signed_in(request), role), name=name)


def compute_for(request: HttpRequest, ws: str, name: str, role: Role = Role.READER) -> Compute:
    """The compute, if the person has at least `role` in its workspace; else Http404."""
    rows = Compute.objects.allowed(signed_in(request), role).select_related("workspace")
    return get_object_or_404(rows, workspace__name=ws, name=name)


def may_make_workspaces(user: User) -> bool:
    """True for administrators and for who owns a workspace.

    Whoever makes one owns it, with a compute, and so runs programs on the studio's machine: a
    reader, or an account that an identity provider has led in, must not get there by themselves.
    """
    return Workspace.objects.allowed(user, Role.OWNER).exists() or user.is_superuser


def may_in(request: HttpRequest, workspace: Workspace, role: Role) -> bool:
    """True if the person may do there what `role` may: decides which buttons a page offers."""
    return may(Membership.objects.role_of(signed_in(request), workspace), role)
