"""Who holds a right, named so that others on the same machine see when that process has died.

A right runs out after seconds anyway; a successor need not wait for that.
"""

import os
import threading
from datetime import datetime

from sweeps.runners import proc
from sweeps.services import leases


def me() -> str:
    """This process and thread, as nobody else is called: machine, pid, start time, thread."""
    start = proc.identity(os.getpid())["start_time"]
    return f"{_machine()}/{os.getpid()}/{start}/{threading.get_ident()}"


def has_died(holder: str) -> bool:
    """True if `holder` was a process of this machine that has ended; False if nobody can say."""
    machine, *words = holder.split("/")
    if machine != _machine() or len(words) != 3:
        return False
    boot = proc.boot_id()
    return not proc.is_alive(
        {"pid": int(words[0]), "start_time": int(words[1]), "boot_id": boot}, boot
    )


def acquire(name: str, holder: str, now: datetime, seconds: float) -> bool:
    """Take or renew a lease, also from a holder that has died; False while somebody holds it."""
    if leases.acquire(name, holder, now, seconds):
        return True
    other = leases.holder(name)
    if not has_died(other):
        return False
    leases.release(name, other)
    return leases.acquire(name, holder, now, seconds)


def _machine() -> str:
    """Where pids mean the same: this boot of the kernel, and this space of pids in it."""
    return f"{proc.boot_id()}:{os.stat('/proc/self/ns/pid').st_ino}"
