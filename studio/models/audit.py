"""The audit log: what people changed. Written once, never changed."""

from datetime import datetime
from typing import TYPE_CHECKING, Any, Never

from django.db import models

from studio.models.workspace import Workspace

if TYPE_CHECKING:
    from studio.models.user import User


class AppendOnly(Exception):
    """Somebody tried to change what was written down."""


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """Reads of the log; and forgetting what is older than is kept."""

    def update(self, **changes: Any) -> Never:
        """Refused."""
        raise AppendOnly("Entries of the audit log are never changed.")

    def delete(self) -> Never:
        """Refused."""
        raise AppendOnly("Entries of the audit log are never deleted.")

    def forget_before(self, moment: datetime) -> int:
        """Drop what is older than is kept; how many entries."""
        return int(self.filter(at__lt=moment)._raw_delete(self.db))  # type: ignore[attr-defined]


class AuditEntry(models.Model):
    """One change: who, what, before and after, from where, when.

    `changes` is {field: [before, after]}, None where there was or is nothing. Names are kept as
    they were: what was changed may have another now, or be gone.
    """

    at = models.DateTimeField(db_index=True)
    workspace = models.ForeignKey(Workspace, models.SET_NULL, null=True, related_name="+")
    user: "models.ForeignKey[User | None]" = models.ForeignKey(
        "studio.User", models.SET_NULL, null=True, related_name="+"
    )
    who = models.CharField(max_length=150)
    token_hint = models.CharField(max_length=16, blank=True)
    verb = models.CharField(max_length=32)
    noun = models.CharField(max_length=32)
    name = models.CharField(max_length=300)
    changes = models.JSONField(default=dict)
    origin = models.CharField(max_length=16)
    address = models.CharField(max_length=64, blank=True)
    request_id = models.CharField(max_length=64, blank=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["workspace", "-id"], name="audit_of_workspace")]

    def __str__(self) -> str:
        return f"{self.who} {self.verb} {self.noun} {self.name}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new entry. Raises AppendOnly for one that is there."""
        if not self._state.adding:
            raise AppendOnly("Entries of the audit log are never changed.")
        super().save(*args, **(kwargs | {"force_insert": True}))

    def delete(self, *args: Any, **kwargs: Any) -> Never:
        """Refused."""
        raise AppendOnly("Entries of the audit log are never deleted.")
