"""Which trials a selection keeps, and the order in which a table shows them."""

import numpy as np
from django.db.models import Q

from sweeps.domain.board import Board, Column, Floats, Ints, Mask, holds
from sweeps.domain.problems import InvalidInput
from sweeps.domain.selection import Selection
from sweeps.models import Sweep, Trial
from sweeps.queries.boards import metric_column
from sweeps.queries.failures import PROBLEMS
from sweeps.queries.trials import order_parts, storable


def kept(sweep: Sweep, board: Board, selection: Selection) -> Mask:
    """Of each row of `board` whether the selection keeps it."""
    mask = np.ones(len(board), dtype=np.bool_)
    if selection.statuses:
        mask &= board.having(selection.statuses)
    for condition in selection.conditions:
        mask &= holds(condition, column_of(sweep, board, condition.key))
    if selection.only_picked:
        mask &= np.isin(board.number, selection.picked)
    if selection.pinned:
        mask &= board.marked(lambda mark: mark.pinned)
    for tag in selection.tags:
        mask &= board.marked(lambda mark, tag=tag: tag in mark.tags)  # type: ignore[misc]
    if selection.signature is not None:
        failed = Q(status__in=PROBLEMS, signature=storable(selection.signature))
        mask &= _found(sweep, board, failed)
    if text := storable(selection.text).strip():
        mask &= _saying(sweep, board, text)
    return mask


def column_of(sweep: Sweep, board: Board, key: str) -> Column | Floats:
    """The values behind a key of a selection or an order; all missing for a name unknown here."""
    what, _, name = key.partition(".")
    if what == "params":
        return board.params.get(name) or Column([None] * len(board))
    if what == "metrics":
        return metric_column(sweep, board, name)
    return board.plain(what)


def _saying(sweep: Sweep, board: Board, text: str) -> Mask:
    """Trials of this number, or with this text in the reason, in a tag or in the note."""
    number = text.removeprefix("#")
    if number.isdecimal() and len(number) < 18:  # longer ones number no trial
        return np.asarray(board.number == int(number), dtype=np.bool_)
    told = _found(sweep, board, Q(reason__icontains=text))
    return told | board.marked(lambda mark: mark.says(text))


def _found(sweep: Sweep, board: Board, words: Q) -> Mask:
    """What only the database can tell: texts."""
    numbers = Trial.objects.filter(words, sweep=sweep).values_list("number", flat=True)
    return np.isin(board.number, np.array(list(numbers), dtype=np.int64))


def in_order(sweep: Sweep, board: Board, order_by: str) -> Ints:
    """All rows of `board` in an order as `order_parts` reads it.

    Missing values come last in either direction; equals by number. Raises InvalidInput for
    anything else.
    """
    what, name, down = order_parts(order_by)
    if what == "started_at":
        return _sorted(board.started, down)
    if what == "status":
        return _sorted(board.status.astype(np.float64), down)
    if what not in ("params", "metrics", "objective", "number", "duration_s"):
        raise InvalidInput.one("order_by", f"There is no order by {what}.")
    column = column_of(sweep, board, f"{what}.{name}" if name else what)
    return _sorted(_keys(column) if isinstance(column, Column) else column, down)


def _keys(column: Column) -> Floats:
    """Numbers by size, then words by the alphabet."""
    numbers = column.numbers
    plain = np.isnan(numbers) & ~column.missing
    if not plain.any():
        return numbers
    words, codes = column.words
    ranks = np.argsort(np.argsort(np.array(words))).astype(np.float64)
    top = float(np.nanmax(numbers)) if not np.isnan(numbers).all() else 0.0
    keys = numbers.copy()
    keys[plain] = np.nextafter(top, np.inf) + 1.0 + ranks[codes[plain]]
    return keys


def _sorted(values: Floats, down: bool) -> Ints:
    """Rows by value, NaN last; a stable sort leaves equals by number."""
    rows = np.argsort(-values if down else values, kind="stable")
    return np.asarray(rows, dtype=np.int64)
