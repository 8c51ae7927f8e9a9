"""Invitations: a one-time link into a workspace, with a role."""

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Self

from django.db import models
from django.utils import timezone

from studio.models.workspace import Membership, Role, Workspace

if TYPE_CHECKING:
    from studio.models.user import User

INVITATION_LIFETIME = timedelta(days=7)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    """Every read of invitations."""

    def allowed(self, user: "User", role: Role = Role.OWNER) -> Self:
        """Invitations into workspaces where `user` has at least `role`."""
        return self.filter(workspace__in=Workspace.objects.allowed(user, role))

    def pending(self) -> Self:
        """Neither taken up nor revoked; those that ran out too."""
        return self.filter(accepted_at=None, revoked_at=None)

    def usable(self, now: datetime) -> Self:
        """Pending, not run out, and from somebody who may still invite there: whoever loses that
        right leaves no door open."""
        owns = Membership.objects.filter(
            workspace=models.OuterRef("workspace"), user=models.OuterRef("invited_by"),
            role=Role.OWNER,
        )  # fmt: skip
        may = models.Q(invited_by__is_superuser=True) | models.Exists(owns)
        return self.pending().filter(may, expires_at__gt=now, invited_by__is_active=True)


class Invitation(models.Model):
    """Whoever holds the link joins the workspace with the role, once."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.CONTRIBUTOR)
    # For whom it is, as the owner knows them; mail goes there if it is an address.
    note = models.CharField(max_length=120, blank=True)
    email = models.EmailField(blank=True)
    digest = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey("studio.User", models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    # Sent by mail to `email`, which proves that address once the link is used.
    mailed_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    accepted_by: "models.ForeignKey[User | None]" = models.ForeignKey(
        "studio.User", models.SET_NULL, null=True, blank=True, related_name="+"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="invitation_role_known"
            ),
        ]

    def __str__(self) -> str:
        return self.email or self.note or f"invitation {self.pk}"
