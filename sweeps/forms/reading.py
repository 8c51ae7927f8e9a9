"""Reading what was typed in one field; where it cannot be read, a problem there."""

import math
import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from sweeps.domain.problems import Problem
from sweeps.domain.wording import shown
from sweeps.forms.draft import Draft

T = TypeVar("T")
_MOST_DIGITS = 50


def read(draft: Draft, name: str, parse: Callable[[str], T], problems: list[Problem]) -> T | None:
    """The parsed text of a field; None and a problem where it cannot be parsed."""
    try:
        return parse(draft[name])
    except ValueError as error:
        problems.append(Problem(name, str(error)))
        return None


def whole(draft: Draft, name: str, problems: list[Problem]) -> int | None:
    """A whole number, as people type it: 1,000."""

    def parse(text: str) -> int:
        text = _plain(text).replace(",", "")
        if not re.fullmatch(r"[+-]?[0-9]{1,300}", text):  # what is too large, its range says
            raise ValueError(_complaint("a whole number", text))
        return int(text)

    return read(draft, name, parse, problems)


def number(draft: Draft, name: str, problems: list[Problem]) -> float | None:
    """A number."""
    return read(draft, name, lambda text: float(_decimal(_plain(text))), problems)


def percent(draft: Draft, name: str, problems: list[Problem]) -> float | None:
    """A share, typed in percent: 8 or 8 % is 0.08."""

    def parse(text: str) -> float:
        return float(_decimal(_plain(text).removesuffix("%").strip()) / 100)

    return read(draft, name, parse, problems)


def in_percent(share: float) -> str:
    """The text that `percent` reads back as `share`."""
    return format((Decimal(repr(share)) * 100).normalize(), "f")


def _plain(text: str) -> str:
    return text.strip().replace("−", "-")  # as pages print it


def _decimal(text: str) -> Decimal:
    """Decimal, so that 10.5 percent is 0.105 and no neighbour of it."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError(_complaint("a number", text)) from None
    if "_" in text:
        raise ValueError(_complaint("a number", text))
    if not math.isfinite(float(found)):
        raise ValueError(_complaint("a finite number", text))
    if len(text) > _MOST_DIGITS:
        raise ValueError(_complaint(f"a number of {_MOST_DIGITS} digits at most", text))
    return found


def _complaint(what: str, text: str) -> str:
    return f"Must be {what}, but got {shown(text)}." if text else "Is required."
