"""Reading the artifacts of a run: names that lead nowhere else."""

import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file by its path below the run's artifacts (with /), and its bytes."""

    path: str
    size: int


def artifacts(root: Path, below: str = "", most: int = 10_000) -> list[Artifact]:
    """The files below a folder of the artifacts, in order; [] where there are none."""
    folder = inside(root, below)
    if folder is None or not folder.is_dir():
        return []
    return list(islice(_walk(root.resolve(), folder), most))


def _walk(root: Path, folder: Path) -> Iterator[Artifact]:
    for here, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = Path(here) / name
            if not path.is_symlink() and path.is_file() and not name.endswith(".part"):
                yield Artifact(path.relative_to(root).as_posix(), path.stat().st_size)


def inside(root: Path, path: str) -> Path | None:
    """What a path below the artifacts means; None for what is not there, a link, or outside."""
    if "\0" in path:
        return None
    found = root / path
    try:
        real = found.resolve(strict=True)
    except (OSError, RuntimeError):
        return None
    return real if real.is_relative_to(root.resolve()) and real == root.resolve() / path else None


def pack(root: Path, files: list[Artifact], out: IO[bytes]) -> None:
    """A zip of the files. Raises OSError."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for one in files:
            archive.write(root / one.path, one.path)
    out.seek(0)
