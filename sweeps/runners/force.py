"""Ending what does not end: watchers that are frozen or stuck after a stop."""

import os
import signal
from typing import Any

from sweeps.runners import proc, spool

# Seconds over the grace until the next harder step. Guard and shim need none of them normally:
# they kill at the end of the grace.
STEP_S = 3.0


def wake(folder: str, boot: str) -> None:
    """Let frozen watchers go on, so that they see what is wanted of them."""
    for record in _watchers(folder, boot).values():
        # Whether frozen or not: a SIGSTOP may be on its way, which this takes back.
        proc.send(record["pid"], signal.SIGCONT)


def press(folder: str, launch: dict[str, Any], boot: str) -> None:
    """Kill, step by step, what was told to stop and should have been gone by now.

    First the command's processes, so that the shim can tell how they ended; then the shim, whose
    place the guard takes; then everything, and the next look finds the attempt lost.
    """
    over = -spool.stop_due(folder, launch, default=0.0)
    if over < STEP_S:
        return
    wake(folder, boot)
    watchers = _watchers(folder, boot)
    pids = {name: record["pid"] for name, record in watchers.items()}
    tree = proc.descendants(set(pids.values())) if pids else set()
    if over >= 3 * STEP_S:
        for pid in pids.values():
            proc.send(pid, signal.SIGKILL)
        proc.kill_carriers(launch["cookie"])
    elif over >= 2 * STEP_S and spool.GUARD in pids and spool.SHIM in pids:
        proc.send(pids[spool.SHIM], signal.SIGKILL)
    for pid in tree - set(pids.values()) - {os.getpid()}:
        proc.send(pid, signal.SIGKILL)


def _watchers(folder: str, boot: str) -> dict[str, dict[str, Any]]:
    """Guard and shim, as far as they live."""
    records = {name: spool.read(folder, name) for name in (spool.GUARD, spool.SHIM)}
    return {
        name: record
        for name, record in records.items()
        if record is not None and "pid" in record and proc.is_alive(record, boot)
    }
