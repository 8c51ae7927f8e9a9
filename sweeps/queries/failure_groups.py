"""Failed trials grouped by what they have in common.

Apart from `failures`, which the engine needs: columns, and numpy with them, are for pages.
"""

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2s

import numpy as np

from sweeps.models import Sweep, Trial
from sweeps.queries.boards import board_of
from sweeps.queries.failures import PROBLEMS

# Of so many sweeps it is kept which trials failed alike.
MOST_KEPT = 50
# So many numbers of trials over all of these, about 40 bytes each.
MOST_NUMBERS = 200_000


@dataclass(slots=True)
class FailureGroup:
    """Trials that ended badly in the same way; `example` is the newest of them."""

    signature: str
    example: Trial
    numbers: list[int] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.numbers)


_grouped: "OrderedDict[str, tuple[bytes, Mapping[str, Sequence[int]]]]" = OrderedDict()
_guard = threading.Lock()


def _numbers(sweep: Sweep) -> Mapping[str, Sequence[int]]:
    """By signature the numbers of its trials, the newest first; read anew when other trials have
    ended badly, or at other times: a signature comes with an end."""
    board = board_of(sweep)
    rows = np.flatnonzero(board.having(PROBLEMS))
    columns = (board.number, board.status, board.ended)
    which = blake2s(b"".join(column[rows].tobytes() for column in columns)).digest()
    with _guard:
        known, numbers = _grouped.get(sweep.uid, (b"", {}))
    if known != which:
        newest_first = rows[np.lexsort((-board.number[rows], -board.ended[rows]))]
        numbers = _read(sweep, board.number[newest_first].tolist())
        _keep(sweep.uid, which, numbers)
    return numbers


def _keep(uid: str, which: bytes, numbers: Mapping[str, Sequence[int]]) -> None:
    """Beside it as many others as there is room for; of a single sweep however many."""
    with _guard:
        _grouped[uid] = (which, numbers)
        _grouped.move_to_end(uid)
        sizes = [sum(map(len, own.values())) for _, own in _grouped.values()]
        total = sum(sizes)
        for size in sizes[:-1]:
            if len(_grouped) <= MOST_KEPT and total <= MOST_NUMBERS:
                break
            _grouped.popitem(last=False)
            total -= size


def _read(sweep: Sweep, newest_first: Sequence[int]) -> Mapping[str, Sequence[int]]:
    # Unsorted: to sort them, a database may go through all trials by their end.
    problems = sweep.trials.filter(status__in=PROBLEMS).order_by()
    signatures = dict(problems.values_list("number", "signature"))
    numbers: dict[str, list[int]] = {}
    for number in newest_first:
        if number in signatures:
            numbers.setdefault(signatures[number], []).append(number)
    return numbers


def groups(sweep: Sweep) -> list[FailureGroup]:
    """Failed, lost and timed-out trials by what they have in common, the largest group first."""
    numbers = _numbers(sweep)
    newest = Trial.objects.filter(sweep=sweep, number__in=[own[0] for own in numbers.values()])
    shown = newest.only("number", "status", "signature", "reason", "ended_at", "sweep").order_by()
    examples = {one.number: one for one in shown if one.status in PROBLEMS}
    found = [
        FailureGroup(name, examples[own[0]], sorted(own))
        for name, own in numbers.items()
        if own[0] in examples  # it may have been taken up again in between
    ]
    return sorted(found, key=lambda group: (-group.count, group.signature))
