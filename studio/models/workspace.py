"""Workspaces, their members, and what each role may do."""

from typing import TYPE_CHECKING, Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

if TYPE_CHECKING:
    from studio.models.user import User

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,62}$"
name_validator = RegexValidator(
    NAME_PATTERN,
    "Use lower-case letters, digits, - and _, starting with a letter or digit; 63 at most.",
)


class Role(models.TextChoices):
    """What a member may do: see; run code; manage members, computes and settings."""

    READER = "reader", "Reader"
    CONTRIBUTOR = "contributor", "Contributor"
    OWNER = "owner", "Owner"


_RANK = {Role.READER: 0, Role.CONTRIBUTOR: 1, Role.OWNER: 2}


def roles_from(role: Role) -> list[Role]:
    """The roles that may do what `role` may."""
    return [other for other in Role if _RANK[other] >= _RANK[role]]


class WorkspaceQuerySet(models.QuerySet["Workspace"]):
    """Every read of workspaces starts here, so that what is foreign looks missing."""

    def visible_to(self, user: "User") -> Self:
        """Workspaces that `user` may see."""
        return self.allowed(user, Role.READER)

    def allowed(self, user: "User", role: Role) -> Self:
        """Workspaces where `user` has at least `role`."""
        if user.is_superuser:
            return self
        if not user.is_active or user.pk is None:
            return self.none()
        return self.of_member(user.pk, role)

    def of_member(self, user_id: int, role: Role) -> Self:
        """Workspaces of which this person is a member with at least `role`."""
        members = Membership.objects.filter(user=user_id, role__in=roles_from(role))
        return self.filter(pk__in=members.values("workspace"))

    def with_role_of(self, user: "User") -> Self:
        """With `role_there`, the person's; None for a workspace that is not theirs."""
        theirs = Membership.objects.filter(user=user.pk, workspace=models.OuterRef("pk"))
        role = models.Subquery(theirs.values("role")[:1])
        return self.annotate(role_there=models.Value(Role.OWNER) if user.is_superuser else role)

    def active(self) -> Self:
        """Without the archived ones."""
        return self.filter(archived_at=None)


class Workspace(models.Model):
    """The members, computes, sweeps and data of one team."""

    name = models.CharField(max_length=63, unique=True, validators=[name_validator])
    title = models.CharField(max_length=120, blank=True)
    description = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)
    # What it takes of the disk, in bytes, where that is limited; None: not measured yet.
    disk_used = models.BigIntegerField(null=True, editable=False)
    # Characters in which MLflow may have to tell one of its runs or models: pages of searches have
    # fewer where one has many. 0: as usual.
    heaviest = models.BigIntegerField(default=0, editable=False)
    disk_measured_at = models.DateTimeField(null=True, editable=False)
    members: "models.ManyToManyField[User, Membership]" = models.ManyToManyField(
        "studio.User", through="studio.Membership", related_name="workspaces"
    )

    objects = WorkspaceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(Lower("name"), name="workspace_name_once"),
            models.CheckConstraint(condition=~models.Q(name=""), name="workspace_named"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("workspace", args=[self.name])

    @property
    def label(self) -> str:
        """What people call it."""
        return self.title or self.name


class MembershipQuerySet(models.QuerySet["Membership"]):
    """Reads of memberships."""

    def role_of(self, user: "User", workspace: Workspace) -> Role | None:
        """The role of `user` in `workspace`; administrators own every workspace."""
        if user.is_superuser:
            return Role.OWNER
        found = self.filter(user=user, workspace=workspace).values_list("role", flat=True).first()
        return Role(found) if found else None


class Membership(models.Model):
    """A person in a workspace, with one role."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="memberships")
    user = models.ForeignKey("studio.User", models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.READER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = MembershipQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "user"], name="member_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=Role.values), name="membership_role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.workspace}"


def may(role: Role | None, needed: Role) -> bool:
    """True if somebody with `role` may do what `needed` may."""
    return role is not None and _RANK[role] >= _RANK[needed]
