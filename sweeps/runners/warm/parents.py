"""Starting, asking and ending warm parents: one per key, for all processes of a studio."""

import contextlib
import fcntl
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sweeps.runners.base import Warm
from sweeps.runners.warm import blas, line

_SITE = str(Path(__file__).with_name("site"))
# A script's imports take seconds; those of the largest packages on a slow disk half a minute.
WAIT_S = 20.0
ANSWER_S = 5.0  # for a parent that has done its imports; it takes a millisecond
_SPAWN_S = 10.0
IDLE_S = 60.0  # how long a parent waits for the next command
# What a parent refused is asked again after this long: packages change.
_REFUSAL_S = 600.0
_STUCK_S = 30.0
_LEAST_FREE_BYTES = 2**30
# Room for what /proc shows of arguments and environment (bytes; execve(2) takes 128 KiB a text).
_ARGUMENTS, _ENVIRONMENT = 8 * 1024, 96 * 1024
_ROOM = "SWEEP_WARM_ROOM"


class Cold(Exception):
    """There is no parent for this command now; the text is a sentence that says why."""


def ready(argv: tuple[str, ...], warm: Warm) -> socket.socket:
    """A line to a parent that has done its imports, starting one where there is none.

    Raises Cold; its imports are waited for until WAIT_S after its start, by whoever asks.
    """
    folder = warm.home / warm.key
    end = time.monotonic() + _patience(folder)
    if refusal := _refusal(folder):
        raise Cold(refusal)
    for _ in range(3):  # one may leave, or find itself out of date, while it is asked
        try:
            asker = _connected(folder, argv, warm)
        except (OSError, subprocess.SubprocessError) as error:
            raise Cold(f"Its warm parent could not be started: {error}") from error
        try:
            answer = _asked(asker, end)
        except TimeoutError:
            asker.close()
            raise Cold(_silent(folder)) from None
        if answer and answer["ready"]:
            return asker
        asker.close()
        if answer is None and (reason := _refusal(folder) or _fallen(folder)):
            raise Cold(reason)
    raise Cold("Its warm parent ends as soon as it is asked.")


def _patience(folder: Path) -> float:
    """Seconds to wait for an answer: of WAIT_S what is left to a parent that is importing."""
    try:
        began = (folder / line.SOCKET).stat().st_mtime
    except FileNotFoundError:
        return WAIT_S
    if not (folder / line.IMPORTING).exists():
        return ANSWER_S
    return min(WAIT_S, began + WAIT_S - time.time())


def _silent(folder: Path) -> str:
    """What to say of a parent that does not answer; one that is stuck is left alone for a while,
    for each that asks it would wait in vain."""
    if (folder / line.IMPORTING).exists():
        return f"Its warm parent was still importing after {WAIT_S:g} s."
    reason = f"Its warm parent did not answer within {ANSWER_S:g} s."
    _remember(folder, reason, _STUCK_S)
    return reason


def fork(asker: socket.socket, folder: str, descriptors: list[int]) -> None:
    """Ask for a guard of a spool; `descriptors` are its standard output and error."""
    socket.send_fds(asker, [line.START + os.fsencode(folder)], descriptors)


def dismiss(home: Path) -> None:
    """Tell all parents of a studio to leave, which harms no command; clear up after others."""
    for folder in home.glob("*/"):
        try:
            with _reached(folder) as asker:
                asker.send(line.LEAVE)
        except OSError:
            shutil.rmtree(folder, ignore_errors=True)


def _asked(asker: socket.socket, end: float) -> dict[str, Any] | None:
    asker.settimeout(max(0.1, end - time.monotonic()))
    try:
        asker.send(line.READY)
    except OSError:
        return None
    return line.hear(asker)


