"""Figures of chosen trials, inline in their pages: rows to records to payloads."""

from collections.abc import Sequence
from typing import Any

from sweeps.charts.curves_figure import curves_figure
from sweeps.charts.figure import payload
from sweeps.charts.metric_curves import build_curves_info, build_trial_curves_info
from sweeps.domain.states import TrialStatus
from sweeps.figures.curves import trial_curves
from sweeps.models import Sweep, Trial
from sweeps.queries.records import best_trial, objective_of
from sweeps.queries.trials import metric_points

Payload = dict[str, Any]


def compare_payload(sweep: Sweep, trials: Sequence[Trial], metric: str) -> Payload:
    """Overlaid curves of chosen trials, each in its own colour."""
    best = best_trial(sweep)
    info = build_curves_info(
        trial_curves(trials, metric),
        metric,
        objective_of(sweep),
        best=best.number if best else None,
        mode="selected",
        selected=[trial.number for trial in trials],
        own_colors=True,
    )
    return payload(info, curves_figure(info))


def trial_payload(sweep: Sweep, trial: Trial, names: Sequence[str] = ()) -> Payload:
    """Curves of one trial: the primary metric, or those named."""
    shown = list(names) or [sweep.primary_metric]
    points = metric_points(trial, shown)
    by_name = {name: [p for p in points if p.name == name] for name in shown}
    best = best_trial(sweep)
    info = build_trial_curves_info(
        trial.number,
        TrialStatus(trial.status),
        by_name,
        primary=sweep.primary_metric,
        is_best=best is not None and best.pk == trial.pk,
        objective=objective_of(sweep),
    )
    return payload(info, curves_figure(info))
