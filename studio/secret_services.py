"""Every write of secrets, and the one place where they are opened."""

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import transaction

from studio import audit, vault
from studio.models import Secret, User, Workspace

MOST_SECRETS = 200
# "Last used" is that exact: a write per trial would be too many.
_USED_EVERY = timedelta(minutes=1)


class SecretMissing(Exception):
    """The workspace has no such secret, or it cannot be opened; the message says what to do."""


def set_secret(
    workspace: Workspace, name: str, value: str, user: User | None, now: datetime
) -> bool:
    """Keep `value` under a checked `name`; True if it is new, False if it replaced another."""
    with transaction.atomic():
        is_new = _set(workspace, name, value, user, now)
        audit.note(
            "created" if is_new else "changed", "secret", name, workspace=workspace,
            changes={"value": (None if is_new else audit.HIDDEN, f"{audit.HIDDEN} new")},
        )  # fmt: skip
    return is_new


def _set(workspace: Workspace, name: str, value: str, user: User | None, now: datetime) -> bool:
    _row, is_new = Secret.objects.update_or_create(
        workspace=workspace,
        name=name,
        defaults={"sealed": vault.seal(value), "changed_at": now},
        create_defaults={
            "sealed": vault.seal(value),
            "changed_at": now,
            "created_at": now,
            "created_by": user,
        },
    )
    return is_new


def delete_secret(secret: Secret) -> None:
    """Trials that need it fail from now on, and say why."""
    with transaction.atomic():
        secret.delete()
        audit.note("deleted", "secret", secret.name, workspace=secret.workspace_id)


def reveal(workspace: Workspace, names: Collection[str], now: datetime) -> dict[str, str]:
    """The values of secrets by name, for the memory of whoever starts a command.

    Raises SecretMissing.
    """
    rows = {row.name: row for row in Secret.objects.filter(workspace=workspace, name__in=names)}
    values = {}
    for name in names:
        if name not in rows:
            raise SecretMissing(
                f"The secret “{name[:80]}” is not in this workspace any more. An owner can set it "
                "under Settings, Secrets; then run the trial again."
            )
        try:
            values[name] = vault.unseal(rows[name].sealed)
        except vault.SealBroken as error:
            raise SecretMissing(
                f"The secret “{name[:80]}” cannot be opened: the key it was sealed with is not in "
                "secrets.key. An owner can set it anew under Settings, Secrets."
            ) from error
    _note_use(rows.values(), now)
    return values


def _note_use(rows: Collection[Secret], now: datetime) -> None:
    fresh = now - _USED_EVERY
    stale = [row.pk for row in rows if row.last_used_at is None or row.last_used_at < fresh]
    if stale:
        Secret.objects.filter(pk__in=stale).update(last_used_at=now)


def seal_secrets_anew() -> int:
    """Seal every secret with the first key; how many there are. Raises vault.SealBroken."""
    with transaction.atomic():
        rows = list(Secret.objects.select_for_update())
        for row in rows:
            row.sealed = vault.seal(vault.unseal(row.sealed))
            row.save(update_fields=["sealed"])
        audit.note(
            "sealed anew", "secret", "all of the studio", changes=audit.made(count=len(rows))
        )
    return len(rows)
