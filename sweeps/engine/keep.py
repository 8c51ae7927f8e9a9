"""Keeping rights while work takes long: leases are short, so that the dead lose theirs soon."""

import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from sweeps.engine.trouble import TROUBLE

log = logging.getLogger(__name__)

# A third of a lease's 10 s: two renewals may be late.
RENEW_S = 3.0
# Whoever takes longer hangs, and loses its rights so that another can do the work. Copying large
# code from a slow disk takes minutes.
MOST_S = 900.0

Renewal = Callable[[], object]


@contextmanager
def kept(name: str, *renewals: Renewal) -> Iterator[None]:
    """Call each of `renewals` every few seconds until the block ends, but not after `MOST_S`.

    `name` is for people.
    """
    key = _keeper.add(name, renewals)
    try:
        yield
    finally:
        _keeper.drop(key)


class _Keeper:
    """One thread for all that is kept in this process, while there is any."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._kept: dict[object, tuple[str, tuple[Renewal, ...], float]] = {}
        self._thread: threading.Thread | None = None
        # Held while renewals are called: none may come after its block has ended.
        self._calling = threading.Lock()

    def add(self, name: str, renewals: tuple[Renewal, ...]) -> object:
        key = object()
        with self._changed:
            self._kept[key] = (name, renewals, time.monotonic() + MOST_S)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
                self._thread.start()
            if len(self._kept) == 1:
                self._changed.notify()
        return key

    def drop(self, key: object) -> None:
        with self._changed:
            del self._kept[key]
        with self._calling:
            return

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._kept))
                before = set(self._kept)
            time.sleep(RENEW_S)  # Not waiting for a change: every start would wake it.
            # What is younger is due at the next round: a lease outlasts two.
            for key in before:
                self._renew(key)
            connection.close()

    def _renew(self, key: object) -> None:
        with self._calling:
            with self._changed:
                name, renewals, until = self._kept.get(key, ("", (), math.inf))
                if hangs := time.monotonic() > until:
                    self._kept[key] = (name, (), math.inf)
            if hangs:
                log.error("%s hangs: it is kept no longer, after %d s", name, MOST_S)
                return
            try:
                for renewal in renewals:
                    renewal()
            except TROUBLE as error:
                log.warning("%s could not be renewed: %s", name, error)


_keeper = _Keeper()
