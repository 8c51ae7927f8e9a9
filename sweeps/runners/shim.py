"""The process next to the command: starts it, watches over it, ends it, writes the result.

One thread and one loop. It wakes for output, for the end of a child, and every TICK_S to look at
the desired state, its guard and the clock.
"""

import os
import signal
import subprocess
import time
from typing import Any

from sweeps.runners import leftovers, outcomes, proc, run_as, spool
from sweeps.runners.command import Start, execute
from sweeps.runners.logs import Log, Pump
from sweeps.runners.outcomes import Cause, Span
from sweeps.runners.results import EndedBy, Result

TICK_S = 0.15
BEAT_S = 2.0


def supervise(folder: str, guard_pid: int, start: Start = execute) -> None:
    """Run the command of a spool to its end. Called in a fresh child of the guard."""
    os.setsid()
    proc.become_subreaper("sweep-shim")
    launch = spool.read(folder, spool.LAUNCH)
    if launch is None:
        raise FileNotFoundError(f"{folder} holds no {spool.LAUNCH}: the spool was removed.")
    spool.keep_no_secrets(folder, launch)
    spool.write(folder, spool.SHIM, proc.identity(os.getpid()))
    spool.beat(folder)
    spool.write_result(folder, Shim(folder, launch, guard_pid, start).run())


class Orders:
    """What may end the command before it ends itself, looked up anew on every tick."""

    def __init__(self, folder: str, launch: dict[str, Any], guard_pid: int) -> None:
        self._folder = folder
        self._stop = spool.Watched(folder, spool.STOP)
        self._limit = spool.Watched(folder, spool.LIMIT)
        self._guard_pid = guard_pid
        self._grace_s: float = launch["grace_s"]
        self._time_limit_s: float | None = launch["time_limit_s"]
        self._kill_at = float("inf")
        self._stop_reason: str | None = None
        self.terminated = False
        self.spool_removed = False

    def cause(self, ran_s: float) -> Cause | None:
        """Return why to end the command that has run for `ran_s` seconds, None to let it run."""
        self._read_stop()
        if self._stop_reason is not None:
            return Cause(EndedBy.STOPPED, self._stop_reason)
        if limit := self._limit.news():
            self._time_limit_s = limit["time_limit_s"]
        if self._time_limit_s is not None and ran_s >= self._time_limit_s:
            text = f"The command ran into its time limit of {self._time_limit_s:g} s."
            return Cause(EndedBy.TIME_LIMIT, text)
        # Compared with a pid that was known before the fork: our parent may be gone already, and
        # an orphan's new parent is any sub-reaper, not only process 1.
        if os.getppid() != self._guard_pid:
            return Cause(
                EndedBy.LOST,
                f"The command was ended because the guard above it (pid {self._guard_pid}) was "
                "killed. It can be run again.",
            )
        if self.spool_removed:
            return Cause(EndedBy.LOST, f"The spool {self._folder} was removed.")
        if self.terminated:
            return Cause(
                EndedBy.LOST,
                "The command was ended because the shim next to it was told to terminate, as "
                "when the machine shuts down. It can be run again.",
            )
        return None

    def grace_left(self) -> float:
        """Return the seconds until SIGKILL. The first call starts the clock."""
        self._read_stop()
        now = time.monotonic()
        if self._kill_at == float("inf"):
            self._kill_at = now + self._grace_s
        return self._kill_at - now

    def _read_stop(self) -> None:
        """Take over a new or changed order to stop; a later one can only shorten the grace."""
        order = self._stop.news()
        if order is None:
            return
        grace = self._grace_s if order["grace_s"] is None else order["grace_s"]
        self._kill_at = min(self._kill_at, time.monotonic() + grace)
        self._stop_reason = order["reason"]


