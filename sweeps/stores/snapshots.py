"""Code snapshots: a folder of training code, kept once under the hash of its contents."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, BinaryIO

from studio.public import open_public, walk_public
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown
from sweeps.stores.archives import MAX_BYTES, MAX_FILES, unpack
from sweeps.stores.code_files import (
    IGNORE_FILES,
    SKIPPED,
    IgnoreRules,
    read_rules,
    rules_in,
    walk,
)
from sweeps.stores.digests import combine, folder_digest
from sweeps.stores.names import file_name, is_plain
from sweeps.stores.trash import throw_away


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A kept folder: its digest (hex SHA-256), number of files, size in bytes, names.

    `texts` are those files, by name, that were read before the folder went (`with_texts`).
    """

    digest: str
    files: int
    size: int
    names: tuple[str, ...]
    texts: Mapping[str, str] = field(default_factory=dict, compare=False)


# What a job may refer to besides scripts: requirements and conda files.
_TEXTS = (".txt", ".yml", ".yaml", ".in")


def with_texts(root: Path, snapshot: Snapshot) -> Snapshot:
    """The snapshot with the texts of files that a job may refer to, for when `root` has gone."""
    names = [name for name in snapshot.names if name.lower().endswith(_TEXTS)][:100]
    folder = _folder(root, snapshot.digest)
    small = [name for name in names if (folder / name).stat().st_size <= 2**18]
    texts = {name: (folder / name).read_text(errors="replace") for name in small}
    return replace(snapshot, texts=texts)


def snapshot_folder(root: Path, folder: Path, *, public: bool = False) -> Snapshot:
    """Keep a copy of a folder of this machine, without what its ignore file leaves out.

    With `public` only what every user of the machine may read. Raises InvalidInput when it is too
    large, empty or cannot be read.
    """
    with staging(root) as stage:
        try:
            rules = _public_rules(folder) if public else read_rules(folder)
            _copy(folder, stage, rules, public)
            if not any(stage.iterdir()) and rules.source:
                text = f"{folder} has no file that {rules.source} does not ignore."
                raise InvalidInput.one("", text)
        except OSError as error:
            raise InvalidInput.one("", f"{folder} cannot be read: {error.strerror}.") from error
        return _keep(root, stage)


def _public_rules(folder: Path) -> IgnoreRules:
    """The rules in a file that every user may read: what they leave out tells what they are.

    Raises OSError for an ignore file that is another one, or a link.
    """
    for name in IGNORE_FILES:
        if os.path.lexists(folder / name):
            with open_public(folder, name) as file:
                return rules_in(file, name)
    return IgnoreRules()


def _copy(folder: Path, stage: Path, rules: IgnoreRules, public: bool) -> None:
    total = 0
    names = walk(folder, rules, walk_public if public else os.walk)
    for count, name in enumerate(names, 1):
        if not is_plain(name):
            raise InvalidInput.one("", f"Rename the file {shown(name)}: that is no plain name.")
        with open_public(folder, name) if public else (folder / name).open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            total += size
            if count > MAX_FILES or total > MAX_BYTES:
                raise InvalidInput.one(
                    "",
                    f"{folder} is too large for training code: at most {MAX_FILES:,} files "
                    f"and {MAX_BYTES // 2**30} GiB. Name data as inputs instead.",
                )
            place = stage / name
            place.parent.mkdir(parents=True, exist_ok=True)
            with place.open("wb") as out:
                _copy_most(file, out, size)


def _copy_most(file: BinaryIO, out: BinaryIO, left: int) -> None:
    """No more than there was when it was counted: it may have become any length."""
    while left and (data := file.read(min(left, 2**20))):
        left -= out.write(data)


