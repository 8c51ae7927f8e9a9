"""What people hand in, kept by content: the folder a trial runs in, data that it reads."""

from django.db import models
from django.utils import timezone

from studio.models import Workspace


class CodeSnapshot(models.Model):
    """Training code of a workspace; the files lie in STUDIO_HOME/code/<digest>."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="snapshots")
    digest = models.CharField(max_length=64)
    # Where it came from, for people: a file name or a folder.
    origin = models.CharField(max_length=1024, blank=True)
    file_count = models.PositiveIntegerField(default=0)
    size = models.BigIntegerField(default=0)
    # Its repository's state when it was last handed in (stores/git.py); {} where there is none.
    git = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "digest"], name="snapshot_once")
        ]

    def __str__(self) -> str:
        return self.origin or self.digest[:12]


class DataUpload(models.Model):
    """Data that a client handed in to a workspace; it lies at `path` below STUDIO_HOME/data."""

    workspace = models.ForeignKey(Workspace, models.CASCADE, related_name="uploads")
    digest = models.CharField(max_length=64)
    name = models.CharField(max_length=255, blank=True)  # "" for a folder
    path = models.CharField(max_length=512)
    file_count = models.PositiveIntegerField(default=1)
    size = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "digest", "name"], name="upload_once")
        ]

    def __str__(self) -> str:
        return self.name or self.digest[:12]
