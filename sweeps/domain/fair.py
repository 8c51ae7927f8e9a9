"""Sharing the free slots of a compute among the sweeps that want them."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claimant:
    """A sweep that wants slots: `taken` it holds, `wants` more; `last` orders by its last start.

    A smaller `last` has waited longer.
    """

    key: int
    taken: int
    wants: int
    last: int = 0


def allocate(free: int, claimants: Sequence[Claimant]) -> dict[int, int]:
    """By key: how many of `free` slots each claimant gets.

    Max-min fairness, slot by slot: the next one goes to whoever holds the fewest, among equals to
    whoever waited longest, so that one slot goes round among all sweeps.
    """
    given = dict.fromkeys((one.key for one in claimants), 0)
    for _ in range(free):
        hungry = [one for one in claimants if given[one.key] < one.wants]
        if not hungry:
            break
        next_one = min(hungry, key=lambda one: (one.taken + given[one.key], one.last, one.key))
        given[next_one.key] += 1
    return given
