"""Figures of chosen trials, inline in their pages: rows to records to payloads."""

from collections.abc import Sequence
from typing import Any

from sweeps.charts.curves_figure import curves_figure
from sweeps.charts.figure import payload
from sweeps.charts.gap import build_gap_info
from sweeps.charts.metric_curves import (
    TrialCurve,
    XAxis,
    build_curves_info,
    build_trial_curves_info,
)
from sweeps.domain.objective import Objective
from sweeps.domain.states import TrialStatus
from sweeps.domain.wording import cut
from sweeps.figures.curves import trial_curves
from sweeps.models import Sweep, Trial
from sweeps.queries.compare_sweeps import best_so_far
from sweeps.queries.records import best_trial, objective_of
from sweeps.queries.trials import metric_points

Payload = dict[str, Any]
# Of a sweep's name as much as fits at the end of a line.
LONGEST = 16


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


def gap_payload(sweep: Sweep, trials: Sequence[Trial], metric: str, baseline: int) -> Payload:
    """How far chosen trials stand from one of them, report by report."""
    info = build_gap_info(
        trial_curves(trials, metric), metric, objective_of(sweep), baseline=baseline
    )
    return payload(info, curves_figure(info))


def trials_payload(trials: Sequence[Trial], labels: Sequence[str], metric: str) -> Payload:
    """Curves of trials of several sweeps, in the colours of their columns."""
    curves = [
        trial_curves([trial], metric)[0]._replace(number=place, label=label)
        for place, (trial, label) in enumerate(zip(trials, labels, strict=True))
    ]
    return _overlaid(curves, metric, objective_of(trials[0].sweep), "report")


def so_far_payload(sweeps: Sequence[Sweep]) -> Payload:
    """The best value of each sweep after so many ended trials."""
    curves = [
        TrialCurve(place, TrialStatus.COMPLETED, best_so_far(sweep), label=cut(str(sweep), LONGEST))
        for place, sweep in enumerate(sweeps)
    ]
    objective = objective_of(sweeps[0])
    return _overlaid(curves, objective.primary_metric, objective, "trial")


def _overlaid(curves: Sequence[TrialCurve], metric: str, objective: Objective, x: XAxis) -> Payload:
    info = build_curves_info(
        curves,
        metric,
        objective,
        best=None,
        mode="selected",
        selected=[curve.number for curve in curves],
        x=x,
        own_colors=True,
    )
    return payload(info._replace(note=""), curves_figure(info))
