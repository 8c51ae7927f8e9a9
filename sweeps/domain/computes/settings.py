"""What a kind of compute can be told, as values that are right once they exist."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import shown

# Where problems with settings are told, in forms and over REST.
SETTINGS = "settings"


@dataclass(frozen=True, slots=True)
class Field:
    """One setting. `read` makes a value of a text that is not empty, or raises ValueError with a
    sentence for a person; `lines` where it is written in several lines; `needed` says what is
    missing where it is empty, of those that must not be."""

    name: str
    label: str
    help: str
    read: Callable[[str], Any]
    example: str = ""
    lines: bool = False
    needed: str = ""


@dataclass(frozen=True, slots=True)
class Settings:
    """What all kinds have: nothing. A kind adds fields, each with its default."""

    FIELDS: ClassVar[tuple[Field, ...]] = ()

    @classmethod
    def read(cls, doc: Mapping[str, Any]) -> Self:
        """The settings of a document of texts and numbers; what is empty is left out.

        Raises InvalidInput naming each setting that is wrong, as `settings.<name>`.
        """
        found, problems = cls._judged(doc)
        if problems:
            raise InvalidInput(problems)
        return cls(**found)

    @classmethod
    def stored(cls, doc: Mapping[str, Any]) -> Self:
        """The same of what was stored, without what is not right any more: what runs must not stop
        because a rule has changed."""
        return cls(**cls._judged(doc)[0])

    @classmethod
    def _judged(cls, doc: Mapping[str, Any]) -> tuple[dict[str, Any], list[Problem]]:
        """What is right of a document, and what is wrong with the rest."""
        fields = {field.name: field for field in cls.FIELDS}
        problems = [_unknown(name, fields) for name in doc if name not in fields]
        found = {}
        for field in cls.FIELDS:
            try:
                text = _text(doc.get(field.name))
                if text:
                    found[field.name] = field.read(text)
                elif field.needed:
                    raise ValueError(field.needed)
            except ValueError as error:
                problems.append(Problem(f"{SETTINGS}.{field.name}", str(error)))
        return found, problems

    def doc(self) -> dict[str, Any]:
        """What `read` takes, and what is stored: only what is set."""
        values = {field.name: getattr(self, field.name) for field in self.FIELDS}
        return {name: value for name, value in values.items() if value not in (None, "")}

    @property
    def address(self) -> str:
        """What tells one engine from another of the same kind; one runner speaks to each."""
        return ""

    @property
    def threads(self) -> int | None:
        """Cores that a trial has, where the settings say so."""
        return None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"Must be a text or a number, but got {shown(value)}.")
    text = str(value).replace("\r\n", "\n").strip()
    if any(not char.isprintable() and char != "\n" for char in text):
        raise ValueError("Holds a character that cannot be shown.")
    return text


def _unknown(name: Any, fields: Mapping[str, Field]) -> Problem:
    known = ", ".join(fields) or "none"
    text = f"There is no such setting. Settings of this kind: {known}."
    return Problem(f"{SETTINGS}.{name}", text)
