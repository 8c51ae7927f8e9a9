"""Every kind of chart of a sweep: one entry here, and a file with its `build` and `OPTIONS`."""

from collections.abc import Callable
from typing import Any, NamedTuple

from sweeps.charts.figure import Table, payload
from sweeps.figures import (
    curves,
    edf,
    history,
    importance,
    parallel,
    savings,
    scatter,
    slices,
    timeline,
)
from sweeps.figures.ask import Ask, Drawing
from sweeps.figures.options import Option, controls


class Kind(NamedTuple):
    """A kind of chart. `hint` helps to read it and stands below it.

    `options` are its selects on the Charts tab, `scale` adds the linear/log switch (for figures
    with `layout.meta.scales`), `wide` gives it the whole width. `needs` names the analysis that it
    draws, "" for none, which whoever shows the chart has worked out; `stamp` changes with what it
    draws besides the sweep. `suits` says of which sweeps the Charts tab shows it; `tools` is a
    template of its own in the card's head.
    """

    title: str
    build: Callable[[Ask], Drawing]
    hint: str = ""
    options: tuple[Option, ...] = ()
    scale: bool = False
    wide: bool = False
    needs: Callable[[Ask], str] | None = None
    stamp: Callable[[Ask], str] | None = None
    suits: Callable[[Ask], bool] | None = None
    tools: str = ""


# In the order in which the Charts tab shows them.
KINDS: dict[str, Kind] = {
    "parallel": Kind(
        "Parallel coordinates",
        parallel.build,
        "drag along an axis to select, drag its name to move it",
        options=parallel.OPTIONS,
        wide=True,
    ),
    "objective": Kind("Objective", history.build, options=history.OPTIONS, scale=True),
    "curves": Kind("Metric curves", curves.build, options=curves.OPTIONS, scale=True),
    "scatter": Kind("Scatter", scatter.build, options=scatter.OPTIONS),
    "scatter3d": Kind("Scatter in space", scatter.build_in_space, options=scatter.SPACE_OPTIONS),
    "slice": Kind("Slices", slices.build, options=slices.OPTIONS, scale=True, wide=True),
    "contour": Kind("Contour", slices.build_contour, options=slices.CONTOUR_OPTIONS),
    "importance": Kind(
        "Parameter importance",
        importance.build,
        "A bar that ends before its dashed mark says nothing about its parameter.",
        needs=importance.needs,
    ),
    "edf": Kind(
        "Distribution of the objective",
        edf.build,
        "The higher a curve is near the better end, the more good trials its sweep has.",
        stamp=edf.stamp,
        tools="sweeps/job/_edf_others.html",
    ),
    "timeline": Kind("Timeline", timeline.build, "Gaps are slots that this sweep did not use."),
    "savings": Kind(
        "Early-termination savings",
        savings.build,
        "An estimate: as if each had gone on for as long as the median of those that completed.",
        suits=savings.has_policy,
    ),
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
