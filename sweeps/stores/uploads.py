"""Data uploads: files kept once by contents and name, each in a folder of its own.

`<digest>.<key>/<name>`: the key is of the name. A folder that is kept by its digest never lies in
the place of a file, whose contents its uploader may choose so that the digests are the same; nor
does whoever has one name of some contents find others there.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown
from sweeps.stores.names import file_name


@dataclass(frozen=True, slots=True)
class Upload:
    """A kept file: hex SHA-256, its name, bytes, and where it lies."""

    digest: str
    name: str
    size: int
    path: Path


def save_upload(root: Path, chunks: Iterable[bytes], filename: str, limit: int) -> Upload:
    """Keep an uploaded file below `root`.

    Raises InvalidInput when it is larger than `limit` bytes.
    """
    name = file_name(filename)
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, temporary = tempfile.mkstemp(prefix=".upload-", dir=root)
    found, size = hashlib.sha256(), 0
    try:
        with os.fdopen(handle, "wb") as out:
            for chunk in chunks:
                size += len(chunk)
                if size > limit:
                    raise InvalidInput.one(
                        "", f"{shown(name)} is larger than {limit // 2**20} MiB."
                    )
                found.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        place = place_of(root, found.hexdigest(), name)
        place.parent.mkdir(exist_ok=True)
        Path(temporary).replace(place)
    finally:
        Path(temporary).unlink(missing_ok=True)
    return Upload(found.hexdigest(), name, size, place)


def place_of(root: Path, digest: str, name: str) -> Path:
    """Where a file of these contents and this name lies."""
    key = hashlib.sha256(name.encode()).hexdigest()[:16]
    return root / f"{digest}.{key}" / name
