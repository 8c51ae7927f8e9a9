"""Trials of a sweep as the API shows them, with their metrics."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.api.paging import MOST_WEIGHT
from sweeps.api.words import number
from sweeps.domain.objective import Goal
from sweeps.models import MetricSummary, Sweep, Trial
from sweeps.models.metrics import from_columns
from sweeps.queries.clock import database_now
from sweeps.queries.waiting import why_trials

# Metrics of a page of trials, each with its name.
MOST_METRICS = 50_000
_TOGETHER = 50
# Columns of a trial that no answer tells, and may be as large as its parameters.
UNUSED = ("flat_params", "draw")


def weigh(trial: Trial) -> int:
    """Characters of a trial's parameters, of which it may have a thousand, or long texts."""
    return len(ascii(trial.params))


def some(sweep: Sweep, numbers: Sequence[int]) -> list[Trial]:
    """The trials of these numbers in their order; of large ones the first."""
    found: list[Trial] = []
    left = MOST_WEIGHT
    for start in range(0, len(numbers), _TOGETHER):
        part = numbers[start : start + _TOGETHER]
        rows = Trial.objects.filter(sweep=sweep, number__in=part).defer(*UNUSED)
        known = {trial.number: trial for trial in rows}
        found += [known[number] for number in part]
        left -= sum(map(weigh, known.values()))
        if left < 0:
            break
    return found


def trials_page(trials: Sequence[Trial], sweep: Sweep) -> list[dict[str, Any]]:
    """The first of these trials: as many as have MOST_METRICS metrics together, one at least."""
    metrics: list[dict[str, Any]] = []
    left = MOST_METRICS
    for start in range(0, len(trials), _TOGETHER):
        chunk = trials[start : start + _TOGETHER]
        found = _metrics_of(chunk, sweep, left)
        if found is None:
            metrics += _one_by_one(chunk, sweep, left, is_first=not metrics)
            break
        metrics += found
        left -= sum(map(len, found))
    return _trials(trials[: len(metrics)], metrics, sweep)


def _one_by_one(
    trials: Sequence[Trial], sweep: Sweep, left: int, *, is_first: bool
) -> list[dict[str, Any]]:
    """The metrics of each, up to the first trial that has more than are left."""
    metrics: list[dict[str, Any]] = []
    for trial in trials:
        own = _metrics_of([trial], sweep, None if is_first and not metrics else left)
        if own is None:
            break
        metrics += own
        left = max(0, left - len(own[0]))
    return metrics


def trials_out(trials: Sequence[Trial], sweep: Sweep) -> list[dict[str, Any]]:
    """Trials of a sweep as the API shows them, with one query for all their metrics."""
    return _trials(trials, _metrics_of(trials, sweep, None) or [], sweep)


def _trials(
    trials: Sequence[Trial], metrics: Sequence[dict[str, Any]], sweep: Sweep
) -> list[dict[str, Any]]:
    waiting = why_trials(sweep, trials, database_now())
    return [
        _trial(trial, names, waiting[trial.pk])
        for trial, names in zip(trials, metrics, strict=True)
    ]


def _metrics_of(
    trials: Sequence[Trial], sweep: Sweep, most: int | None
) -> list[dict[str, Any]] | None:
    """By trial its metrics, by name; None if they are more than `most`."""
    metrics: dict[int, dict[str, Any]] = {trial.pk: {} for trial in trials}
    rows = MetricSummary.objects.filter(trial__in=[*metrics]).order_by("name")
    if most is not None and rows.count() > most:
        return None
    for row in rows:
        best = row.lowest if sweep.goal == Goal.MINIMIZE else row.highest
        last = number(from_columns(row.last, row.kind))
        metrics[row.trial_id][row.name] = {"last": last, "best": number(best)}
    return [metrics[trial.pk] for trial in trials]


def _trial(trial: Trial, metrics: Mapping[str, Any], waiting: str) -> dict[str, Any]:
    ended, started = trial.ended_at, trial.started_at
    return {
        "number": trial.number,
        "status": trial.status,
        "reason": trial.reason,
        "waiting": waiting,
        "picked_by": trial.picked_by,
        "pinned": trial.pinned,
        "tags": trial.tags,
        "note": trial.note,
        "params": trial.params,
        "objective": number(trial.objective),
        "metrics": metrics,
        "attempt": trial.attempt,
        "run_id": trial.run_id,
        "started_at": started,
        "ended_at": ended,
        "duration_s": (ended - started).total_seconds() if ended and started else None,
    }
