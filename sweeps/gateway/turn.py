"""Turns to write: one writer at a time, who takes along what the others have brought meanwhile.

SQLite lets one writer in at a time, and a commit waits for the disk, so that ten trials that log
one value each at the same moment would wait for the disk ten times, one after another. Here the
first of them writes for all who wait, in one transaction, and nobody is answered before it is on
the disk. On PostgreSQL calls of one sweep hold the same row, so that the same is true of them.
"""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, TypeVar

from django.db import connection

_writer = threading.Lock()
# Calls, and what they weigh together, of one transaction: a person's click waits for it at worst.
MOST, MOST_WEIGHT = 32, 1_000
# After a transaction that took longer, other processes get as long to come in, up to this.
_LONG_S = 0.1

Item = TypeVar("Item")
Result = TypeVar("Result")


def turn() -> AbstractContextManager[Any]:
    """This thread's turn to write.

    A writer that finds SQLite locked sleeps in growing steps of up to 0.1 s, and others overtake
    it; a lock hands over at once and in fair order. Other databases need none.
    """
    return _writer if connection.vendor == "sqlite" else nullcontext()


class _Place(Generic[Item, Result]):
    """Where one caller waits: for a result, for an error, or to be the next who writes."""

    def __init__(self, item: Item) -> None:
        self.item, self.called = item, threading.Event()
        self.result: list[Result] = []
        self.error: BaseException | None = None

    @property
    def is_done(self) -> bool:
        return bool(self.result) or self.error is not None


class Together(Generic[Item, Result]):
    """Does work for many callers at once. `work` takes items and returns as many results.

    When it raises, each item is tried by itself, so that one bad item harms nobody else. Items
    with different keys never go together, nor do two of one owner; who has been written for lets
    other owners write next, however many more calls of its it has waiting.
    """

    def __init__(
        self,
        work: Callable[[Sequence[Item]], Sequence[Result]],
        owner: Callable[[Item], Hashable] = id,
        weight: Callable[[Item], int] = lambda _: 1,
    ) -> None:
        self._work, self._owner, self._weight = work, owner, weight
        self._lock = threading.Lock()
        # By key: who waits while somebody writes. No entry: nobody is at it.
        self._waiting: dict[Any, list[_Place[Item, Result]]] = {}

    def do(self, item: Item, key: Any = None) -> Result:
        """The item's result, once it is done. Raises what `work` raises for it."""
        place: _Place[Item, Result] = _Place(item)
        with self._lock:
            waiting = self._waiting.get(key)
            if waiting is None:
                self._waiting[key] = []
            else:
                waiting.append(place)
        if waiting is not None:
            place.called.wait()
        if not place.is_done:
            self._lead(place, key)
        if place.error is not None:
            raise place.error
        return place.result[0]

    def _lead(self, own: _Place[Item, Result], key: Any) -> None:
        """Do what waits, this caller's own first; then call the others, and the next to lead."""
        group = [own]
        began = time.monotonic()
        try:
            with turn():
                with self._lock:
                    self._take_along(group, self._waiting[key])
                began = time.monotonic()
                self._do_all(group)
        finally:
            took = time.monotonic() - began
            for place in group[1:]:
                if not place.is_done:  # This thread is being ended: nobody may wait for it.
                    place.error = RuntimeError("the writer was interrupted")
                place.called.set()
            if took > _LONG_S:
                time.sleep(_LONG_S)  # another process asks for SQLite's lock now and then only
            with self._lock:
                heir = self._heir(self._waiting[key], group)
                if heir is None:
                    del self._waiting[key]
            if heir is not None:
                heir.called.set()

    def _take_along(
        self, group: list[_Place[Item, Result]], waiting: list[_Place[Item, Result]]
    ) -> None:
        """Move into the group who may go with it, one of each owner, in their order."""
        owners = {self._owner(group[0].item)}
        weight = self._weight(group[0].item)
        for place in list(waiting):
            owner, more = self._owner(place.item), self._weight(place.item)
            if len(group) < MOST and owner not in owners and weight + more <= MOST_WEIGHT:
                waiting.remove(place)
                group.append(place)
                owners.add(owner)
                weight += more

    def _heir(
        self, waiting: list[_Place[Item, Result]], group: Sequence[_Place[Item, Result]]
    ) -> _Place[Item, Result] | None:
        """Who writes next: the first of another owner, else the first; None if nobody waits."""
        if not waiting:
            return None
        done = {self._owner(place.item) for place in group}
        others = [place for place in waiting if self._owner(place.item) not in done]
        heir = (others or waiting)[0]
        waiting.remove(heir)
        return heir

    def _do_all(self, group: Sequence[_Place[Item, Result]]) -> None:
        try:
            results = self._work([place.item for place in group])
        except Exception as error:
            if len(group) == 1:
                group[0].error = error
                return
            for place in group:
                self._do_all([place])
        else:
            for place, result in zip(group, results, strict=True):
                place.result.append(result)
