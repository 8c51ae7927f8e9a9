"""What a job may name of this machine, by its path."""

import os
from pathlib import Path

from django.conf import settings

from studio.models import Workspace
from studio.public import NotPublic, real_public
from sweeps.domain.problems import InvalidInput
from sweeps.queries.isolation import is_anything_isolated
from sweeps.queries.uploads import foreign

IRIS = Path(settings.BASE_DIR) / "examples" / "iris_lightgbm"
_MISSING = "There is no {} on this machine."


def data_root() -> Path:
    """Where uploaded inputs are kept."""
    return Path(settings.STUDIO_HOME) / "data"


def existing_folder(workspace: Workspace, path: str) -> Path:
    """The real place of a folder of this machine. Raises InvalidInput as `existing` does; what
    other workspaces have uploaded is not there."""
    folder = existing(path)
    if foreign(workspace, {path: str(folder)}, data_root()):
        raise InvalidInput.one("", missing(path))
    if not folder.is_dir():
        raise InvalidInput.one("", f"{folder} is no folder; upload a single file instead.")
    return folder


def existing(path: str) -> Path:
    """The real place of an absolute path of this machine.

    Raises InvalidInput when it is not there, or belongs to the studio itself: what is handed out
    to trials must not hold its databases and secrets. Where trials are isolated, also for what not
    every user of the machine may read, in the same words: the studio may look there, and must not
    do it for others.
    """
    own, data = Path(settings.STUDIO_HOME), data_root()
    try:
        given = Path(path).expanduser()
        if is_anything_isolated() and given not in (IRIS, IRIS.resolve()):
            found = _existing_for_all(given)
        else:
            found = given.resolve(strict=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise InvalidInput.one("", missing(path)) from error
    # Below the root of uploads, not the root itself: that has those of all workspaces.
    if (found.is_relative_to(own) or own.is_relative_to(found)) and data not in found.parents:
        raise InvalidInput.one("", f"{found} holds the studio's own data; choose another.")
    return found


def _existing_for_all(given: Path) -> Path:
    """Of a path whatever every user could find out about it by themselves. Raises OSError."""
    own, data = Path(settings.STUDIO_HOME), data_root()
    place = Path(os.path.normpath(given))
    if data in place.parents:
        return place.resolve(strict=True)
    if place.is_relative_to(own):
        return place  # there or not: it is refused
    found = real_public(place)
    if found.is_relative_to(own):
        raise NotPublic
    return found


def missing(path: str) -> str:
    """What is said of a path that is not there, or not for everybody."""
    if is_anything_isolated():
        return f"{_MISSING.format(path[:200])[:-1]} that every user may read: upload it instead."
    return _MISSING.format(path[:200])
