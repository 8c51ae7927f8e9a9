"""Every kind of chart of a sweep: one entry here, and a file with its `build` and `OPTIONS`."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sweeps.charts.figure import Table, payload
from sweeps.figures import curves, history, parallel
from sweeps.figures.ask import Ask, Drawing
from sweeps.figures.options import Option, controls


class Kind(NamedTuple):
    """A kind of chart. `hint` helps to read it and stands below it.

    `options` are its selects on the Charts tab, `scale` adds the linear/log switch (for figures
    with `layout.meta.scales`), `wide` gives it the whole width.
    """

    title: str
    build: Callable[[Ask], Drawing]
    hint: str = ""
    options: tuple[Option, ...] = ()
    scale: bool = False
    wide: bool = False


# In the order in which the Charts tab shows them.
KINDS: dict[str, Kind] = {
    "parallel": Kind(
        "Parallel coordinates",
        parallel.build,
        "stronger colour is better; drag along an axis to select, drag its name to move it",
        wide=True,
    ),
    "objective": Kind("Objective", history.build, scale=True),
    "curves": Kind("Metric curves", curves.build, options=curves.OPTIONS, scale=True),
}


def drawn(kind: str, ask: Ask) -> dict[str, Any]:
    """The chart as a page gets it, fit for JSON; its table is asked for by itself."""
    found = KINDS[kind]
    info, figure = found.build(ask)
    shown = payload(info, figure, hint=found.hint, with_table=False)
    return shown | {"controls": [one._asdict() for one in controls(found.options, ask)]}


def tabled(kind: str, ask: Ask) -> tuple[Table, str]:
    """The chart as a table, and its summary."""
    info, _ = KINDS[kind].build(ask)
    return info.table, info.summary
