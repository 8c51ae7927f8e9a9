"""Turns to write: one writer at a time, who takes along what the others have brought meanwhile.

SQLite lets one writer in at a time, and a commit waits for the disk, so that ten trials that log
one value each at the same moment would wait for the disk ten times, one after another. Here the
first of them writes for all who wait, in one transaction, and nobody is answered before it is on
the disk. On PostgreSQL calls of one sweep hold the same row, so that the same is true of them.
"""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, TypeVar

from django.db import connection

_writer = threading.Lock()
# Calls of one transaction: a person's click waits for it at the worst.
MOST = 32

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
    with different keys never go together.
    """

    def __init__(self, work: Callable[[Sequence[Item]], Sequence[Result]]) -> None:
        self._work = work
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
        try:
            with turn():
                with self._lock:
                    waiting = self._waiting[key]
                    group += waiting[: MOST - 1]
                    del waiting[: MOST - 1]
                self._do_all(group)
        finally:
            with self._lock:
                waiting = self._waiting[key]
                heir = waiting.pop(0) if waiting else None
                if heir is None:
                    del self._waiting[key]
            for place in group[1:]:
                if not place.is_done:  # This thread is being ended: nobody may wait for it.
                    place.error = RuntimeError("the writer was interrupted")
                place.called.set()
            if heir is not None:
                heir.called.set()

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
