"""What tests of isolated commands share: users without accounts, a Python that they may run, and
folders that they may reach. Only root can become others, so tests of it exist for root alone."""

import os
import shutil
import stat
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

IS_ROOT = os.geteuid() == 0
# Beside the range that studios take by default: a studio may run on this machine.
UID = 390_000 + os.getpid() % 10_000


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user may pass through, as those of pytest are not."""
    folder = Path(tempfile.mkdtemp(prefix="sweep-isolated-"))
    try:
        folder.chmod(0o711)
        yield folder
    finally:
        _remove(folder)


def _remove(folder: Path) -> None:
    """A guard that is ending may still remove what is its own meanwhile."""
    for _ in range(50):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(0.02)
    raise AssertionError(f"{folder} cannot be removed")


@cache
def open_python() -> str:
    """A Python 3 that every user of this machine may run."""
    for program in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        if os.path.exists(program) and _is_open(Path(program).resolve()):
            return program
    raise AssertionError("No Python on this machine that every user may run; install python3.")


def _is_open(program: Path) -> bool:
    return all(path.stat().st_mode & stat.S_IXOTH for path in (program, *program.parents))
