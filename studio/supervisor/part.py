"""One supervised process: start, log with a prefix, restart with back-off, stop."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO

from studio.supervisor.processes import Identity, end, identify, kill_group

BACKOFF_S = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
# A part that ran this long has recovered: its next fall starts the back-off anew.
STABLE_S = 60.0


@dataclass
class Part:
    """A process the studio is made of; `stop_signal` asks it to end in good order."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    identity: Identity | None = None
    started: float = 0.0
    healthy: float = 0.0
    falls: int = 0
    restart_at: float | None = 0.0

    def start(self, now: float) -> None:
        """Start it in a session of its own, so that the terminal's Ctrl-C does not reach it."""
        process = subprocess.Popen(
            self.argv,
            env=dict(self.env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.started = self.healthy = now
        self.restart_at = None
        # Ours until we reap it, even if it has ended already: its end must not go unnoticed.
        self.identity = identify(process.pid, even_zombie=True)
        assert process.stdout is not None
        reader = threading.Thread(target=_prefix, args=(self.name, process.stdout), daemon=True)
        reader.start()
        # The supervisor reaps by waitpid(-1); Popen must not wait for this pid as well.
        process.returncode = 0

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self.identity.pid if self.identity else None

    def fell(self, status: int, now: float) -> float:
        """Note that the process ended; returns the seconds until it is started again."""
        if now - self.started > STABLE_S:
            self.falls = 0
        wait = BACKOFF_S[min(self.falls, len(BACKOFF_S) - 1)]
        self.falls += 1
        if self.identity:  # A worker that outlives its master would hold the port.
            kill_group(self.identity.pid)
        self.identity, self.restart_at = None, now + wait
        say(self.name, f"ended ({describe(status)}); starting again in {wait:.0f} s")
        return wait

    def kill(self) -> None:
        """End it now: it does not answer."""
        if self.identity:
            end(self.identity, 0.0)

    def ask_to_stop(self, number: signal.Signals | None = None) -> None:
        """Send the signal that makes it end in good order."""
        if self.identity and identify(self.identity.pid) == self.identity:
            os.kill(self.identity.pid, number or self.stop_signal)


def describe(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit code {os.waitstatus_to_exitcode(status)}"


_print_lock = threading.Lock()


def say(name: str, text: str) -> None:
    """One line of the studio's log; lost where that goes to a full disk, or to nobody.

    A part whose lines are no longer read would stand still.
    """
    with _print_lock, contextlib.suppress(OSError):
        sys.stdout.write(f"{name:<8} | {text}\n")
        sys.stdout.flush()


def _prefix(name: str, stream: IO[bytes]) -> None:
    with stream:
        for line in stream:
            say(name, line.decode(errors="replace").rstrip())


def monotonic() -> float:
    """The supervisor's clock, in seconds."""
    return time.monotonic()
