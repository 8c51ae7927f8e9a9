"""What was decided while a sweep runs: edits by people, early termination by policies."""

from django.db import models
from django.utils import timezone

from sweeps.models.sweep import Sweep
from sweeps.models.trial import Attempt


class Revision(models.Model):
    """One edit of a live or ended sweep.

    `trial_number` is the next trial's number at that moment: where charts draw the edit. `changes`
    maps each field to [before, after].
    """

    sweep = models.ForeignKey(Sweep, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    trial_number = models.PositiveIntegerField()
    changes = models.JSONField()
    text = models.TextField()
    actor = models.CharField(max_length=150)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["sweep", "number"], name="revision_number_once")
        ]

    def __str__(self) -> str:
        return f"{self.sweep} revision {self.number}"


class TerminationDecision(models.Model):
    """What an early-termination policy decided of an attempt at one of its reports, and from what.

    `value` is the attempt's figure at that report, `threshold` what it had to reach (None where a
    rank decides); `numbers` holds everything the rule looked at.
    """

    attempt = models.ForeignKey(Attempt, models.CASCADE, related_name="decisions")
    report = models.PositiveIntegerField()
    policy = models.CharField(max_length=32)
    stop = models.BooleanField()
    value = models.FloatField()
    threshold = models.FloatField(null=True)
    reason = models.TextField()
    numbers = models.JSONField(default=dict)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["report"]
        constraints = [models.UniqueConstraint(fields=["attempt", "report"], name="decision_once")]

    def __str__(self) -> str:
        return f"{self.attempt} at report {self.report}"


class Condition(models.Model):
    """Something that holds for the whole studio and that everybody should know ("disk")."""

    name = models.CharField(max_length=32, primary_key=True)
    text = models.TextField()
    since = models.DateTimeField()

    def __str__(self) -> str:
        return self.name
