"""What a hostile or broken script does once it has logged its values; each stays in its bounds."""

import os
import resource
import signal
import sys
import time

from tracked import log, log_all


def fork_bomb() -> None:
    """Forks of forks that stay, up to the limit of the user, or 210 (root has no limit)."""
    resource.setrlimit(resource.RLIMIT_NPROC, (2000, 2000))
    for _generation in range(2):
        for _ in range(14):
            if os.fork() == 0:
                break
        else:
            break
    else:
        time.sleep(600)
    time.sleep(1)
    raise SystemExit("no more processes")


def memory_hog() -> None:
    """More memory than it may have."""
    resource.setrlimit(resource.RLIMIT_AS, (512 * 2**20,) * 2)
    hoard = []
    while True:
        hoard.append(bytearray(16 * 2**20))


def out_of_memory() -> None:
    """What the kernel's killer does to a hog."""
    os.kill(os.getpid(), signal.SIGKILL)


def long_line() -> None:
    """One line of a gigabyte."""
    chunk = b"x" * 2**20
    for _ in range(1024):
        os.write(1, chunk)


def segv() -> None:
    """A crash in native code."""
    os.kill(os.getpid(), signal.SIGSEGV)


def stubborn() -> None:
    """Neither ends nor obeys."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(600)


def logs_when_stopped() -> None:
    """Answers SIGTERM with one more, better value, and goes on."""
    signal.signal(signal.SIGTERM, lambda *_: log("loss", -1e9, 999))
    for _ in range(600):
        time.sleep(1)


def many_points() -> None:
    """A hundred thousand values."""
    for start in range(0, 100_000, 1000):
        now = int(time.time() * 1000)
        log_all(
            [
                {"key": "loss", "value": 1e6 - step, "timestamp": now, "step": step}
                for step in range(start, start + 1000)
            ]
        )


def nan() -> None:
    """A loss that is no number."""
    log("loss", "NaN", 1)


def infinity() -> None:
    """A loss without bound."""
    log("loss", "Infinity", 1)


def minus_infinity() -> None:
    """A loss that beats every other, if one lets it."""
    log("loss", "-Infinity", 1)


def huge() -> None:
    """The largest power of ten that a float holds."""
    log("loss", 1e308, 1)


def steps_back() -> None:
    """Steps that go back, as after a checkpoint was loaded."""
    for step in (5, 3, 3, -1):
        log("loss", 100.0 + step, step)


def text() -> None:
    """A word where a number is due."""
    log("loss", "fast", 1)


def quiet() -> None:
    """Nothing."""
    sys.stdout.flush()
