"""The objective against each parameter by itself: small multiples that share the value axis."""

from typing import Any, NamedTuple

import numpy as np

from sweeps.charts.colouring import Colouring, not_counting
from sweeps.charts.figure import Figure, Key, Table, axis, base_layout
from sweeps.charts.text import escape, not_enough, plural, wrap_name
from sweeps.charts.value_axis import left_margin, resolve_scale, value_scales
from sweeps.charts.values import Ints, Trials, Values, plot_axis, rounded, spread_first, thin

# Dots over all small charts: what a browser draws within half a second.
MAX_DOTS = 3000
LEAST = 2
_WIDTH = 160
_GAP = 0.06


class SliceInfo(NamedTuple):
    """A small chart per parameter; `rows` are the trials that each one draws."""

    trials: Trials
    objective: Values
    params: tuple[Values, ...]
    colours: Colouring
    rows: tuple[Ints, ...]
    empty: str | None
    note: str
    summary: str
    legend: tuple[Key, ...]

    @property
    def table(self) -> Table:
        """Every trial with a value, and its parameters."""
        shown = (self.objective, *self.params)
        rows = (
            (str(self.trials.number[row]), self.trials.word(row), *(v.cell(row) for v in shown))
            for row in np.flatnonzero(~self.objective.missing).tolist()
        )
        return Table(("Trial", "Status", *(values.head for values in shown)), tuple(rows))


def build_slice_info(
    trials: Trials,
    objective: Values,
    params: tuple[Values, ...],
    colours: Colouring,
    *,
    final: bool = False,
) -> SliceInfo:
    """All trials with a value; of parameters, those that are not the same for all. `final`: no
    more trials come."""
    valued = np.flatnonzero(~objective.missing)
    varying = tuple(values for values in params if _varies(values))
    first = spread_first(trials.number, trials.out, trials.best)
    share = max(MAX_DOTS // max(len(varying), 1), 100)
    rows = tuple(
        valued[thin([values.unit[valued], objective.unit[valued]], first[valued], share)]
        for values in varying
    )
    best = trials.best if trials.best is not None and trials.best in valued else None
    legend = colours.legend(valued[~trials.out[valued]], trials, best_first=False)
    if best is not None:
        legend.insert(0, Key("star", "@best", f"best, #{trials.number[best]}"))
    enough = len(valued) >= LEAST and varying
    empty = None if enough else _empty(len(valued), objective, bool(varying), final)
    return SliceInfo(
        trials=trials._replace(best=best),
        objective=objective,
        params=varying,
        colours=colours,
        rows=rows,
        empty=empty,
        note=_note(trials, valued, rows, len(params) - len(varying)) if enough else "",
        summary=empty or _summary(objective, varying, len(valued), trials._replace(best=best)),
        legend=tuple(legend) if enough else (),
    )


def _varies(values: Values) -> bool:
    known = values.at[~values.missing]
    return len(known) > 0 and bool(values.missing.any() or known.min() != known.max())


def _empty(count: int, objective: Values, varies: bool, final: bool) -> str:
    if count >= LEAST and not varies:
        return "All trials have the same parameters."
    have = f"{plural(count, 'trial')} with a value of {objective.name}"
    return not_enough(have, max(LEAST - count, 1), final)


def _note(trials: Trials, valued: Ints, rows: tuple[Ints, ...], constant: int) -> str:
    count = len(valued)
    parts = [plural(count, "trial"), *not_counting(valued, trials)]
    drawn = min(len(own) for own in rows)
    if drawn < count:
        parts.append("dots in one spot drawn once")
    if constant:
        parts.append(f"{plural(constant, 'parameter')} the same for all left out")
    return "; ".join(parts)


def _summary(objective: Values, params: tuple[Values, ...], count: int, trials: Trials) -> str:
    names = ", ".join(values.name for values in params)
    text = f"{objective.name} of {plural(count, 'trial')} against each of {names or 'nothing'}."
    if trials.best is not None:
        at = ", ".join(f"{values.name} {values.text(trials.best)}" for values in params)
        text += f" The best, trial {trials.number[trials.best]}, has {at}."
    return text


# --- How ----------------------------------------------------------------------------------------


def slice_figure(info: SliceInfo) -> Figure:
    """The Plotly figure; `layout.meta` has its least width and the value axis by scale."""
    layout = base_layout(revision="slice-" + "-".join(values.key for values in info.params))
    layout["xaxis"], layout["yaxis"] = axis(), axis(escape(info.objective.name))
    if info.empty:
        return {"data": [], "layout": layout}
    at = info.objective.at[~info.objective.missing].tolist()
    scales = value_scales(at)
    scale = resolve_scale("auto", at)
    lines = max(
        len(wrap_name(values.name, 20)) + len(wrap_name(values.kind, _KIND)) - 1
        for values in info.params
    )
    left = left_margin(scales.values())
    tilted = any(values.is_category and not _fits(values) for values in info.params)
    layout["margin"] |= {"l": left, "b": (84 if tilted else 46) + 16 * lines}
    layout["meta"] = {
        "minWidth": left + _WIDTH * len(info.params),
        "scale": scale,
        "scales": {kind: {"yaxis": settings} for kind, settings in scales.items()},
    }
    layout["yaxis"] = axis(escape(info.objective.name), showgrid=True) | scales[scale]
    data: list[dict[str, Any]] = []
    for place, (values, rows) in enumerate(zip(info.params, info.rows, strict=True)):
        layout[f"xaxis{place + 1 if place else ''}"] = _facet(info, values, place)
        data += _dots(info, values, rows, f"x{place + 1 if place else ''}")
    return {"data": data, "layout": layout}


def _facet(info: SliceInfo, values: Values, place: int) -> dict[str, Any]:
    count = len(info.params)
    edge = bool(values.missing[info.rows[place]].any())
    made = plot_axis(values, edge=edge, count=2, width=20) | {
        "domain": [(place + _GAP / 2) / count, (place + 1 - _GAP / 2) / count],
        "anchor": "y",
        "automargin": False,
    }
    title = "<br>".join(escape(line) for line in wrap_name(values.name, 20))
    words = "<br>".join(escape(line) for line in wrap_name(values.kind, _KIND))
    kind = f'<br><span style="font-size:11px">{words}</span>' if values.kind else ""
    made["title"] = made["title"] | {"text": title + kind}
    made["tickangle"] = 0
    if values.is_category and not _fits(values):
        names = (values.none, *values.scale.categories) if edge else values.scale.categories
        made |= {"tickangle": 40, "ticktext": [escape(_cut(name)) for name in names]}
        made["tickvals"] = [float(place - edge) for place in range(len(names))]
    return made


# Letters of a line below a name.
_KIND = 24
_LONGEST = 12


def _cut(name: str) -> str:
    """Short enough to stand askew; the hover card and the table have it in full."""
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _fits(values: Values) -> bool:
    names = values.scale.categories
    return max(map(len, names), default=0) * len(names) <= 20


def _dots(info: SliceInfo, values: Values, rows: Ints, across: str) -> list[dict[str, Any]]:
    groups = info.colours.layers(rows, info.trials, star=12)
    places = values.places(info.trials.number)
    return [
        {
            "type": "scatter",
            "uid": f"{across}-{name}",
            "mode": "markers",
            "x": rounded(places[own]),
            "y": rounded(info.objective.at[own]),
            "xaxis": across,
            "customdata": info.trials.number[own].tolist(),
            "marker": {"size": 6, "line": {"width": 0.7, "color": "@surface"}, "opacity": 1}
            | marker,
            "cliponaxis": False,
        }
        for name, own, marker in groups
        if len(own)
    ]
