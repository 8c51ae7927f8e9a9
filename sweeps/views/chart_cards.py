"""The Charts tab: a card for every kind of chart, with its options as a form."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import QueryDict

from sweeps.figures.ask import Ask
from sweeps.figures.options import Control, controls
from sweeps.figures.registry import KINDS


@dataclass(frozen=True, slots=True)
class Card:
    """One chart of the page; `others` are the words of the address that its form keeps."""

    kind: str
    title: str
    scale: bool
    wide: bool
    has_options: bool
    controls: Sequence[Control]
    others: Sequence[tuple[str, str]]
    tools: str = ""

    @property
    def anchor(self) -> str:
        """The card's id, where the index leads."""
        return f"chart-of-{self.kind}"


def cards(ask: Ask, query: QueryDict) -> list[Card]:
    """All kinds that suit the sweep, in the order of the registry."""
    found = []
    for name, kind in KINDS.items():
        if kind.suits and not kind.suits(ask):
            continue
        own = controls(kind.options, ask)
        words = {control.word for control in own}
        others = [(w, v) for w, values in query.lists() for v in values if w not in words]
        has = bool(kind.options)
        found.append(Card(name, kind.title, kind.scale, kind.wide, has, own, others, kind.tools))
    return found
