"""Metric curves of a sweep's trials."""

from collections.abc import Sequence

import numpy as np

from sweeps.charts.curves_figure import curves_figure
from sweeps.charts.metric_curves import Mode, TrialCurve, build_curves_info
from sweeps.domain.board import Ints
from sweeps.domain.states import ACTIVE_TRIAL, TrialStatus
from sweeps.figures.ask import Ask, Drawing
from sweeps.figures.options import Choices, Option, fixed
from sweeps.models import Trial
from sweeps.queries.trials import curves

BEST_CURVES = 5
# One SVG line each: more are neither readable nor quick.
MOST_CURVES = 100


def _metrics(ask: Ask) -> Choices:
    return [(name, name) for name in ask.metrics or [ask.sweep.primary_metric]]


METRIC = Option("metric", "Metric", _metrics)
WHICH = Option(
    "curves", "Trials", fixed(("best", "best 5"), ("selected", "picked"), ("all", "all"))
)
OPTIONS = (METRIC, WHICH)


def build(ask: Ask) -> Drawing:
    """`metric` of the best five and those that run, of the picked ones, or of all (a hundred)."""
    mode: Mode = WHICH.chosen(ask)  # type: ignore[assignment]
    metric = METRIC.chosen(ask)
    trials = _trials(ask, _rows(ask, mode))
    info = build_curves_info(
        trial_curves(trials, metric),
        metric,
        ask.objective,
        best=int(ask.board.number[ask.best_first[0]]) if len(ask.best_first) else None,
        mode=mode,
        selected=ask.selection.picked,
    )
    return info, curves_figure(info)


def _rows(ask: Ask, mode: Mode) -> Ints:
    board, mask = ask.board, ask.mask & (ask.board.reports > 0)
    if mode == "selected":
        return board.rows_of(ask.selection.picked)[:MOST_CURVES]
    best = ask.best_first[mask[ask.best_first]][:BEST_CURVES]
    active = np.flatnonzero(board.having(ACTIVE_TRIAL) & mask)[:BEST_CURVES]
    chosen = np.union1d(best, active)
    if mode == "best":
        return chosen
    others = np.setdiff1d(np.flatnonzero(mask), chosen)
    loss = board.objective[others] if ask.minimize else -board.objective[others]
    # Trials with nothing but NaN come last: they must not crowd out the others.
    others = others[np.argsort(loss, kind="stable")][: MOST_CURVES - len(chosen)]
    return np.concatenate([chosen, others])


def _trials(ask: Ask, rows: Ints) -> list[Trial]:
    numbers = ask.board.number[rows].tolist()
    return list(Trial.objects.filter(sweep=ask.sweep, number__in=numbers).order_by("number"))


def trial_curves(trials: Sequence[Trial], metric: str) -> list[TrialCurve]:
    """One metric of each trial."""
    points = curves(trials, metric)
    return [
        TrialCurve(t.number, TrialStatus(t.status), points[t.number], t.objective) for t in trials
    ]
