"""Trials as dots by two or three of their values."""

from typing import Any, Literal, NamedTuple

import numpy as np

from sweeps.charts.colouring import Colouring, not_counting
from sweeps.charts.figure import Figure, Key, Table, base_layout
from sweeps.charts.text import escape, in_space, plural
from sweeps.charts.values import (
    Floats,
    Ints,
    Trials,
    Values,
    plot_axis,
    rounded,
    spread_first,
    thin,
)

# More dots than these are one for each spot: the screen has no more places for them.
MAX_DOTS = 2000


class ScatterInfo(NamedTuple):
    """What is drawn: `rows` of all trials, on two or three `axes`, in `colours`."""

    trials: Trials
    axes: tuple[Values, ...]
    colours: Colouring
    rows: Ints
    placed: Ints
    empty: str | None
    note: str
    summary: str
    legend: tuple[Key, ...]

    @property
    def table(self) -> Table:
        """Every placed trial with its values."""
        by_key = {values.key: values for values in (*self.axes, self.colours.by)}
        shown = list(by_key.values())
        rows = (
            (str(self.trials.number[row]), self.trials.word(row), *(v.cell(row) for v in shown))
            for row in self.placed.tolist()
        )
        return Table(("Trial", "Status", *(values.head for values in shown)), tuple(rows))

    @property
    def best(self) -> int | None:
        """The best trial's row, if it has a place."""
        return self.trials.best if self.trials.best in self.placed else None


def build_scatter_info(
    trials: Trials,
    axes: tuple[Values, ...],
    colours: Colouring,
    merit: Floats,
    *,
    minimize: bool,
    waiting: str = "",
) -> ScatterInfo:
    """Dots of all trials that have a value on at least one axis.

    `merit` ranks the rows: of those in one spot the best is drawn, or any one where the objective
    is an axis; `waiting` says why there is nothing yet.
    """
    missing = np.all([values.missing for values in axes], axis=0)
    placed = np.flatnonzero(~missing)
    plain = any(values.key == "objective" for values in axes)
    first = spread_first(trials.number, trials.out, trials.best) if plain else merit
    kept = thin([values.unit[placed] for values in axes], first[placed], MAX_DOTS)
    rows = placed[kept]
    is_objective = colours.by.key == "objective"
    legend = colours.legend(rows[~trials.out[rows]], trials, best_first=is_objective and minimize)
    info = ScatterInfo(
        trials=trials,
        axes=axes,
        colours=colours,
        rows=rows,
        placed=placed,
        empty=None if len(placed) else waiting or "No trial has these values yet.",
        note=_note(trials, placed, len(rows), plain) if len(placed) else "",
        summary=_summary(trials, axes, placed),
        legend=tuple(legend),
    )
    if info.best is not None:
        # In space there is no star to draw.
        mark: Literal["gem", "star"] = "gem" if len(axes) == 3 else "star"
        star = Key(mark, "@best", f"best, #{trials.number[info.best]}")
        info = info._replace(legend=(star, *legend))
    return info


def _note(trials: Trials, rows: Ints, drawn: int, plain: bool) -> str:
    known, placed = len(trials.number), len(rows)
    parts = [plural(placed, "trial"), *not_counting(rows, trials)]
    if drawn < placed:
        parts.append(f"{drawn:,} dots, {'one' if plain else 'the best'} of each spot")
    if placed < known:
        parts.append(f"{known - placed:,} without these values left out")
    return "; ".join(parts)


def _summary(trials: Trials, axes: tuple[Values, ...], placed: Ints) -> str:
    names = " against ".join(values.name for values in axes)
    text = f"{names}: {plural(len(placed), 'trial')}."
    bare = [
        f"{int(values.missing[placed].sum()):,} without {values.name}"
        for values in axes
        if values.missing[placed].any()
    ]
    if bare:
        text += f" Of these {', '.join(bare)}."
    if trials.best is not None and trials.best in placed:
        at = ", ".join(f"{values.name} {values.text(trials.best)}" for values in axes)
        text += f" The best, trial {trials.number[trials.best]}, has {at}."
    return text


