"""Any value of a sweep's trials as something to place along an axis or to colour by."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sweeps.charts.clock import short_time, time_ticks
from sweeps.charts.figure import axis
from sweeps.charts.marks import STATUS_WORDS
from sweeps.charts.scales import Scale
from sweeps.charts.text import escape, in_seconds, with_exact, wrap_name
from sweeps.domain.board import CODES, STATUSES
from sweeps.domain.states import ACTIVE_TRIAL, FALLEN_TRIAL, TrialStatus

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# How far beyond the low end those without a value stand, as a share of the axis.
_EDGE = 0.13
_AIR = 0.05
_MOST_LINES = 3
_MOST_TRIES = 8
_LIMIT = 1.7e308


class Values(NamedTuple):
    """One value of every trial.

    `at` is its number, or the index of its category; NaN where it has none, which is called
    `none`. `kind` is the muted word behind the name, `write` a number as people read it.
    """

    key: str
    name: str
    kind: str
    scale: Scale
    at: Floats
    write: Callable[[float], str]
    none: str = "none"

    @property
    def is_category(self) -> bool:
        return self.scale.kind == "category"

    @property
    def missing(self) -> Mask:
        """Where there is none."""
        return np.isnan(self.at)

    def text(self, row: int) -> str:
        """The value of a row in words."""
        value = float(self.at[row])
        if math.isnan(value):
            return self.none
        return self.scale.categories[int(value)] if self.is_category else self.write(value)

    def cell(self, row: int) -> str:
        """The value of a row for a table."""
        if self.is_category:
            return with_exact(self.text(row), None) if self.missing[row] else self.text(row)
        value = float(self.at[row])
        is_whole = self.scale.integer and value.is_integer()
        return with_exact(self.text(row), int(value) if is_whole else value)

    @property
    def head(self) -> str:
        """The name for a table; files say the unit."""
        is_time = self.key in ("duration_s", "elapsed")
        return in_seconds(self.name) if is_time else self.name

    @property
    def unit(self) -> Floats:
        """Where each value stands from 0 to 1; NaN without one."""
        if self.is_category:
            return np.asarray((self.at + 0.5) / max(len(self.scale.categories), 1))
        low, high, at = self.scale.low, self.scale.high, self.at
        if self.scale.kind == "log":
            low, high, at = math.log(low), math.log(high), np.log(at)
        span = high / 2 - low / 2
        return np.asarray((at / 2 - low / 2) / span if span else at * 0 + 0.5)

    def from_unit(self, share: float) -> float:
        """The value that stands at `share` of a numeric axis."""
        low, high = self.scale.low, self.scale.high
        if self.scale.kind == "log":
            level = math.log(low) + share * (math.log(high) - math.log(low))
            return math.exp(min(max(level, -706.0), 709.0))
        # Both parts by themselves, so that the difference of huge ends stays finite.
        return min(max(low * (1 - share) + high * share, -_LIMIT), _LIMIT)

    @property
    def edge(self) -> float:
        """Where those without a value stand."""
        return -1.0 if self.is_category else self.from_unit(-_EDGE)

    def places(self, number: Ints) -> Floats:
        """Where each trial is drawn: categories with a little jitter, missing ones on the edge."""
        jitter = (number * 0.618033988749895) % 1.0 - 0.5
        spread = 0.5 * jitter if self.is_category else 0.0 * jitter
        return np.asarray(np.where(self.missing, self.edge, self.at + spread), dtype=np.float64)


class Trials(NamedTuple):
    """Which trials there are: `number` by row, those the selection leaves `out`, the row of the
    best one, and how each stands (`status`: places in STATUSES; None: all have completed)."""

    number: Ints
    out: Mask
    best: int | None
    status: Ints | None = None

    def having(self, statuses: Iterable[str]) -> Mask:
        """Those in one of these statuses."""
        if self.status is None:
            return np.zeros(len(self.number), dtype=np.bool_)
        return np.isin(self.status, [CODES[status] for status in statuses])

    @property
    def fallen(self) -> Mask:
        """Those that ended without a result, whatever they logged before."""
        return self.having(FALLEN_TRIAL)

    @property
    def running(self) -> Mask:
        """Those whose values may still change."""
        return self.having(ACTIVE_TRIAL)

    @property
    def early(self) -> Mask:
        """Those terminated early: what they came to counts."""
        return self.having([TrialStatus.EARLY_TERMINATED])

    @property
    def counting(self) -> Mask:
        """Those that may be the best, if they have a value."""
        return ~(self.fallen | self.running)

    def word(self, row: int) -> str:
        """How a trial stands, in words."""
        return STATUS_WORDS[
            TrialStatus.COMPLETED if self.status is None else STATUSES[self.status[row]]
        ]


def rounded(values: Floats) -> list[float | None]:
    """Five significant digits: what a screen can show of a value."""
    return [float(f"{v:.5g}") if math.isfinite(v) else None for v in values.tolist()]


def plot_axis(values: Values, *, edge: bool, count: int = 3, width: int = 30) -> dict[str, Any]:
    """A Plotly axis of `values` with about `count` ticks; `edge`: with a tick for missing ones."""
    vals, texts = _ticks(values, count, edge)
    if edge:
        vals, texts = [values.edge, *vals], [values.none, *texts]
    made = axis(title_of(values, width)) | {
        "type": "log" if values.scale.kind == "log" else "linear",
        "range": _range(values, edge),
        "tickmode": "array",
        "tickvals": vals,
        "ticktext": texts,
        "automargin": True,
    }
    if values.is_category:
        made["fixedrange"] = True
    return made


def title_of(values: Values, width: int = 30) -> str:
    """Name and kind, the name in as many lines as it needs."""
    name = "<br>".join(escape(line) for line in wrap_name(values.name, width))
    if not values.kind:
        return name
    return f'{name} <span style="font-size:11px">({escape(values.kind)})</span>'


def _ticks(values: Values, count: int, edge: bool) -> tuple[list[float], list[str]]:
    if values.is_category:
        names = values.scale.categories
        step = -(-len(names) // 24) or 1
        shown = range(0, len(names), step)
        return [float(i) for i in shown], [category_text(names[i]) for i in shown]
    if values.key in ("duration_s", "elapsed"):
        clock = [tick for tick in time_ticks(values.scale.high, count + 2) if tick]
        moments = [tick for tick in clock if tick >= values.scale.low] or clock[-1:]
        return moments, [short_time(tick) for tick in moments]
    # Round values alone: bounds are in the search space, and long.
    scale = values.scale._replace(bounded=False)
    found = scale.ticks(count)
    while len(found) < 2 and count < _MOST_TRIES:
        count += 1
        found = scale.ticks(count)
    if edge:
        found = tuple(tick for tick in found if tick.position > _EDGE / 2)
    vals = [values.from_unit(tick.position) for tick in found]
    return vals, [tick.text for tick in found]


def category_text(name: str, width: int = 20) -> str:
    """A category's name in a few lines."""
    lines = wrap_name(name, width)
    cut = lines[:_MOST_LINES]
    if len(lines) > _MOST_LINES:
        cut[-1] = f"{cut[-1][:-1]}…"
    return "<br>".join(escape(line) for line in cut)


