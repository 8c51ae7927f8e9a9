"""Writes of the place: tokens, workspaces, members, computes."""

import os
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError, Q, QuerySet
from django.utils import timezone

from studio import audit
from studio.models import ApiToken, Compute, Membership, Role, User, Workspace
from studio.models.token import TOKEN_PREFIX, digest, new_secret

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
    with transaction.atomic():
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
        given = audit.made(person=str(user), role=str(role), expires_at=expires_at or "never")
        audit.note("created", "token", str(token), workspace=workspace, changes=given)
    return NewToken(token, secret)


def revoke_token(token: ApiToken, now: datetime) -> None:
    """End a token at once."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=now):
            audit.note("revoked", "token", str(token), workspace=token.workspace_id)


# The last use of a token is written no more often than this.
_USE_NOTED = timedelta(minutes=1)


def note_use(token: ApiToken, now: datetime) -> None:
    """Remember that a token was used, without a write per request."""
    if token.last_used_at is None or token.last_used_at < now - _USE_NOTED:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _USE_NOTED)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


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
            given = audit.made(title=workspace.title, owner=str(owner))
            audit.note("created", "workspace", workspace.name, workspace=workspace, changes=given)
    except IntegrityError as error:
        raise _taken("workspace", workspace.name) from error


def _taken(noun: str, name: str) -> NameTaken:
    return NameTaken(f"There is a {noun} “{name}” already. Choose another name.")


def archive_workspace(workspace: Workspace, now: datetime) -> None:
    """Hide a workspace from lists; nothing in it is deleted."""
    with transaction.atomic():
        if Workspace.objects.filter(pk=workspace.pk, archived_at=None).update(archived_at=now):
            audit.note("archived", "workspace", workspace.name, workspace=workspace)


def restore_workspace(workspace: Workspace) -> None:
    """Bring an archived workspace back."""
    with transaction.atomic():
        archived = Workspace.objects.filter(pk=workspace.pk, archived_at__isnull=False)
        if archived.update(archived_at=None):
            audit.note("restored", "workspace", workspace.name, workspace=workspace)


def save_texts(workspace: Workspace) -> None:
    """Save what a checked workspace is called now, and what it is for."""
    with transaction.atomic():
        fields = ("title", "description")
        before = audit.of(Workspace.objects.select_for_update().get(pk=workspace.pk), *fields)
        changes = audit.differing(before, audit.of(workspace, *fields))
        if changes:
            workspace.save(update_fields=fields)
            audit.note("changed", "workspace", workspace.name, workspace=workspace, changes=changes)


def add_member(workspace: Workspace, user: User, role: Role, now: datetime) -> None:
    """Give an account a role in a workspace. Raises Refused if it has one."""
    try:
        with transaction.atomic():
            Membership.objects.create(workspace=workspace, user=user, role=role, created_at=now)
            given = audit.made(role=str(role))
            audit.note("added", "member", str(user), workspace=workspace, changes=given)
    except IntegrityError as error:
        raise Refused(f"{user} is a member already. Change the role in the list.") from error


def change_role(member: Membership, role: Role) -> None:
    """Give a member another role. Raises Refused for the last owner."""
    with transaction.atomic():
        _keep_an_owner(member, role)
        rows = Membership.objects.select_for_update().filter(pk=member.pk)
        before = rows.values_list("role", flat=True).first()
        if before is not None and before != role:
            rows.update(role=role)
            changes = {"role": (before, str(role))}
            audit.note(
                "changed", "member", str(member.user), workspace=member.workspace_id,
                changes=changes,
            )  # fmt: skip


def remove_member(member: Membership) -> None:
    """End a membership; tokens of that person end with it, and stay so if the person comes back.

    Raises Refused for the last owner.
    """
    with transaction.atomic():
        _keep_an_owner(member, None)
        if Membership.objects.filter(pk=member.pk).delete()[0]:
            lost: dict[str, Any] = {"role": (member.role, None)}
            tokens = ApiToken.objects.filter(
                user=member.user_id, workspace=member.workspace_id, revoked_at=None
            )
            if ended := tokens.update(revoked_at=timezone.now()):
                lost["tokens"] = (ended, 0)
            audit.note(
                "removed", "member", str(member.user), workspace=member.workspace_id, changes=lost
            )


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
            before = Compute.objects.filter(pk=compute.pk).first()
            if is_default:
                _others(compute).filter(is_default=True).update(is_default=False)
            compute.is_default = is_default
            compute.save()
            _note_compute(before, compute)
    except IntegrityError as error:
        raise _taken("compute", compute.name) from error


SAID_OF_COMPUTES = (
    "name",
    "kind",
    "settings",
    "slots",
    "python",
    "description",
    "is_default",
    "isolated",
    "preload",
    "preload_modules",
)


def _note_compute(before: Compute | None, after: Compute) -> None:
    own = audit.of(before, *SAID_OF_COMPUTES) if before else {}
    changes = {
        **audit.differing(own, audit.of(after, *SAID_OF_COMPUTES)),
        **audit.hidden(
            "environment_variables",
            before.environment_variables if before else {},
            after.environment_variables,
        ),
    }
    if changes:
        verb, place = "changed" if before else "created", after.workspace_id
        audit.note(verb, "compute", after.name, workspace=place, changes=changes)


def make_default(compute: Compute) -> None:
    """Make a compute the one that new sweeps of its workspace take."""
    with transaction.atomic():
        _others(compute).filter(is_default=True).update(is_default=False)
        if Compute.objects.filter(pk=compute.pk, is_default=False).update(is_default=True):
            changes = {"is_default": (False, True)}
            place = compute.workspace_id
            audit.note("changed", "compute", compute.name, workspace=place, changes=changes)


def delete_compute(compute: Compute) -> Compute | None:
    """Delete a compute; returns the one that became the default in its place, if any.

    Raises Refused while sweeps belong to it.
    """
    try:
        with transaction.atomic():
            audit.note("deleted", "compute", compute.name, workspace=compute.workspace_id)
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
