"""The bell that wakes the engine."""

from functools import cache
from pathlib import Path

from django.conf import settings

from studio.bell import Bell


def engine_bell() -> Bell:
    """Ring it after a change that the engine should see at once; see studio.bell."""
    return _bell(settings.STUDIO_HOME / "engine.bell")


@cache
def _bell(path: Path) -> Bell:
    return Bell(path)
