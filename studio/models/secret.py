"""Secrets of a workspace, and columns that are sealed at rest."""

import logging
from typing import TYPE_CHECKING, Any, Self

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from studio.models.workspace import Role, Workspace
from studio.secrecy import NAME_PATTERN, NAME_RULE
from studio.vault import SealBroken, is_sealed, seal, unseal

if TYPE_CHECKING:
    from studio.models.user import User

log = logging.getLogger(__name__)


class SealedCharField(models.CharField):
    """A short text that the database holds sealed; in Python it is as it was written.

    It cannot be looked up by its value. What cannot be opened any more reads as "".
    """

    def db_type(self, connection: Any) -> str | None:
        """Sealed texts are longer than what they hold."""
        return models.TextField().db_type(connection)

    def from_db_value(self, value: str | None, *_: Any) -> str | None:
        """The text itself."""
        if value is None or not is_sealed(value):
            return value
        try:
            return unseal(value)
        except SealBroken:
            log.error("%s cannot be opened: its key is not in secrets.key any more", self)
            return ""

    def get_db_prep_save(self, value: Any, connection: Any) -> Any:
        """The sealed text."""
        return seal(value) if isinstance(value, str) else value


class SecretQuerySet(models.QuerySet["Secret"]):
    """Every read of secrets."""

    def allowed(self, user: "User", role: Role = Role.CONTRIBUTOR) -> Self:
        """Secrets of workspaces where `user` has at least `role`."""
        return self.filter(workspace__in=Workspace.objects.allowed(user, role))


class Secret(models.Model):
    """A value that trials get by its name, and nobody sees again.

    `sealed` is opened where a command starts, and nowhere else.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=63, validators=[RegexValidator(NAME_PATTERN, NAME_RULE)])
    sealed = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey("studio.User", models.SET_NULL, null=True, related_name="+")
    changed_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(null=True)

    objects = SecretQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["workspace", "name"], name="secret_name_once")
        ]

    def __str__(self) -> str:
        return self.name
