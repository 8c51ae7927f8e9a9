"""One supervised process: start, restart with back-off, stop."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from studio.supervisor.fork import Work, fork
from studio.supervisor.lines import say
from studio.supervisor.processes import Identity, end, identify, kill_group, own_child

# The first fall costs nothing; whoever falls again and again is tried at least this often.
BACKOFF_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0)


@dataclass(eq=False)
class Part:
    """A process the studio is made of; `stop_signal` asks it to end in good order.

    `keep` are the supervisor's descriptors that it needs. Once it ran for `stable_s` it has
    recovered: its next fall starts the back-off anew. Nothing is known of one that is
    `seen_in_rows` while the database is away. If it is killed, a process of its session named
    `heir` may go on in its place. One that `waits` is first started once the witness answers.
    """

    name: str
    work: Work
    stop_signal: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    keep: tuple[int, ...] = ()
    stable_s: float = 1.0
    seen_in_rows: bool = False
    heir: str = ""
    waits: bool = False
    session: int = 0
    identity: Identity | None = None
    started: float = 0.0
    healthy: float = 0.0
    falls: int = 0
    restart_at: float | None = 0.0

    def start(self, now: float, remember: Callable[[], object] = lambda: None) -> int:
        """Start it; returns the descriptor from which its output is read.

        It begins its work after `remember`, which may write down who it is.
        """

        def note(pid: int) -> None:
            # Ours until we reap it, even if it has ended already: its end must not go unnoticed.
            self.identity = identify(pid, even_zombie=True)
            self.session = pid
            remember()

        self.started = self.healthy = now
        self.restart_at = None
        return fork(self.name, self.work, self.keep, note)[1]

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self.identity.pid if self.identity else None

    def is_inherited(self, status: int) -> bool:
        """Whether an heir goes on in place of the process that ended; it is ours from now on."""
        heir = own_child(self.session, self.heir) if self.heir else None
        if heir is None:
            return False
        self.identity = heir
        say(self.name, f"ended ({describe(status)}); its stand-by goes on")
        return True

    def fell(self, status: int, now: float) -> float:
        """Note that the process ended; returns the seconds until it is started again."""
        if now - self.started > self.stable_s:
            self.falls = 0
        wait = BACKOFF_S[min(self.falls, len(BACKOFF_S) - 1)]
        self.falls += 1
        self.ended()
        self.restart_at = now + wait
        when = f"again in {wait:g} s" if wait else "again"
        say(self.name, f"ended ({describe(status)}); starting {when}")
        return wait

    def ended(self) -> None:
        """Note that the process was reaped; a worker that outlives its master ends with it."""
        if self.identity:
            kill_group(self.identity.pid)
        self.identity = None

    def kill(self) -> None:
        """End it now: it does not answer."""
        if self.identity:
            end(self.identity, 0.0)
            # It may have ended before we did that, and left a worker; nobody else can have its
            # group's number before we reap it.
            kill_group(self.identity.pid)

    def ask_to_stop(self, number: signal.Signals | None = None) -> None:
        """Send the signal that makes it end in good order."""
        if self.identity and identify(self.identity.pid) == self.identity:
            os.kill(self.identity.pid, number or self.stop_signal)


def describe(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        return f"killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return f"exit code {os.waitstatus_to_exitcode(status)}"


def monotonic() -> float:
    """The supervisor's clock, in seconds."""
    return time.monotonic()
