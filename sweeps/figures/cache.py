"""Answers that are the same for everybody who looks at the same moment, made once.

Fifty people who watch a sweep ask for the same charts within the same second; the first one waits
for the drawing, the others for the first one.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class Shared(Generic[V]):
    """The newest `most` answers, by key."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: OrderedDict[Hashable, V] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._guard = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], V]) -> V:
        """The answer for `key`; `make` runs in one thread at a time, what it raises is raised."""
        with self._guard:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
            lock = self._making.setdefault(key, threading.Lock())
        with lock:
            with self._guard:
                if key in self._known:
                    return self._known[key]
            try:
                value = make()
            finally:
                with self._guard:
                    self._making.pop(key, None)
            with self._guard:
                self._known[key] = value
                while len(self._known) > self._most:
                    self._known.popitem(last=False)
        return value

    def forget(self) -> None:
        """Drop all."""
        with self._guard:
            self._known.clear()
