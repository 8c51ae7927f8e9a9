"""What a sampler knows of a sweep's other trials, kept up to date one trial at a time.

Reading 100,000 trials anew for each suggestion would take seconds; learning of those that changed
since the last one takes as long as there are changes.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from operator import attrgetter
from typing import Self

from sweeps.domain.records import TrialRecord
from sweeps.domain.samplers.draws import draw_of
from sweeps.domain.space import Draw, SearchSpace, leaves
from sweeps.domain.states import TrialStatus

# A point as one number per leaf of the space, in the order of `leaves`, None where inactive.
Values = tuple[int | float | None, ...]

# Their best value is a result, however they ended.
_MEASURED = {TrialStatus.COMPLETED, TrialStatus.EARLY_TERMINATED, TrialStatus.TIMED_OUT}


@dataclass(frozen=True, slots=True)
class Seen:
    """A trial as samplers see it.

    `values` is None for a point outside the space, which people may pick; `objective` None for
    one without a finite result.
    """

    number: int
    values: Values | None
    objective: float | None
    pending: bool
    canceled: bool
    picked: bool


class Known:
    """All trials of one sweep by number."""

    def __init__(self, space: SearchSpace) -> None:
        self._space = space
        self._labels = tuple(leaf.label for leaf in leaves(space))
        self._seen: dict[int, Seen] = {}
        self._tried: Counter[Values] = Counter()
        # While supposing: what was known of the trials that were learned since.
        self._before: dict[int, Seen | None] | None = None

    @classmethod
    def of(cls, space: SearchSpace, trials: Iterable[TrialRecord]) -> Self:
        """What these trials say."""
        known = cls(space)
        for trial in trials:
            known.learn(trial)
        return known

    def __len__(self) -> int:
        return len(self._seen)

    def learn(self, trial: TrialRecord) -> None:
        """What is known of this trial now, in the place of what was known before."""
        draw = trial.draw or draw_of(self._space, trial.params)
        result = trial.objective if trial.status in _MEASURED else None
        self._put(
            trial.number,
            Seen(
                number=trial.number,
                values=self.values(draw) if draw is not None else None,
                objective=result if result is not None and math.isfinite(result) else None,
                pending=not trial.status.is_final,
                canceled=trial.status is TrialStatus.CANCELED,
                picked=not trial.draw,
            ),
        )

    @contextmanager
    def supposing(self) -> Iterator[None]:
        """What is learned within it holds until its end."""
        self._before = {}
        try:
            yield
        finally:
            before, self._before = self._before, None
            for number, seen in before.items():
                self._put(number, seen)

    def _put(self, number: int, seen: Seen | None) -> None:
        old = self._seen.pop(number, None)
        if self._before is not None:
            self._before.setdefault(number, old)
        if old is not None and old.values is not None:
            self._tried[old.values] -= 1
            if not self._tried[old.values]:
                del self._tried[old.values]
        if seen is not None:
            self._seen[number] = seen
            if seen.values is not None:
                self._tried[seen.values] += 1

    def values(self, draw: Draw) -> Values:
        """A draw as one number per leaf."""
        return tuple(map(draw.get, self._labels))

    def tried(self, draw: Draw) -> bool:
        """True if some trial has this very point, however it fared."""
        return self.values(draw) in self._tried

    @property
    def width(self) -> int:
        """How many leaves the space has."""
        return len(self._labels)

    @property
    def points(self) -> int:
        """How many different points have been tried."""
        return len(self._tried)

    def picked_before(self, number: int) -> int:
        """How many trials with a lower number people picked."""
        return sum(seen.picked and seen.number < number for seen in self._seen.values())

    def lessons(self) -> list[Seen]:
        """The trials to learn from, by number: all but those canceled or outside the space."""
        found = [
            seen for seen in self._seen.values() if seen.values is not None and not seen.canceled
        ]
        found.sort(key=attrgetter("number"))
        return found
