"""Starting a process by a fork of the supervisor, which has imported what the parts need.

A fresh interpreter takes a second or two of a core before it does anything; a fork takes
milliseconds, so a part that was killed is back before anybody misses it. Forking is safe because
the supervisor has one thread and no connection open.
"""

import contextlib
import gc
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping

# Titles only over the words of the command line: ps and others still find the environment.
# Before the import, of whomever: its library looks once.
os.environ["SPT_NOENV"] = "1"
from setproctitle import setproctitle

Work = Callable[[], None]
NAME = "sweep-studio"

# Signals that the supervisor handles, and a child must not inherit so.
_HANDLED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)


def fork(
    title: str,
    work: Work,
    keep: Iterable[int] = (),
    note: Callable[[int], object] = lambda pid: None,
) -> tuple[int, int]:
    """Do `work` in a child, in a session of its own so that the terminal's Ctrl-C stays away.

    `title` is what ps shows, `keep` are descriptors that the child needs. It begins after `note`
    has put its pid on record, and never if we are killed before. Returns its pid and the
    descriptor, non-blocking, from which its output and errors are read.
    """
    reader, writer = os.pipe()
    gate, opener = os.pipe()
    gc.freeze()  # keeps the pages that children share from being copied
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            _become(title, writer, (*keep, gate))
            if os.read(gate, 1):
                os.close(gate)
                code = _done(work)
        finally:
            os._exit(code)  # never back into the supervisor's own stack
    os.close(writer)
    os.close(gate)
    os.set_blocking(reader, False)
    with open(opener, "wb", buffering=0) as opened:
        note(pid)
        with contextlib.suppress(BrokenPipeError):  # killed already, which is found by waiting
            opened.write(b".")
    return pid, reader


def entitle(title: str) -> None:
    """Give this process a title of its own, for ps."""
    setproctitle(f"{NAME}: {title}")


def command(argv: tuple[str, ...], env: Mapping[str, str]) -> Work:
    """Work that becomes another program."""

    def run() -> None:
        os.execvpe(argv[0], argv, dict(env))  # noqa: S606 - words, not a shell's line

    return run


def _become(title: str, output: int, keep: Iterable[int]) -> None:
    os.setsid()
    gc.enable()  # whoever forks may have it off, and has nothing to throw away itself
    for number in _HANDLED:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.set_wakeup_fd(-1)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (output, 1), (output, 2)):
        os.dup2(source, target)
    # The lock of the home and the others' pipes are the supervisor's alone.
    first = 3
    for descriptor in sorted(keep):
        os.closerange(first, descriptor)
        first = descriptor + 1
    os.closerange(first, 65536)
    sys.stdout = open(1, "w", buffering=1, closefd=False, errors="replace")  # noqa: SIM115
    sys.stderr = open(2, "w", buffering=1, closefd=False, errors="backslashreplace")  # noqa: SIM115
    entitle(title)


def _done(work: Work) -> int:
    """The exit code, by the rules of an interpreter of its own."""
    try:
        work()
        return 0
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            return end.code or 0
        sys.stderr.write(f"{end.code}\n")
        return 1
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
