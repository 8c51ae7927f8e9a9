"""Computes of kind `local`: commands on the machine the studio runs on."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from sweeps.runners import force, proc, run_as, spool
from sweeps.runners.base import Ended, Event, How, LaunchSpec, Lost, RunnerError, Running
from sweeps.runners.guard import ON_RECORD
from sweeps.runners.signs import Signs
from sweeps.runners.starter import LAUNCHER, Starter, guard_environment, said
from sweeps.runners.warm import parents

START_TIMEOUT_S = 30.0  # for the guard to be on record; 5 ms on an idle machine
START_LIMIT_S = 10.0  # a launch older than this without a guard will never have one

_starter = Starter()
_COPIED = "The studio's home was copied or moved while the command ran."


class LocalRunner:
    """Runs each command under a guard and a shim that outlive the studio.

    A handle is the absolute path of the spool. What the runner keeps in memory are means, no
    facts: any process of the same user may poll or stop what another has started.
    """

    def __init__(self) -> None:
        self._signs = Signs()

    def start(self, spec: LaunchSpec) -> str:
        """See Runner. Returns in some 10 ms, before the command itself has started."""
        folder = os.path.abspath(spec.spool)
        _check(spec)
        with _parent_of(spec) as (parent, how):
            return self._start(spec, folder, parent, how)

    def _start(self, spec: LaunchSpec, folder: str, parent: socket.socket | None, how: How) -> str:
        try:
            os.makedirs(folder, mode=0o700, exist_ok=True)
            mine = not spool.is_over(folder) and spool.claim(folder, spool.LAUNCH, _record(spec))
        except OSError as error:
            raise RunnerError(f"Cannot write to the spool {folder}: {error.strerror}.") from error
        if not mine:
            return _same_attempt(folder, spec.name)
        spool.write(folder, spool.HOW, {"warm": how.warm, "reason": how.reason})
        problem = _spawn_guard(folder, parent)
        if problem and spool.claim(folder, spool.GUARD, {"lost": problem}):
            raise RunnerError(problem)
        return folder

    def poll(self, handles: Sequence[str]) -> list[Event]:
        """See Runner. Costs some 0.1 ms per living command and no process table scan."""
        boot = proc.boot_id()
        return [self._look(handle, boot) for handle in handles]

    def signs(self, handles: Sequence[str]) -> list[int]:
        """See Runner."""
        return self._signs.of(handles)

    def stop(self, handle: str, grace_s: float | None = None, reason: str = "") -> None:
        """See Runner. A spool that is gone, or has a result, needs no stop."""
        if not os.path.isdir(handle) or spool.read_result(handle):
            return
        order, asked = spool.read(handle, spool.STOP), {"asked": time.monotonic()}
        if order is None:
            spool.write(handle, spool.STOP, {"grace_s": grace_s, "reason": reason, **asked})
        elif grace_s is not None and (order["grace_s"] is None or grace_s < order["grace_s"]):
            spool.write(handle, spool.STOP, {**order, "grace_s": grace_s, **asked})
        launch = spool.read(handle, spool.LAUNCH)
        if launch is not None and _is_ours(handle, launch):
            force.wake(handle, proc.boot_id())

    def set_time_limit(self, handle: str, seconds: float | None) -> None:
        """See Runner."""
        if spool.read(handle, spool.LAUNCH) is not None and not spool.is_over(handle):
            spool.write(handle, spool.LIMIT, {"time_limit_s": seconds})

    def how(self, handle: str) -> How | None:
        """See Runner."""
        found = spool.read(handle, spool.HOW)
        return How(found["warm"], found["reason"]) if found else None

    def kill_leftovers(self, handle: str) -> int:
        """See Runner; the limit of this net is told in proc.kill_carriers."""
        launch = spool.read(handle, spool.LAUNCH)
        if launch is None or not _is_ours(handle, launch):
            return 0
        if user := run_as.of_record(launch.get("user")):
            return proc.kill_strays(user.uid)
        return proc.kill_carriers(launch["cookie"])

    def cleanup(self, handle: str) -> None:
        """See Runner. What was lost is put on record, so that later polls say the same."""
        if spool.read(handle, spool.LAUNCH) is None:
            return  # never started, or cleaned up before
        event = self._look(handle, proc.boot_id())
        if isinstance(event, Running):
            raise RunnerError(f"The command of {handle} is running. Stop it before the clean-up.")
        if isinstance(event, Lost):
            spool.write(handle, spool.LOST, {"reason": event.reason}, durable=True)
        for name in spool.PRIVATE:
            try:
                os.unlink(os.path.join(handle, name))
            except FileNotFoundError:
                continue

    def _look(self, handle: str, boot: str) -> Event:
        if result := spool.read_result(handle):
            return Ended(handle, result)
        launch = spool.read(handle, spool.LAUNCH)
        if launch is None:
            lost = spool.read(handle, spool.LOST)
            return Lost(handle, lost["reason"] if lost else f"{handle} holds no attempt.")
        if not _is_ours(handle, launch):
            return Lost(handle, f"{_COPIED} Its command ran in {launch['spool']}.")
        if launch["boot_id"] != boot:
            return Lost(handle, "The machine was restarted before the command ended.")
        guard = spool.read(handle, spool.GUARD) or _claim_late(handle, launch)
        if guard is None:
            return Running(handle, None, None)
        if "lost" in guard:
            return Lost(handle, guard["lost"])
        shim = spool.read(handle, spool.SHIM) or {}
        if any(who and proc.is_alive(who, boot) for who in (guard, shim)):
            force.press(handle, launch, boot)
            return Running(handle, shim.get("command_pid"), spool.beat_at(handle))
        return self._after_both(handle)

    def _after_both(self, handle: str) -> Event:
        """Guard and shim are gone; the result may have come since we looked for it."""
        if result := spool.read_result(handle):
            return Ended(handle, result)
        count = self.kill_leftovers(handle)
        return Lost(
            handle,
            "Both processes that watched over the command were killed; "
            f"{count} processes that it left were ended. It can be run again.",
        )


def _check(spec: LaunchSpec) -> None:
    if not spec.argv or not spec.argv[0]:
        raise RunnerError("A command needs a program to run, but got an empty one.")
    if not spec.name or "\0" in spec.name:
        raise RunnerError(f"An attempt needs a name without NUL, but got {spec.name!r}.")


def _is_ours(folder: str, launch: dict[str, Any]) -> bool:
    """False for a copy: what its records name, pids and cookie, belongs to the original."""
    return launch.get("spool") in (None, os.path.realpath(folder))


def _record(spec: LaunchSpec) -> dict[str, Any]:
    return {
        "name": spec.name,
        "spool": os.path.realpath(spec.spool),
        # Two studios on one machine may use the same names, and must not kill each other's.
        "cookie": f"{spec.name}.{os.urandom(6).hex()}",
        "argv": list(spec.argv),
        "cwd": os.path.abspath(spec.cwd),
        "env": dict(spec.env),
        "secrets": list(spec.secrets),
        "time_limit_s": spec.time_limit_s,
        "grace_s": spec.grace_s,
        "log_cap_bytes": spec.log_cap_bytes,
        "user": spec.user._asdict() if spec.user else None,
        "boot_id": proc.boot_id(),
        "launched_at": time.time(),
        "launch": time.monotonic(),
    }


def _same_attempt(folder: str, name: str) -> str:
    launch = spool.read(folder, spool.LAUNCH)
    if launch is not None and launch["name"] != name:
        raise RunnerError(
            f"The spool {folder} belongs to the attempt {launch['name']!r}, so {name!r} "
            "cannot start there. Give each attempt a spool of its own."
        )
    return folder


@contextlib.contextmanager
def _parent_of(spec: LaunchSpec) -> Iterator[tuple[socket.socket | None, How]]:
    """A line to the warm parent that the command is to have, and how it is started then."""
    if isinstance(spec.warm, str):
        yield None, How(False, spec.warm)
        return
    if spec.user:  # a fork would be whoever runs the studio
        yield None, How(False, "A command of another user starts by itself.")
        return
    try:
        line = parents.ready(spec.argv, spec.warm)
    except parents.Cold as cold:
        yield None, How(False, str(cold))
        return
    with line:
        yield line, How(True)


def _spawn_guard(folder: str, parent: socket.socket | None) -> str:
    """Start the guard; return what went wrong, or an empty string."""
    path = os.path.join(folder, spool.RUNNER_LOG)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "wb") as log:
            answer = _warm_guard(folder, parent, log.fileno()) if parent else b""
            if answer != ON_RECORD:
                answer = _starter.guard(folder, log.fileno(), START_TIMEOUT_S / 3)
            if answer != ON_RECORD:  # whatever became of it: only one guard can get on record
                answer = _fresh_guard(folder, log.fileno())
    except (OSError, subprocess.SubprocessError) as error:
        return f"The guard of {folder} could not be started: {error}"
    return "" if answer == ON_RECORD else f"The guard of {folder} failed at its start; see {path}."


def _warm_guard(folder: str, parent: socket.socket, log: int) -> bytes:
    """Let the warm parent fork the guard. It may have been killed meanwhile; then another way
    is taken, and the record says so first: once a guard is on record nobody may write there."""
    answer = said(lambda out: parents.fork(parent, folder, [out, log]), START_TIMEOUT_S / 3)
    if answer != ON_RECORD:
        reason = "Its warm parent ended while it was asked."
        spool.write(folder, spool.HOW, {"warm": False, "reason": reason})
    return answer


def _fresh_guard(folder: str, log: int) -> bytes:
    """Start the guard in an interpreter of its own, for when there is no nursery."""
    return subprocess.run(
        [sys.executable, "-I", "-S", LAUNCHER, folder],
        env=guard_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
        cwd="/",
        timeout=START_TIMEOUT_S,
    ).stdout


def _claim_late(folder: str, launch: dict[str, Any]) -> dict[str, Any] | None:
    """Return the verdict on a launch without a guard, or None while there may still come one.

    Taking the guard's place first makes it final: a guard that wakes up late finds it taken. An
    empty record if it is taken by something that is no record.
    """
    if time.monotonic() - launch["launch"] <= START_LIMIT_S:
        return None
    verdict = {"lost": "The studio ended while it was starting the command, which never ran."}
    if spool.claim(folder, spool.GUARD, verdict):
        return verdict
    return spool.read(folder, spool.GUARD) or {}
