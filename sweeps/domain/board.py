"""All trials of a sweep as columns: what charts, filters and orders of 100,000 trials work on.

Rows are in order of trial number. Arrays are never changed after they are made: a newer board has
new ones, so threads may read while another brings news.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sweeps.domain.marks import Mark
from sweeps.domain.selection import Condition, word_of
from sweeps.domain.space import Scalar
from sweeps.domain.states import WINNING_TRIAL, TrialStatus

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

STATUSES: tuple[TrialStatus, ...] = tuple(TrialStatus)
CODES: Mapping[str, int] = {status.value: code for code, status in enumerate(STATUSES)}


class Column:
    """One value per trial, as it is; None where the trial has none."""

    def __init__(self, raw: Sequence[Scalar | None]) -> None:
        self.raw = raw

    @cached_property
    def types(self) -> set[type]:
        """Of what types its values are."""
        return set(map(type, self.raw))

    @cached_property
    def numbers(self) -> Floats:
        """As floats; NaN where there is none or it is no number."""
        if self.types <= {int, float, type(None)}:  # five times as fast as one by one
            return np.array(self.raw, dtype=np.float64)
        known = [
            float(v) if isinstance(v, int | float) and not isinstance(v, bool) else np.nan
            for v in self.raw
        ]
        return np.array(known, dtype=np.float64)

    @cached_property
    def missing(self) -> Mask:
        """Where there is none."""
        if type(None) not in self.types:
            return np.zeros(len(self.raw), dtype=np.bool_)
        return np.array([value is None for value in self.raw], dtype=np.bool_)

    @cached_property
    def words(self) -> tuple[tuple[str, ...], Ints]:
        """The different values as words, as they come; and whose each trial's is (-1: none)."""
        places: dict[str, int] = {}
        codes = [
            -1 if value is None else places.setdefault(word_of(value), len(places))
            for value in self.raw
        ]
        return tuple(places), np.array(codes, dtype=np.int64)

    def longer(self, values: Sequence[Scalar | None]) -> "Column":
        """With these values behind; what was worked out of the others is not worked out again."""
        made, more = Column([*self.raw, *values]), Column(values)
        if "types" in self.__dict__:
            made.__dict__["types"] = self.types | more.types
        for name in ("numbers", "missing"):
            if name in self.__dict__:
                parts = [getattr(self, name), getattr(more, name)]
                made.__dict__[name] = np.concatenate(parts)
        return made


@dataclass(frozen=True, eq=False)
class Board:
    """The trials of a sweep at `revision`.

    Times are seconds since the epoch, NaN while there is none; `objective` is the best finite
    value of each trial, NaN without one. `marks` has those that have any, by number.
    """

    revision: int
    number: Ints
    status: Ints
    objective: Floats
    last: Floats
    reports: Ints
    best_report: Floats
    started: Floats
    ended: Floats
    params: Mapping[str, Column]
    marks: Mapping[int, Mark] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.number)

    def at(self, revision: int) -> "Board":
        """The same trials as they are at a later revision, with all that was worked out."""
        newer = copy(self)
        object.__setattr__(newer, "revision", revision)
        return newer

    def having(self, statuses: Iterable[str]) -> Mask:
        """Trials in one of these statuses."""
        return np.isin(self.status, [CODES[status] for status in statuses])

    def marked(self, fits: Callable[[Mark], bool]) -> Mask:
        """Trials whose marks fit; those without any are left out."""
        numbers = [number for number, mark in self.marks.items() if fits(mark)]
        return np.isin(self.number, np.array(numbers, dtype=np.int64))

    def tags(self) -> list[str]:
        """Every tag of a trial, by the alphabet."""
        return sorted({tag for mark in self.marks.values() for tag in mark.tags})

    def rows_of(self, numbers: Iterable[int]) -> Ints:
        """Rows of these trials, in the order given; those there are not are passed over."""
        asked = np.array(list(numbers), dtype=np.int64)
        rows = np.searchsorted(self.number, asked)
        rows = rows[rows < len(self)] if not len(self) else np.minimum(rows, len(self) - 1)
        return rows[self.number[rows] == asked[: len(rows)]] if len(rows) else rows

    @cached_property
    def duration_s(self) -> Floats:
        """Seconds from start to end, NaN until both are known."""
        return np.asarray(self.ended - self.started, dtype=np.float64)

    @cached_property
    def can_win(self) -> Mask:
        """Trials that may be the best."""
        return self.having(WINNING_TRIAL) & ~np.isnan(self.objective)

    @cached_property
    def counts(self) -> Mapping[TrialStatus, int]:
        """How many trials stand in each status, without those in which none does."""
        counts = np.bincount(self.status, minlength=len(STATUSES))
        return Counter({s: int(n) for s, n in zip(STATUSES, counts, strict=True) if n})

    @cached_property
    def mean_s(self) -> float | None:
        """How long the ended trials took; None while none has ended."""
        took = self.duration_s[~np.isnan(self.duration_s)]
        return float(took.mean()) if len(took) else None

    def best(self, count: int, *, minimize: bool) -> Ints:
        """The first `count` of `best_first`, without sorting all the others."""
        rows = np.flatnonzero(self.can_win)
        values = self.objective[rows] if minimize else -self.objective[rows]
        if 0 < count < len(rows):
            near = values <= np.partition(values, count - 1)[count - 1]
            rows, values = rows[near], values[near]
        return rows[np.argsort(values, kind="stable")][:count]

    def best_first(self, *, minimize: bool) -> Ints:
        """Rows of trials that can win, best first, the lower number first among equals."""
        rows = np.flatnonzero(self.can_win)
        values = self.objective[rows] if minimize else -self.objective[rows]
        return rows[np.argsort(values, kind="stable")]

    def plain(self, key: str) -> Floats:
        """The column of a plain key (objective, number, duration_s, reports) as floats."""
        return np.asarray(getattr(self, key), dtype=np.float64)


def holds(condition: Condition, column: Column | Floats) -> Mask:
    """Where the condition holds of a column."""
    if isinstance(column, Column):
        numbers, missing = column.numbers, column.missing
    else:
        numbers, missing = column, np.isnan(column)
    kept = missing.copy() if condition.missing else np.zeros(len(numbers), dtype=np.bool_)
    for low, high in condition.spans:
        above = numbers >= (-np.inf if low is None else low)
        kept |= above & (numbers <= (np.inf if high is None else high))
    if condition.words and isinstance(column, Column):
        known, codes = column.words
        wanted = [place for place, word in enumerate(known) if word in condition.words]
        kept |= np.isin(codes, wanted)
    return kept
