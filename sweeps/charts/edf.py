"""Empirical distribution of the objective: the share of a sweep's trials at least this good."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from sweeps.charts.figure import Figure, Key, Table, axis, base_layout
from sweeps.charts.scales import prefers_log
from sweeps.charts.text import escape, objective_text, plural, with_exact
from sweeps.charts.value_axis import linear_axis, log_axis
from sweeps.domain.board import Floats
from sweeps.domain.objective import Goal, Objective

# So many steps of a curve look like all of them.
MOST_STEPS = 200
# With fewer values the steps are too coarse to compare by.
FEW = 20
_DASHES = ("solid", "dash", "dot", "dashdot")
_TABLE_SHARES = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


class Sample(NamedTuple):
    """The objective of the trials of one sweep that have one, in any order; `own`: the sweep whose
    page this is."""

    name: str
    values: Floats
    own: bool = False


class Curve(NamedTuple):
    """A sweep as drawn: (value, share at least this good) from the best value on."""

    name: str
    points: tuple[tuple[float, float], ...]
    trials: int
    marks: tuple[float, ...]
    color: str
    dash: str
    own: bool


class EdfInfo(NamedTuple):
    """What the distribution draws, this sweep's curve last and on top."""

    metric: str
    goal: Goal
    curves: tuple[Curve, ...]
    empty: str | None
    note: str
    summary: str

    @property
    def table(self) -> Table:
        """By sweep the value that a share of its trials reaches."""
        shares = (f"best {100 * share:.0f} %" for share in _TABLE_SHARES[:-1])
        header = ("Sweep", "Trials with a value", "Best", *shares, "All")
        rows = (
            (
                c.name,
                f"{c.trials:,}",
                *(with_exact(objective_text(v), v) for v in (c.points[0][0], *c.marks)),
            )
            for c in reversed(self.curves)
        )
        return Table(header, tuple(rows))

    @property
    def legend(self) -> tuple[Key, ...]:
        marks: dict[str, Any] = {"dash": "dash", "dot": "dot"}
        return tuple(
            Key(marks.get(c.dash, "line"), c.color, f"{c.name} ({c.trials:,})")
            for c in reversed(self.curves)
        )


def build_edf_info(
    samples: Sequence[Sample], objective: Objective, *, selected: bool = False, final: bool = False
) -> EdfInfo:
    """A curve for each sample with a value, the own one first; `selected` says that of its trials
    only some are meant."""
    minimize = objective.goal is Goal.MINIMIZE
    curves = [
        _curve(sample, place, minimize)
        for place, sample in enumerate(samples)
        if len(sample.values)
    ]
    metric = objective.primary_metric
    if not curves or (len(curves) == 1 and curves[0].trials < 2):
        enough = "Not enough data: a" if final else "Not enough data yet: a"
        has = f"{plural(len(curves), 'trial')} {'has' if curves else 'have'} one"
        why = f"{enough} distribution needs 2 trials with a value of {metric}; {has}."
        return EdfInfo(metric, objective.goal, (), why, "", why)
    worse = "lower" if minimize else "higher"
    trials = plural(curves[0].trials, "selected trial" if selected else "trial")
    what = f"{trials} with a value" if len(curves) == 1 else plural(len(curves), "sweep")
    coarse = f"; steps are coarse below {FEW} trials" if min(c.trials for c in curves) < FEW else ""
    note = f"{what}, {worse} is better{coarse}"
    return EdfInfo(metric, objective.goal, tuple(reversed(curves)), None, note, _summary(curves))


def _curve(sample: Sample, place: int, minimize: bool) -> Curve:
    losses = np.sort(sample.values if minimize else -sample.values)
    count = len(losses)
    rows = np.unique(np.linspace(0, count - 1, min(count, MOST_STEPS)).round().astype(np.int64))
    steps = losses[rows]
    # Of equal values all are at least this good.
    shares = np.searchsorted(losses, steps, side="right") / count
    sign = 1.0 if minimize else -1.0
    marks = [sign * losses[max(int(np.ceil(share * count)) - 1, 0)] for share in _TABLE_SHARES]
    return Curve(
        name=sample.name,
        points=tuple(zip((sign * steps).tolist(), shares.tolist(), strict=True)),
        trials=count,
        marks=tuple(float(mark) for mark in marks),
        color="@primary" if sample.own else f"@trial-{(place - 1) % 10}",
        dash="solid" if sample.own else _DASHES[(place - 1) % 4],
        own=sample.own,
    )


def _summary(curves: Sequence[Curve]) -> str:
    half = _TABLE_SHARES.index(0.5)
    return (
        "; ".join(
            f"{c.name}: best {objective_text(c.points[0][0])}, half of {plural(c.trials, 'trial')} "
            f"reach {objective_text(c.marks[half])}"
            for c in curves
        )
        + "."
    )


# --- How ----------------------------------------------------------------------------------------


def edf_figure(info: EdfInfo) -> Figure:
    """The Plotly figure of `info`."""
    layout = base_layout(left=52, right=18, revision="edf")
    layout["yaxis"] = axis("Trials at least this good", range=[0, 1.04], showgrid=True)
    layout["yaxis"] |= {
        "tickmode": "array",
        "tickvals": [0, 0.25, 0.5, 0.75, 1],
        "ticktext": ["0 %", "25 %", "50 %", "75 %", "100 %"],
    }
    values = [value for curve in info.curves for value, _ in curve.points]
    ends = (min(values, default=0.0), max(values, default=1.0))
    found = (
        log_axis(*ends, (0.04, 0.04)) if prefers_log(values) else linear_axis(*ends, (0.04, 0.04))
    )
    better = "lower" if info.goal is Goal.MINIMIZE else "higher"
    layout["xaxis"] = axis(f"{escape(info.metric)} ({better} is better)") | found
    return {"data": [_line(curve) for curve in info.curves], "layout": layout}


def _line(curve: Curve) -> dict[str, Any]:
    first = curve.points[0]
    return {
        "type": "scatter",
        "uid": f"edf-{curve.name}",
        "mode": "lines",
        "name": escape(curve.name),
        "x": [first[0], *(value for value, _ in curve.points)],
        "y": [0, *(share for _, share in curve.points)],
        "line": {
            "color": curve.color,
            "width": 2.6 if curve.own else 1.8,
            "dash": curve.dash,
            "shape": "hv",
        },
        "cliponaxis": False,
    }
