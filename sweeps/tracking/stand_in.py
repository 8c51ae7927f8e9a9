"""Work in a fork that is replaced when it is killed; what was imported before serves them all.

Three processes share what was imported: the worker, the stand-by that forks another worker, and an
heir that takes the place of a killed stand-by. Who supervises the stand-by sees its heir become its
own child (it must be a sub-reaper, `prctl(2)`), in the same session and with the same name.
"""

import contextlib
import ctypes
import gc
import os
import signal
import time
import traceback
from collections.abc import Callable

# Whoever dies sooner than this after its start, so many times on end, would die again.
TOO_SOON_S = 1.0
TOO_OFTEN = 5
# What /proc/<pid>/comm says of the stand-by and of its heir.
NAME = "stand-by"
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_STOPS = (signal.SIGTERM, signal.SIGINT)
_ORPHANED = signal.SIGUSR1


def stand_in(work: Callable[[], None]) -> int:
    """Do `work` in a child until a signal asks to stop; returns the exit code.

    A child that is killed is replaced at once. It gets the signals to stop, and dies with us. If
    we are killed, an heir goes on in our place, unless our parent has died as well.
    """
    return _StandBy(work).run()


class _StandBy:
    def __init__(self, work: Callable[[], None]) -> None:
        self._work = work
        self._keeper = os.getppid()
        self._worker = self._heir = 0
        self._began = 0.0
        self._too_soon = 0
        self._asked = False

    def run(self) -> int:
        for number in _STOPS:
            signal.signal(number, self._stop)
        _prctl(_PR_SET_NAME, NAME.encode())
        gc.freeze()  # keeps the pages that children share from being copied
        while True:
            self._fork_who_is_missing()
            if not self._worker:
                return self._end(0)
            pid, status = os.wait()
            if pid == self._heir:
                self._heir = 0
            elif pid == self._worker:
                self._worker, code = 0, os.waitstatus_to_exitcode(status)
                if not self._asked and self._is_hopeless(code):
                    return self._end(abs(code))

    def _stop(self, number: int, _frame: object) -> None:
        self._asked = True
        if self._worker:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._worker, number)

    def _is_hopeless(self, code: int) -> bool:
        """Whether another worker would end like this one."""
        is_soon = time.monotonic() - self._began < TOO_SOON_S
        self._too_soon = self._too_soon + 1 if is_soon else 0
        return code >= 0 or self._too_soon == TOO_OFTEN

    def _fork_who_is_missing(self) -> None:
        # No signal between a fork and our note of it.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)
        while not self._heir and not self._asked:
            me, self._heir = os.getpid(), os.fork()
            if self._heir == 0:
                self._wait_for_the_throne(me)  # and have an heir as well
        if not self._worker and not self._asked:
            self._began = time.monotonic()
            me, self._worker = os.getpid(), os.fork()
            if self._worker == 0:
                _work_and_end(self._work, parent=me)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)

    def _end(self, code: int) -> int:
        """Leave no heir behind; returns `code`."""
        if self._heir:
            os.kill(self._heir, signal.SIGKILL)
            os.waitpid(self._heir, 0)
        return code

    def _wait_for_the_throne(self, before: int) -> None:
        """Return, in the heir, once its parent was killed; end if the keeper was as well."""
        self._worker = self._too_soon = 0
        signal.pthread_sigmask(signal.SIG_BLOCK, {_ORPHANED})
        _prctl(_PR_SET_PDEATHSIG, _ORPHANED)
        # It comes for each thread of the parent's that is made our parent in turn.
        while os.getppid() == before:
            signal.sigwait({_ORPHANED})
        # Nobody who looks after the studio would know of us once the keeper is gone.
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != self._keeper:
            os._exit(0)
        os.setpgid(0, 0)  # a group of our own, to be ended as one
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {_ORPHANED})


def _prctl(option: int, value: int | bytes) -> None:
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _work_and_end(work: Callable[[], None], parent: int) -> None:
    code = 1
    try:
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        _prctl(_PR_SET_NAME, b"server")
        for number in _STOPS:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        if os.getppid() == parent:
            work()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)
