"""Asking the nursery for guards: one nursery per process that starts commands."""

import contextlib
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable

LAUNCHER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "launch.py")


def guard_environment() -> dict[str, str]:
    """No variable of ours, secrets least of all; but a shared Python needs its library path."""
    return {name: value for name, value in os.environ.items() if name == "LD_LIBRARY_PATH"}


class Starter:
    """Keeps a nursery; starts it at the first request, and again after it has died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._line: socket.socket | None = None
        self._pid = 0

    def guard(self, folder: str, log: int, timeout_s: float) -> bytes:
        """What a new guard of the spool says before it detaches; b"" if it could not be started.

        `log` is the descriptor that it writes its troubles to.
        """
        return said(lambda out: self._ask(folder, [out, log]), timeout_s)

    def close(self) -> None:
        """End the nursery; guards do not need it."""
        with self._lock:
            self._bury()
            self._line = None

    def _ask(self, folder: str, descriptors: list[int]) -> None:
        request = [os.fsencode(folder)]
        with self._lock:
            if self._line is not None:
                with contextlib.suppress(OSError):  # it has died since the last request
                    socket.send_fds(self._line, request, descriptors)
                    return
            self._open()
            assert self._line is not None
            socket.send_fds(self._line, request, descriptors)

    def _open(self) -> None:
        """Start a nursery; called with the lock."""
        self._bury()
        # Keeps messages apart, and tells either side at once when the other is gone.
        self._line, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", LAUNCHER],
                env=guard_environment(),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                cwd="/",
            )
        # It outlives this object, and ends with this process: Popen need not look after it.
        self._pid, process.returncode = process.pid, 0

    def _bury(self) -> None:
        """Reap a nursery that has died, or let go of one that we cannot talk to."""
        if self._line is None:
            return
        self._line.close()
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self._pid, signal.SIGKILL)  # its guards are nobody's children
            os.waitpid(self._pid, 0)


def said(ask: Callable[[int], None], timeout_s: float) -> bytes:
    """What a guard says that `ask` asks for, giving it the descriptor of its standard output."""
    reader, writer = os.pipe()
    try:
        try:
            ask(writer)
        finally:
            os.close(writer)
        return _read(reader, timeout_s)
    except OSError:
        return b""
    finally:
        os.close(reader)


def _read(reader: int, timeout_s: float) -> bytes:
    """Everything until the other end is closed; what came if that takes too long."""
    poll, found = select.poll(), b""
    poll.register(reader, select.POLLIN)
    end = time.monotonic() + timeout_s
    while poll.poll(max(0.0, end - time.monotonic()) * 1000):
        data = os.read(reader, 64)
        if not data:
            break
        found += data
    return found
