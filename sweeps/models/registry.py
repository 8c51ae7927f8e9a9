"""Models: what trials have logged, and which of them people registered."""

from typing import Self

from django.db import models
from django.utils import timezone

from studio.models import Workspace
from sweeps.models.trial import Attempt, Trial


class LoggedModelQuerySet(models.QuerySet["LoggedModel"]):
    """Every read of logged models."""

    def gone(self) -> Self:
        """Those that are deleted, or about to be."""
        return self.filter(fate__in=(LoggedModel.GOING, LoggedModel.GONE))

    def there(self) -> Self:
        """All others."""
        return self.exclude(fate__in=(LoggedModel.GOING, LoggedModel.GONE))


class LoggedModel(models.Model):
    """A model that an attempt's script logged with MLflow, which keeps it beside the runs.

    Noted by the gateway when it is made, so that no page has to ask MLflow.
    """

    # Open: its sweep may not want to keep it. Held: somebody has registered it, so that it stays.
    # Going: from here on nobody may.
    KEPT, OPEN, HELD, GOING, GONE = ("", "open", "held", "going", "gone")

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="logged_models")
    model_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=255, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # What the sweep's wish to keep fewer of them has come to; see `services.pruning`.
    fate = models.CharField(max_length=8, default=KEPT, blank=True)

    objects = LoggedModelQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(fate__in=("", "open", "held", "going", "gone")),
                name="logged_model_fate_known",
            )
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(fate__in=("open", "going")),
                name="logged_model_open",
            )
        ]

    def __str__(self) -> str:
        return self.name or self.model_id


class ModelVersion(models.Model):
    """A wish that a model be a version in MLflow's registry, and what became of it; or a version
    that a program registered with MLflow's client, which has no trial (and no `number`) unless its
    run is one's.

    `name` is without the workspace's prefix. `source` is the model's address in MLflow. `number`,
    `metric` and `value` keep what its trial came to, also when that has been deleted.
    """

    REQUESTED, REGISTERED, FAILED = STATES = ("requested", "registered", "failed")

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="model_versions")
    trial = models.ForeignKey(Trial, models.SET_NULL, null=True, related_name="model_versions")
    name = models.CharField(max_length=256)
    alias = models.CharField(max_length=256, blank=True)
    description = models.TextField(blank=True)
    source = models.CharField(max_length=1024)
    model_id = models.CharField(max_length=64, blank=True)
    run_id = models.CharField(max_length=64, blank=True)
    sweep_name = models.CharField(max_length=255, blank=True)
    number = models.PositiveIntegerField(null=True)
    metric = models.CharField(max_length=250, blank=True)
    value = models.FloatField(null=True)
    uid = models.CharField(max_length=32, unique=True)
    state = models.CharField(max_length=16, default=REQUESTED)
    version = models.CharField(max_length=32, blank=True)
    error = models.TextField(blank=True)
    # What the request that made it called itself: sent twice, it makes one version.
    ticket = models.CharField(max_length=64, blank=True)
    requested_by = models.CharField(max_length=150, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["workspace", "ticket"],
                condition=~models.Q(ticket=""),
                name="model_version_ticket_once",
            ),
            models.CheckConstraint(
                condition=models.Q(state__in=("requested", "registered", "failed")),
                name="model_version_state_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["id"],
                condition=models.Q(state="requested"),
                name="model_version_waiting",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.version}".strip()

    @property
    def objective(self) -> float | None:
        """What its trial came to, also when it was registered before that had ended."""
        if self.value is None and self.trial:
            return self.trial.objective
        return self.value
