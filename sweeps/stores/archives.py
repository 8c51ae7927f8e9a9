"""Unpacking archives from strangers: regular files and folders only, nothing outside, no bombs.

tarfile's own filters were bypassed before (CVE-2025-4517), so names are judged here and only file
contents are taken from the archive.
"""

import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, NoReturn

from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown
from sweeps.stores.gunzip import Gunzip
from sweeps.stores.names import is_plain

MAX_FILES = 10_000
MAX_BYTES = 2**30
MAX_RATIO = 100
# Small archives of small texts compress well; a ratio says nothing about them.
RATIO_FROM = 10 * 2**20
_CHUNK = 2**20
# The others of zipfile's give out all that a piece of input holds: a kilobyte may be a gigabyte.
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# The list of a zip's entries is read into memory as a whole: 10,000 long names fit in here.
_MAX_LIST = 6 * 2**20

# All that the readers of the standard library raise for damaged archives.
_BROKEN = (
    zipfile.BadZipFile, tarfile.TarError, zlib.error, struct.error,
    EOFError, OSError, ValueError, LookupError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """One entry of an archive."""

    name: str
    is_folder: bool
    size: int
    source: zipfile.ZipInfo | tarfile.TarInfo


def unpack(file: IO[bytes], filename: str, target: Path) -> None:
    """Unpack a zip or tar.gz into the empty folder `target`.

    Raises InvalidInput, naming the entry, for anything but plain files and folders inside it.
    """
    lower = filename.lower()
    try:
        if lower.endswith(".zip"):
            _require_short_list(file)
            with zipfile.ZipFile(file) as archive:
                _unpack(_zip_members(archive), archive.open, file, target)
        elif lower.endswith((".tar.gz", ".tgz", ".tar")):
            opened = _Careful(file if lower.endswith(".tar") else Gunzip(file))
            with tarfile.open(fileobj=opened, mode="r:") as tar:  # type: ignore[call-overload]
                _unpack(_tar_members(tar, opened), tar.extractfile, file, target)
        else:
            raise InvalidInput.one("", f"{shown(filename)} is neither a .zip nor a .tar.gz.")
    except InvalidInput:
        raise
    except _BROKEN as error:
        text = f"{shown(filename)} cannot be read as an archive: {error}."
        raise InvalidInput.one("", text) from error
    except (RuntimeError, NotImplementedError) as error:
        raise InvalidInput.one("", f"{shown(filename)} cannot be unpacked: {error}.") from error


def _require_short_list(file: IO[bytes]) -> None:
    """Raises InvalidInput where the list of entries is longer than 10,000 of them need."""
    end: Any = zipfile._EndRecData(file)  # type: ignore[attr-defined]
    if end and end[zipfile._ECD_SIZE] > _MAX_LIST:  # type: ignore[attr-defined]
        raise InvalidInput.one("", f"The archive has more than {MAX_FILES:,} entries.")
    file.seek(0)


def _zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    for info in archive.infolist():
        mode = info.external_attr >> 16
        kind = stat.S_IFMT(mode)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            _refuse(info.orig_filename, "is a link or a device")
        if info.compress_type not in _PACKINGS:
            _refuse(info.orig_filename, "is not packed by “deflate”, as zips commonly are")
        # Not `filename`, which ends before a NUL.
        yield Member(info.orig_filename, info.is_dir(), info.file_size, info)


def _tar_members(archive: tarfile.TarFile, stream: "_Careful") -> Iterator[Member]:
    """One entry after the other, each with a bounded size of headers."""
    for info in archive:
        if not (info.isreg() or info.isdir()) or info.issparse():
            _refuse(info.name, "is a link or a device")
        stream.in_headers = False
        yield Member(info.name, info.isdir(), info.size, info)
        stream.begin_headers()


def _unpack(
    members: Iterator[Member], open_member: Callable[[Any], Any], file: IO[bytes], target: Path
) -> None:
    budget = _Budget(_size_of(file))
    seen: dict[str, str] = {}
    for member in members:
        path = _inside(member.name)
        budget.entry(member)
        if not path.parts:
            continue
        _once(path, member.is_folder, seen)
        place = target / path
        if member.is_folder:
            place.mkdir(parents=True, exist_ok=True)
            continue
        place.parent.mkdir(parents=True, exist_ok=True)
        with open_member(member.source) as source, place.open("xb") as out:
            budget.copy(source, out)


def _inside(name: str) -> PurePosixPath:
    """The name as a relative path; refused if it could lead outside."""
    if "\\" in name or not is_plain(name):
        _refuse(name, "has a name that is no plain path")
    path = PurePosixPath(name)
    if path.is_absolute() or (len(name) > 1 and name[1] == ":"):
        _refuse(name, "is an absolute path")
    if ".." in path.parts:
        _refuse(name, "climbs out of the archive")
    if any(len(part.encode()) > 255 for part in path.parts) or len(path.parts) > 40:
        _refuse(name, "has a name that is too long")
    return path


def _once(path: PurePosixPath, is_folder: bool, seen: dict[str, str]) -> None:
    """No two entries may be one file on a disk that folds case or accents."""
    for depth in range(1, len(path.parts) + 1):
        part = PurePosixPath(*path.parts[:depth])
        folder = is_folder or depth < len(path.parts)
        key = unicodedata.normalize("NFC", str(part)).casefold()
        kind = f"{part}/" if folder else str(part)
        if key in seen and (seen[key] != kind or not folder):
            _refuse(str(path), f"clashes with {shown(str(seen[key]))}")
        seen[key] = kind


class _Careful:
    """A tar stream that hands out no more than a chunk at once, nor in all for one entry's headers.

    Contents are read in chunks; only names and headers that have been blown up ask for more, and
    tarfile would take them into memory before anyone can look at them.
    """

    def __init__(self, stream: IO[bytes] | Gunzip) -> None:
        self._stream = stream
        self.seek, self.tell = stream.seek, stream.tell
        self.begin_headers()

    def begin_headers(self) -> None:
        """What is read next are the headers of an entry."""
        self.in_headers, self._read = True, 0

    def read(self, size: int = -1) -> bytes:
        """See `io.RawIOBase.read`."""
        self._read += size if self.in_headers else 0
        if not 0 <= size <= _CHUNK or self._read > _CHUNK:
            raise InvalidInput.one("", "The archive has a header of more than 1 MiB.")
        return self._stream.read(size)


class _Budget:
    """Counts what an archive may still unpack to; declared sizes are not believed."""

    def __init__(self, packed: int) -> None:
        self._packed, self._files, self._bytes = packed, 0, 0

    def entry(self, member: Member) -> None:
        """One more entry."""
        self._files += 1
        if self._files > MAX_FILES:
            raise InvalidInput.one("", f"The archive has more than {MAX_FILES:,} entries.")
        self._check(member.size)

    def copy(self, source: IO[bytes], out: IO[bytes]) -> None:
        """Copy contents as long as the budget lasts."""
        while chunk := source.read(_CHUNK):
            self._bytes += len(chunk)
            self._check(0)
            out.write(chunk)

    def _check(self, more: int) -> None:
        total = self._bytes + more
        if total > MAX_BYTES:
            text = f"The archive unpacks to more than {MAX_BYTES // 2**30} GiB."
            raise InvalidInput.one("", text)
        if total > RATIO_FROM and total > MAX_RATIO * max(self._packed, 1):
            text = f"The archive unpacks to more than {MAX_RATIO} times its size."
            raise InvalidInput.one("", text)


def _size_of(file: IO[bytes]) -> int:
    at = file.tell()
    size = file.seek(0, 2)
    file.seek(at)
    return size


def _refuse(name: str, why: str) -> NoReturn:
    raise InvalidInput.one(
        "", f"{shown(name)} {why}. Pack plain files and folders with relative names only."
    )