def snapshot_archive(
    root: Path, file: IO[bytes], filename: str, *, unwrap: bool = True
) -> Snapshot:
    """Keep the contents of a zip or tar.gz; with `unwrap`, one folder around them is left out.

    Raises InvalidInput for an archive that is unsafe or cannot be read.
    """
    with staging(root) as stage:
        file.seek(0)
        unpack(file, filename, stage)
        inner = [path for path in stage.iterdir() if path.name != "__MACOSX"]
        is_wrapped = (
            unwrap and len(inner) == 1 and inner[0].is_dir() and inner[0].name not in SKIPPED
        )
        only = inner[0] if is_wrapped else stage
        return _keep(root, only)


def keep_folder(root: Path, stage: Path) -> Snapshot:
    """Keep a folder within a `staging` of the same root, which goes from there, as it is."""
    return _keep(root, stage)


def snapshot_file(root: Path, file: IO[bytes], filename: str) -> Snapshot:
    """Keep a single script."""
    name = file_name(filename)
    with staging(root) as stage:
        file.seek(0)
        with (stage / name).open("wb") as out:
            shutil.copyfileobj(file, out)
        return _keep(root, stage)


def materialise(root: Path, digest: str, target: Path) -> None:
    """A fresh, writable copy of a snapshot at `target`, which must not exist yet."""
    shutil.copytree(_folder(root, digest), target)


def list_files(root: Path, digest: str) -> list[str]:
    """Relative names of the files of a snapshot, sorted."""
    return sorted(walk(_folder(root, digest)))


def read_file(root: Path, digest: str, name: str, limit: int = 2**20) -> str:
    """The text of one file of a snapshot, at most `limit` bytes.

    Raises KeyError if the snapshot has no such file.
    """
    if name not in list_files(root, digest):
        raise KeyError(name)
    with (_folder(root, digest) / name).open("rb") as file:
        return file.read(limit).decode(errors="replace")


def _folder(root: Path, digest: str) -> Path:
    if not digest.isalnum():
        raise ValueError(f"{digest!r} is no digest")
    return root / digest


class staging:  # noqa: N801 - used as a function
    """A folder beside the kept ones, gone afterwards unless it was kept."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path = Path(tempfile.mkdtemp(prefix=".stage-", dir=root))

    def __enter__(self) -> Path:
        return self._path

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)


def _keep(root: Path, stage: Path) -> Snapshot:
    """Move a staged folder to the place of its digest; an equal one that is there stays."""
    names = tuple(sorted(walk(stage)))
    if not names:
        raise InvalidInput.one("", "There is no file in it.")
    _prune(stage, frozenset(names))
    found = [(name, *_flushed(stage / name)) for name in names]
    digest, size = combine((name, part) for name, part, _ in found), sum(n for _, _, n in found)
    if (root / digest).exists() and not _holds(root / digest, names, digest):
        # Files that strangers chose once lay in places of this kind.
        throw_away(root, root / digest)
    if not (root / digest).exists():
        try:
            stage.rename(root / digest)
        except OSError:
            # Another request kept the same code in this moment.
            if not (root / digest).exists():
                raise
    return Snapshot(digest, len(names), size, names)


def _holds(folder: Path, names: tuple[str, ...], digest: str) -> bool:
    """Whether a folder that is there is what its name says, and has no file beside."""
    there = sum(len(files) for _, _, files in os.walk(folder))
    return there == len(names) and folder_digest(folder) == digest


def _flushed(path: Path) -> tuple[str, int]:
    """SHA-256 and size of a file, once it is on the disk."""
    part, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while chunk := file.read(2**20):
            part.update(chunk)
            size += len(chunk)
        os.fsync(file.fileno())
    return part.hexdigest(), size


def _prune(stage: Path, names: frozenset[str]) -> None:
    """Remove what the digest does not cover, so that equal digests are equal folders.

    Otherwise a compiled file that someone slipped in would run for whoever hands in equal code.
    """
    for here, _, files in os.walk(stage, topdown=False):
        for name in files:
            path = Path(here) / name
            if path.relative_to(stage).as_posix() not in names:
                path.unlink()
        if not os.listdir(here):
            os.rmdir(here)
