"""API tokens and one-time sign-in links: random, shown once, kept as SHA-256."""

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils import timezone

from studio.models.workspace import Membership, Role, Workspace

if TYPE_CHECKING:
    from studio.models.user import User

TOKEN_PREFIX = "sst_"  # noqa: S105 - how all begin
SIGN_IN_LINK_LIFETIME = timedelta(hours=1)


def digest(secret: str) -> str:
    """SHA-256 of a secret, in hex: what the database holds instead of it."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret(prefix: str = "") -> str:
    """A fresh secret with 256 random bits."""
    return prefix + secrets.token_urlsafe(32)


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    """Every read of tokens."""

    def allowed(self, user: "User") -> Self:
        """The person's own ones."""
        return self.filter(user=user.pk)

    def usable(self, now: datetime) -> Self:
        """Neither revoked nor expired, of an active person who still belongs to the workspace."""
        unexpired = models.Q(expires_at=None) | models.Q(expires_at__gt=now)
        theirs = Membership.objects.filter(
            user=models.OuterRef("user"), workspace=models.OuterRef("workspace")
        )
        belongs = models.Q(user__is_superuser=True) | models.Exists(theirs)
        return self.filter(unexpired, belongs, revoked_at=None, user__is_active=True)


class ApiToken(models.Model):
    """A key to the REST API and the tracking gateway for one workspace, with one role."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="tokens")
    user = models.ForeignKey("studio.User", models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=120)
    role = models.CharField(max_length=16, choices=Role.choices)
    digest = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=16)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="token_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"


class SignInLink(models.Model):
    """A link that signs one person in, once."""

    user = models.ForeignKey("studio.User", models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    # For somebody who forgot the password: it leads to where a new one is set.
    for_password = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"sign-in link of {self.user}"
