"""The process above the shim: if the shim is killed, it ends the command and says so.

It only waits, so it costs no processor time. If it is killed itself, the shim does the same.
"""

import os
import signal
import time

from sweeps.runners import outcomes, proc, shim, spool
from sweeps.runners.command import Start, execute
from sweeps.runners.outcomes import Cause, Span
from sweeps.runners.results import EndedBy

ON_RECORD = b"1"  # what the starter reads from our stdout, before its end


def detach(folder: str) -> None:
    """Guard the attempt in `folder` in a child, and return at once in the parent.

    So the starter reaps the process in the middle, and has neither a zombie nor a child.
    """
    if os.fork() == 0:
        watch_over(folder)


def stay(folder: str) -> None:
    """Guard the attempt in a child, and return when that has ended: a batch job lasts as long.

    What the engine of the cluster sends to all of a job before it kills it is for the command and
    the shim, which writes down that it came; whoever only waits goes on waiting.
    """
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU, signal.SIGUSR1):
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which commands would inherit
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads what starters wait for
    pid = os.fork()
    if pid == 0:
        watch_over(folder)
        os._exit(0)
    os.waitpid(pid, 0)


def watch_over(folder: str, start: Start = execute) -> None:
    """Guard the attempt in `folder`, if nobody else has claimed it.

    Raises Away in the child that is to become the command, where `start` does so.
    """
    os.setsid()
    os.chdir("/")
    # Inherited from whoever started us, and both would break waiting for children.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    proc.become_subreaper("sweep-guard")
    me = os.getpid()
    mine = spool.claim(folder, spool.GUARD, proc.identity(me))
    os.write(1, ON_RECORD)
    os.dup2(2, 1)  # closes the pipe, which the starter is waiting for
    if not mine:
        return
    shim_pid = os.fork()
    if shim_pid == 0:
        shim.supervise(folder, me, start)
        return
    _pid, status, usage = os.wait4(shim_pid, 0)
    if spool.read_result(folder) is None:
        take_over(folder, shim_pid, status, usage.ru_maxrss * 1024)


def take_over(folder: str, shim_pid: int, status: int, peak_memory_bytes: int) -> None:
    """End what the shim left: it is below us now, because we are a sub-reaper too."""
    launch = spool.read(folder, spool.LAUNCH)
    if launch is None:
        grace_s, now = 0.0, time.time()
        started_at, start = now, time.monotonic()
    else:
        grace_s = max(0.0, spool.stop_due(folder, launch, launch["grace_s"]))
        record = spool.read(folder, spool.SHIM) or {}
        # The clock of the launch is another machine's, on a cluster.
        here = launch["boot_id"] == proc.boot_id()
        started_at = record.get("started_at", launch["launched_at"] if here else time.time())
        start = record.get("start", launch["launch"] if here else time.monotonic())
    tree = proc.Tree()
    kill_at = time.monotonic() + grace_s

    def pause(seconds: float) -> None:
        spool.beat(folder)
        time.sleep(min(seconds, 0.05))

    tree.end(lambda: kill_at - time.monotonic(), pause)
    code = os.waitstatus_to_exitcode(status)
    how = f"was killed by signal {-code}" if code < 0 else f"failed with exit code {code}"
    cause = Cause(
        EndedBy.LOST,
        f"The command was ended because the shim next to it (pid {shim_pid}) {how}. "
        "It can be run again.",
    )
    span = Span(started_at, started_at + time.monotonic() - start)
    peak = max(peak_memory_bytes, tree.peak_memory_bytes)
    spool.write_result(folder, outcomes.unseen(cause, span, peak))
