"""Metric curves of a sweep's trials."""

import math
from collections.abc import Sequence

import numpy as np

from sweeps.charts.curves_figure import curves_figure
from sweeps.charts.metric_curves import Mode, TrialCurve, build_curves_info
from sweeps.charts.smoothing import Quantiles, quantiles
from sweeps.domain.board import Ints
from sweeps.domain.states import ACTIVE_TRIAL, TrialStatus
from sweeps.figures.ask import Ask, Drawing
from sweeps.figures.options import Choices, Option, fixed
from sweeps.models import Trial
from sweeps.queries.trials import MOST_POINTS, curves

# One SVG line each: more are neither readable nor quick.
MOST_CURVES = 100
# Trials whose curves make the median of all, and points read over all curves of a chart.
SAMPLE = 300
MOST_READ = 40_000


def _metrics(ask: Ask) -> Choices:
    return [(name, name) for name in ask.metrics or [ask.sweep.primary_metric]]


METRIC = Option("metric", "Metric", _metrics)
WHICH = Option(
    "curves",
    "Trials",
    fixed(
        ("best", "best 5"),
        ("best3", "best 3"),
        ("best10", "best 10"),
        ("best20", "best 20"),
        ("selected", "selected"),
        ("all", "all"),
    ),
)
X = Option(
    "curves.x",
    "x",
    fixed(("report", "report"), ("step", "step"), ("time", "time since start")),
)
_WEIGHTS = ("0.3", "0.5", "0.7", "0.8", "0.9", "0.95", "0.99")
SMOOTH = Option(
    "curves.smooth", "Smoothing", fixed(("0", "none"), *((text, text) for text in _WEIGHTS))
)
OPTIONS = (METRIC, WHICH, X, SMOOTH)


def build(ask: Ask) -> Drawing:
    """`metric` of the best ones and those that run, of the selected ones, or of all: then a
    hundred from the best to the worst, with the median of some hundreds."""
    which = WHICH.chosen(ask)
    count = int(which.removeprefix("best") or 5) if which.startswith("best") else 0
    mode: Mode = "best" if count else which  # type: ignore[assignment]
    metric, x = METRIC.chosen(ask), X.chosen(ask)
    candidates = _candidates(ask, mode, count)
    rows = _spread(ask, candidates, MOST_CURVES)
    info = build_curves_info(
        trial_curves(_trials(ask, rows), metric),
        metric,
        ask.objective,
        best=int(ask.board.number[ask.best_first[0]]) if len(ask.best_first) else None,
        mode=mode,
        selected=ask.board.number[rows].tolist(),
        x=x,  # type: ignore[arg-type]
        count=count,
        smooth=float(SMOOTH.chosen(ask)),
        of=len(candidates),
        quantiles=_quantiles(ask, candidates, metric, x) if mode == "all" else None,
        filtered=ask.selection.is_filtered,
        others=not len(rows) and bool((ask.mask & (ask.board.reports > 0)).any()),
        final=ask.final,
    )
    return info, curves_figure(info)


def _candidates(ask: Ask, mode: Mode, count: int) -> Ints:
    """Rows of trials whose curves are asked for."""
    board, mask = ask.board, ask.mask & (ask.board.reports > 0)
    if mode == "selected":
        if ask.selection.picked:
            return board.rows_of(ask.selection.picked)
        return np.flatnonzero(mask) if ask.selection.is_filtered else np.array([], dtype=np.int64)
    if mode == "all":
        return np.flatnonzero(mask)
    best = ask.best_first[mask[ask.best_first]][:count]
    active = np.flatnonzero(board.having(ACTIVE_TRIAL) & mask)[:count]
    return np.union1d(best, active)


def _spread(ask: Ask, rows: Ints, most: int) -> Ints:
    """At most `most` of `rows`, evenly from the best to the worst, those that run among them."""
    if len(rows) <= most:
        return rows
    board = ask.board
    loss = board.objective[rows] if ask.minimize else -board.objective[rows]
    # Trials with nothing but NaN come last: they must not crowd out the others.
    ranked = rows[np.argsort(loss, kind="stable")]
    valued = max(int((~np.isnan(loss)).sum()), min(len(rows), most))
    active = ranked[board.having(ACTIVE_TRIAL)[ranked]][: most // 10]
    places = np.linspace(0, valued - 1, most - len(active)).astype(np.int64)
    return np.union1d(ranked[places], active)


def _quantiles(ask: Ask, rows: Ints, metric: str, x: str) -> Quantiles | None:
    """Of many more curves than are drawn; by time no two have a place in common."""
    if len(rows) <= MOST_CURVES or x == "time":
        return None
    chosen = rows[np.linspace(0, len(rows) - 1, min(len(rows), SAMPLE)).astype(np.int64)]
    drawn = trial_curves(_trials(ask, chosen), metric)
    placed = (
        [(getattr(p, x), p.value if math.isfinite(p.value) else None) for p in curve.points]
        for curve in drawn
    )
    return quantiles(placed, len(drawn))


def _trials(ask: Ask, rows: Ints) -> list[Trial]:
    numbers = ask.board.number[rows].tolist()
    return list(Trial.objects.filter(sweep=ask.sweep, number__in=numbers).order_by("number"))


def trial_curves(trials: Sequence[Trial], metric: str) -> list[TrialCurve]:
    """One metric of each trial; of very many points over all some are left out."""
    most = min(MOST_POINTS, max(MOST_READ // max(len(trials), 1), 50))
    points = curves(trials, metric, most)
    return [
        TrialCurve(
            t.number,
            TrialStatus(t.status),
            points[t.number],
            t.objective,
            t.started_at.timestamp() if t.started_at else None,
        )
        for t in trials
    ]
