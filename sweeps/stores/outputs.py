"""What a trial leaves behind becomes artifacts of its MLflow run: linked, so that it costs no room.

The commands have ended, so nobody should write to the files any more. What the trial left running
all the same, or runs as the same user, may: folders are entered and files linked by descriptor.
Where that user is not the studio's, files are copied, and only those that are that user's own.
"""

import os
import shutil
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from sweeps.stores.names import is_plain
from sweeps.stores.plain import open_plain, walk


@dataclass(frozen=True, slots=True)
class OutputLimits:
    """`files` and `size` (bytes) of one trial at most."""

    files: int
    size: int


@dataclass(frozen=True, slots=True)
class Source:
    """A folder of outputs; files that are as in `code` came with it and are none."""

    folder: Path
    code: Path | None = None


@dataclass(slots=True)
class Collected:
    """Files and bytes that are artifacts now, and how many are not, by why."""

    files: int = 0
    size: int = 0
    over: int = 0
    clashing: int = 0
    odd: int = 0

    def note(self, limits: OutputLimits) -> str:
        """Sentences on what was left out, "" for nothing."""
        found = []
        if self.over:
            found.append(
                f"{_files(self.over)} left out: a trial may have {limits.files:,} files and "
                f"{limits.size // 2**20:,} MB of outputs at most."
            )
        if self.clashing:
            found.append(f"{_files(self.clashing)} left out, whose names were taken.")
        if self.odd:
            found.append(f"{_files(self.odd)} left out: links, devices and names with odd signs.")
        if found:
            found.append("All are in the trial’s folder.")
        return " ".join(found)


def _files(count: int) -> str:
    return f"{count:,} output{' was' if count == 1 else 's were'}"


def collect(
    sources: list[Source], target: Path, limits: OutputLimits, end: float
) -> Collected | None:
    """Keep all files of the sources below `target`; the first to have a name keeps it.

    None if that was not done by `end` (time.monotonic()): the same call again goes on. Raises
    OSError.
    """
    done, seen = Collected(), set[str]()
    for source in sources:
        stranger = _stranger(source.folder)
        for name, folder, base, found in walk(source.folder):
            is_own = stranger in (None, found.st_uid)
            if not (stat.S_ISREG(found.st_mode) and is_own and is_plain(name)):
                done.odd += 1
            elif _came_with(source, name, found):
                continue
            elif done.files >= limits.files or done.size + found.st_size > limits.size:
                done.over += 1
            elif name in seen or not _keep(folder, base, target / name, found, stranger):
                done.clashing += 1
            else:
                seen.add(name)
                done.files += 1
                done.size += found.st_size
            if time.monotonic() > end:
                return None
    return done


def _stranger(folder: Path) -> int | None:
    """Whose folder it is, if not ours."""
    try:
        owner = os.lstat(folder).st_uid
    except OSError:
        return None
    return None if owner == os.geteuid() else owner


def _came_with(source: Source, name: str, found: os.stat_result) -> bool:
    if source.code is None:
        return False
    try:
        own = os.stat(source.code / name)
    except OSError:
        return False
    return (own.st_size, own.st_mtime_ns) == (found.st_size, found.st_mtime_ns)


def _keep(
    folder: int, name: str, target: Path, found: os.stat_result, stranger: int | None
) -> bool:
    """False if something else has the name, or the file is not what it was any more."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        return False
    if stranger is not None:
        return _copy(folder, name, target, found)
    try:
        os.link(name, target, src_dir_fd=folder, follow_symlinks=False)
    except FileExistsError:
        there = os.lstat(target)  # by an earlier call, perhaps as a copy
        return there.st_ino == found.st_ino or there.st_size == found.st_size
    except OSError:
        # Another disk, or one without links. Renamed, so that no half of a copy stays.
        part = target.with_name(f".{target.name[:200]}.part")
        with open_plain(name, folder) as source, part.open("wb") as out:
            shutil.copyfileobj(source, out, 2**20)
        part.replace(target)
    return True


def _copy(folder: int, name: str, target: Path, found: os.stat_result) -> bool:
    """Copy a stranger's file as long as it was when it was looked at: it may be growing."""
    if os.path.lexists(target):  # by an earlier call
        return os.lstat(target).st_size == found.st_size
    part = target.with_name(f".{target.name[:200]}.part")
    try:
        source = open_plain(name, folder)
    except OSError:
        return False
    with source:
        now = os.fstat(source.fileno())
        if (now.st_dev, now.st_ino, now.st_uid) != (found.st_dev, found.st_ino, found.st_uid):
            return False
        with part.open("wb") as out:
            left = found.st_size
            while left and (data := source.read(min(left, 2**20))):
                left -= out.write(data)
    part.replace(target)
    return True
