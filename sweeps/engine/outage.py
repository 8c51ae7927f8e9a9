"""Knowing that MLflow is away, so that not everybody waits to find out."""

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime

from sweeps.engine import tracking
from sweeps.queries.conditions import TRACKING, holds
from sweeps.services import conditions
from sweeps.tracking.client import TrackingUnavailable

log = logging.getLogger(__name__)

# While it is away somebody asks this often, and waits this long for an answer.
ASK_S = 1.0
ANSWER_S = 0.8
# MLflow's imports take seconds: whoever starts together with it need not hear of that.
START_S = 20.0


class Outage:
    """Shared by the threads of a process.

    `asks` says whether MLflow does what every start needs; `stands`, which must cost next to
    nothing, whether it is still there. At first nothing is known, and whoever wants to know asks.
    """

    def __init__(
        self,
        asks: Callable[[], bool],
        clock: Callable[[], float] = time.monotonic,
        stands: Callable[[], bool] = lambda: True,
    ) -> None:
        self._asks, self._clock, self._stands = asks, clock, stands
        self._lock, self._asking = threading.Lock(), threading.Lock()
        self._is_on: bool | None = None
        self._asked = 0.0
        self._was_up = False
        self._first: float | None = None
        # What MLflow asked to come back later with, and when.
        self._later: dict[str, float] = {}

    def note(self, error: TrackingUnavailable, subject: str = "") -> None:
        """A request for `subject` was in vain.

        Without an answer that is an outage. A bad answer raises a doubt, which the next to come
        clears up by asking: one odd run must not keep all others from starting.
        """
        with self._lock:
            if error.retry_s is not None:
                self._later[subject] = self._clock() + error.retry_s  # "" is asked of by nobody
            elif not error.answered:
                self._begins()
            elif not self._is_on:
                self._is_on = None

    def lasts(self, subject: str = "") -> bool:
        """True while there is no use in a request. One thread at a time asks whether it is over."""
        with self._lock:
            if self._is_for_later(subject):
                return True
            known = self._is_on
            if known:
                if self._clock() - self._asked < ASK_S:
                    return True
                self._asked = self._clock()
        if known is None:
            return self._in_doubt()
        if known:
            return self._ask()
        if self._stands():
            return False
        with self._lock:
            self._begins()
        return True

    def is_news(self) -> bool:
        """True while it lasts, but not of a server that is only just being started with us."""
        lasts = self.lasts()
        with self._lock:
            now = self._clock()
            self._first = now if self._first is None else self._first
            return lasts and (self._was_up or now - self._first >= START_S)

    def _in_doubt(self) -> bool:
        """Ask, or wait for the answer that another gets: work sent away now comes back late."""
        with self._asking:
            with self._lock:
                known = self._is_on
            return self._ask() if known is None else known

    def _ask(self) -> bool:
        over = self._asks()
        with self._lock:
            if over:
                self._is_on, self._was_up = False, True
            else:
                self._begins()
        return not over

    def _begins(self) -> None:
        self._is_on, self._asked = True, self._clock()

    def _is_for_later(self, subject: str) -> bool:
        now = self._clock()
        if self._later:
            self._later = {key: at for key, at in self._later.items() if at > now}
        return bool(subject) and subject in self._later


def _asks() -> bool:
    return tracking.prober(ANSWER_S).takes_writes()


def _stands() -> bool:
    prober = tracking.prober(ANSWER_S)
    return prober.connected() or prober.healthy()


outage = Outage(_asks, stands=_stands)


def tell(outage: Outage, now: datetime) -> None:
    """Say on every page that MLflow is away, or no more."""
    if not outage.lasts():
        if holds(TRACKING):
            conditions.clear_condition(TRACKING)
            log.warning("tracking answers again: trials start")
    elif outage.is_news() and not holds(TRACKING):
        text = (
            f"Tracking has not answered since {now:%H:%M} UTC; trials start again by themselves "
            "when it does."
        )
        conditions.set_condition(TRACKING, text, now)
        log.warning("%s", text)
