"""What isolation asks the database."""

from django.conf import settings

from studio.models import Compute, Workspace
from sweeps.models import DataUpload


def is_anything_isolated() -> bool:
    """Whether trials of some compute run as users of their own."""
    return bool(settings.STUDIO_ISOLATED_ONLY) or Compute.objects.filter(isolated=True).exists()


def has_upload(workspace: Workspace, digest: str) -> bool:
    """Whether data of this digest was handed in to the workspace."""
    return DataUpload.objects.filter(workspace=workspace, digest=digest).exists()
