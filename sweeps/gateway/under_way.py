"""How much of one caller may be under way at once: nobody's calls take all threads of the web.

Calls beyond that are refused (429), and MLflow's client sends them again a little later.
"""

import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from sweeps.gateway.refusals import too_often

_AGAIN_S = 1


class UnderWay:
    """Counts calls by caller."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._of: Counter[Hashable] = Counter()

    @contextmanager
    def one_of(self, caller: Hashable) -> Iterator[None]:
        """One more, for as long as the block takes. Raises Refusal (429) for one too many."""
        with self._lock:
            if self._of[caller] >= self._most:
                text = f"More than {self._most} calls at once: send this one again a little later."
                raise too_often(text, _AGAIN_S)
            self._of[caller] += 1
        try:
            yield
        finally:
            with self._lock:
                self._of[caller] -= 1
                if not self._of[caller]:
                    del self._of[caller]
