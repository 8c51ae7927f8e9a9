"""Values of all trials by key: objective, number, duration_s, params.<name>, metrics.<name>."""

from collections.abc import Iterator

import numpy as np

from sweeps.charts.axes import space_axes
from sweeps.charts.scales import Scale, numeric_scale, prefers_log
from sweeps.charts.text import duration_text, objective_text, param_text
from sweeps.charts.values import Floats, Ints, Trials, Values
from sweeps.domain.board import Column
from sweeps.domain.space import Scalar, columns
from sweeps.domain.states import TrialStatus
from sweeps.figures.ask import Ask
from sweeps.figures.options import Choices
from sweeps.queries.boards import metric_column


def choices(ask: Ask) -> Choices:
    """Everything that a trial can be placed or coloured by."""
    metrics = [name for name in ask.metrics if name != ask.sweep.primary_metric]
    return [
        ("objective", f"{ask.sweep.primary_metric} (objective)"),
        *((f"params.{name}", name) for name in columns(ask.space)),
        *((f"metrics.{name}", f"{name} (last)") for name in metrics),
        ("duration_s", "duration"),
        ("elapsed", "end time"),
        ("number", "trial number"),
    ]


def parameters(ask: Ask) -> Choices:
    """The parameters alone."""
    return [(f"params.{name}", name) for name in columns(ask.space)]


def drawn_rows(ask: Ask) -> Ints:
    """All trials that have begun."""
    return np.flatnonzero(~ask.board.having([TrialStatus.QUEUED]))


def trials_of(ask: Ask, rows: Ints) -> Trials:
    """Which trials `rows` are; the best one by its place among them."""
    best = np.flatnonzero(np.isin(rows, ask.best_first[:1]))
    place = int(best[0]) if len(best) else None
    return Trials(ask.board.number[rows], ~ask.mask[rows], place, ask.board.status[rows])


def by_merit(ask: Ask, rows: Ints) -> Floats:
    """The rank of each of `rows`: those selected first, then the best."""
    loss = ask.board.objective if ask.minimize else -ask.board.objective
    loss = np.where(ask.board.can_win, loss, np.nan)
    order = np.lexsort((np.nan_to_num(loss[rows], nan=np.inf), ~ask.mask[rows]))
    ranks = np.empty(len(rows), dtype=np.float64)
    ranks[order] = np.arange(len(rows))
    return ranks


def values_of(ask: Ask, key: str, rows: Ints) -> Values:
    """The values behind `key` of `rows`."""
    what, _, name = key.partition(".")
    if what == "params":
        return _param(ask, key, name, rows)
    board = ask.board
    if what == "metrics":
        at = metric_column(ask.sweep, board, name)[rows]
        return _measured(key, name, "last", at)
    if what == "duration_s":
        at = board.duration_s[rows]
        return Values(key, "duration", "", _span(at, log=False), at, duration_text, "not ended")
    if what == "elapsed":
        at = board.ended[rows] - _start(ask)
        kind = "since the start"
        return Values(key, "end time", kind, _span(at, log=False), at, duration_text, "not ended")
    if what == "number":
        at = board.number[rows].astype(np.float64)
        scale = _span(at, log=False)._replace(integer=True)
        return Values(key, "trial number", "", scale, at, lambda value: f"{value:.0f}")
    primary = ask.sweep.primary_metric
    return _measured(key, primary, ask.objective.goal.value, board.objective[rows])


def _start(ask: Ask) -> float:
    """When the first trial started, in seconds since the epoch."""
    known = ask.board.started[~np.isnan(ask.board.started)]
    return float(known.min()) if len(known) else 0.0


def _measured(key: str, name: str, kind: str, at: Floats) -> Values:
    known = at[~np.isnan(at)]
    log = len(known) > 0 and prefers_log([float(known.min()), float(known.max())])
    kind = f"{kind}, log" if log else kind
    return Values(key, name, kind, _span(at, log=log), at, objective_text, "no value")


def _span(at: Floats, *, log: bool) -> Scale:
    known = at[~np.isnan(at)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    return numeric_scale(low, high, log=log, bounded=False)._replace(bare=not len(known))


def _param(ask: Ask, key: str, name: str, rows: Ints) -> Values:
    column = ask.board.params.get(name) or Column([None] * len(ask.board))
    found = space_axes(ask.space, [{name: value} for value in _seen(column)])
    axis = next(one for one in found if one.name == name)
    scale, kind = axis.scale, axis.kind
    if scale.kind == "category":
        return Values(key, name, kind, scale, _codes(column, scale)[rows], str)
    at = column.numbers[rows]
    if scale.kind == "log" and np.any(at <= 0):
        scale = numeric_scale(float(np.nanmin(at)), scale.high, integer=scale.integer)
    return Values(key, name, kind, scale, at, _writer(scale))


def _writer(scale: Scale):  # type: ignore[no-untyped-def]
    return (lambda v: f"{v:.0f}") if scale.integer else param_text


# Of more different values only the ends are looked at.
MOST_SEEN = 50


def _seen(column: Column) -> Iterator[Scalar]:
    """The ends of the numbers, and each different value that is none."""
    numbers = column.numbers
    known = numbers[~np.isnan(numbers)]
    if column.types <= {int, float, type(None)}:  # without a word for each of 100,000 numbers
        ends, first = np.unique(numbers, return_index=True)
        if np.count_nonzero(~np.isnan(ends)) > MOST_SEEN:
            yield from (float(known.min()), float(known.max()))
            return
        yield from (v for row in np.sort(first) if (v := column.raw[row]) is not None)
        return
    _, codes = column.words
    different = len(column.words[0])
    if len(known) and different > MOST_SEEN:
        yield from (float(known.min()), float(known.max()))
        different_rows = np.flatnonzero(np.isnan(numbers) & (codes >= 0))
    else:
        different_rows = np.flatnonzero(codes >= 0)
    _, first = np.unique(codes[different_rows], return_index=True)
    for row in different_rows[np.sort(first)].tolist():
        value = column.raw[row]
        if value is not None:
            yield value


def _codes(column: Column, scale: Scale) -> Floats:
    """The index of each value among the categories, NaN without one."""
    places = {text: float(index) for index, text in enumerate(scale.categories)}
    words, codes = column.words
    _, first = np.unique(codes, return_index=True)
    by_code = np.full(len(words) + 1, np.nan)
    for row in first.tolist():
        value = column.raw[row]
        if value is not None:
            by_code[codes[row]] = places.get(param_text(value), np.nan)
    by_code[-1] = np.nan
    return np.asarray(by_code[codes], dtype=np.float64)
