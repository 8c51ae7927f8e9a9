"""Work of which only so much is done at once: the queue has few workers, and starts need one."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

# Enqueues work for later, and does it now.
Task = Callable[[Any], Any]
T = TypeVar("T")


class Turns:
    """At most `at_once` of some work in this process, and `of_one` of an owner's; what comes beyond
    that waits for its turn.

    It waits as an entry here, each once and in order, and is enqueued anew when a turn is free: no
    worker waits. A queue that is killed forgets it, as wake-ups may be lost.
    """

    def __init__(self, at_once: int, of_one: int | None = None) -> None:
        self._free, self._of_one = at_once, of_one or at_once
        self._lock = threading.Lock()
        self._busy: Counter[Any] = Counter()
        self._waiting: dict[tuple[Task, Any], Any] = {}

    def take(self, task: Task, key: Any, work: Callable[[Any], T], owner: Any = None) -> T | None:
        """What `work(key)` gives if it may be done now; else None, and `task(key)` is enqueued at
        the next turn."""
        with self._lock:
            if not self._free or self._busy[owner] >= self._of_one:
                self._waiting[task, key] = owner
                return None
            self._free -= 1
            self._busy[owner] += 1
        try:
            return work(key)
        finally:
            self._give_back(owner)

    def _give_back(self, owner: Any) -> None:
        with self._lock:
            self._free += 1
            self._busy[owner] -= 1
            room = (one for one, of in self._waiting.items() if self._busy[of] < self._of_one)
            following = next(room, None)
            if following:
                del self._waiting[following]
            self._busy += Counter()  # without those that have none
        if following:
            task, key = following
            task(key)
