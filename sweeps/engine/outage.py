"""Knowing that MLflow is away, so that not everybody waits to find out."""

import threading
import time
from collections.abc import Callable

from sweeps.engine import tracking

# While it is away somebody asks this often, and waits this long for an answer.
ASK_S = 2.0
ANSWER_S = 1.0


class Outage:
    """Shared by the threads of a process; `asks` says whether MLflow answers."""

    def __init__(
        self, asks: Callable[[], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._asks, self._clock = asks, clock
        self._lock = threading.Lock()
        self._is_on, self._asked = False, 0.0

    def note(self) -> None:
        """A request has got no answer."""
        with self._lock:
            self._is_on, self._asked = True, self._clock()

    def lasts(self) -> bool:
        """True while there is no use in a request. One thread at a time asks whether it is over."""
        with self._lock:
            if not self._is_on:
                return False
            if self._clock() - self._asked < ASK_S:
                return True
            self._asked = self._clock()
        over = self._asks()
        with self._lock:
            self._is_on = not over
        return not over


def _asks() -> bool:
    return tracking.prober(ANSWER_S).healthy()


outage = Outage(_asks)
