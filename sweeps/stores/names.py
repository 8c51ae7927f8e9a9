"""Names of files that people hand in."""

import unicodedata
from pathlib import PurePosixPath

from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown

MAX_BYTES = 255  # of a file's name, on every common file system


def file_name(filename: str) -> str:
    """The last part of a path from any system.

    Raises InvalidInput if no file can have that name.
    """
    name = PurePosixPath(filename.replace("\\", "/")).name
    if not name or name in (".", "..") or not is_plain(name) or len(name.encode()) > MAX_BYTES:
        raise InvalidInput.one("", f"{shown(filename)} is no file name.")
    return name


def is_plain(name: str) -> bool:
    """True without control characters (NUL, line breaks) and halves of characters."""
    return not any(unicodedata.category(character) in ("Cc", "Cs") for character in name)
