"""The objective over two values: a map between trials, or means where one of them is a choice."""

import math
from typing import Any, NamedTuple

import numpy as np

from sweeps.charts.colouring import RAMP, not_counting
from sweeps.charts.figure import Figure, Key, Table, base_layout
from sweeps.charts.text import not_enough, plural
from sweeps.charts.values import Floats, Ints, Mask, Trials, Values, plot_axis, rounded, thin

LEAST = 10
MAX_POINTS = 2000
# From here on trials are dots that leave the map to be seen.
_MANY = 300
GRID = 36
# A numeric axis beside a choice is cut into so many parts.
PARTS = 8
# Shares of the values beyond which the ramp ends, so that a few bad ones do not flatten the rest.
_LOW, _HIGH = 0.0, 0.95


class ContourInfo(NamedTuple):
    """`z` are shares of the ramp by row and column, NaN where nothing is known."""

    trials: Trials
    x: Values
    y: Values
    objective: Values
    z: Floats
    placed: Ints
    points: Ints
    empty: str | None
    note: str
    summary: str
    legend: tuple[Key, ...]

    @property
    def is_map(self) -> bool:
        """Between numbers; else means of cells."""
        return not (self.x.is_category or self.y.is_category)

    @property
    def table(self) -> Table:
        """The trials that it is made of."""
        shown = (self.x, self.y, self.objective)
        rows = (
            (str(self.trials.number[row]), *(values.cell(row) for values in shown))
            for row in self.placed.tolist()
        )
        return Table(("Trial", *(values.head for values in shown)), tuple(rows))


def build_contour_info(
    trials: Trials,
    x: Values,
    y: Values,
    objective: Values,
    merit: Floats,
    *,
    minimize: bool,
    final: bool = False,
) -> ContourInfo:
    """Of all selected trials that may be the best and have all three values.

    `final`: no more trials come.
    """
    valued = ~objective.missing & ~trials.out
    begun = valued & trials.counting
    placed = np.flatnonzero(begun & ~x.missing & ~y.missing)
    points = placed[thin([x.unit[placed], y.unit[placed]], merit[placed], MAX_POINTS)]
    empty = _empty(len(placed), x, y, objective, final)
    z, ends = np.full((1, 1), np.nan), ("", "")
    is_map = not (x.is_category or y.is_category)
    if empty is None:
        shares, ends = _shares(objective, placed, minimize)
        z = _between(x, y, shares, points) if is_map else _means(x, y, shares, placed)
    info = ContourInfo(
        trials=trials,
        x=x,
        y=y,
        objective=objective,
        z=z,
        placed=placed,
        points=points,
        empty=empty,
        note=_note(is_map, placed, len(points), begun, valued, trials) if empty is None else "",
        summary=empty or _summary(x, y, objective, trials, placed),
        legend=(),
    )
    return info._replace(legend=_legend(info, ends)) if empty is None else info


def _empty(count: int, x: Values, y: Values, objective: Values, final: bool) -> str | None:
    if x.key == y.key:
        return "Choose two different values for x and y."
    if count >= LEAST:
        return None
    have = f"{plural(count, 'trial')} with {x.name}, {y.name} and {objective.name}"
    return not_enough(have, LEAST - count, final)


def _shares(objective: Values, placed: Ints, minimize: bool) -> tuple[Floats, tuple[str, str]]:
    """By row of all trials the share of the ramp, and what its ends stand for: worst, best."""
    at = objective.at if minimize else -objective.at
    best, worst = np.quantile(at[placed], [_LOW, _HIGH])
    ends = (worst, best) if minimize else (-worst, -best)
    level = objective.unit
    low, high = (_unit_of(objective, end) for end in ends)
    shares = np.clip((level - low) / ((high - low) or 1.0), 0.0, 1.0)
    more = " or worse" if at[placed].max() > worst else ""
    return np.asarray(shares), (objective.write(float(ends[0])) + more, objective.write(ends[1]))


def _unit_of(values: Values, value: float) -> float:
    return float(values._replace(at=np.array([value])).unit[0])


def _between(x: Values, y: Values, shares: Floats, points: Ints) -> Floats:
    """Means of the points weighted by the inverse fourth power of their distance."""
    grid = np.linspace(0.0, 1.0, GRID)
    px, py, known = x.unit[points], y.unit[points], shares[points]
    across = (grid[:, None] - px[None, :]) ** 2
    down = (grid[:, None] - py[None, :]) ** 2
    z = np.empty((GRID, GRID))
    for row in range(GRID):
        weights = 1.0 / (across + down[row] + 8e-4) ** 2
        z[row] = weights @ known / weights.sum(axis=1)
    return z


