"""What the pages that compare things share: columns in the address, one of them the baseline."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from sweeps.queries.compare import MOST, Group


@dataclass(frozen=True, slots=True)
class Column:
    """The head of a column; `word` is what names it in the address, `colour` one of ten."""

    word: str
    title: str
    url: str
    colour: int
    status: str
    is_best: bool
    is_base: bool
    remove_url: str
    base_url: str
    under: str = ""


def with_words(query: QueryDict, **changes: str | None) -> str:
    """The address with these words in place of what they said; None drops one."""
    changed = query.copy()
    for word, value in changes.items():
        changed.pop(word, None)
        if value is not None:
            changed[word] = value
    return "?" + changed.urlencode(safe=",:")


def columns(
    query: QueryDict,
    word: str,
    names: Sequence[str],
    head: Callable[[int], dict[str, Any]],
    base: int,
) -> list[Column]:
    """Heads of the columns that the word `word` of the address names."""
    return [
        Column(
            word=name,
            is_base=place == base,
            remove_url=with_words(query, **{word: ",".join(n for n in names if n != name) or None}),
            base_url=with_words(query, base=name),
            **head(place),
        )
        for place, name in enumerate(names)
    ]


def table(columns: Sequence[Column], groups: Sequence[Group], query: QueryDict) -> dict[str, Any]:
    """What `_compare_table.html` shows."""
    everything = "all" in query
    return {
        "columns": columns,
        "groups": groups,
        "everything": everything,
        "hidden_rows": sum(not line.differs for group in groups for line in group.lines),
        "all_url": with_words(query, all=None if everything else "1"),
        "most": MOST,
        "is_full": len(columns) >= MOST,
    }


def left_out(names: Sequence[str]) -> str:
    """What is said of columns for which there is no room."""
    rest = names[MOST:]
    if not rest:
        return ""
    verb = "was" if len(rest) == 1 else "were"
    return f"Eight at most fit side by side; {', '.join(rest)} {verb} left out."
