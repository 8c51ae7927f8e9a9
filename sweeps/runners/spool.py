"""The files of one attempt, through which runner, guard and shim talk.

launch.json  what to run; whoever creates it may spawn the guard (mode 0600: until the shim has
             read it, it holds the environment and secrets)
guard.json   identity of the guard; whoever creates it owns the attempt
shim.json    identity of the shim, then pid and start time of the command
stop.json    the desired state: end the command, with how much grace and why
limit.json   another time limit than the launch's
heartbeat    touched while somebody watches over the command
result.json  how it ended; written last, when no process of the command is left
lost.json    that it was lost: nothing of it counts any more
job.json     the batch job that runs it, on a cluster
how.json     how it was started: by a warm parent or afresh, and why afresh
stdout.log, stderr.log, runner.log (what guard and shim themselves had to say, and the batch job)
"""

import contextlib
import json
import os
import stat
import time
from collections.abc import Mapping
from typing import Any

from sweeps.runners import records
from sweeps.runners.results import EndedBy, Result

LAUNCH = "launch.json"
GUARD = "guard.json"
SHIM = "shim.json"
STOP = "stop.json"
LIMIT = "limit.json"
RESULT = "result.json"
LOST = "lost.json"
JOB = "job.json"
HOW = "how.json"
HEARTBEAT = "heartbeat"
STDOUT = "stdout.log"
STDERR = "stderr.log"
RUNNER_LOG = "runner.log"
PRIVATE = (
    GUARD,
    SHIM,
    STOP,
    LIMIT,
    HEARTBEAT,
    RUNNER_LOG,
    HOW,
    JOB,
    LAUNCH,
)  # in the order of their removal

_IS_SOUND = {
    LAUNCH: records.is_launch,
    GUARD: records.is_guard,
    SHIM: records.is_shim,
    STOP: records.is_stop,
    LIMIT: records.is_limit,
    RESULT: records.is_result,
    LOST: records.is_reason,
    HOW: records.is_how,
    JOB: records.is_job,
}
# Longer than any record of ours: the kernel takes no more arguments and variables than this.
_LONGEST = 8 * 2**20
# Files of which it has been told that they are none of ours.
_told: set[str] = set()

RESULT_RETRIES_S = 600.0
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def read(folder: str, name: str) -> dict[str, Any] | None:
    """Return a record, or None if there is none. Damaged (power was lost) counts as none.

    The command may write here: what it put in a record's place (a link, a folder, a pipe that
    would never end, other fields, a text for a number) counts as none too, and the log says so.
    """
    path = os.path.join(folder, name)
    try:
        record = _loaded(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, RecursionError):
        record = None
    if isinstance(record, dict) and _IS_SOUND[name](record):
        return record
    _tell_of(path)
    return None


def _loaded(path: str) -> object:
    """What a file of JSON holds. Raises OSError, ValueError and RecursionError."""
    descriptor = os.open(path, _READ)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("It is no file.")
    with open(descriptor, "rb") as file:
        return json.loads(file.read(_LONGEST))


def _tell_of(path: str) -> None:
    """Say once that a file is not what we write: it is looked at several times a second."""
    if path in _told:
        return
    import logging  # only here: a guard in an interpreter of its own would start later by it

    if len(_told) > 1000:
        _told.clear()
    _told.add(path)
    logging.getLogger(__name__).warning("%s is damaged or not the studio's; it is ignored", path)


class Watched:
    """A record that others may write or replace at any time."""

    def __init__(self, folder: str, name: str) -> None:
        self._folder, self._name = folder, name
        self._path = os.path.join(folder, name)
        self._seen = (0, 0)

    def news(self) -> dict[str, Any] | None:
        """The record, once after each time it was written; else None."""
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        now = (found.st_ino, found.st_mtime_ns)
        if now == self._seen:
            return None
        record = read(self._folder, self._name)
        if record is not None:
            self._seen = now
        return record


def write(folder: str, name: str, record: Mapping[str, Any], durable: bool = False) -> None:
    """Replace a record in one step; a reader sees the old one or the new one."""
    draft = _draft(folder, name, record, durable)
    os.replace(draft, os.path.join(folder, name))
    if durable:
        _sync_folder(folder)


def claim(folder: str, name: str, record: Mapping[str, Any]) -> bool:
    """Create a record durably; False, and nothing changed, if there already is one.

    A hard link is the only step that both fails on an existing name and shows a whole file.
    """
    draft = _draft(folder, name, record, durable=True)
    try:
        os.link(draft, os.path.join(folder, name))
    except FileExistsError:
        return False
    finally:
        os.unlink(draft)
    _sync_folder(folder)
    return True


def keep_no_secrets(folder: str, launch: Mapping[str, Any]) -> None:
    """Take the environment, with its tokens and secrets, out of the record of the launch.

    The shim has it in memory, and nobody else needs it. Where the disk is full it stays until the
    runner cleans up, readable to the studio's user alone.
    """
    with contextlib.suppress(OSError):
        write(folder, LAUNCH, {**launch, "env": {}, "secrets": []})


def read_result(folder: str) -> Result | None:
    """Return how the attempt ended, or None if that is not known (yet)."""
    record = read(folder, RESULT)
    if record is None:
        return None
    try:
        return Result(**{**record, "ended_by": EndedBy(record["ended_by"])})
    except (TypeError, ValueError):  # more than there is to know, or an end that is none
        _tell_of(os.path.join(folder, RESULT))
        return None


def write_result(folder: str, result: Result) -> None:
    """Write the result for good. A full disk is waited for: the result is all that counts now."""
    give_up = time.monotonic() + RESULT_RETRIES_S
    while True:
        try:
            return write(folder, RESULT, result._asdict(), durable=True)
        except FileNotFoundError:
            raise  # the spool was removed: nobody waits for this result
        except OSError:
            if time.monotonic() > give_up:
                raise
            time.sleep(1.0)


def stop_due(folder: str, launch: Mapping[str, Any], default: float) -> float:
    """Seconds until a command that was told to stop must be gone; `default` if it was not told."""
    order = read(folder, STOP)
    if order is None:
        return default
    grace = launch["grace_s"] if order.get("grace_s") is None else order["grace_s"]
    if "asked" not in order:  # by another host, whose clock this one's is not
        return float(order.get("asked_at", 0.0) + grace - time.time())
    return float(order["asked"] + grace - time.monotonic())


def is_over(folder: str) -> bool:
    """True if the attempt has ended or is lost for good, cleaned up or not."""
    return any(os.path.exists(os.path.join(folder, name)) for name in (RESULT, LOST))


def beat(folder: str) -> bool:
    """Show that somebody watches over the command; False if the spool has been removed.

    Needs no disk space once the file exists.
    """
    path = os.path.join(folder, HEARTBEAT)
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def beat_at(folder: str) -> float | None:
    """Return the time of the last heartbeat in Unix seconds, None before the first."""
    try:
        return os.stat(os.path.join(folder, HEARTBEAT)).st_mtime
    except (FileNotFoundError, NotADirectoryError):
        return None


def _draft(folder: str, name: str, record: Mapping[str, Any], durable: bool) -> str:
    path = os.path.join(folder, f".{name}.{os.urandom(6).hex()}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(record))  # json.dump would encode in Python, bit by bit
            file.flush()
            if durable:
                os.fsync(descriptor)
    except OSError:
        os.unlink(path)
        raise
    return path


def _sync_folder(folder: str) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
