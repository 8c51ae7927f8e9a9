"""How much of one caller may be under way at once: nobody's calls take all threads of the web.

Calls beyond that are refused (429), and MLflow's client sends them again a little later.
"""

import threading
import time
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from sweeps.gateway.refusals import too_often

_AGAIN_S = 1


class UnderWay:
    """Counts calls by caller. One that ends by an error of `unfinished` counts for `after_s`
    longer: whoever was asked goes on with it, though nobody waits any more."""

    def __init__(
        self, most: int, unfinished: type[Exception] | tuple[()] = (), after_s: float = 0.0
    ) -> None:
        self._most, self._unfinished, self._after_s = most, unfinished, after_s
        self._lock = threading.Lock()
        self._of: Counter[Hashable] = Counter()
        self._left: list[tuple[float, Hashable]] = []

    @contextmanager
    def one_of(self, caller: Hashable) -> Iterator[None]:
        """One more, for as long as the block takes. Raises Refusal (429) for one too many."""
        with self._lock:
            self._forget()
            if self._of[caller] >= self._most:
                text = f"More than {self._most} calls at once: send this one again a little later."
                raise too_often(text, _AGAIN_S)
            self._of[caller] += 1
        ends = 0.0
        try:
            yield
        except self._unfinished:
            ends = time.monotonic() + self._after_s
            raise
        finally:
            with self._lock:
                if ends:
                    self._left.append((ends, caller))
                else:
                    self._end(caller)

    def _forget(self) -> None:
        """Those whose time is over. With the lock held."""
        now = time.monotonic()
        while self._left and self._left[0][0] <= now:
            self._end(self._left.pop(0)[1])

    def _end(self, caller: Hashable) -> None:
        self._of[caller] -= 1
        if not self._of[caller]:
            del self._of[caller]
