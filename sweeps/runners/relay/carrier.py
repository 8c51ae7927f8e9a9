"""The guard of a command far away: `python -I -S carrier.py URL KEY TICKET`.

Runs on a machine that shares no files with the studio, unpacked from a package (`package`) and
with the standard library alone. It claims the attempt, makes a spool of its own, and starts the
shim as any guard does; then it tells the studio what the spool says, and the spool what the studio
wants. A studio that cannot be reached is waited for until the lease is over: then another machine
may have the trial, and the command is ended.
"""

import contextlib
import enum
import os
import select
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Mapping
from typing import Any

sys.path.append(__file__.rsplit("/", 4)[0])
if not hasattr(enum, "StrEnum"):  # Python 3.10

    class StrEnum(str, enum.Enum):  # noqa: UP042 - there is none yet
        """As in later versions of Python."""

        __str__ = str.__str__

    enum.StrEnum = StrEnum  # type: ignore[assignment,misc]

from sweeps.runners import guard, proc, shim, spool
from sweeps.runners.relay import place
from sweeps.runners.relay.line import CutOff, Line, Refusal
from sweeps.runners.relay.telling import Teller
from sweeps.stores.removal import remove_tree

# What an engine sends to all of a job before it kills it is for the command and its shim.
_FOR_OTHERS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGXCPU, signal.SIGUSR1)
# So often it is looked whether the command has written something.
_LOOK_S = 0.2
_CODE = os.path.join(__file__.rsplit("/", 4)[0], "code")
_CUT_OFF = "The machine was cut off from the studio for longer than the lease of {:g} s."


def main(url: str, key: str, ticket: str) -> int:
    """Carry the attempt to its end; the exit code is for the engine's records alone."""
    for number in _FOR_OTHERS:
        signal.signal(number, lambda *_: None)
    line = Line(url, key)
    try:
        told = line.claim(ticket)
    except Refusal as refusal:
        sys.stderr.write(f"The studio does not want this job to run (any more): {refusal}\n")
        return 0
    except CutOff as error:
        sys.stderr.write(f"{error}\n")
        return 1
    folder = tempfile.mkdtemp(prefix="sweep-trial-")
    try:
        return _carry(line, told, folder)
    finally:
        with contextlib.suppress(OSError):
            remove_tree(folder)


def _carry(line: Line, told: Mapping[str, Any], folder: str) -> int:
    try:
        place.make(folder, told, _CODE, line)
    except (OSError, Refusal, CutOff) as error:
        line.end(place.not_made(error))
        return 0
    sys.stdout.write(f"Trial {told['launch']['name']} of Sweep Studio, which has its log.\n")
    sys.stdout.flush()
    teller = Teller(line, folder, told)
    teller.obey(told)
    watched = _begin(folder)
    try:
        _tell_until_over(teller, watched)
    except (Refusal, CutOff) as error:
        why = str(error) if isinstance(error, Refusal) else _CUT_OFF.format(line.lease_s)
        teller.obey({"stop": {"grace_s": None, "reason": why}})
        watched.wait()
        if isinstance(error, Refusal):
            return 0
    with contextlib.suppress(Refusal, CutOff):
        teller.finish()
        return 0
    return 1


def _begin(folder: str) -> "Watched":
    """Start the shim; what it and the command leave is ours to end."""
    proc.become_subreaper("sweep-guard")
    me = os.getpid()
    spool.claim(folder, spool.GUARD, proc.identity(me))
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            shim.supervise(folder, me)
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)  # never back into what the parent is at
    return Watched(folder, pid)


class Watched:
    """The shim, and that there is a result once it has ended."""

    def __init__(self, folder: str, pid: int) -> None:
        self._folder, self._pid = folder, pid
        self._sign = select.poll()
        self._sign.register(os.pidfd_open(pid), select.POLLIN)
        self._ended = False

    def has_ended(self, within_s: float) -> bool:
        """Whether it has, or does within so long."""
        if not self._ended and self._sign.poll(within_s * 1000):
            _pid, status, usage = os.wait4(self._pid, 0)
            self._ended = True
            if spool.read_result(self._folder) is None:
                guard.take_over(self._folder, self._pid, status, usage.ru_maxrss * 1024)
        return self._ended

    def wait(self) -> None:
        """Until it has: it was told to stop."""
        while not self.has_ended(1.0):
            continue


def _tell_until_over(teller: Teller, watched: Watched) -> None:
    while not watched.has_ended(_LOOK_S):
        if teller.is_due(time.monotonic()):
            teller.tell()


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
