"""Lists in pages: `limit` and an opaque `cursor`.

A cursor holds the keys of the last row that was given out, signed: the next page is what comes
after these, whatever has been inserted meanwhile.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from django.core import signing
from django.db.models import Q, QuerySet
from django.utils.dateparse import parse_datetime, parse_duration
from ninja import Schema

from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown

DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
# Characters of a page: one that would have more ends before its limit.
MOST_TEXT = 16 * 2**20
# Of rows that are large before they are shaped so much is read, some at a time: what `weigh` says
# of them together.
MOST_WEIGHT, _TOGETHER = 2 * 2**20, 20
T = TypeVar("T")
_SIGNER = signing.Signer(salt="api-cursor")


class Page(Schema, Generic[T]):
    """One page of a list; `next_cursor` null on the last."""

    items: list[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Order:
    """By field or annotation `key` (missing values last), equals by `tie`, unique within the list.

    Without a key by `tie` alone. `down`, `tie_down`: the largest first.
    """

    tie: str
    key: str = ""
    down: bool = False
    tie_down: bool = False

    @property
    def word(self) -> str:
        """Tells orders apart: a cursor of one means nothing in another."""
        return f"{self.key}{self.down}{self.tie}{self.tie_down}"

    def after(self, key: Any, tie: Any) -> Q:
        """What comes after a row."""
        beyond = Q(**{f"{self.tie}__{'lt' if self.tie_down else 'gt'}": tie})
        if not self.key:
            return beyond
        if key is None:
            return Q(**{f"{self.key}__isnull": True}) & beyond
        equal = Q(**{self.key: key}) & beyond
        further = Q(**{f"{self.key}__{'lt' if self.down else 'gt'}": key})
        return further | equal | Q(**{f"{self.key}__isnull": True})


def page(
    rows: QuerySet[Any],
    order: Order,
    shape: Callable[[Sequence[Any]], list[Any]],
    limit: int,
    cursor: str,
    *,
    scope: str = "",
    weigh: Callable[[Any], int] | None = None,
) -> dict[str, Any]:
    """The page that begins at `cursor`, of rows that are already in this order.

    `scope` names what the cursor belongs to besides the order (a metric's name in it, say); with
    `weigh` the page ends before its limit where its rows have more than MOST_WEIGHT. Raises
    InvalidInput for a limit out of range or a cursor that we did not make for this list.
    """
    _check(limit)
    word = order.word + scope
    if cursor:
        rows = rows.filter(order.after(*_decode(cursor, word)))
    found, more = _first(rows, limit, weigh)
    items = _fitting(shape, found)
    last = found[len(items) - 1] if more or len(found) > len(items) else None
    return {
        "items": items,
        "next_cursor": _encode(word, _of(last, order.key), _of(last, order.tie)) if last else None,
    }


def _first(
    rows: QuerySet[Any], limit: int, weigh: Callable[[Any], int] | None
) -> tuple[list[Any], bool]:
    """The rows of a page, and whether there are more."""
    if weigh is None:
        found = list(rows[: limit + 1])
        return found[:limit], len(found) > limit
    found, left = [], MOST_WEIGHT
    for row in rows[: limit + 1].iterator(chunk_size=_TOGETHER):
        left -= weigh(row)
        if len(found) == limit or (found and left < 0):
            return found, True
        found.append(row)
    return found, False


def page_of(
    found: Sequence[Any],
    key: Callable[[Any], Any],
    shape: Callable[[Sequence[Any]], list[Any]],
    limit: int,
    cursor: str,
    scope: str = "",
) -> dict[str, Any]:
    """The same of a list in memory, sorted by `key`, which tells all its items apart."""
    _check(limit)
    if cursor:
        first, second = _decode(cursor, scope)
        found = [item for item in found if key(item) > (first, second)]
    items = _fitting(shape, found[:limit])
    more = len(found) > len(items)
    return {
        "items": items,
        "next_cursor": _encode(scope, *key(found[len(items) - 1])) if more else None,
    }


def page_after(
    found: Callable[[str, int], Sequence[T] | None],
    name: Callable[[T], str],
    shape: Callable[[Sequence[T]], list[Any]],
    limit: int,
    cursor: str,
    scope: str,
) -> dict[str, Any] | None:
    """The same of what only `found` knows: as many as asked for after a name, by their names.

    None where it finds none.
    """
    _check(limit)
    rows = found(_decode(cursor, scope)[1] if cursor else "", limit + 1)
    if rows is None:
        return None
    items = _fitting(shape, rows[:limit])
    last = name(rows[len(items) - 1]) if len(rows) > len(items) else None
    return {"items": items, "next_cursor": _encode(scope, None, last) if last else None}


def page_by_rank(
    numbers: Sequence[int],
    rank: Mapping[int, int],
    shape: Callable[[Sequence[int]], list[Any]],
    limit: int,
    cursor: str,
    scope: str,
) -> dict[str, Any]:
    """The same of numbers sorted by their present rank, which only the database can compare."""
    _check(limit)
    if cursor:
        at = rank.get(_decode(cursor, scope)[1], -1)
        numbers = [number for number in numbers if rank[number] > at]
    items = _fitting(shape, numbers[:limit])
    more = len(numbers) > len(items)
    last = numbers[len(items) - 1] if more else None
    return {"items": items, "next_cursor": _encode(scope, None, last) if more else None}


def _fitting(shape: Callable[[Sequence[Any]], list[Any]], rows: Sequence[Any]) -> list[Any]:
    """The items of a page: as many as MOST_TEXT has room for, and one at least.

    `shape` may give fewer than rows, those from the first on, where they are large.
    """
    items, left = shape(rows), MOST_TEXT
    for count, item in enumerate(items):
        left -= len(ascii(item))
        if left < 0 and count:
            return items[:count]
    return items


def _check(limit: int) -> None:
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput.one("limit", f"Must be from 1 to {MAX_LIMIT}, but got {shown(limit)}.")


def _of(row: Any, path: str) -> Any:
    for name in path.split("__") if path else ():
        row = getattr(row, name)
    return row if path else None


def _encode(word: str, key: Any, tie: Any) -> str:
    kind = ""
    if isinstance(key, datetime):
        kind, key = "at", key.isoformat()
    elif isinstance(key, timedelta):
        kind, key = "for", str(key)
    return _SIGNER.sign_object([word, kind, key, tie])


def _decode(cursor: str, word: str) -> tuple[Any, Any]:
    try:
        made_for, kind, key, tie = _SIGNER.unsign_object(cursor)
    except (signing.BadSignature, ValueError) as error:
        raise InvalidInput.one("cursor", "Is not one that this API gave out.") from error
    if made_for != word:
        raise InvalidInput.one("cursor", "Belongs to another list or order; begin anew without it.")
    read: dict[str, Callable[[Any], Any]] = {"at": parse_datetime, "for": parse_duration}
    return (read[kind](key) if kind else key), tie
