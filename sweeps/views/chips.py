"""What a selection says, as removable chips, and the part of an address that says it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from django.http import QueryDict

from studio import formatting
from studio.templatetags.studio_tags import status_label
from sweeps.domain.selection import WORDS, Condition, Selection, Span, write_selection
from sweeps.models import Sweep
from sweeps.queries.boards import board_of
from sweeps.queries.next_sweep import makes_region
from sweeps.queries.selecting import kept


@dataclass(frozen=True, slots=True)
class Chip:
    """One condition in words; `url` is the view without it."""

    name: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Chips:
    """All conditions; `clear` is the view without any."""

    found: tuple[Chip, ...]
    clear: str
    # How many trials are shown of how many; None where nothing is left out.
    shown: int | None = None
    known: int = 0
    # Whether a next sweep could be cut down to what is selected.
    is_region: bool = False


def chips(sweep: Sweep, selection: Selection, query: QueryDict) -> Chips:
    """One chip for each thing that leaves trials out or picks some."""
    found = tuple(Chip(name, text, _address(query, rest)) for name, text, rest in _said(selection))
    clear = _address(query, Selection())
    if not selection.is_filtered:
        return Chips(found, clear)
    board = board_of(sweep)
    mask = kept(sweep, board, selection)
    is_region = makes_region(board, selection, mask)
    return Chips(found, clear, int(mask.sum()), len(board), is_region)


def carried(query: QueryDict) -> str:
    """The words of the selection, for a link to another tab: "?status=Failed", or "" for none."""
    words = [(word, value) for word in WORDS for value in query.getlist(word)]
    return f"?{urlencode(words)}" if words else ""


def _address(query: QueryDict, selection: Selection) -> str:
    """The address of the same page with this selection, from its first page on."""
    others = [
        (word, value)
        for word, values in query.lists()
        for value in values
        if word not in (*WORDS, "page")
    ]
    return "?" + urlencode([*write_selection(selection), *others])


def _said(selection: Selection) -> Iterator[tuple[str, str, Selection]]:
    """Name, text, and the selection without it."""
    for status in selection.statuses:
        rest = tuple(one for one in selection.statuses if one != status)
        yield "status", status_label(status), replace(selection, statuses=rest)
    for one in selection.conditions:
        yield _short(one.key), " or ".join(_parts(one)), selection.without(one.key)
    if selection.signature is not None:
        text = selection.signature or "without a word"
        yield "failure", text, replace(selection, signature=None)
    if selection.text:
        yield "", f"“{selection.text}”", replace(selection, text="")
    for tag in selection.tags:
        rest = tuple(other for other in selection.tags if other != tag)
        yield "tag", tag, replace(selection, tags=rest)
    if selection.pinned:
        yield "", "pinned", replace(selection, pinned=False)
    if selection.only_picked and selection.picked:  # else the bar below says them
        numbers = " ".join(f"#{number}" for number in selection.picked[:8])
        more = len(selection.picked) - 8
        text = f"{numbers} and {more} more" if more > 0 else numbers
        yield "only", text, replace(selection, only_picked=False)


def _short(key: str) -> str:
    what, _, name = key.partition(".")
    return name or what.removesuffix("_s")


def _parts(condition: Condition) -> Iterable[str]:
    yield from (_range(span) for span in condition.spans)
    yield from condition.words
    if condition.missing:
        yield "none"


def _range(span: Span) -> str:
    low, high = span
    if low is None:
        return f"up to {formatting.param(high)}"
    if high is None:
        return f"{formatting.param(low)} and more"
    return f"{formatting.param(low)} to {formatting.param(high)}"
