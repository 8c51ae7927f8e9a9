"""Which trials are looked at: one selection for charts, tables and exports.

It travels as a query string, so that every view of a sweep can be pasted to a colleague:

    status=Completed            (repeated)  one of these statuses
    q=<text>                    a number, or text in the reason, tags or note
    signature=<text>            failures that ended in one way
    in=<key>:<low>..<high>      a value between two bounds, both included; either may be absent
    is=<key>:<word>             a value that is this, as `word_of` writes it
    no=<key>                    no value at all
    tag=<name>                  (repeated) has this tag
    pinned=1                    somebody pinned it
    only=1                      one of those that `t` picks
    t=3,7                       picked trials: emphasised, compared, acted upon

A key is objective, number, duration_s, reports, params.<name> or metrics.<name>, percent-encoded.
Conditions on one key add up, conditions on several keys must all hold.
"""

import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import quote, unquote

from sweeps.domain.problems import InvalidInput
from sweeps.domain.space import Scalar
from sweeps.domain.states import TrialStatus
from sweeps.domain.wording import shown

PLAIN_KEYS = ("objective", "number", "duration_s", "reports")
NAMED_KEYS = ("params.", "metrics.")
# The words of a query string that say which trials; all others say how they are shown.
WORDS = ("status", "q", "signature", "in", "is", "no", "tag", "pinned", "only", "t")
MOST_CONDITIONS = 64
MOST_PICKED = 200

Pairs = Iterable[tuple[str, str]]
Span = tuple[float | None, float | None]


@dataclass(frozen=True, slots=True)
class Condition:
    """What the value of `key` must be: in one of `spans`, one of `words`, or missing."""

    key: str
    spans: tuple[Span, ...] = ()
    words: tuple[str, ...] = ()
    missing: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which trials are shown, and which of them are picked; the default shows all."""

    statuses: tuple[str, ...] = ()
    text: str = ""
    signature: str | None = None
    conditions: tuple[Condition, ...] = ()
    tags: tuple[str, ...] = ()
    pinned: bool = False
    only_picked: bool = False
    picked: tuple[int, ...] = field(default=())

    @property
    def is_filtered(self) -> bool:
        """True if it may leave trials out."""
        plain = self.statuses or self.text or self.conditions or self.tags
        return bool(plain) or self.pinned or self.only_picked or self.signature is not None

    def without(self, key: str) -> "Selection":
        """The same without the conditions on `key`."""
        rest = tuple(one for one in self.conditions if one.key != key)
        return replace(self, conditions=rest)


def word_of(value: Scalar) -> str:
    """A value as `is=` writes it: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def read_selection(pairs: Pairs) -> Selection:
    """The selection that a query string asks for; words of other meaning are passed over.

    Raises InvalidInput, with the word as the field.
    """
    given: dict[str, list[str]] = {word: [] for word in WORDS}
    signature = None
    for word, value in pairs:
        if word == "signature":  # the empty one is meant, too: failures without a word
            signature = value
        elif word in given and value:
            given[word].append(value)
    conditions = [_between(text) for text in given["in"]]
    conditions += [_equal(text) for text in given["is"]]
    conditions += [Condition(_key(text, "no"), missing=True) for text in given["no"]]
    if len(conditions) > MOST_CONDITIONS:
        raise InvalidInput.one("in", f"At most {MOST_CONDITIONS} conditions.")
    return Selection(
        statuses=_statuses(given["status"]),
        text=" ".join(given["q"]),
        signature=signature,
        conditions=_joined(conditions),
        tags=tuple(dict.fromkeys(given["tag"])),
        pinned=bool(given["pinned"]),
        only_picked=bool(given["only"]),
        picked=_numbers(given["t"]),
    )


def write_selection(selection: Selection) -> list[tuple[str, str]]:
    """The words that `read_selection` reads as this selection."""
    words = [("status", status) for status in selection.statuses]
    words += [("q", selection.text)] if selection.text else []
    words += [("signature", selection.signature)] if selection.signature is not None else []
    for one in selection.conditions:
        key = quote(one.key, safe="")
        words += [("in", f"{key}:{_bound(low)}..{_bound(high)}") for low, high in one.spans]
        words += [("is", f"{key}:{word}") for word in one.words]
        words += [("no", key)] if one.missing else []
    words += [("tag", tag) for tag in selection.tags]
    words += [("pinned", "1")] if selection.pinned else []
    words += [("only", "1")] if selection.only_picked else []
    words += [("t", ",".join(map(str, selection.picked)))] if selection.picked else []
    return words


def _bound(value: float | None) -> str:
    return "" if value is None else repr(value)


def _statuses(given: Sequence[str]) -> tuple[str, ...]:
    for status in given:
        if status not in list(TrialStatus):
            known = ", ".join(TrialStatus)
            raise InvalidInput.one("status", f"{shown(status)} is not a status; there are {known}.")
    return tuple(dict.fromkeys(given))


def _numbers(given: Sequence[str]) -> tuple[int, ...]:
    found = re.findall(r"\d{1,8}", ",".join(given))
    return tuple(dict.fromkeys(int(text) for text in found))[:MOST_PICKED]


def _key(text: str, word: str) -> str:
    key = unquote(text)
    named = key.startswith(NAMED_KEYS) and not key.endswith(".") and "\x00" not in key
    if key in PLAIN_KEYS or named:
        return key
    allowed = ", ".join((*PLAIN_KEYS, "params.<name>", "metrics.<name>"))
    raise InvalidInput.one(word, f"{shown(key)} is nothing to filter by; there are {allowed}.")


def _between(text: str) -> Condition:
    key, _, bounds = text.partition(":")
    low, dots, high = bounds.partition("..")
    if not dots or not (low or high):
        raise InvalidInput.one(
            "in", f"Write a range like learning_rate:0.1..0.5, not {shown(text)}."
        )
    return Condition(_key(key, "in"), spans=((_number(low), _number(high)),))


def _number(text: str) -> float | None:
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidInput.one("in", f"{shown(text)} is no number to filter by.")
    return value


def _equal(text: str) -> Condition:
    key, colon, word = text.partition(":")
    if not colon:
        raise InvalidInput.one("is", f"Write a value like boosting:dart, not {shown(text)}.")
    return Condition(_key(key, "is"), words=(word,))


def _joined(conditions: Iterable[Condition]) -> tuple[Condition, ...]:
    """One condition per key."""
    found: dict[str, Condition] = {}
    for one in conditions:
        known = found.get(one.key, Condition(one.key))
        found[one.key] = Condition(
            one.key,
            (*known.spans, *one.spans),
            tuple(dict.fromkeys((*known.words, *one.words))),
            known.missing or one.missing,
        )
    return tuple(found.values())
