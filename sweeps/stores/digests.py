"""What names a folder by its contents. Pure Python: clients compute it without Django."""

import hashlib
from collections.abc import Iterable
from pathlib import Path

from sweeps.stores.code_files import NO_RULES, IgnoreRules, walk

_CHUNK = 2**20


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


def folder_digest(folder: Path, rules: IgnoreRules = NO_RULES) -> str:
    """The digest under which the studio keeps the contents of a folder: `combine` over `walk`.

    Of code with the rules of its ignore file (`read_rules`), of data without any.
    """
    return combine((name, file_digest(folder / name)) for name in walk(folder, rules))
