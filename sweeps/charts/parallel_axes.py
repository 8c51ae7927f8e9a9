"""Axes of parallel coordinates: which are shown in which order, and where trials stand on them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sweeps.charts.axes import AxisInfo, axes_over
from sweeps.charts.scales import numeric_scale, prefers_log
from sweeps.charts.text import param_text
from sweeps.charts.value_axis import YScale
from sweeps.domain.board import Board, Column, Floats, Ints
from sweeps.domain.objective import Objective
from sweeps.domain.space import Scalar, SearchSpace

# Words of the order of axes that no parameter is called: where the objective's stands, and that it
# is hidden. Without either it comes last.
OBJECTIVE, NO_OBJECTIVE = "*", "-"
_GOLDEN = (np.sqrt(5) - 1) / 2


class AxisChoice(NamedTuple):
    """An axis that there is, shown or not; `key` is what a selection calls it. Constant ones are
    shown on request only."""

    axis: AxisInfo
    key: str
    shown: bool
    constant: bool = False
    is_objective: bool = False

    @property
    def word(self) -> str:
        """What the order of axes calls it."""
        return OBJECTIVE if self.is_objective else self.axis.name


def axis_choices(
    board: Board, rows: Ints, space: SearchSpace, objective: Objective, order: Sequence[str] = ()
) -> tuple[AxisChoice, ...]:
    """Every axis in its declared order, the objective last; `order` says which to show."""

    def seen(name: str, numeric: bool) -> Sequence[Scalar]:
        column = board.params.get(name)
        if column is None:
            return ()
        return _ends(column.numbers) if numeric else _different(column)

    axes = axes_over(space, seen)
    names = {axis.name for axis in axes}
    wanted = [name for name in order if name in names]
    choices = []
    for axis in axes:
        constant = axis.kind == "constant"
        shown = axis.name in wanted if wanted or OBJECTIVE in order else not constant
        choices.append(AxisChoice(axis, f"params.{axis.name}", shown, constant))
    values = board.objective[rows]
    last = objective_axis(values[~np.isnan(values)], objective)
    is_shown = NO_OBJECTIVE not in order or not any(choice.shown for choice in choices)
    return (*choices, AxisChoice(last, "objective", is_shown, is_objective=True))


def shown_axes(choices: Sequence[AxisChoice], order: Sequence[str] = ()) -> tuple[AxisChoice, ...]:
    """Those shown, in the order asked for; the objective last where it is not named."""
    places = {word: place for place, word in enumerate(dict.fromkeys(order))}
    shown = [choice for choice in choices if choice.shown]
    return tuple(sorted(shown, key=lambda choice: places.get(choice.word, len(places))))


def _ends(numbers: Floats) -> list[float]:
    known = numbers[np.isfinite(numbers)]
    return [float(known.min()), float(known.max())] if len(known) else []


def _different(column: Column) -> list[Scalar]:
    """Each value of a column once, as it is."""
    _, codes = column.words
    _, first = np.unique(codes, return_index=True)
    found = [column.raw[row] for row in sorted(first.tolist())]
    return [value for value in found if value is not None]


def objective_axis(values: Floats, objective: Objective, scale: YScale = "auto") -> AxisInfo:
    """The axis of all finite `values`; without any it has no ticks."""
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    log = prefers_log([low, high]) if scale == "auto" else scale == "log" and low > 0
    axis = numeric_scale(*_with_air(low, high, log), log=log, bounded=False)
    axis = axis._replace(bare=not len(values))
    kind = f"{objective.goal.value}, log" if axis.kind == "log" else objective.goal.value
    return AxisInfo(objective.primary_metric, kind, axis)


def _with_air(low: float, high: float, log: bool) -> tuple[float, float]:
    """A little more than the values span, so that the best is not lost on the axis's end."""
    if low == high:
        return low, high
    if log:
        air = (high / low) ** 0.03
        return max(low / air, 5e-324), min(high * air, 1.7e308)
    span = high / 2 - low / 2
    return max(low - 0.06 * span, -1.7e308), min(high + 0.06 * span, 1.7e308)


def column_places(axis: AxisInfo, column: Column | Floats | None, count: int) -> Floats:
    """Where each trial stands on an axis, from 0 to 1; NaN for those without a place there."""
    if column is None:
        return np.full(count, np.nan)
    if not isinstance(column, Column):
        return axis.scale.places(column)
    if axis.scale.kind != "category":
        return axis.scale.places(column.numbers)
    words, codes = column.words
    table = np.full(len(words) + 1, np.nan)  # the last one is of those without a value
    places = {text: place for place, text in enumerate(axis.scale.categories)}
    known, first = np.unique(codes, return_index=True)
    for code, row in zip(known.tolist(), first.tolist(), strict=True):
        text = param_text(column.raw[row])
        if code >= 0 and text in places:
            table[code] = (places[text] + 0.5) / len(places)
    return np.asarray(table[codes], dtype=np.float64)


def jitter(numbers: Ints, categories: int) -> Floats:
    """A small offset, always the same for a trial, so that lines through a category stay apart."""
    spread = min(0.06, 0.4 / max(categories, 1))
    return np.asarray((numbers * _GOLDEN % 1 - 0.5) * spread, dtype=np.float64)
