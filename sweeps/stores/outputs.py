"""What a trial leaves behind becomes artifacts of its MLflow run: linked, so that it costs no room.

The commands have ended, so nobody should write to the files any more. What the trial left running
all the same, or runs as the same user, may: folders are entered and files linked by descriptor.
Where that user is not the studio's, files are copied, and only those that are that user's own.

Nobody's outputs may hold up who keeps them: a call ends soon after its time, in the middle of a
file too, and what is over the limits is not counted to its end.
"""

import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from sweeps.stores.names import is_plain
from sweeps.stores.plain import open_plain, walk

# Beyond twice the files that are kept, so many more are counted at most.
_COUNTED = 10_000


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
    uncounted: bool = False

    def note(self, limits: OutputLimits) -> str:
        """Sentences on what was left out, "" for nothing."""
        found = []
        if self.uncounted:
            found.append("There are more outputs than are counted.")
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


class _OutOfTime(Exception):
    """A file is kept in part; the next call goes on with it."""


def collect(
    sources: list[Source], target: Path, limits: OutputLimits, end: float
) -> Collected | None:
    """Keep all files of the sources below `target`; the first to have a name keeps it.

    Nobody but us may replace the first source itself: it tells whose the files are. None if that
    was not done by `end` (time.monotonic()): the same call again goes on, and keeps at least some
    more. Raises OSError.
    """
    done, seen = Collected(), set[str]()
    keeper = _Keeper(stranger(sources[0].folder), end)
    most = 2 * limits.files + _COUNTED
    for source in sources:
        for name, folder, base, found in walk(source.folder):
            most -= 1
            if most < 0:
                done.uncounted = True
                return done
            if not (stat.S_ISREG(found.st_mode) and keeper.takes(found) and is_plain(name)):
                done.odd += 1
            elif _came_with(source, name, found):
                continue
            elif done.files >= limits.files or done.size + found.st_size > limits.size:
                done.over += 1
            elif name in seen or not keeper.keep(folder, base, target / name, found):
                if keeper.stopped:
                    return None
                done.clashing += 1
            else:
                seen.add(name)
                done.files += 1
                done.size += found.st_size
            # Looking at what is kept already is no reason to stop, or nothing would ever be done.
            if keeper.kept and time.monotonic() > end:
                return None
    return done


def stranger(folder: Path) -> int | None:
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


class _Keeper:
    """Keeps files of one owner, None for ourselves; `kept` counts those that were not there."""

    def __init__(self, owner: int | None, end: float) -> None:
        self._owner, self._end = owner, end
        self.kept = 0
        self.stopped = False

    def takes(self, found: os.stat_result) -> bool:
        return self._owner in (None, found.st_uid)

    def keep(self, folder: int, name: str, target: Path, found: os.stat_result) -> bool:
        """False if something else has the name, the file is not what it was any more, or there
        was no time left (`stopped`)."""
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            return False
        if os.path.lexists(target):  # by an earlier call, perhaps as a copy
            there = os.lstat(target)
            return there.st_ino == found.st_ino or there.st_size == found.st_size
        self.kept += 1
        try:
            if self._owner is None and _link(folder, name, target):
                return True
            return _copy(folder, name, target, found, self._end)
        except _OutOfTime:
            self.stopped = True
            return False


def _link(folder: int, name: str, target: Path) -> bool:
    """False on another disk, or one without links."""
    try:
        os.link(name, target, src_dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return True


def _copy(folder: int, name: str, target: Path, found: os.stat_result, end: float) -> bool:
    """Copy a file as long as it was when it was looked at: it may be growing.

    Renamed at the end, so that no half of a copy stays. Raises _OutOfTime; the next call goes on.
    """
    part = target.with_name(f".{target.name[:150]}.{found.st_ino}-{found.st_mtime_ns}.part")
    try:
        source = open_plain(name, folder)
    except OSError:
        return False
    with source:
        now = os.fstat(source.fileno())
        if (now.st_dev, now.st_ino, now.st_uid) != (found.st_dev, found.st_ino, found.st_uid):
            return False
        with part.open("ab") as out:
            left = found.st_size - source.seek(out.tell())
            while left > 0 and (data := source.read(min(left, 2**20))):
                left -= out.write(data)
                if left > 0 and time.monotonic() > end:
                    raise _OutOfTime
    part.replace(target)
    return True