class Shim:
    """One run of one command."""

    def __init__(
        self, folder: str, launch: dict[str, Any], guard_pid: int, start: Start = execute
    ) -> None:
        self._folder = folder
        self._launch = launch
        self._start_command = start
        self._orders = Orders(folder, launch, guard_pid)
        self._tree = proc.Tree()
        self._wake = self._listen()
        cap = launch["log_cap_bytes"]
        names = (spool.STDOUT, spool.STDERR)
        secrets = launch.get("secrets", ())
        self._logs = [Log(os.path.join(folder, name), cap, secrets) for name in names]
        self._pump = Pump(self._logs, self._wake)
        self._started = time.time()
        self._start = time.monotonic()
        self._beat_due = self._start

    def run(self) -> Result:
        """Start the command, see it through, and return its result once nothing of it is left."""
        if cause := self._orders.cause(ran_s=0.0):
            return outcomes.unseen(self._before_start(cause), self._span())
        try:
            self._spawn()
        # ValueError: a NUL byte in an argument
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            env = self._launch["env"]
            argv, cwd = self._launch["argv"], self._launch["cwd"]
            apart = bool(self._launch.get("user"))
            return outcomes.not_started(
                error, argv, cwd, env.get("PATH"), self._span(), apart=apart
            )
        cause = self._watch()
        self._tree.end(self._orders.grace_left, self._pause)
        for log in self._logs:
            log.close()
        if user := run_as.of_record(self._launch.get("user")):
            leftovers.clear(user.uid)
        return self._result(cause)

    def _spawn(self) -> None:
        """Start the command, which gets the logs' ends, and put its pid on record."""
        if user := run_as.of_record(self._launch.get("user")):
            for log in self._logs:
                os.fchown(log.writer, user.uid, user.gid)  # else it could not open /dev/stdout
        out, err = (log.writer for log in self._logs)
        self._tree.pid = self._start_command(self._folder, self._launch, out, err)
        for log in self._logs:
            os.close(log.writer)
        record = {"command_pid": self._tree.pid, "started_at": self._started, "start": self._start}
        spool.write(self._folder, spool.SHIM, {**proc.identity(os.getpid()), **record})

    def _watch(self) -> Cause | None:
        """Return when the command itself has ended (None) or has to be ended (why)."""
        while True:
            self._pause(TICK_S)
            self._tree.reap()
            cause = self._orders.cause(time.monotonic() - self._start)
            if self._tree.status is not None:
                return cause if cause and self._was_stopped(cause) else None
            if cause:
                return cause

    def _was_stopped(self, cause: Cause) -> bool:
        """Whether the ended command was killed by whoever pressed for its stop while we froze."""
        assert self._tree.status is not None
        return cause.ended_by is EndedBy.STOPPED and os.WIFSIGNALED(self._tree.status)

    def _pause(self, seconds: float) -> None:
        self._pump.wait(seconds)
        now = time.monotonic()
        if now >= self._beat_due:
            self._orders.spool_removed = not spool.beat(self._folder)
            self._beat_due = now + BEAT_S

    def _result(self, cause: Cause | None) -> Result:
        assert self._tree.status is not None  # the tree has ended, and the command with it
        peak = self._tree.peak_memory_bytes
        result = outcomes.ended(self._tree.status, cause, self._span(), peak)
        problems = " ".join(sorted({log.problem for log in self._logs if log.problem}))
        return outcomes.with_note(result, problems)

    def _span(self) -> Span:
        return Span(self._started, self._started + time.monotonic() - self._start)

    def _listen(self) -> int:
        """Let signals interrupt the loop; return the descriptor that becomes readable then.

        Handlers, not SIG_IGN: what is ignored would stay ignored in the command.
        """
        reader, writer = os.pipe()
        os.set_blocking(reader, False)
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGHUP, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._terminate)
        return reader

    def _terminate(self, *_: object) -> None:
        self._orders.terminated = True

    @staticmethod
    def _before_start(cause: Cause) -> Cause:
        return Cause(cause.ended_by, f"{cause.message} (before the command was started)".strip())
