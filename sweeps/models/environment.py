"""Environments: what people name in a workspace, and what is built of them for all."""

from typing import Self

from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from studio.models import Workspace

# As Azure's are called, "AzureML-sklearn-1.5" say.
MAX_ENVIRONMENT_NAME = 255
environment_name = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9._-]*$",
    "Use letters, digits, ., - and _, starting with a letter or digit.",
)


class BuildQuerySet(models.QuerySet["EnvironmentBuild"]):
    """Reads of builds."""

    def wanted(self) -> Self:
        """Those that somebody waits for: a live sweep that has not begun, or a person."""
        waiting = models.Q(
            sweeps__ended_at=None, sweeps__deleted_at=None, sweeps__isnull=False, sweeps__run_id=""
        ) & ~models.Q(sweeps__desired="cancel")
        return self.filter(waiting | models.Q(is_asked_for=True)).distinct()


class EnvironmentBuild(models.Model):
    """One virtual environment, by the digest of its recipe: built once, for whoever wants it.

    `handle` is the runner's of the build that runs; `tries` counts builds, `losses` those in a row
    that ended by something else than themselves.
    """

    WAITING, BUILDING, DONE, FAILED = "waiting", "building", "done", "failed"
    STATES = (WAITING, BUILDING, DONE, FAILED)

    digest = models.CharField(max_length=64, primary_key=True)
    recipe = models.JSONField()
    state = models.CharField(max_length=8, default="waiting")
    # Why the last build failed, or will be tried again.
    reason = models.TextField(blank=True)
    handle = models.TextField(blank=True)
    tries = models.PositiveIntegerField(default=0)
    losses = models.PositiveIntegerField(default=0)
    # Somebody pressed "Build" (see BuildRequest), or it was built and has gone.
    is_asked_for = models.BooleanField(default=False)
    # Of what was built: Python's version, packages as name==version, and what to know of it.
    python = models.CharField(max_length=32, blank=True)
    packages = models.JSONField(default=list, blank=True)
    notes = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = BuildQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "building", "done", "failed"]),
                name="build_state_known",
            ),
        ]
        indexes = [models.Index(fields=["state"], name="build_by_state")]

    def __str__(self) -> str:
        return self.digest[:12]


class EnvironmentKind(models.TextChoices):
    """How an environment is described."""

    REQUIREMENTS = "requirements", "Packages (requirements.txt)"
    CONDA = "conda", "Conda file (its pip part)"
    PYTHON = "python", "A Python of this machine"


class Environment(models.Model):
    """What jobs of a workspace call by name: `azureml:NAME@latest`.

    `source` is a requirements file, a conda file, or the program of a Python, by `kind`.
    """

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="environments")
    name = models.CharField(max_length=MAX_ENVIRONMENT_NAME, validators=[environment_name])
    description = models.CharField(max_length=200, blank=True)
    kind = models.CharField(
        max_length=16, choices=EnvironmentKind.choices, default=EnvironmentKind.REQUIREMENTS
    )
    source = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("workspace", Lower("name"), name="environment_name_once"),
            models.CheckConstraint(
                condition=models.Q(kind__in=EnvironmentKind.values), name="environment_kind_known"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("environment", args=[self.workspace.name, self.name])


class BuildRequest(models.Model):
    """Somebody of a workspace wants a build for itself: no sweep waits for it, perhaps.

    `environment` is what it was asked for as, if that has a name. It goes with that, and with the
    build's end.
    """

    build = models.ForeignKey(EnvironmentBuild, models.CASCADE, related_name="requests")
    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="+")
    environment = models.ForeignKey(
        Environment, models.CASCADE, null=True, blank=True, related_name="requests"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"{self.build} for {self.workspace}"
