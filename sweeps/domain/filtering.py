"""A condition as people fill it in: a field, from, to, a value."""

import math
from collections.abc import Mapping
from dataclasses import replace

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.selection import Condition, Selection, read_selection, write_selection


def narrowed(selection: Selection, typed: Mapping[str, str]) -> Selection:
    """`selection` and what is typed: `key`, `low`, `high`, `word`, `missing` ("1").

    A range takes the place of those that the key had; values add up. Raises InvalidInput with the
    field in which the fault is.
    """
    key = typed.get("key", "")
    span = (_bound(typed, "low"), _bound(typed, "high"))
    if None not in span and span[0] > span[1]:  # type: ignore[operator]
        raise InvalidInput.one("high", "Must not be below “from”.")
    word, missing = typed.get("word", "").strip(), bool(typed.get("missing"))
    if span == (None, None) and not word and not missing:
        raise InvalidInput.one("low", "Say from where or to where, or a value.")
    known = next((one for one in selection.conditions if one.key == key), Condition(key))
    spans = known.spans if span == (None, None) else (span,)
    words = tuple(dict.fromkeys((*known.words, word))) if word else known.words
    changed = replace(known, spans=spans, words=words, missing=known.missing or missing)
    found = replace(selection, conditions=(*selection.without(key).conditions, changed))
    try:
        return read_selection(write_selection(found))
    except InvalidInput as error:
        raise InvalidInput(Problem("key", one.message) for one in error.problems) from error


def _bound(typed: Mapping[str, str], field: str) -> float | None:
    text = typed.get(field, "").strip().replace("−", "-")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidInput.one(field, "Must be a number, such as 0.05 or 1e-4.")
    return value
