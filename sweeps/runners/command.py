"""Starting the command itself, in a child of the shim."""

import os
import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from sweeps.runners import proc, run_as

# Called with the spool, the launch record and descriptors for the command's output; the pid of
# the child. Raises what subprocess.Popen raises.
Start: TypeAlias = Callable[[str, Mapping[str, Any], int, int], int]


class Away(BaseException):
    """Raised in a child that leaves our code to be the command; `order` says which."""

    def __init__(self, order: Any) -> None:
        self.order = order


def execute(_folder: str, launch: Mapping[str, Any], out: int, err: int) -> int:
    """Start it by fork and exec, in a session of its own: its `kill 0` must not reach the shim."""
    process = subprocess.Popen(
        launch["argv"],
        cwd=launch["cwd"],
        env={**_kept(launch), **launch["env"], proc.COOKIE: launch["cookie"]},
        stdin=subprocess.DEVNULL,
        stdout=out,
        stderr=err,
        start_new_session=True,
        # The shim has one thread, so this is safe; the last of us that runs in the child.
        preexec_fn=_before(run_as.of_record(launch.get("user"))),
    )
    process.returncode = 0  # the shim waits for it by itself
    return process.pid


def _kept(launch: Mapping[str, Any]) -> dict[str, str]:
    """What the command is told by whoever placed it here: which cards are its own, say."""
    begins = tuple(launch.get("kept", ()))
    return {name: value for name, value in os.environ.items() if begins and name.startswith(begins)}


def _before(user: run_as.RunAs | None) -> Callable[[], None] | None:
    """What the child does before it is the command; most often nothing."""
    if user:
        return partial(run_as.start_as, user)
    return run_as.start_without if run_as.has_ambient() else None
