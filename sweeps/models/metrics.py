"""Logged metrics, and the outbox that brings them to MLflow."""

import math

from django.db import models
from django.utils import timezone

from sweeps.models.trial import Attempt, Trial


class ValueKind(models.TextChoices):
    """Kinds of float: a database keeps only finite numbers faithfully."""

    FINITE = "num", "finite"
    NAN = "nan", "NaN"
    INFINITE = "inf", "Infinity"
    NEGATIVE_INFINITE = "-inf", "-Infinity"


def to_columns(value: float) -> tuple[float | None, str]:
    """(number or None, kind) that keep any float."""
    if math.isfinite(value):
        return value, ValueKind.FINITE.value
    if math.isnan(value):
        return None, ValueKind.NAN.value
    return None, (ValueKind.INFINITE if value > 0 else ValueKind.NEGATIVE_INFINITE).value


def from_columns(value: float | None, kind: str) -> float:
    """The float that `to_columns` took apart."""
    if kind == ValueKind.FINITE.value and value is not None:
        return value
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}[kind]


_KIND_KNOWN = models.Q(kind__in=ValueKind.values)


class MetricPoint(models.Model):
    """One logged value. `report` counts this metric's values in this attempt from 1.

    `best` and `mean` run over the finite values up to and with this report: what early
    termination compares, whatever the policy.
    """

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="points")
    name = models.CharField(max_length=250)
    report = models.PositiveIntegerField()
    step = models.BigIntegerField(default=0)
    value = models.FloatField(null=True)
    kind = models.CharField(max_length=4, choices=ValueKind.choices)
    timestamp_ms = models.BigIntegerField()
    best = models.FloatField(null=True)
    mean = models.FloatField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["attempt", "name", "report"], name="point_once"),
            models.CheckConstraint(condition=_KIND_KNOWN, name="point_kind_known"),
        ]

    def __str__(self) -> str:
        return f"{self.name}[{self.report}]"


class MetricSummary(models.Model):
    """The newest and extreme values of one metric of a trial's newest attempt."""

    trial = models.ForeignKey(Trial, models.CASCADE, related_name="metrics")
    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="+")
    name = models.CharField(max_length=250)
    count = models.PositiveIntegerField(default=0)
    last = models.FloatField(null=True)
    kind = models.CharField(max_length=4, choices=ValueKind.choices)
    last_step = models.BigIntegerField(default=0)
    lowest = models.FloatField(null=True)
    highest = models.FloatField(null=True)
    # Sum and count of the finite values, for the running mean.
    total = models.FloatField(default=0)
    finite = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trial", "name"], name="summary_once"),
            models.CheckConstraint(condition=_KIND_KNOWN, name="summary_kind_known"),
        ]
        indexes = [models.Index(fields=["name", "last"], name="summary_by_last")]

    def __str__(self) -> str:
        return self.name


class OutboxEntry(models.Model):
    """One log-batch body on its way to MLflow, in order of id within its run."""

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="outbox")
    run_id = models.CharField(max_length=64)
    body = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "outbox entries"
        indexes = [models.Index(fields=["run_id", "id"], name="outbox_by_run")]

    def __str__(self) -> str:
        return f"{self.run_id} #{self.pk}"
