"""What the engine must remember: who leads, who forwards, and every change of state."""

from django.db import models
from django.utils import timezone

from sweeps.models.sweep import Sweep
from sweeps.models.trial import Trial


class EngineLease(models.Model):
    """A named right that one process holds until it expires ("engine", "forward:<run id>")."""

    name = models.CharField(max_length=120, primary_key=True)
    owner = models.CharField(max_length=120)
    expires_at = models.DateTimeField()
    # When the holder last said that it lives; health pages read it.
    beat_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name} held by {self.owner}"


class StateChange(models.Model):
    """The state log: every change of status of a sweep (trial None) or a trial.

    A sweep's status stays in one kind of entry, which says that its search space ran out.
    """

    sweep = models.ForeignKey(Sweep, models.CASCADE, related_name="changes")
    trial = models.ForeignKey(Trial, models.CASCADE, null=True, related_name="changes")
    attempt = models.PositiveIntegerField(default=0)
    before = models.CharField(max_length=16, blank=True)
    after = models.CharField(max_length=16)
    reason = models.TextField(blank=True)
    actor = models.CharField(max_length=120, default="studio")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.before} → {self.after}"
