"""Figures of a sweep and of a trial, as pages get them: rows to records to payloads."""

from collections.abc import Sequence
from typing import Any, Literal

from sweeps.charts.cards import trial_cards
from sweeps.charts.curves_figure import curves_figure
from sweeps.charts.figure import payload
from sweeps.charts.metric_curves import TrialCurve, build_curves_info, build_trial_curves_info
from sweeps.charts.objective_history import Edit, build_objective_info, objective_figure
from sweeps.charts.parallel_coordinates import build_parallel_info
from sweeps.charts.parallel_figure import parallel_figure
from sweeps.domain.edits import TEXTS
from sweeps.domain.states import SweepStatus, TrialStatus
from sweeps.models import Revision, Sweep, Trial
from sweeps.queries.records import (
    best_trial,
    objective_of,
    space_of,
    trial_records,
)
from sweeps.queries.trial_table import best_order
from sweeps.queries.trials import (
    curves,
    metric_names,
    metric_points,
    ordered,
    parameter_columns,
)

Payload = dict[str, Any]
CurveMode = Literal["best", "selected", "all"]
BEST_CURVES = 5
# One SVG line each: more are neither readable nor quick.
MOST_CURVES = 100


def sweep_figures(sweep: Sweep, mode: CurveMode = "best", metric: str = "") -> dict[str, Payload]:
    """By element id: objective history, parallel coordinates, metric curves."""
    records = trial_records(sweep.trials.order_by("number"))
    objective = objective_of(sweep)
    seen = metric_names(sweep)
    final = SweepStatus(sweep.status).is_final
    history = build_objective_info(
        records,
        objective,
        total=sweep.planned if sweep.exhausted else sweep.max_total_trials,
        edits=_edits(sweep),
        seen_metrics=seen,
        final=final,
    )
    parallel = build_parallel_info(
        records, space_of(sweep), objective, seen_metrics=seen, final=final
    )
    cards = trial_cards(records, objective, parameter_columns(sweep))
    return {
        "chart-objective": payload(history, objective_figure(history), cards=cards),
        "chart-parallel": payload(parallel, parallel_figure(parallel)),
        "chart-curves": curves_payload(sweep, mode, metric),
    }


# What the words of an edit may take of the chart.
_LINES, _SHORT = 2, 40


def _edits(sweep: Sweep) -> list[Edit]:
    """Edits of what decides on trials, where they were made; new names and tags are none."""
    return [
        Edit(row.trial_number, f"{_drawn(row)}\nby {row.actor}, {row.at:%H:%M} UTC")
        for row in sweep.revisions.order_by("number")
        if set(row.changes) - set(TEXTS)
    ]


def _drawn(row: Revision) -> str:
    """The edit in a few short lines; the Config tab has it in full."""
    parts = [part for part in row.text.split("; ") if not part.endswith(" edited")]
    short = [
        part if len(part) <= _SHORT else f"{part.partition(' → ')[2] or part}"[:_SHORT]
        for part in parts[:_LINES]
    ]
    more = len(parts) - _LINES
    return "\n".join([*short, *([f"and {more} more"] if more > 0 else [])])


def curves_payload(sweep: Sweep, mode: CurveMode = "best", metric: str = "") -> Payload:
    """Curves of one metric: of the best five trials and those that run, or of all."""
    metric = metric or sweep.primary_metric
    best = best_trial(sweep)
    trials = _trials_to_draw(sweep, mode)
    info = build_curves_info(
        _curves(trials, metric),
        metric,
        objective_of(sweep),
        best=best.number if best else None,
        mode=mode,
    )
    return payload(info, curves_figure(info))


def _trials_to_draw(sweep: Sweep, mode: CurveMode) -> list[Trial]:
    """The best five and those that run; for "all" others too, a hundred at most."""
    trials = Trial.objects.filter(sweep=sweep).exclude(reports=0)
    chosen = list(trials.best_first(sweep.goal)[:BEST_CURVES])
    chosen += trials.active().order_by("number")[:BEST_CURVES]
    if mode == "all":
        known = {trial.pk for trial in chosen}
        # Trials with nothing but NaN come last: they must not crowd out the others.
        others = ordered(trials.exclude(pk__in=known), best_order(sweep))
        chosen += others[: MOST_CURVES - len(chosen)]
    return chosen


def _curves(trials: Sequence[Trial], metric: str) -> list[TrialCurve]:
    points = curves(trials, metric)
    return [
        TrialCurve(t.number, TrialStatus(t.status), points[t.number], t.objective) for t in trials
    ]


def compare_payload(sweep: Sweep, trials: Sequence[Trial], metric: str) -> Payload:
    """Overlaid curves of chosen trials, each in its own colour."""
    best = best_trial(sweep)
    info = build_curves_info(
        _curves(trials, metric),
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
