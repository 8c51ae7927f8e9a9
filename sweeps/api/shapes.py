"""What the API answers: the public shapes of sweeps and trials; programs rely on them."""

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from ninja import Schema

from sweeps.domain.objective import Goal
from sweeps.domain.states import TrialStatus
from sweeps.models import MetricSummary, Sweep, Trial
from sweeps.models.metrics import from_columns
from sweeps.queries.records import best_trial, trial_counts

Number = float | str | None
_LAST_SECOND = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


def number(value: float | None) -> Number:
    """JSON has no NaN: non-finite numbers are the strings "NaN", "Infinity", "-Infinity"."""
    if value is None or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def moment(timestamp_ms: int) -> datetime:
    """A client's clock; one that is far off stands at the end of time as Python knows it."""
    seconds = min(max(timestamp_ms / 1000, 0), _LAST_SECOND)
    return datetime.fromtimestamp(seconds, UTC)


class ObjectiveOut(Schema):
    """Primary metric and goal."""

    primary_metric: str
    goal: str


class LimitsOut(Schema):
    """Limits; timeouts in seconds."""

    max_total_trials: int
    max_concurrent_trials: int
    timeout: int
    trial_timeout: int | None


class BestOut(Schema):
    """The best trial."""

    number: int
    value: Number
    params: dict[str, Any]
    run_id: str


class ServiceOut(Schema):
    """A page that shows the sweep."""

    endpoint: str


class SweepOut(Schema):
    """A sweep job."""

    name: str
    display_name: str
    workspace: str
    status: str
    reason: str
    notes: list[str]
    revision: int
    objective: ObjectiveOut
    limits: LimitsOut
    counts: dict[str, int]
    best_trial: BestOut | None
    services: dict[str, ServiceOut]
    properties: dict[str, str]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None


class MetricOut(Schema):
    """The last and the best value of a metric (best: in the goal's direction)."""

    last: Number
    best: Number


class TrialOut(Schema):
    """A trial. `objective` is the best finite value, null when there is none."""

    number: int
    status: str
    reason: str
    params: dict[str, Any]
    objective: Number
    metrics: dict[str, MetricOut]
    attempt: int
    run_id: str
    started_at: datetime | None
    ended_at: datetime | None
    duration_s: float | None


class PointOut(Schema):
    """One logged value; `time` is when the script logged it."""

    name: str
    step: int
    value: Number
    time: datetime


class ProblemOut(Schema):
    """One thing to mend."""

    code: str
    message: str
    field: str | None = None
    line: int | None = None
    column: int | None = None


class ErrorOut(Schema):
    """Every error: the first problem, and all of them."""

    error: ProblemOut
    errors: list[ProblemOut]


def sweep_out(sweep: Sweep) -> dict[str, Any]:
    """A sweep as the API shows it."""
    best = best_trial(sweep)
    counts: Counter[TrialStatus] = trial_counts(sweep)
    properties = {**sweep.properties}
    if best:
        properties["best_child_run_id"] = best.run_id
    return {
        "name": sweep.name,
        "display_name": sweep.display_name,
        "workspace": sweep.workspace.name,
        "status": sweep.status,
        "reason": sweep.reason,
        "notes": sweep.notes,
        "revision": sweep.revision,
        "objective": {"primary_metric": sweep.primary_metric, "goal": sweep.goal},
        "limits": {
            "max_total_trials": sweep.max_total_trials,
            "max_concurrent_trials": sweep.max_concurrent_trials,
            "timeout": sweep.timeout_s,
            "trial_timeout": sweep.trial_timeout_s,
        },
        "counts": {status.value: count for status, count in counts.items()},
        "best_trial": best and _best(best),
        "services": {"Studio": {"endpoint": settings.STUDIO_URL + sweep.get_absolute_url()}},
        "properties": properties,
        "created_at": sweep.created_at,
        "started_at": sweep.started_at,
        "ended_at": sweep.ended_at,
    }


def _best(trial: Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "value": number(trial.objective),
        "params": trial.params,
        "run_id": trial.run_id,
    }


def trials_out(trials: Sequence[Trial], goal: str) -> list[dict[str, Any]]:
    """Trials as the API shows them, with one query for all their metrics."""
    metrics: dict[int, dict[str, Any]] = {trial.pk: {} for trial in trials}
    for row in MetricSummary.objects.filter(trial__in=list(metrics)).order_by("name"):
        best = row.lowest if goal == Goal.MINIMIZE else row.highest
        last = number(from_columns(row.last, row.kind))
        metrics[row.trial_id][row.name] = {"last": last, "best": number(best)}
    return [_trial(trial, metrics[trial.pk]) for trial in trials]


def _trial(trial: Trial, metrics: Mapping[str, Any]) -> dict[str, Any]:
    ended, started = trial.ended_at, trial.started_at
    return {
        "number": trial.number,
        "status": trial.status,
        "reason": trial.reason,
        "params": trial.params,
        "objective": number(trial.objective),
        "metrics": metrics,
        "attempt": trial.attempt,
        "run_id": trial.run_id,
        "started_at": started,
        "ended_at": ended,
        "duration_s": (ended - started).total_seconds() if ended and started else None,
    }


def dumps(body: Any) -> str:
    """JSON text of an answer that is not one of the schemas above."""
    return json.dumps(body, default=str, allow_nan=False)
