"""Answers that are the same for everybody who looks at the same moment, made once.

Fifty people who watch a sweep ask for the same charts within the same second; the first one waits
for the drawing, the others for the first one. However many different ones are asked for, and
however large they are, what is kept has a bound.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sized
from typing import Generic, TypeVar

V = TypeVar("V", bound=Sized)


class Shared(Generic[V]):
    """The newest `most` answers, by key, as far as their sizes add up to `most_size` (bytes)."""

    def __init__(self, most: int, most_size: int = 64 * 2**20) -> None:
        self._most, self._most_size, self._size = most, most_size, 0
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
                self._keep(key, value)
        return value

    def _keep(self, key: Hashable, value: V) -> None:
        if (old := self._known.pop(key, None)) is not None:
            self._size -= len(old)
        self._known[key] = value
        self._size += len(value)
        while self._known and (len(self._known) > self._most or self._size > self._most_size):
            self._size -= len(self._known.popitem(last=False)[1])

    def forget(self) -> None:
        """Drop all."""
        with self._guard:
            self._known.clear()
            self._size = 0


class Settled:
    """Numbers that grow many times a second, taken as they were a moment ago.

    Whoever is content with more than `known` gets the number that the last one got, if that was
    less than `seconds` ago; so that what is made of it serves many.
    """

    def __init__(self, seconds: float, most: int = 500) -> None:
        self._seconds, self._most = seconds, most
        self._last: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()
        self._guard = threading.Lock()

    def of(self, key: Hashable, number: int, known: int | None, now: float) -> int:
        """The number to go by; the present one for who must have that (`known` None)."""
        with self._guard:
            last, at = self._last.get(key, (-1, -math.inf))
            if known is not None and known < last <= number and now - at < self._seconds:
                return last
            self._last[key] = (number, now)
            self._last.move_to_end(key)
            while len(self._last) > self._most:
                self._last.popitem(last=False)
        return number
