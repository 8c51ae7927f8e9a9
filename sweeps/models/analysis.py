"""What took too long for a page and was worked out by the queue."""

from django.db import models

from sweeps.models.sweep import Sweep


class Analysis(models.Model):
    """The newest answer of one kind about one sweep, as of `revision`.

    `document` is None and `revision` -1 until there is one. `asked_at` is when the queue was last
    asked, `at` when it last answered.
    """

    sweep = models.ForeignKey(Sweep, models.CASCADE, related_name="analyses")
    kind = models.CharField(max_length=32)
    revision = models.BigIntegerField(default=-1)
    document = models.JSONField(null=True)
    asked_at = models.DateTimeField(null=True)
    at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = "analyses"
        constraints = [models.UniqueConstraint(fields=["sweep", "kind"], name="analysis_once")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.sweep}"
