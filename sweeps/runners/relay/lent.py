"""Files of the studio that a command's words name, and that its machine fetches."""

import os
import stat
from collections.abc import Sequence
from typing import Any

# Files of one folder that are told of; a command that needs more is given an address to read from.
MOST_FILES = 20_000


def listed(paths: Sequence[str]) -> list[dict[str, Any]]:
    """For each path its name and its files, by their names within; None for a file itself."""
    found = []
    for path in paths:
        is_folder = os.path.isdir(path)
        files = _files(path) if is_folder else None
        found.append({"path": path, "name": os.path.basename(path) or "input", "files": files})
    return found


def _files(folder: str) -> list[str]:
    found: list[str] = []
    for place, _folders, names in os.walk(folder):
        for name in names:
            path = os.path.join(place, name)
            if stat.S_ISREG(os.lstat(path).st_mode):
                found.append(os.path.relpath(path, folder))
            if len(found) >= MOST_FILES:
                return sorted(found)
    return sorted(found)


def path_of(paths: Sequence[str], number: int, name: str) -> str | None:
    """A file of those that are lent; None for all else, links among it."""
    if not 0 <= number < len(paths):
        return None
    root = paths[number]
    path = os.path.normpath(os.path.join(root, name)) if name else root
    if name and not path.startswith(os.path.join(root, "")):
        return None
    try:
        is_file = stat.S_ISREG(os.lstat(path).st_mode)
    except (OSError, ValueError):
        return None
    return path if is_file and os.path.realpath(path) == path else None
