"""What is kept in memory of sweeps, of those that were asked for last, as far as there is room."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from sweeps.models import Sweep

K = TypeVar("K")


class Kept(Generic[K]):
    """One `make()` per sweep, whatever thread asks.

    `weight` tells in trials what one takes; make it 1 at least, for there may be any number of
    empty sweeps.
    """

    def __init__(self, make: Callable[[], K], weight: Callable[[K], int]) -> None:
        self._make, self._weight = make, weight
        self._by_uid: OrderedDict[str, K] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, sweep: Sweep) -> K:
        """What is kept of this sweep, which counts as asked for last from now on."""
        with self._guard:
            if sweep.uid not in self._by_uid:
                self._by_uid[sweep.uid] = self._make()
            self._by_uid.move_to_end(sweep.uid)
            return self._by_uid[sweep.uid]

    def shrink(self, most: int) -> None:
        """Let go of those that nobody asked for the longest time, until all weigh `most`; the
        last one stays."""
        with self._guard:
            total = sum(map(self._weight, self._by_uid.values()))
            for uid in list(self._by_uid)[:-1]:
                if total <= most:
                    break
                total -= self._weight(self._by_uid.pop(uid))

    def forget(self) -> None:
        """Drop everything."""
        with self._guard:
            self._by_uid.clear()
