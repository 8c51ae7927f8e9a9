"""Reading the artifacts of a run: names that lead nowhere else."""

import heapq
import os
import posixpath
import threading
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from sweeps.stores.plain import open_plain

_CHUNK = 2**18
# Folders that are listed at once: one of 100,000 files is 50 MiB of names for that moment.
_listing = threading.BoundedSemaphore(2)


@dataclass(frozen=True, slots=True)
class Artifact:
    """A file by its path below the run's artifacts (with /), and its bytes."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands directly in a folder; `size` in bytes, None for a folder."""

    name: str
    path: str
    size: int | None

    @property
    def is_folder(self) -> bool:
        """True for a folder."""
        return self.size is None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of what stands in a folder, folders first; pages count from 1."""

    path: str
    entries: tuple[Entry, ...]
    count: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Tree:
    """A folder to be packed, under `prefix` ("" or with a / at its end).

    Of artifacts that are just being stored half copies are left out; `is_whole` says that there
    are none, whatever files are called.
    """

    root: Path
    below: str = ""
    prefix: str = ""
    is_whole: bool = False


def artifacts(root: Path, below: str = "", most: int = 10_000) -> list[Artifact]:
    """The files below a folder of the artifacts, in order; [] where there are none."""
    folder = inside(root, below)
    if folder is None or not folder.is_dir():
        return []
    return list(islice(_walk(root.resolve(), folder), most))


def _walk(root: Path, folder: Path, is_whole: bool = False) -> Iterator[Artifact]:
    for here, folders, files in os.walk(folder):
        folders[:] = sorted(filter(_is_text, folders))
        for name in sorted(files):
            path = Path(here) / name
            fits = _is_text(name) if is_whole else _is_whole(name)
            if fits and not path.is_symlink() and path.is_file():
                yield Artifact(path.relative_to(root).as_posix(), path.stat().st_size)


def _is_whole(name: str) -> bool:
    """False for half a copy, and for names that are no text."""
    return not name.endswith(".part") and _is_text(name)


def _is_text(name: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in name)


def listing(root: Path, path: str, page: int = 1, size: int = 200) -> Listing | None:
    """A page of a folder; None where there is none. A page too far is the last one.

    However much stands there, only what the page shows is asked for its size.
    """
    folder = inside(root, path)
    if folder is None or not folder.is_dir():
        return None
    folders, files = [], []
    with _listing, os.scandir(folder) as found:
        for one in found:
            if one.is_dir(follow_symlinks=False) and _is_text(one.name):
                folders.append(one)
            elif one.is_file(follow_symlinks=False) and _is_whole(one.name):
                files.append(one)
    entries = [*sorted(folders, key=_name), *sorted(files, key=_name)]
    pages = max(1, -(-len(entries) // size))
    page = min(max(page, 1), pages)
    shown = entries[(page - 1) * size : page * size]
    return Listing(path, tuple(_entry(path, one) for one in shown), len(entries), page, pages)


def after(root: Path, path: str, name: str, most: int) -> list[Entry] | None:
    """What stands in a folder after a name, by name, `most` at most; None where there is none."""
    folder = inside(root, path)
    if folder is None or not folder.is_dir():
        return None
    with _listing, os.scandir(folder) as found:
        later = (one for one in found if one.name > name and _is_listed(one))
        return [_entry(path, one) for one in heapq.nsmallest(most, later, key=_name)]


def _is_listed(one: "os.DirEntry[str]") -> bool:
    if one.is_dir(follow_symlinks=False):
        return _is_text(one.name)
    return one.is_file(follow_symlinks=False) and _is_whole(one.name)


def _name(entry: "os.DirEntry[str]") -> str:
    return entry.name


def _entry(path: str, one: "os.DirEntry[str]") -> Entry:
    is_folder = one.is_dir(follow_symlinks=False)
    size = None if is_folder else one.stat(follow_symlinks=False).st_size
    return Entry(one.name, f"{path}/{one.name}" if path else one.name, size)


def inside(root: Path, path: str) -> Path | None:
    """What a path below the artifacts means; None for what is not there, a link, or outside.

    A file has one name: any other spelling of it (`a//b`, `./a`, `a/`) is not there.
    """
    if "\0" in path or (path and posixpath.normpath(path) != path):
        return None
    found = root / path
    try:
        real = found.resolve(strict=True)
    except (OSError, RuntimeError, ValueError):
        return None
    return real if real.is_relative_to(root.resolve()) and real == root.resolve() / path else None


class _Pipe:
    """What a zip is written to: keeps what has come since it was last emptied."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        """See `io.RawIOBase.write`."""
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing to do."""

    def taken(self) -> bytes:
        """All since the last call."""
        data = b"".join(self._parts)
        self._parts.clear()
        return data


def zipped(
    trees: Iterable[Tree], made: Iterable[tuple[str, Iterable[bytes]]] = ()
) -> Iterator[bytes]:
    """A zip of all files in the trees, after those `made` for it (name, contents), as it is made.

    Nothing is kept on the disk or in memory, however much there is. What cannot be opened any
    more is left out.
    """
    pipe = _Pipe()
    # A target that cannot seek: each entry's size follows its contents.
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:  # type: ignore[call-overload]
        for name, parts in made:
            info = zipfile.ZipInfo(name)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with archive.open(info, "w", force_zip64=True) as target:
                for part in parts:
                    target.write(part)
                    yield pipe.taken()
            yield pipe.taken()
        for tree in trees:
            for name, path in _files(tree):
                yield from _packed(archive, pipe, name, path)
    yield pipe.taken()


def _files(tree: Tree) -> Iterator[tuple[str, Path]]:
    folder = inside(tree.root, tree.below)
    if folder is None or not folder.is_dir():
        return
    for one in _walk(folder, folder, tree.is_whole):
        yield f"{tree.prefix}{one.path}", folder / one.path


def _packed(archive: zipfile.ZipFile, pipe: _Pipe, name: str, path: Path) -> Iterator[bytes]:
    try:
        source: IO[bytes] = open_plain(path)
        info = zipfile.ZipInfo.from_file(path, name, strict_timestamps=False)
    except OSError:
        return
    info.compress_type = zipfile.ZIP_DEFLATED
    with source, archive.open(info, "w", force_zip64=info.file_size > 2**31 - 1) as target:
        while data := source.read(_CHUNK):
            target.write(data)
            if ready := pipe.taken():
                yield ready
    yield pipe.taken()


def model_folders(root: Path, most: int = 2_000) -> list[str]:
    """Folders with a file MLmodel, among the first `most` files."""
    names = (one.path for one in artifacts(root, most=most))
    return [path.rpartition("/")[0] for path in names if path.rpartition("/")[2] == "MLmodel"]
