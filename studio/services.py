"""Writes of the place: sign-in links, tokens, workspaces, computes."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from studio.models import ApiToken, Compute, Membership, Role, SignInLink, User, Workspace
from studio.models.token import TOKEN_PREFIX, digest, new_secret


def redeem_sign_in_link(secret: str, now: datetime) -> User | None:
    """The person whose link this is, once; None if it is unknown, used or too old."""
    links = SignInLink.objects.filter(digest=digest(secret), user__is_active=True)
    # Compare-and-set: two tabs that open the link at once sign in one of them.
    if not links.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        return None
    return links.select_related("user").get().user


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token just made; `secret` is shown now and never again."""

    token: ApiToken
    secret: str


def create_token(
    workspace: Workspace,
    user: User,
    *,
    role: Role,
    name: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> NewToken:
    """Make an API token for a workspace."""
    secret = new_secret(TOKEN_PREFIX)
    token = ApiToken.objects.create(
        workspace=workspace,
        user=user,
        name=name,
        role=role,
        digest=digest(secret),
        hint=secret[:8],
        created_at=now,
        expires_at=expires_at,
    )
    return NewToken(token, secret)


def revoke_token(token: ApiToken, now: datetime) -> None:
    """End a token at once."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now)


def create_workspace(workspace: Workspace, owner: User) -> None:
    """Save a checked new workspace, its creator as owner, with a compute to start with."""
    with transaction.atomic():
        workspace.save(force_insert=True)
        Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)


def archive_workspace(workspace: Workspace, now: datetime) -> None:
    """Hide a workspace from lists; nothing in it is deleted."""
    Workspace.objects.filter(pk=workspace.pk, archived_at=None).update(archived_at=now)


def restore_workspace(workspace: Workspace) -> None:
    """Bring an archived workspace back."""
    Workspace.objects.filter(pk=workspace.pk).update(archived_at=None)


def make_default(compute: Compute) -> None:
    """Make a compute the one that new sweeps of its workspace take."""
    with transaction.atomic():
        Compute.objects.filter(workspace=compute.workspace_id, is_default=True).exclude(
            pk=compute.pk
        ).update(is_default=False)
        Compute.objects.filter(pk=compute.pk).update(is_default=True)
