"""Computes: where trials run."""

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from studio.models.workspace import Role, Workspace, name_validator

if TYPE_CHECKING:
    from studio.models.user import User

MAX_SLOTS = 1000


class ComputeKind(models.TextChoices):
    """Kinds of compute; a kind is a runner."""

    LOCAL = "local", "This machine"
    SLURM = "slurm", "Slurm"
    RAY = "ray", "Ray"


class ComputeQuerySet(models.QuerySet["Compute"]):
    """Every read of computes."""

    def allowed(self, user: "User", role: Role = Role.READER) -> Self:
        """Computes of workspaces where `user` has at least `role`."""
        return self.filter(workspace__in=Workspace.objects.allowed(user, role))


class Compute(models.Model):
    """A place with slots; each slot runs one trial at a time."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="computes")
    name = models.CharField(max_length=63, validators=[name_validator])
    kind = models.CharField(max_length=16, choices=ComputeKind.choices, default=ComputeKind.LOCAL)
    # What the kind can be told (sweeps.domain.computes): of its engine, and for each trial.
    settings = models.JSONField(default=dict, blank=True)
    slots = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(MAX_SLOTS)]
    )
    description = models.TextField(blank=True)
    # Path of the interpreter that "python" means in commands; empty = the studio's own.
    python = models.CharField(max_length=1024, blank=True)
    environment_variables = models.JSONField(default=dict, blank=True)
    is_default = models.BooleanField(default=False)
    # Trials run as an operating-system user of their workspace, not as the studio's.
    isolated = models.BooleanField(default=False)
    # Trials of Python scripts are forked from a process that has their imports loaded: those that
    # are named here (blanks or commas between them), else those that the script's text names.
    preload = models.BooleanField(default=True)
    preload_modules = models.CharField(max_length=2000, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # What the last "Test compute" found: {"ok", "at", "steps": [{"name", "ok", "detail"}]}.
    last_test = models.JSONField(null=True, blank=True)

    # What a cluster last said of itself, as the engine asks it (sweeps.engine.clusters).
    cluster = models.JSONField(null=True, blank=True)

    objects = ComputeQuerySet.as_manager()

    class Meta:
        ordering = ["-is_default", "name"]
        constraints = [
            models.UniqueConstraint("workspace", Lower("name"), name="compute_name_once"),
            models.UniqueConstraint(
                fields=["workspace"],
                condition=models.Q(is_default=True),
                name="compute_one_default",
            ),
            models.CheckConstraint(
                condition=models.Q(slots__gte=1, slots__lte=MAX_SLOTS), name="compute_slots_range"
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=ComputeKind.values), name="compute_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_isolated(self) -> bool:
        """Whether its trials run as a user of their own: by itself, or as all of this studio do."""
        return self.isolated or settings.STUDIO_ISOLATED_ONLY

    @property
    def preloads(self) -> bool:
        """Whether its trials may start from a preloaded process."""
        return self.preload and not self.is_isolated

    def get_absolute_url(self) -> str:
        return reverse("compute", args=[self.workspace.name, self.name])
