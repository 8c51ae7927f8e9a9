"""What names a folder by its contents. Pure Python: clients compute it without Django."""

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

# Never part of the code, and large.
SKIPPED = frozenset(
    {".git", "__pycache__", ".venv", "venv", "node_modules", ".ipynb_checkpoints", "mlruns"}
)
_CHUNK = 2**20


def walk(folder: Path) -> Iterator[str]:
    """Relative names (`/` between parts) of the files below a folder that are its contents.

    Regular files only: no links, no `.pyc`, nothing below a folder of a name in `SKIPPED`.
    """
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        for name in sorted(files):
            path = Path(here) / name
            if path.is_file() and not path.is_symlink() and not name.endswith(".pyc"):
                yield path.relative_to(folder).as_posix()


def file_digest(path: Path) -> str:
    """Hex SHA-256 of a file's bytes."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            found.update(chunk)
    return found.hexdigest()


def combine(files: Iterable[tuple[str, str]]) -> str:
    """The digest of a folder from (relative name, hex SHA-256 of the contents) of its files.

    It is the SHA-256, in hex, of one line per file, in the order of the names by code points:
    the length of the name in UTF-8 bytes in decimal, `:`, the name, `:`, the SHA-256 of the
    contents in lower-case hex, and a line feed. Modes, times and empty folders do not count.
    """
    whole = hashlib.sha256()
    for name, digest in sorted(files):
        whole.update(f"{len(name.encode())}:{name}:{digest}\n".encode())
    return whole.hexdigest()


def folder_digest(folder: Path) -> str:
    """The digest under which the studio keeps the contents of a folder: `combine` over `walk`."""
    return combine((name, file_digest(folder / name)) for name in walk(folder))
