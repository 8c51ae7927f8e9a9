"""Commands that another host of the studio has: seen by the files that both share.

A pid, a boot and a monotonic clock mean something on one host alone. What is left is the spool:
guard and shim touch its heartbeat, read what is wanted, and write the result.
"""

import os
import time
from typing import Any

from sweeps.runners import attempts, spool
from sweeps.runners.base import Event, Lost, Running

# A guard is on record after so long, or never will be.
START_LIMIT_S = 60.0
# Fifteen beats: file systems of a network tell of a change some seconds late.
SILENT_S = 30.0


def here() -> str:
    """What this host is called; "" where it is the only one."""
    return os.environ.get("STUDIO_NODE", "")


def is_elsewhere(launch: dict[str, Any]) -> bool:
    """Whether another host started it."""
    return bool(launch.get("node", "") != here())


def began_here(handle: str) -> bool:
    """Whether this host started it."""
    launch = spool.read(handle, spool.LAUNCH)
    return launch is not None and not is_elsewhere(launch)


class Elsewhere:
    """Looks at commands of other hosts."""

    def __init__(self) -> None:
        # The last heartbeat, and when it was first seen, by our own clock.
        self._beats: dict[str, tuple[float | None, float]] = {}

    def look(self, handle: str, launch: dict[str, Any]) -> Event:
        """What is true of a command without a result."""
        if gone := attempts.known_lost(handle):
            return gone
        guard = spool.read(handle, spool.GUARD)
        if guard is None:
            return self._without_guard(handle, launch)
        if "lost" in guard:
            return Lost(handle, guard["lost"])
        beat = spool.beat_at(handle)
        if self._is_silent(handle, beat):
            return self._give_up(handle, launch)
        shim = spool.read(handle, spool.SHIM) or {}
        return Running(handle, shim.get("command_pid"), beat)

    def _is_silent(self, handle: str, beat: float | None) -> bool:
        now = time.monotonic()
        before, since = self._beats.get(handle, (None, -1.0))
        if since < 0 or beat != before:
            self._beats[handle] = (beat, now)
            return False
        return now - since > SILENT_S

    def _without_guard(self, handle: str, launch: dict[str, Any]) -> Event:
        verdict = {"lost": f"The host {_name(launch)} ended while it was starting the command."}
        late = time.time() - launch["launched_at"] > START_LIMIT_S
        if late and spool.claim(handle, spool.GUARD, verdict):
            return Lost(handle, verdict["lost"])
        return Running(handle, None, None)

    def _give_up(self, handle: str, launch: dict[str, Any]) -> Lost:
        """Should that host be alive and cut off, it finds the order to stop when it is back."""
        self._beats.pop(handle, None)
        reason = f"Nothing was heard of the host {_name(launch)} for {SILENT_S:g} s."
        attempts.order_stop(handle, 0.0, reason, asked_at=time.time())
        return attempts.lost(handle, f"{reason} It can be run again.")

    def put_away(self, event: Event) -> None:
        """As for all attempts, but the order to stop stays for whom it did not reach."""
        order = spool.read(event.handle, spool.STOP) if isinstance(event, Lost) else None
        self._beats.pop(event.handle, None)
        attempts.put_away(event)
        if order is not None:
            spool.write(event.handle, spool.STOP, order)


def _name(launch: dict[str, Any]) -> str:
    return str(launch.get("node") or "that was the only one")
