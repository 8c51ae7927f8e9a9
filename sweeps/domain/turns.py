"""Turns of workspaces at slots that all of them share."""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import count
from typing import TypeVar

T = TypeVar("T")


class Turns:
    """Who had the last turns, for as long as the process lives; nothing else hangs on it."""

    def __init__(self) -> None:
        self._count = count(1)
        self._last: dict[int, int] = {}

    def pick(
        self,
        slots: int,
        running: Sequence[Collection[int]],
        waiting: Sequence[tuple[T, Collection[int]]],
    ) -> list[T]:
        """Which of those that wait get the free ones of `slots`; `running` hold one each.

        Each thing is its workspaces', and taken on the account of that of them that holds the
        fewest, then of that which waited longest. None gets the last slot beside its others: it is
        for another that may come any moment.
        """
        most = max(1, slots - 1)
        taken = Counter(owner for owners in running for owner in owners)
        left, found = list(waiting), list[T]()
        for _ in range(slots - len(running)):
            turns = [
                (taken[owner], self._last.get(owner, 0), place, owner)
                for place, (_, owners) in enumerate(left)
                for owner in owners
                if taken[owner] < most
            ]
            if not turns:
                break
            *_, place, owner = min(turns)
            thing, owners = left.pop(place)
            taken.update(owners)
            self._last[owner] = next(self._count)
            found.append(thing)
        return found
