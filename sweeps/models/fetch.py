"""Inputs from the web, as each sweep gets them."""

from django.db import models
from django.utils import timezone

from sweeps.models.sweep import Sweep


class InputFetch(models.Model):
    """The download of one address for one sweep: all its trials see the content of `digest`.

    `state` is waiting, done or failed; `received` and `total` are bytes (total None: unknown).
    """

    WAITING, DONE, FAILED = "waiting", "done", "failed"

    sweep = models.ForeignKey(Sweep, models.CASCADE, related_name="fetches")
    # The input that names it, and its path as written there.
    input = models.CharField(max_length=255)
    path = models.TextField()
    url = models.TextField()
    name = models.CharField(max_length=255)
    state = models.CharField(max_length=8, default="waiting")
    received = models.BigIntegerField(default=0)
    total = models.BigIntegerField(null=True)
    etag = models.TextField(blank=True)
    last_modified = models.CharField(max_length=100, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    tries = models.PositiveIntegerField(default=0)
    not_before = models.DateTimeField(null=True)
    # Of the last try that went wrong.
    reason = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "input fetches"
        constraints = [
            models.UniqueConstraint(fields=["sweep", "input"], name="fetch_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=["waiting", "done", "failed"]),
                name="fetch_state_known",
            ),
        ]
        indexes = [models.Index(fields=["state"], name="fetch_by_state")]

    def __str__(self) -> str:
        return f"{self.name} for {self.sweep}"
