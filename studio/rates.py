"""How many requests somebody may make: a bucket per token or person, in this process's memory.

The web is one process with threads, so memory is enough, and no request costs a write. Source:
draft-ietf-httpapi-ratelimit-headers for the names of the headers.
"""

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

# More keys than this are not remembered: the one not seen for longest begins anew.
MOST_BUCKETS = 10_000


@dataclass(frozen=True, slots=True)
class Left:
    """What a request found: the limit per minute, how many more are possible at once, seconds
    until the bucket is full, and until the next request is possible (0: it was this one)."""

    limit: int
    remaining: int
    reset_s: int
    retry_s: int

    @property
    def headers(self) -> dict[str, str]:
        """As the client is told."""
        found = {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset_s),
        }
        return found | ({"Retry-After": str(self.retry_s)} if self.retry_s else {})


class Buckets:
    """A bucket of `limit` requests per key, refilled evenly within a minute. Thread-safe."""

    def __init__(self) -> None:
        self._levels: OrderedDict[Hashable, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: Hashable, limit: int, now: float | None = None) -> Left:
        """One request of `key`; `now` in seconds of a clock that never goes back."""
        now = time.monotonic() if now is None else now
        rate = limit / 60
        with self._lock:
            level, at = self._levels.get(key, (float(limit), now))
            level = min(float(limit), level + (now - at) * rate)
            granted = level >= 1
            level -= granted
            self._levels[key] = (level, now)
            self._levels.move_to_end(key)
            while len(self._levels) > MOST_BUCKETS:
                self._levels.popitem(last=False)
        retry = 0 if granted else max(1, math.ceil((1 - level) / rate))
        return Left(limit, int(level), math.ceil((limit - level) / rate), retry)