def _range(values: Values, edge: bool) -> list[float]:
    if values.is_category:
        return [-1.6 if edge else -0.6, max(len(values.scale.categories), 1) - 0.4]
    low = -_EDGE - _AIR if edge else -_AIR
    ends = [values.from_unit(low), values.from_unit(1 + _AIR)]
    if values.scale.kind == "log":
        ends = [math.log10(end) for end in ends]
    if ends[0] == ends[1]:
        return [ends[0] - 0.5, ends[1] + 0.5]
    return ends


def spread_first(number: Ints, out: Mask, best: int | None) -> Floats:
    """An order for `thin` that favours no value: the best, then those selected, by chance."""
    first = np.asarray((number * 0.618033988749895) % 1.0 + 2.0 * out)
    if best is not None:
        first[best] = -1.0
    return first


def thin(units: Sequence[Floats], first: Floats, most: int) -> Ints:
    """At most `most` rows, one for each spot of a grid over `units` (0 to 1, NaN a spot of its
    own), those with the lowest `first` rather than others; all where they are no more."""
    count = len(first)
    order = np.argsort(first, kind="stable")
    if count <= most:
        return np.sort(order)
    parts = max(int(4 * most ** (1 / len(units))), 4)
    ordered = [unit[order] for unit in units]
    without = [np.isnan(unit) for unit in ordered]
    filled = [np.nan_to_num(unit) for unit in ordered]
    while True:
        cells = np.zeros(count, dtype=np.int64)
        for unit, missing in zip(filled, without, strict=True):
            step = np.clip(np.floor(unit * parts), -1, parts + 1)
            step[missing] = -1
            cells = cells * (parts + 4) + step.astype(np.int64) + 1
        kept = _first_of_each(cells, (parts + 4) ** len(units))
        if len(kept) <= most or parts <= 2:
            return np.sort(order[kept[:most]])
        parts = min(int(parts * 0.85), parts - 1)


def _first_of_each(cells: Ints, most: int) -> Ints:
    """Where each of the cells, numbered below `most`, stands first; without sorting them."""
    first = np.full(most, -1, dtype=np.int64)
    first[cells[::-1]] = np.arange(len(cells) - 1, -1, -1)  # of equal ones the last is kept
    return first[first >= 0]
