"""Data that a workspace was handed in."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path

from studio.models import Workspace
from sweeps.models import DataUpload


def foreign(workspace: Workspace, paths: Mapping[str, str], root: Path) -> list[str]:
    """Names of those paths that lie in `root`, and in nothing that the workspace was handed in.

    `root` has a folder for each content, named by its digest.
    """
    at, real = {}, root.resolve()
    for name, path in paths.items():
        place = _real(path) if os.path.isabs(path) and "\0" not in path else None
        if place and place.is_relative_to(real):
            at[name] = next(iter(place.relative_to(real).parts), "")
    own = _own(workspace, set(at.values())) if at else set()
    return [name for name, digest in at.items() if digest not in own]


def _real(path: str) -> Path | None:
    """Where a path leads; None where that cannot be told (as below /proc/1)."""
    try:
        return Path(os.path.realpath(path))
    except OSError:
        return None


def _own(workspace: Workspace, digests: Collection[str]) -> set[str]:
    """Those of `digests` that the workspace was handed in itself."""
    rows = DataUpload.objects.filter(workspace=workspace, digest__in=digests)
    return set(rows.values_list("digest", flat=True))
