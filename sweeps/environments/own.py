"""The studio's own environment, which trials use unless they ask for another: kept as it is."""

import os
import tempfile
from functools import cache
from importlib.metadata import distributions
from pathlib import Path


@cache
def constraints(root: Path) -> Path:
    """A constraints file with what is installed beside the studio, for pip in trials.

    A trial that calls pip can so add packages, but not replace those that the studio runs on.
    """
    lines = {f"{found.name}=={found.version}" for found in distributions()}
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = root / "studio-packages.txt"
    # Trials start side by side, also in several processes: each writes a file of its own.
    number, part = tempfile.mkstemp(prefix="studio-packages-", dir=root)
    with os.fdopen(number, "w") as file:
        file.write("\n".join([*sorted(lines), ""]))
    os.replace(part, path)
    return path