# --- How ----------------------------------------------------------------------------------------


def scatter_figure(info: ScatterInfo) -> Figure:
    """The Plotly figure in the plane, or in space for three axes."""
    if len(info.axes) == 3:
        return _space_figure(info)
    x, y = info.axes
    layout = base_layout(left=30, bottom=36, revision=_revision(info))
    layout["xaxis"] = plot_axis(x, edge=_has_edge(info, x))
    layout["yaxis"] = plot_axis(y, edge=_has_edge(info, y), count=5, width=26) | {"showgrid": True}
    data = [
        {
            "type": "scatter",
            "uid": name,
            "mode": "markers",
            "x": rounded(x.places(info.trials.number)[rows]),
            "y": rounded(y.places(info.trials.number)[rows]),
            "customdata": info.trials.number[rows].tolist(),
            "marker": {"size": 7, "symbol": "circle", "line": _line(name), "opacity": 1} | marker,
            "cliponaxis": False,
        }
        for name, rows, marker in _groups(info)
    ]
    return {"data": data, "layout": layout}


def _line(name: str) -> dict[str, Any]:
    return {"width": 1.6 if name in _EDGES else 1, "color": _EDGES.get(name, "@surface")}


_EDGES = {"bare": "@neutral-mark", "fallen": "@red-mark", "running": "@blue-mark"}
# Plotly has other symbols in space.
_IN_SPACE = {"x-thin-open": "x", "star": "diamond"}


def _revision(info: ScatterInfo) -> str:
    """Zoom is kept while the axes stay what they are."""
    return "scatter-" + "-".join(f"{v.key}-{v.scale.kind}" for v in info.axes)


def _has_edge(info: ScatterInfo, values: Values) -> bool:
    return bool(values.missing[info.rows].any())


def _groups(info: ScatterInfo) -> list[tuple[str, Ints, dict[str, Any]]]:
    return info.colours.layers(info.rows, info.trials, star=14)


def _space_figure(info: ScatterInfo) -> Figure:
    layout = base_layout(left=0, right=0, top=0, bottom=0, revision=_revision(info))
    axes = {
        f"{letter}axis": _space_axis(values, _has_edge(info, values))
        for letter, values in zip("xyz", info.axes, strict=True)
    }
    camera = {"eye": {"x": 1.45, "y": -1.55, "z": 0.75}, "center": {"x": 0, "y": 0, "z": -0.12}}
    layout["scene"] = {**axes, "camera": camera, "dragmode": "turntable", "aspectmode": "cube"}
    layout["scene"]["hovermode"] = "closest"
    places = [values.places(info.trials.number) for values in info.axes]
    data = []
    for name, rows, marker in _groups(info):
        own = {
            "size": 4 if len(info.rows) <= 500 else 3,
            "line": {"width": 0},
            "opacity": 1,
        } | marker
        if name == "best":
            own["size"] = 8
        if isinstance(own.get("symbol"), str):
            own["symbol"] = _IN_SPACE.get(own["symbol"], own["symbol"])
        data.append(
            {"type": "scatter3d", "uid": name, "mode": "markers", "hoverinfo": "none"}
            | {letter: rounded(place[rows]) for letter, place in zip("xyz", places, strict=True)}
            | {"customdata": info.trials.number[rows].tolist(), "marker": own}
        )
    return {"data": data, "layout": layout}


def _space_axis(values: Values, edge: bool) -> dict[str, Any]:
    made = plot_axis(values, edge=edge, count=3, width=60)
    wanted = ("type", "range", "tickmode", "tickvals", "ticktext", "tickfont")
    return {name: made[name] for name in wanted} | {
        "ticktext": [in_space(text) for text in made["ticktext"]],
        "title": {"text": in_space(escape(values.name)), "font": {"size": 12, "color": "@text"}},
        "gridcolor": "@border",
        "linecolor": "@axis",
        "showbackground": False,
        "showspikes": False,
        "zeroline": False,
    }
