"""Which files a command of another user may reach: its own, and those that are lent to it.

The home of a studio with isolated computes lets everybody pass through (0711) and shows nobody what
is in it. What stands in it is closed (no right for others), but for the folders in `PASSABLE`, in
which each thing is open to one group alone, that of its workspace.

What a command may write, it may have replaced by anything. So nothing here follows a link in it.
"""

import os
import shutil
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

# In the home: spools, users' own folders, environments, tests of computes.
PASSABLE = ("trials", "users", "environments", "tests")
_THROUGH, _GROUP_THROUGH = 0o711, 0o710
_OTHERS = 0o007
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def open_home(home: Path) -> None:
    """Let users pass through the home, once all in it is closed to them.

    Quick, for it is done before every start: what others have made since is closed then.
    """
    if stat.S_IMODE(os.stat(home).st_mode) != _THROUGH:
        close_contents(home)  # the first time
    with os.scandir(home) as entries:
        for entry in entries:
            if entry.name in PASSABLE:
                continue
            # A database's journal comes and goes. Links are the administrator's, to another disk.
            with suppress(FileNotFoundError):
                mode = entry.stat().st_mode
                if mode & (_OTHERS | 0o070):
                    os.chmod(entry.path, stat.S_IMODE(mode) & 0o700)
    for name in PASSABLE:
        (home / name).mkdir(exist_ok=True, mode=0o700)
        _set_mode(home / name, _THROUGH)
    _set_mode(home, _THROUGH)


def close_contents(home: Path) -> None:
    """Close what an earlier studio left open to others in the folders that users pass through."""
    for name in PASSABLE:
        with suppress(FileNotFoundError), os.scandir(home / name) as entries:
            for entry in entries:
                mode = entry.stat(follow_symlinks=False).st_mode
                if mode & _OTHERS and not entry.is_symlink():
                    os.chmod(entry.path, stat.S_IMODE(mode) & ~_OTHERS)


def _set_mode(path: Path, mode: int) -> None:
    if stat.S_IMODE(os.stat(path).st_mode) != mode:
        os.chmod(path, mode)


def let_through(folder: Path, gid: int) -> None:
    """Let a group pass through a folder of ours, without seeing what is in it."""
    os.chown(folder, -1, gid)
    os.chmod(folder, _GROUP_THROUGH)


def lend_file(path: Path, gid: int | None = None) -> None:
    """Let everybody who gets to a file of ours read it, or one group alone."""
    if gid is not None:
        os.chown(path, -1, gid)
    os.chmod(path, 0o644 if gid is None else 0o640)


def own_folder(path: Path, uid: int, gid: int, mode: int = 0o700) -> Path:
    """A folder of that user, in a folder of ours; there before or not."""
    with suppress(FileExistsError):
        os.mkdir(path, 0o700)
    descriptor = os.open(path, _FOLDER)
    try:
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
    return path


def give(folder: Path, uid: int, gid: int) -> None:
    """Make a tree that we have made the user's. Nobody else may get into it meanwhile."""
    for here, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(os.path.join(here, name), uid, gid, follow_symlinks=False)
    os.chown(folder, uid, gid, follow_symlinks=False)


def lend(source: Path, place: Path) -> Path:
    """What is ours at `source`, to read at `place`, which is made in one step if it is not there.

    Linked, so that it costs no room; copied to another disk. Links in it are left out. Raises
    OSError.
    """
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    stage = Path(tempfile.mkdtemp(prefix=".lend-", dir=place.parent))
    try:
        _link(source, stage / "it")
        with suppress(OSError):  # somebody else has lent it meanwhile
            os.rename(stage / "it", place)
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    if not place.exists():
        raise FileNotFoundError(f"{source} could not be lent")
    return place


def _link(source: Path, place: Path) -> None:
    if not source.is_dir():
        _link_file(source, place)
        return
    for here, _, files in os.walk(source):
        there = place / Path(here).relative_to(source)
        there.mkdir()
        there.chmod(0o755)
        for name in files:
            _link_file(Path(here) / name, there / name)


def _link_file(source: Path, place: Path) -> None:
    if source.is_symlink():
        return
    try:
        os.link(source, place, follow_symlinks=False)
    except OSError:
        shutil.copyfile(source, place, follow_symlinks=False)
    mode = stat.S_IMODE(os.stat(place).st_mode)
    os.chmod(place, (mode | 0o444) & ~0o022)
