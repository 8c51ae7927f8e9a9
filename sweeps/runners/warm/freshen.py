"""What every process has of its own from its start or its first imports, made anew in a child."""

import os
import sys
import time
from typing import Any


def freshen() -> None:
    """Draw new seeds where the modules drew theirs from the machine; `random` does so itself."""
    for name, renew in _RENEW.items():
        if module := sys.modules.get(name):
            renew(module)


def _numpy(module: Any) -> None:
    module.seed()


def _torch(module: Any) -> None:
    module.seed()


def _logging(module: Any) -> None:
    start = module._startTime
    # Seconds up to Python 3.12, then nanoseconds.
    module._startTime = time.time_ns() if isinstance(start, int) else time.time()


def _threading(module: Any) -> None:
    # `threading` itself leaves the main thread the number that it had before a fork.
    module.main_thread()._set_native_id()


def _processes(module: Any) -> None:
    key = module.AuthenticationString(os.urandom(32))
    module.current_process()._config["authkey"] = key


_RENEW: dict[str, Any] = {
    "numpy.random": _numpy,
    "torch": _torch,
    "logging": _logging,
    "threading": _threading,
    "multiprocessing.process": _processes,
}


OURS = "sweeps"


def forget_ours() -> None:
    """Take our own package out of the modules: a script may have another one of that name."""
    for name in [name for name in sys.modules if name.partition(".")[0] == OURS]:
        del sys.modules[name]