def _connected(folder: Path, argv: tuple[str, ...], warm: Warm) -> socket.socket:
    with contextlib.suppress(OSError):
        return _reached(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(folder):
        with contextlib.suppress(OSError):
            return _reached(folder)
        return _spawn(folder, argv, warm)


def _reached(folder: Path) -> socket.socket:
    """A line to the parent of a folder. Raises OSError where there is none."""
    asker = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    try:
        with _near(folder) as near:
            asker.connect(f"{near}/{line.SOCKET}")
    except OSError:
        asker.close()
        raise
    return asker


@contextlib.contextmanager
def _near(folder: Path) -> Iterator[str]:
    """A short name of a folder: addresses of sockets have room for 107 bytes."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with open(folder / line.LOCK, "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _spawn(folder: Path, argv: tuple[str, ...], warm: Warm) -> socket.socket:
    """Start a parent that listens already, and call before it can leave; called with the lock."""
    if _free_memory() < _LEAST_FREE_BYTES:
        raise Cold("Less than 1 GiB of memory is free, too little for a warm parent.")
    for name in (line.SOCKET, line.IMPORTING, line.REFUSED):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(folder / name)
    (folder / line.IMPORTING).write_text("its first module")
    cwd = folder / line.CWD
    shutil.rmtree(cwd, ignore_errors=True)
    cwd.mkdir()
    with contextlib.ExitStack() as kept:
        listener = kept.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
        with _near(folder) as near:
            listener.bind(f"{near}/{line.SOCKET}")
        listener.listen(128)
        with contextlib.ExitStack() as failed:
            asker = failed.enter_context(_reached(folder))
            _execute(folder, argv, warm, listener.fileno(), kept)
            failed.pop_all()
        return asker


def _execute(
    folder: Path, argv: tuple[str, ...], warm: Warm, listener: int, kept: contextlib.ExitStack
) -> None:
    # Pipes, as of a command: Python buffers its output by what it is.
    pipes = [os.pipe(), os.pipe()]
    for descriptor in (end for pipe in pipes for end in pipe):
        kept.callback(os.close, descriptor)
    readers = [reader for reader, _ in pipes]
    log = kept.enter_context((folder / line.LOG).open("ab"))
    plan = {
        "folder": str(folder),
        "idle_s": IDLE_S,
        "modules": warm.modules,
        "later": warm.later,
        "before": warm.before,
        "word": None if argv[warm.before - 2] == "-m" else argv[warm.before - 1],
        "listener": listener,
        "pipes": readers,
        "log": log.fileno(),
        "env": dict(warm.env),
    }
    process = subprocess.Popen(
        [*argv[: warm.before], "-" * _ARGUMENTS],
        cwd=folder / line.CWD,
        env=_environment(warm.env, json.dumps(plan)),
        stdin=subprocess.DEVNULL,
        stdout=pipes[0][1],
        stderr=pipes[1][1],
        pass_fds=(listener, *readers, log.fileno()),
    )
    process.wait(_SPAWN_S)  # for the process in the middle


def _environment(env: Mapping[str, str], plan: str) -> dict[str, str]:
    path = env.get("PYTHONPATH")
    return {
        **env,
        "PYTHONPATH": f"{_SITE}{os.pathsep}{path}" if path else _SITE,
        "SWEEP_WARM_PLAN": plan,
        _ROOM: "-" * _ENVIRONMENT,
        **blas.held(env),
    }


def _refusal(folder: Path) -> str:
    """What a parent said of itself lately, empty if nothing."""
    try:
        refused = json.loads((folder / line.REFUSED).read_text())
        return str(refused["reason"]) if time.time() - refused["at"] < _REFUSAL_S else ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _fallen(folder: Path) -> str:
    """What a parent was at that has ended without a word; it is not tried again for a while."""
    try:
        name = (folder / line.IMPORTING).read_text()
    except OSError:
        return ""
    reason = f"Its warm parent ended while importing {name}."
    _remember(folder, reason, _REFUSAL_S)
    return reason


def _remember(folder: Path, reason: str, for_s: float) -> None:
    refused = {"reason": reason, "at": time.time() - _REFUSAL_S + for_s}
    (folder / line.REFUSED).write_text(json.dumps(refused))


def _free_memory() -> int:
    """Bytes that the kernel could give without swapping (proc(5): meminfo)."""
    with open("/proc/meminfo", encoding="ascii") as file:
        found = dict(line.split(":", 1) for line in file)
    return int(found["MemAvailable"].split()[0]) * 1024