def _means(x: Values, y: Values, shares: Floats, placed: Ints) -> Floats:
    columns, rows = _cells(x, placed), _cells(y, placed)
    shape = (_count(y), _count(x))
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, (rows, columns), shares[placed])
    np.add.at(count, (rows, columns), 1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def _count(values: Values) -> int:
    return len(values.scale.categories) if values.is_category else PARTS


def _cells(values: Values, placed: Ints) -> Ints:
    if values.is_category:
        return values.at[placed].astype(np.int64)
    return np.clip((values.unit[placed] * PARTS).astype(np.int64), 0, PARTS - 1)


def _note(is_map: bool, rows: Ints, drawn: int, begun: Mask, valued: Mask, trials: Trials) -> str:
    placed, known = len(rows), int(begun.sum())
    have = plural(placed, "trial")
    parts = [f"interpolated between {have}" if is_map else f"means of {have}"]
    if drawn < placed:
        parts.append(f"{drawn:,} of them drawn")
    if placed < known:
        parts.append(f"{known - placed:,} without these values left out")
    if others := not_counting(np.flatnonzero(valued), trials):
        parts.append(f"{' and '.join(others)} left out")
    return "; ".join(parts)


def _summary(x: Values, y: Values, objective: Values, trials: Trials, placed: Ints) -> str:
    text = f"{objective.name} over {x.name} and {y.name}, {plural(len(placed), 'trial')}."
    if trials.best is not None and trials.best in placed:
        best = trials.best
        text += (
            f" The best, trial {trials.number[best]}, has {x.name} {x.text(best)}"
            f" and {y.name} {y.text(best)}."
        )
    return text


def _legend(info: ContourInfo, ends: tuple[str, str]) -> tuple[Key, ...]:
    keys = [Key("ramp", "", f"{info.objective.name}: {ends[0]} to {ends[1]}")]
    keys.append(Key("ring", "@text", "a trial"))
    if info.trials.best is not None and info.trials.best in info.placed:
        keys.insert(0, Key("star", "@best", f"best, #{info.trials.number[info.trials.best]}"))
    return tuple(keys)


# --- How ----------------------------------------------------------------------------------------


def contour_figure(info: ContourInfo) -> Figure:
    """The Plotly figure."""
    layout = base_layout(left=30, bottom=36, revision=f"contour-{info.x.key}-{info.y.key}")
    layout["xaxis"] = plot_axis(info.x, edge=False)
    layout["yaxis"] = plot_axis(info.y, edge=False, count=5, width=26)
    if info.empty:
        return {"data": [], "layout": layout}
    return {"data": [_field(info), *_points(info)], "layout": layout}


def _field(info: ContourInfo) -> dict[str, Any]:
    z = [rounded(row) for row in np.round(info.z, 3)]
    shared = {
        "z": z,
        "zmin": 0,
        "zmax": 1,
        "colorscale": RAMP,
        "showscale": False,
        "hoverinfo": "skip",
    }
    if not info.is_map:
        edges = {"x": _edges(info.x), "y": _edges(info.y), "xgap": 1, "ygap": 1}
        return {"type": "heatmap", "uid": "means", **shared, **edges}
    grid = [share / (GRID - 1) for share in range(GRID)]
    return {
        "type": "contour",
        "uid": "map",
        **shared,
        "x": [_written(info.x.from_unit(share)) for share in grid],
        "y": [_written(info.y.from_unit(share)) for share in grid],
        "autocontour": False,
        "contours": {"start": 0.1, "end": 0.9, "size": 0.1, "coloring": "fill"},
        "line": {"width": 0.5, "color": "@surface"},
    }


def _edges(values: Values) -> list[float]:
    if values.is_category:
        return [index - 0.5 for index in range(len(values.scale.categories) + 1)]
    return [_written(values.from_unit(part / PARTS)) for part in range(PARTS + 1)]


def _written(value: float) -> float:
    return float(f"{value:.6g}") if math.isfinite(value) else 0.0


def _points(info: ContourInfo) -> list[dict[str, Any]]:
    best = info.trials.best
    rows = info.points[info.points != best] if best is not None else info.points
    many = len(rows) > _MANY
    edge = {"width": 0 if many else 1, "color": "@text"}
    ring: dict[str, Any] = {"size": 3 if many else 5, "color": "@surface", "line": edge}
    ring["opacity"] = 0.45 if many else 0.9
    found = [("points", rows, ring)]
    if best is not None and best in info.placed:
        star = {"size": 15, "symbol": "star", "color": "@best"}
        found.append(
            ("best", np.array([best]), star | {"line": {"width": 1.4, "color": "@surface"}})
        )
    number = info.trials.number
    return [
        {
            "type": "scatter",
            "uid": name,
            "mode": "markers",
            "x": rounded(info.x.places(number)[own]),
            "y": rounded(info.y.places(number)[own]),
            "customdata": number[own].tolist(),
            "marker": marker,
            "cliponaxis": False,
        }
        for name, own, marker in found
    ]
