"""How messages echo what somebody gave: as people and job files write it, and cut."""

import difflib
import json
import math
from collections.abc import Collection, Iterable, Mapping

LONGEST = 60
_LISTED = 8
_COMPARED = 100


def cut(text: str, longest: int = LONGEST) -> str:
    """The text on one line, or as much of it as fits and an ellipsis."""
    part = "".join(map(_seen, text[: longest + 1]))
    return part if len(text) <= longest else f"{part[:longest]}…"


def _seen(char: str) -> str:
    """Line breaks as spaces; what is no text (NUL, half a character) as its stand-in."""
    if char.isspace():
        return " "
    return char if char.isprintable() else "\ufffd"


def shown(value: object) -> str:
    """A value: “text”, 5, true, nothing, ["a", 1], {"a": 1}."""
    return f"“{cut(value)}”" if isinstance(value, str) else plain(value)


def plain(value: object) -> str:
    """The same without quotes around a text, as one of a list of values."""
    if isinstance(value, str):
        return cut(value)
    if value is None:
        return "nothing"
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    if isinstance(value, bool | int | float | Mapping | list | tuple):
        return cut(_json(value))
    return cut(str(value))


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError, RecursionError):  # keys that are no text, numbers of a mile
        return kind_of(value)


def kind_of(value: object) -> str:
    """What sort of thing a value is: "a list", "text"."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    kinds = ((str, "text"), (int | float, "a number"), (Mapping, "a mapping"))
    found = next((word for kind, word in kinds if isinstance(value, kind)), "")
    return found or ("a list" if isinstance(value, list | tuple) else "something else")


def nearest(name: object, names: Collection[str]) -> str | None:
    """The one of `names` that was perhaps meant; None also where looking would take long."""
    if len(names) > _COMPARED or len(str(name)) > LONGEST:
        return None
    found = difflib.get_close_matches(str(name), sorted(names), 1)
    return found[0] if found else None


def listed(names: Iterable[str], most: int = _LISTED) -> str:
    """The first few names, and how many more there are: "a, b and 3 more"."""
    known = list(names)
    more = len(known) - most
    text = ", ".join(cut(name) for name in known[:most])
    return f"{text} and {more:,} more" if more > 0 else text


def why_not_json(error: Exception) -> str:
    """What `json.loads` could not read, as the second half of a sentence."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    if isinstance(error, UnicodeError):
        return "it is no UTF-8 text"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return "it holds a number with too many digits"
