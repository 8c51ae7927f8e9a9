"""What isolation asks the database."""

from django.conf import settings

from studio.models import Compute


def is_anything_isolated() -> bool:
    """Whether trials of some compute run as users of their own."""
    return bool(settings.STUDIO_ISOLATED_ONLY) or Compute.objects.filter(isolated=True).exists()
