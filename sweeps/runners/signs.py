"""Descriptors by which the kernel says that a process has ended: nobody has to look for it."""

import os
import select
from collections.abc import Sequence

from sweeps.runners import proc, spool

# A process may have some thousand descriptors; whoever has more commands finds ends by looking.
MOST = 256


class Signs:
    """Keeps a pidfd per handle, of the shim, which ends with the result.

    Not for several threads.
    """

    def __init__(self) -> None:
        self._open: dict[str, int] = {}

    def of(self, handles: Sequence[str]) -> list[int]:
        """Descriptors of which one becomes readable when its command may have ended.

        Those of earlier calls are closed, as far as their handles are not among these.
        """
        wanted = handles[:MOST]
        for handle in set(self._open).difference(wanted):
            os.close(self._open.pop(handle))
        for handle in self._over():
            os.close(self._open.pop(handle))
        boot = proc.boot_id() if wanted else ""
        for handle in wanted:
            if handle not in self._open and (found := _sign(handle, boot)) is not None:
                self._open[handle] = found
        return list(self._open.values())

    def _over(self) -> list[str]:
        """Handles whose sign has been given: it would be given again and again."""
        poll = select.poll()
        by_descriptor = {descriptor: handle for handle, descriptor in self._open.items()}
        for descriptor in by_descriptor:
            poll.register(descriptor, select.POLLIN)
        return [by_descriptor[descriptor] for descriptor, _ in poll.poll(0)]


def _sign(handle: str, boot: str) -> int | None:
    """A pidfd of the shim; where that is not on record or has gone, of the guard."""
    for name in (spool.SHIM, spool.GUARD):
        record = spool.read(handle, name)
        if record is None or "pid" not in record or not proc.is_alive(record, boot):
            continue
        try:
            descriptor = os.pidfd_open(record["pid"])
        except OSError:
            continue
        if proc.is_alive(record, boot):  # else the pid was given out again in between
            return descriptor
        os.close(descriptor)
    return None
