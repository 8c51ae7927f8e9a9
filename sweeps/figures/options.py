"""What a kind of chart lets people choose, as data: a word of the page's address each."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from sweeps.figures.ask import Ask

# What the address says, and what people read.
Choice: TypeAlias = tuple[str, str]
Choices: TypeAlias = Sequence[Choice]


class Option(NamedTuple):
    """One choice: `word` stands in the address (a kind's own words begin with its name).

    `choices` and `default` are asked anew for each drawing, for a sweep's metrics come one by one.
    """

    word: str
    label: str
    choices: "Callable[[Ask], Choices]"
    default: "Callable[[Ask], str] | None" = None

    def chosen(self, ask: "Ask") -> str:
        """What the address says, if it is one of the choices; else the default, else the first."""
        known = [value for value, _ in self.choices(ask)]
        asked = ask.options.get(self.word)
        if asked is not None and asked in known:
            return asked
        return self.usual(ask)

    def usual(self, ask: "Ask") -> str:
        """What is drawn when the address says nothing; "" where there is nothing to choose."""
        known = [value for value, _ in self.choices(ask)]
        wanted = self.default(ask) if self.default else None
        return wanted if wanted in known else (known[0] if known else "")


def fixed(*choices: Choice) -> "Callable[[Ask], Choices]":
    """Choices that are the same for every sweep."""
    return lambda ask: choices


class Control(NamedTuple):
    """An option as a page shows it; `usual` is left out of the address."""

    word: str
    label: str
    value: str
    usual: str
    choices: Choices


def controls(options: Sequence[Option], ask: "Ask") -> list[Control]:
    """The options of one chart with what is chosen; those without a choice are left out."""
    found = []
    for option in options:
        choices = list(option.choices(ask))
        if len(choices) > 1:
            usual = option.usual(ask)
            found.append(Control(option.word, option.label, option.chosen(ask), usual, choices))
    return found
