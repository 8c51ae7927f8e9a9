"""Keeping a right while work takes long: leases are short, so that the dead lose theirs soon."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

from sweeps.engine.trouble import TROUBLE

log = logging.getLogger(__name__)

# A third of a lease's 10 s: two renewals may be late.
RENEW_S = 3.0


@contextmanager
def kept(name: str, *renewals: Callable[[], object]) -> Iterator[None]:
    """Call each of `renewals` every few seconds until the block ends; `name` is for people."""
    done = threading.Event()

    def renew() -> None:
        try:
            while not done.wait(RENEW_S):
                _renew(name, renewals)
        finally:
            connection.close()

    beat = threading.Thread(target=renew, name=f"keep-{name}", daemon=True)
    beat.start()
    try:
        yield
    finally:
        done.set()
        beat.join()


def _renew(name: str, renewals: tuple[Callable[[], object], ...]) -> None:
    try:
        for renewal in renewals:
            renewal()
    except TROUBLE as error:
        log.warning("%s could not be renewed: %s", name, error)
        connection.close()
