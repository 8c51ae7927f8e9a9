"""Lists in pages: `limit` and an opaque `cursor`."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from ninja import Schema

from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown

DEFAULT_LIMIT, MAX_LIMIT = 50, 1000
T = TypeVar("T")


class Page(Schema, Generic[T]):
    """One page of a list; `next_cursor` null on the last."""

    items: list[T]
    next_cursor: str | None


def page(
    rows: QuerySet[Any] | Sequence[Any],
    shape: Callable[[Sequence[Any]], list[Any]],
    limit: int,
    cursor: str,
) -> dict[str, Any]:
    """The page that begins at `cursor`.

    Raises InvalidInput for a limit out of range or a cursor that we did not make.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidInput.one("limit", f"Must be from 1 to {MAX_LIMIT}, but got {shown(limit)}.")
    start = _decode(cursor) if cursor else 0
    found = list(rows[start : start + limit + 1])
    more = len(found) > limit
    return {
        "items": shape(found[:limit]),
        "next_cursor": _encode(start + limit) if more else None,
    }


def _encode(offset: int) -> str:
    return base64.urlsafe_b64encode(f"o{offset}".encode()).decode().rstrip("=")


def _decode(cursor: str) -> int:
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, ValueError):
        text = ""
    if not text.startswith("o") or not text[1:].isdecimal() or len(text) > 18:
        raise InvalidInput.one("cursor", "Is not one that this API gave out.")
    return int(text[1:])
