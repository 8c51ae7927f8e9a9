"""What the trials tab shows beside its rows: columns, fields to filter by, what is ticked."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote, urlencode

import numpy as np
from django.http import HttpRequest, QueryDict
from django.urls import reverse

from sweeps.domain.board import STATUSES
from sweeps.domain.selection import MOST_PICKED, PLAIN_KEYS, Selection, word_of
from sweeps.domain.states import FINAL_TRIAL, LIVE_TRIAL
from sweeps.models import Sweep
from sweeps.queries.boards import board_of
from sweeps.queries.clock import database_now
from sweeps.queries.failure_groups import FailureGroup
from sweeps.queries.failures import PROBLEMS
from sweeps.queries.selecting import kept
from sweeps.queries.table_columns import Column, all_columns
from sweeps.queries.trial_table import PAGE, SIZES, TrialTable, best_order, trial_table
from sweeps.views.offers import Offers, cancel_offers, rerun_offers

MOST_NAMED = 6
MOST_COMPARED = 8
MOST_WORDS = 50
# Where a browser keeps the columns that somebody picked for a sweep; its path is the sweep's.
COOKIE = "cols"


@dataclass(frozen=True, slots=True)
class Choice:
    """A column that may be picked."""

    column: Column
    taken: bool


@dataclass(frozen=True, slots=True)
class Field:
    """What the table may be filtered by; `words` are the values of one that has few."""

    key: str
    title: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Bar:
    """What is ticked: `named` are the first of `count`; `matching` is how many the filter keeps."""

    count: int
    named: tuple[int, ...]
    more: int
    may_compare: bool
    rerun: Offers
    cancel: Offers
    matching: int
    compare: str
    query: str
    only: str
    clear: str
    tags: tuple[str, ...]


def columns_asked(request: HttpRequest) -> list[str]:
    """`cols=` of the address, else those that this browser remembers for the sweep."""
    asked = [text for text in request.GET.getlist("cols") if text]
    remembered = unquote(request.COOKIES.get(COOKIE, ""))
    return asked or ([remembered] if remembered else [])


def table_of(request: HttpRequest, sweep: Sweep, selection: Selection) -> TrialTable:
    """The page of the table that is asked for. Raises InvalidInput for an unknown order."""
    return trial_table(
        sweep,
        database_now(),
        order=request.GET.get("sort", ""),
        selection=selection,
        page=whole(request.GET.get("page", ""), 1),
        size=_size(request),
        columns=columns_asked(request),
    )


def table_context(request: HttpRequest, sweep: Sweep, selection: Selection) -> dict[str, Any]:
    """The table and its tools. Raises InvalidInput for an unknown order."""
    table = table_of(request, sweep, selection)
    query = request.GET.copy()
    query.pop("page", None)
    return {
        "table": table,
        "selection": selection,
        "choices": _choices(sweep, table),
        "fields": _fields(sweep),
        "sizes": SIZES,
        "exported": f"?{query.urlencode()}",
        "hidden": [(word, value) for word, values in query.lists() for value in values],
    }


def status_counts(sweep: Sweep, selection: Selection) -> dict[str, int]:
    """By status, how many trials the rest of the selection keeps: what its tab would show."""
    board = board_of(sweep)
    mask = kept(sweep, board, replace(selection, statuses=()))
    counts = np.bincount(board.status[mask], minlength=len(STATUSES))
    return {str(status): int(n) for status, n in zip(STATUSES, counts, strict=True)}


def whole(text: str, default: int) -> int:
    """A whole number of the address; `default` for anything else."""
    return int(text) if text.isdecimal() and len(text) < 18 else default


def _size(request: HttpRequest) -> int:
    size = whole(request.GET.get("size", ""), PAGE)
    return size if size in SIZES else PAGE


def _choices(sweep: Sweep, table: TrialTable) -> list[Choice]:
    """All columns, those in the table first and in its order."""
    taken = [head.column for head in table.heads]
    rest = [one for one in all_columns(sweep, best_order(sweep)) if one not in taken]
    return [Choice(one, True) for one in taken] + [Choice(one, False) for one in rest]


def _fields(sweep: Sweep) -> list[Field]:
    found = [
        Field(column.key, column.title, _words(sweep, column.key) if column.kind == "param" else ())
        for column in all_columns(sweep, best_order(sweep))
        if column.kind in ("objective", "metric", "param") or column.key in PLAIN_KEYS
    ]
    return [*found, Field("number", "Trial number")]


def _words(sweep: Sweep, key: str) -> tuple[str, ...]:
    """The values of a parameter that has few, some of them no numbers."""
    column = board_of(sweep).params.get(key.removeprefix("params."))
    if column is None or len(column.raw) == 0:
        return ()
    some = [value for value in column.raw[:200] if value is not None]
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in some):
        return ()
    return tuple(sorted({word_of(value) for value in some}))[:MOST_WORDS]


def bar(sweep: Sweep, selection: Selection, query: QueryDict) -> Bar | None:
    """The bar of what is ticked; None while nothing is, or nothing that there is."""
    if not selection.picked:
        return None
    board = board_of(sweep)
    rows = board.rows_of(selection.picked)
    if not len(rows):
        return None
    numbers = board.number[rows].tolist()
    rest = [(word, value) for word, values in query.lists() for value in values if word != "page"]
    others = [pair for pair in rest if pair[0] not in ("t", "only")]
    picked = ("t", ",".join(map(str, numbers)))
    ticked = np.zeros(len(board), dtype=np.bool_)
    ticked[rows] = True
    matching = kept(sweep, board, selection)
    address = reverse("sweep_compare", args=[sweep.workspace.name, sweep.name])
    return Bar(
        count=len(numbers),
        named=tuple(numbers[:MOST_NAMED]),
        more=max(0, len(numbers) - MOST_NAMED),
        may_compare=2 <= len(numbers) <= MOST_COMPARED,
        rerun=rerun_offers(board, ticked, matching),
        cancel=cancel_offers(board, ticked, matching),
        matching=int(matching.sum()),
        compare=f"{address}?{urlencode([picked])}",
        query="?" + urlencode([*others, picked, *(p for p in rest if p[0] == "only")]),
        only="?" + urlencode([*others, picked, ("only", "1")]),
        clear="?" + urlencode(others),
        tags=tuple(board.tags()),
    )


def hint(sweep: Sweep, failures: Sequence[FailureGroup]) -> tuple[str, str]:
    """Family and text of what is odd about all trials together; ("", "") for nothing."""
    board = board_of(sweep)
    if not len(board) or bool(board.can_win.any()):
        return "", ""
    bad, live = int(board.having(PROBLEMS).sum()), int(board.having(LIVE_TRIAL).sum())
    ended = int(board.having(FINAL_TRIAL).sum())
    if ended and bad == ended and failures:
        so_far = " so far" if live else ""
        all_of = f"All {bad:,} trials" if bad > 1 else "The only trial"
        have = "have" if bad > 1 else "has"
        why = failures[0].example.reason
        return "red", f"{all_of}{so_far} {have} failed, most of them so: {why}"
    if live and not bool((board.reports > 0).any()):
        text = f"No trial has logged {sweep.primary_metric} yet; its first value shows here."
        return "blue", text
    return "", ""


MOST_TICKED = MOST_PICKED
