"""Computes of kind `local`: commands on the machine the studio runs on."""

import contextlib
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

from sweeps.runners import attempts, force, proc, run_as, spool
from sweeps.runners.base import Ended, Event, How, LaunchSpec, Lost, RunnerError, Running
from sweeps.runners.elsewhere import Elsewhere, here, is_elsewhere
from sweeps.runners.guard import ON_RECORD
from sweeps.runners.signs import Signs
from sweeps.runners.starter import LAUNCHER, Starter, guard_environment, said
from sweeps.runners.warm import parents

START_TIMEOUT_S = 30.0  # for the guard to be on record; 5 ms on an idle machine
START_LIMIT_S = 10.0  # a launch older than this without a guard will never have one

_starter = Starter()


class LocalRunner:
    """Runs each command under a guard and a shim that outlive the studio.

    A handle is the absolute path of the spool. What the runner keeps in memory are means, no
    facts: any process of the same user may poll or stop what another has started.
    """

    def __init__(self) -> None:
        self._signs = Signs()
        self._elsewhere = Elsewhere()

    def start(self, spec: LaunchSpec) -> str:
        """See Runner. Returns in some 10 ms, before the command itself has started."""
        folder = os.path.abspath(spec.spool)
        attempts.check(spec)
        with _parent_of(spec) as (parent, how):
            return self._start(spec, folder, parent, how)

    def _start(self, spec: LaunchSpec, folder: str, parent: socket.socket | None, how: How) -> str:
        if not attempts.claim(spec, folder, node=here()):
            return folder
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
        launch = spool.read(handle, spool.LAUNCH)
        if launch is not None and is_elsewhere(launch):
            attempts.order_stop(handle, grace_s, reason, asked_at=time.time())
            return
        attempts.order_stop(handle, grace_s, reason, asked=time.monotonic())
        if launch is not None and attempts.is_ours(handle, launch):
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
        if launch is None or not attempts.is_ours(handle, launch) or is_elsewhere(launch):
            return 0
        if user := run_as.of_record(launch.get("user")):
            return proc.kill_strays(user.uid)
        return proc.kill_carriers(launch["cookie"])

    def cleanup(self, handle: str) -> None:
        """See Runner. What was lost is put on record, so that later polls say the same."""
        launch = spool.read(handle, spool.LAUNCH)
        if launch is None:
            return  # never started, or cleaned up before
        put_away = self._elsewhere.put_away if is_elsewhere(launch) else attempts.put_away
        put_away(self._look(handle, proc.boot_id()))

    def _look(self, handle: str, boot: str) -> Event:
        if result := spool.read_result(handle):
            # A host that was given up and is back brings what counts no more.
            return (attempts.known_lost(handle) if here() else None) or Ended(handle, result)
        launch = spool.read(handle, spool.LAUNCH)
        if launch is None:
            return attempts.without_launch(handle)
        if not attempts.is_ours(handle, launch):
            return attempts.copied(handle, launch)
        if is_elsewhere(launch):
            return self._elsewhere.look(handle, launch)
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
