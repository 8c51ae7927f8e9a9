"""Writes of the place: sign-in links, tokens, workspaces, members, computes."""

import os
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, QuerySet

from studio.models import ApiToken, Compute, Membership, Role, SignInLink, User, Workspace
from studio.models.token import TOKEN_PREFIX, digest, new_secret


def redeem_sign_in_link(secret: str, now: datetime) -> User | None:
    """The person whose link this is, once; None if it is unknown, used or too old."""
    links = SignInLink.objects.filter(digest=digest(secret), user__is_active=True)
    # Compare-and-set: two tabs that open the link at once sign in one of them.
    if not links.filter(used_at=None, expires_at__gt=now).update(used_at=now):
        return None
    return links.select_related("user").get().user


# The compute a new workspace starts with.
FIRST_COMPUTE = "local"


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


class Refused(Exception):
    """What was asked is not possible now; the message says why and what to do."""


class NameTaken(Refused):
    """Somebody has this name already; upper and lower case are the same name."""


def create_workspace(workspace: Workspace, owner: User) -> None:
    """Save a checked new workspace, its creator as owner, with a compute to start with.

    Raises NameTaken.
    """
    try:
        with transaction.atomic():
            workspace.save(force_insert=True)
            Membership.objects.create(workspace=workspace, user=owner, role=Role.OWNER)
            Compute.objects.create(
                workspace=workspace,
                name=FIRST_COMPUTE,
                slots=os.cpu_count() or 1,
                is_default=True,
                created_at=workspace.created_at,
            )
    except IntegrityError as error:
        raise _taken("workspace", workspace.name) from error


def _taken(noun: str, name: str) -> NameTaken:
    return NameTaken(f"There is a {noun} “{name}” already. Choose another name.")


def archive_workspace(workspace: Workspace, now: datetime) -> None:
    """Hide a workspace from lists; nothing in it is deleted."""
    Workspace.objects.filter(pk=workspace.pk, archived_at=None).update(archived_at=now)


def restore_workspace(workspace: Workspace) -> None:
    """Bring an archived workspace back."""
    Workspace.objects.filter(pk=workspace.pk).update(archived_at=None)


def add_member(workspace: Workspace, user: User, role: Role, now: datetime) -> None:
    """Give an account a role in a workspace. Raises Refused if it has one."""
    try:
        with transaction.atomic():
            Membership.objects.create(workspace=workspace, user=user, role=role, created_at=now)
    except IntegrityError as error:
        raise Refused(f"{user} is a member already. Change the role in the list.") from error


def change_role(member: Membership, role: Role) -> None:
    """Give a member another role. Raises Refused for the last owner."""
    with transaction.atomic():
        _keep_an_owner(member, role)
        Membership.objects.filter(pk=member.pk).update(role=role)


def remove_member(member: Membership) -> None:
    """End a membership; tokens of that person end with it. Raises Refused for the last owner."""
    with transaction.atomic():
        _keep_an_owner(member, None)
        Membership.objects.filter(pk=member.pk).delete()


def _keep_an_owner(member: Membership, role: Role | None) -> None:
    """Locks the owners: two who leave at once do not leave nobody behind."""
    owners = Membership.objects.select_for_update().filter(
        workspace=member.workspace_id, role=Role.OWNER
    )
    others = [owner for owner in owners if owner.pk != member.pk]
    if role != Role.OWNER and not others:
        raise Refused(f"{member.user} is the only owner. Make somebody else an owner first.")


def save_compute(compute: Compute, *, is_default: bool) -> None:
    """Save a checked compute, new or changed. Raises NameTaken."""
    try:
        with transaction.atomic():
            if is_default:
                _others(compute).filter(is_default=True).update(is_default=False)
            compute.is_default = is_default
            compute.save()
    except IntegrityError as error:
        raise _taken("compute", compute.name) from error


def make_default(compute: Compute) -> None:
    """Make a compute the one that new sweeps of its workspace take."""
    with transaction.atomic():
        _others(compute).filter(is_default=True).update(is_default=False)
        Compute.objects.filter(pk=compute.pk).update(is_default=True)


def delete_compute(compute: Compute) -> Compute | None:
    """Delete a compute; returns the one that became the default in its place, if any.

    Raises Refused while sweeps belong to it.
    """
    try:
        with transaction.atomic():
            compute.delete()
            heir = _others(compute).order_by("name").first() if compute.is_default else None
            if heir:
                make_default(heir)
            return heir
    except ProtectedError as error:
        count = len(error.protected_objects)
        sweeps = "1 sweep ran on it" if count == 1 else f"{count} sweeps ran on it"
        raise Refused(
            f"“{compute.name}” cannot be deleted: {sweeps} and would lose where they ran. "
            "Make another compute the default instead."
        ) from error


def _others(compute: Compute) -> QuerySet[Compute]:
    return Compute.objects.filter(workspace=compute.workspace_id).exclude(pk=compute.pk)
