"""Work of which only so much is done at once: the queue has few workers, and starts need one."""

import threading
from collections.abc import Callable
from typing import Any

# Enqueues work for later, and does it now.
Task = Callable[[Any], Any]


class Turns:
    """At most `at_once` of some work in this process; what comes beyond that waits for its turn.

    It waits as an entry here, each once and in order, and is enqueued anew when a turn is free: no
    worker waits. A queue that is killed forgets it, as wake-ups may be lost.
    """

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._lock = threading.Lock()
        self._waiting: dict[tuple[Task, Any], None] = {}

    def take(self, task: Task, key: Any, work: Callable[[Any], None]) -> None:
        """Do `work(key)` if it may be done now, else enqueue `task(key)` at the next turn."""
        with self._lock:
            if not self._free:
                self._waiting[task, key] = None
                return
            self._free -= 1
        try:
            work(key)
        finally:
            self._give_back()

    def _give_back(self) -> None:
        with self._lock:
            self._free += 1
            following = next(iter(self._waiting), None)
            if following:
                del self._waiting[following]
        if following:
            task, key = following
            task(key)
