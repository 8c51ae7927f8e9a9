"""What an administrator of the studio does with accounts. The last administrator stays one."""

from datetime import datetime

from django.db import transaction

from studio import audit
from studio.models import ApiToken, SignInLink, User
from studio.people.signing_in import end_all_sessions
from studio.services import Refused


def deactivate(user: User, now: datetime) -> None:
    """Lock a person out: sessions, tokens and links end at once, and stay ended.

    Nothing of theirs is deleted, and what runs goes on. Raises Refused for the last administrator.
    """
    with transaction.atomic():
        _keep_an_administrator(user)
        if not User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
            return
        audit.note("deactivated", "account", str(user), changes={"active": (True, False)})
        SignInLink.objects.filter(user=user, used_at=None).delete()
        tokens = ApiToken.objects.filter(user=user, revoked_at=None).update(revoked_at=now)
        if tokens:
            audit.note("revoked", "token", f"all of {user}", changes={"tokens": (tokens, 0)})
        end_all_sessions(user)


def reactivate(user: User) -> None:
    """Let a person in again; with the password of before, and without tokens."""
    with transaction.atomic():
        if User.objects.filter(pk=user.pk, is_active=False).update(is_active=True):
            audit.note("reactivated", "account", str(user), changes={"active": (False, True)})


def set_administrator(user: User, is_administrator: bool) -> None:
    """Give or take the right to everything. Raises Refused for the last administrator."""
    with transaction.atomic():
        if not is_administrator:
            _keep_an_administrator(user)
        rows = User.objects.filter(pk=user.pk, is_superuser=not is_administrator)
        if rows.update(is_superuser=is_administrator, is_staff=is_administrator):
            changes = {"administrator": (not is_administrator, is_administrator)}
            audit.note("changed", "account", str(user), changes=changes)


def _keep_an_administrator(user: User) -> None:
    """Locks them: two who leave at once do not leave nobody behind."""
    rows = User.objects.select_for_update().filter(is_superuser=True, is_active=True)
    if {row.pk for row in rows} == {user.pk}:
        raise Refused(f"{user} is the only administrator. Make somebody else one first.")
