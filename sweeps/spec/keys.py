"""Reading mappings key by key: what is unknown is told, with what was perhaps meant."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import nearest, shown

# Comparing takes time; after so many unknown keys it is another kind of file.
_HINTS = 10
# An empty key, where a problem names its place.
_EMPTY = '""'


@dataclass(slots=True)
class Reading:
    """What a reader found on its way: every problem, and notes for the person."""

    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def problem(self, where: str, message: str) -> None:
        """Something to mend."""
        self.problems.append(Problem(where, message))

    def take(self, error: InvalidInput, prefix: str = "") -> None:
        """Problems that a part found in itself."""
        self.problems += [problem.under(prefix) for problem in error.problems]

    def note(self, text: str) -> None:
        """Something that was replaced or ignored, once."""
        if text not in self.notes:
            self.notes.append(text)

    def mapping(self, value: Any, where: str) -> Mapping[str, Any]:
        """`value` if it is a mapping; else {} and a problem (None is an empty one)."""
        if value is None:
            return {}
        if isinstance(value, Mapping):
            return value
        self.problem(where, f"Must be a mapping, but got {shown(value)}.")
        return {}

    def known(self, doc: Mapping[str, Any], where: str, allowed: Iterable[str]) -> None:
        """Tell each key of `doc` that is not allowed."""
        names = list(allowed)
        unknown = [key for key in doc if key not in names]
        for index, key in enumerate(unknown):
            near = nearest(key, names) if index < _HINTS else None
            hint = f" Did you mean “{near}”?" if near else f" Known: {', '.join(names)}."
            place = f"{where}.{key or _EMPTY}".strip(".")
            self.problem(place, f"Unknown key {shown(str(key))}.{hint}")

    def text(self, doc: Mapping[str, Any], key: str, where: str, default: str = "") -> str:
        """A text."""
        value = doc.get(key)
        if value is None:
            return default
        if isinstance(value, str):
            return value
        self.problem(f"{where}.{key}".strip("."), f"Must be text, but got {shown(value)}.")
        return default

    def word(self, doc: Mapping[str, Any], key: str, where: str, allowed: Iterable[str]) -> str:
        """One of some words, in any case, camel or snake; "" and a problem otherwise."""
        value = doc.get(key)
        names = list(allowed)
        plain = str(value).replace("_", "").replace("-", "").lower() if value is not None else ""
        for name in names:
            if name.replace("_", "") == plain:
                return name
        got = "is missing" if value is None else f"is {shown(value)}"
        self.problem(f"{where}.{key}".strip("."), f"Must be one of {', '.join(names)}; it {got}.")
        return ""

    def whole(self, doc: Mapping[str, Any], key: str, where: str, unit: str = "") -> int | None:
        """A whole number (also as text), None when absent; a problem names the unit."""
        value = doc.get(key)
        if value is None:
            return None
        if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]{1,300}\s*", value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            text = f"Must be a whole number{unit}, but got {shown(value)}."
            self.problem(f"{where}.{key}".strip("."), text)
            return None
        return value

    def number(self, doc: Mapping[str, Any], key: str, where: str) -> float | None:
        """A number (also as text), None when absent."""
        value = doc.get(key)
        if value is None:
            return None
        try:
            number = float(value)
            if isinstance(value, bool) or not math.isfinite(number):
                raise ValueError
            return number
        except (TypeError, ValueError, OverflowError):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            what = "finite number" if is_number else "number"
            text = f"Must be a {what}, but got {shown(value)}."
            self.problem(f"{where}.{key}".strip("."), text)
            return None

    def texts(self, doc: Mapping[str, Any], key: str, where: str) -> dict[str, str]:
        """A mapping of texts; numbers are taken as text."""
        place = f"{where}.{key}".strip(".")
        found = {}
        for name, value in self.mapping(doc.get(key), place).items():
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                found[str(name)] = str(value)
            elif isinstance(value, bool):
                found[str(name)] = "true" if value else "false"
            else:
                self.problem(f"{place}.{name}", f"Must be text, but got {shown(value)}.")
        return found
