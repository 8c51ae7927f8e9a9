"""Every kind of chart of a sweep."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sweeps.charts.figure import Table, payload
from sweeps.figures import curves, history, parallel
from sweeps.figures.ask import Ask, Drawing


class Kind(NamedTuple):
    """A kind of chart. `hint` helps to read it and stands below it."""

    title: str
    build: Callable[[Ask], Drawing]
    hint: str = ""


KINDS: dict[str, Kind] = {
    "objective": Kind("Objective", history.build),
    "parallel": Kind("Parallel coordinates", parallel.build),
    "curves": Kind("Metric curves", curves.build),
}


def drawn(kind: str, ask: Ask) -> dict[str, Any]:
    """The chart as a page gets it, fit for JSON; its table is asked for by itself."""
    info, figure = KINDS[kind].build(ask)
    return payload(info, figure, hint=KINDS[kind].hint, with_table=False)


def tabled(kind: str, ask: Ask) -> tuple[Table, str]:
    """The chart as a table, and its summary."""
    info, _ = KINDS[kind].build(ask)
    return info.table, info.summary
