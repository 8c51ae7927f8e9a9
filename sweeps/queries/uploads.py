"""Data that a workspace was handed in."""

import os
from collections.abc import Mapping
from pathlib import Path

from studio.models import Workspace
from sweeps.models import DataUpload


def foreign(workspace: Workspace, paths: Mapping[str, str], root: Path) -> list[str]:
    """Names of those paths that lie in `root`, and in nothing that the workspace was handed in."""
    found, real = [], root.resolve()
    for name, path in paths.items():
        place = _real(path) if os.path.isabs(path) and "\0" not in path else None
        if place and place.is_relative_to(real) and not is_own(workspace, place.relative_to(real)):
            found.append(name)
    return found


def _real(path: str) -> Path | None:
    """Where a path leads; None where that cannot be told (as below /proc/1)."""
    try:
        return Path(os.path.realpath(path))
    except OSError:
        return None


def is_own(workspace: Workspace, place: Path) -> bool:
    """Whether a place below the data folder is what the workspace was handed in, or in it.

    Where a file and a folder share a place, as they once could, either gives no right to the other.
    """
    if not place.parts:
        return False  # the folder of all
    # Rows of files name the file, rows of folders a folder right below.
    paths = {str(place), place.parts[0]}
    return DataUpload.objects.filter(workspace=workspace, path__in=paths).exists()
