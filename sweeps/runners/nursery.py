"""A process that has all that guards need in memory and forks one whenever it is asked.

A fresh interpreter takes 70 ms of a core to become a guard, a fork of this one 2 ms. It is a child
of whoever starts commands and ends with it; guards do not.
"""

import gc
import os
import socket
import traceback
from collections.abc import Callable
from functools import partial

from sweeps.runners import guard
from sweeps.runners.command import Away, Start, execute

_LONGEST = 4096  # bytes in a path (PATH_MAX)


def serve() -> None:
    """Answer requests on standard input, a socket, until the other end is closed.

    A request is the path of a spool, with two descriptors: the guard's standard output, which the
    asker reads, and its standard error.
    """
    with socket.socket(fileno=os.dup(0)) as asker:
        # A guard must hold nothing of ours: the asker would never see our end.
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 0)
        os.close(null)
        gc.freeze()  # keeps the pages that children share from being copied
        while True:
            folder, descriptors, _flags, _address = socket.recv_fds(asker, _LONGEST, 2)
            if not folder:
                return
            out, err = descriptors
            pid = os.fork()
            if pid == 0:
                asker.close()
                end_after(partial(detach, folder, out, err))
            for descriptor in (out, err):
                os.close(descriptor)
            os.waitpid(pid, 0)


def detach(folder: bytes, out: int, err: int, start: Start = execute) -> None:
    """Guard in a child of our own and end: so the guard belongs to no nursery.

    `out` is the guard's standard output, `err` its standard error.
    """
    for number, descriptor in ((1, out), (2, err)):
        os.dup2(descriptor, number)
        os.close(descriptor)
    if os.fork() == 0:
        end_after(lambda: guard.watch_over(os.fsdecode(folder), start))


def end_after(work: Callable[[], None]) -> None:
    """Do the work and end; never return into what the parent was at.

    Raises Away in a child that is to become something else.
    """
    code = 1
    try:
        work()
        code = 0
    except Away:
        raise
    except BaseException:
        traceback.print_exc()
    os._exit(code)
