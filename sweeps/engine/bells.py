"""The bell that wakes the engine."""

from functools import cache
from pathlib import Path

from studio.bell import Bell
from studio.hosts import own_folder


def engine_bell() -> Bell:
    """Ring it after a change that the engine should see at once; see studio.bell."""
    return _bell(own_folder() / "engine.bell")


@cache
def _bell(path: Path) -> Bell:
    return Bell(path)
