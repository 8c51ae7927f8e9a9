"""What a trial leaves behind becomes artifacts of its MLflow run: linked, so that it costs no room.

The commands have ended, so nobody should write to the files any more. What the trial left running
all the same, or runs as the same user, may: folders are entered and files linked by descriptor.
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
    """Link all files of the sources below `target`; the first to have a name keeps it.

    None if that was not done by `end` (time.monotonic()): the same call again goes on. Raises
    OSError.
    """
    done, seen = Collected(), set[str]()
    for source in sources:
        for name, folder, base, found in walk(source.folder):
            if not stat.S_ISREG(found.st_mode) or not is_plain(name):
                done.odd += 1
            elif _came_with(source, name, found):
                continue
            elif done.files >= limits.files or done.size + found.st_size > limits.size:
                done.over += 1
            elif name in seen or not _link(folder, base, target / name, found):
                done.clashing += 1
            else:
                seen.add(name)
                done.files += 1
                done.size += found.st_size
            if time.monotonic() > end:
                return None
    return done


def _came_with(source: Source, name: str, found: os.stat_result) -> bool:
    if source.code is None:
        return False
    try:
        own = os.stat(source.code / name)
    except OSError:
        return False
    return (own.st_size, own.st_mtime_ns) == (found.st_size, found.st_mtime_ns)


def _link(folder: int, name: str, target: Path, found: os.stat_result) -> bool:
    """False if something else has the name."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        return False
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
