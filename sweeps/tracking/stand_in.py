"""Work in a fork that is replaced when it is killed; what was imported before serves them all."""

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
_PR_SET_PDEATHSIG = 1
_STOPS = (signal.SIGTERM, signal.SIGINT)


def stand_in(work: Callable[[], None]) -> int:
    """Do `work` in a child until a signal asks to stop; returns the exit code.

    A child that is killed is replaced at once. It gets the signals to stop, and dies with us.
    """
    asked: list[int] = []
    me, child = os.getpid(), 0

    def stop(number: int, _frame: object) -> None:
        asked.append(number)
        if child:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, number)

    for number in _STOPS:
        signal.signal(number, stop)
    too_soon = 0
    gc.freeze()  # keeps the pages that children share from being copied
    while True:
        began = time.monotonic()
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPS)  # none between the fork and our note of it
        child = os.fork()
        if child == 0:
            _work_and_end(work, parent=me)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        _, status = os.waitpid(child, 0)
        child = 0
        code = os.waitstatus_to_exitcode(status)
        if asked:
            return 0
        too_soon = too_soon + 1 if time.monotonic() - began < TOO_SOON_S else 0
        if code >= 0 or too_soon == TOO_OFTEN:
            return abs(code)


def _work_and_end(work: Callable[[], None], parent: int) -> None:
    code = 1
    try:
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
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
