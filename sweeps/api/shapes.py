"""What the API answers: the public shapes of sweeps and trials; programs rely on them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.conf import settings
from ninja import Schema

from sweeps.api.words import BuildState, GoalWord, Number, SweepState, TrialState, number
from sweeps.domain.states import TrialStatus
from sweeps.models import (
    Revision,
    Sweep,
    TerminationDecision,
    Trial,
)
from sweeps.queries.best import best_of_each
from sweeps.queries.clock import database_now
from sweeps.queries.failure_groups import FailureGroup
from sweeps.queries.records import (
    early_termination_of,
    failure_policy_of,
    stop_rules_of,
)
from sweeps.queries.summaries import counts_of
from sweeps.queries.waiting import Waits


class ObjectiveOut(Schema):
    """Primary metric and goal."""

    primary_metric: str
    goal: GoalWord


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


class StopRulesOut(Schema):
    """What ends the sweep early; null: that rule is off."""

    target_value: float | None
    no_improvement_trials: int | None


class FailurePolicyOut(Schema):
    """What follows when trials fail; `max_consecutive_failures` 0: never pause for it."""

    max_consecutive_failures: int
    retries: int
    infrastructure_retries: int


class UsedEnvironmentOut(Schema):
    """The environment that trials run in; `state` is how far it is built, null for a Python."""

    name: str
    state: BuildState | None


class SweepOut(Schema):
    """A sweep job.

    `experiment_name` is that of its runs in MLflow, `compute` where its trials run. `waiting` is
    why its next trial has not started, "" when none waits; `paused_by` is person,
    breaker or disk while it is paused; `environment` is null for the compute's own Python.
    """

    name: str
    display_name: str
    description: str
    tags: dict[str, str]
    experiment_name: str
    workspace: str
    compute: str
    status: SweepState
    reason: str
    waiting: str
    paused_by: str
    notes: list[str]
    revision: int
    objective: ObjectiveOut
    limits: LimitsOut
    early_termination: dict[str, Any] | None
    stop_rules: StopRulesOut
    failure_policy: FailurePolicyOut
    logged_models: str
    preload: bool
    environment: UsedEnvironmentOut | None
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
    """A trial. `objective` is the best finite value, null when there is none.

    `waiting` is why a queued or starting one does not run yet; `picked_by` names the person who
    chose its point, "" where the sampling algorithm did. `pinned`, `tags` and `note` are what
    people noted on it.
    """

    number: int
    status: TrialState
    reason: str
    waiting: str
    picked_by: str
    pinned: bool
    tags: list[str]
    note: str
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


class RevisionOut(Schema):
    """An edit. `changes` has before and after by field; `trial_number` was the next trial's."""

    number: int
    text: str
    changes: dict[str, list[Any]]
    trial_number: int
    actor: str
    at: datetime


class FailureOut(Schema):
    """Trials that ended badly in the same way; `example` is the newest of them."""

    signature: str
    count: int
    numbers: list[int]
    example: int
    status: TrialState
    reason: str


class DecisionOut(Schema):
    """What an early-termination policy decided at a report, and from which numbers."""

    attempt: int
    report: int
    policy: str
    stop: bool
    value: Number
    threshold: Number
    reason: str
    numbers: dict[str, Number]
    at: datetime


class RerunOut(Schema):
    """Which trials run again, and the sweep as it is now."""

    rerun: list[int]
    sweep: SweepOut


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
    return sweeps_out([sweep])[0]


# Columns of a sweep that no answer tells, and may have some 100 KiB.
UNUSED = (
    "search_space", "first_trials", "warm_start", "inputs", "outputs", "packages",
    "environment_variables", "git",
)  # fmt: skip


def weigh(sweep: Any) -> int:
    """Characters of what is told of a sweep, about, with the parameters of its best trial, which
    are hardly longer than its search space (its `size`)."""
    told = (sweep.notes, sweep.tags, sweep.properties, sweep.description)
    return int(sweep.size) + sum(len(ascii(one)) for one in told)


def sweeps_out(sweeps: Sequence[Sweep]) -> list[dict[str, Any]]:
    """Sweeps as the API shows them; why they wait is read once for all."""
    waits = Waits(sweeps, database_now())
    best, counts = best_of_each(sweeps), counts_of([sweep.pk for sweep in sweeps])
    return [
        _sweep(sweep, waits.why(sweep), best.get(sweep.pk), counts[sweep.pk]) for sweep in sweeps
    ]


def _sweep(
    sweep: Sweep, waiting: str, best: Trial | None, counts: Mapping[TrialStatus, int]
) -> dict[str, Any]:
    properties = {**sweep.properties}
    if best:
        properties["best_child_run_id"] = best.run_id
    return {
        "name": sweep.name,
        "display_name": sweep.display_name,
        "description": sweep.description,
        "tags": sweep.tags,
        "experiment_name": sweep.experiment_name,
        "workspace": sweep.workspace.name,
        "compute": sweep.compute.name,
        "status": sweep.status,
        "reason": sweep.reason,
        "waiting": waiting,
        "paused_by": sweep.paused_by,
        "notes": sweep.notes,
        "revision": sweep.revision,
        "objective": {"primary_metric": sweep.primary_metric, "goal": sweep.goal},
        **_rules(sweep),
        "environment": _environment(sweep),
        "counts": {status.value: count for status, count in counts.items()},
        "best_trial": best and _best(best),
        "services": {"Studio": {"endpoint": settings.STUDIO_URL + sweep.get_absolute_url()}},
        "properties": properties,
        "created_at": sweep.created_at,
        "started_at": sweep.started_at,
        "ended_at": sweep.ended_at,
    }


def _environment(sweep: Sweep) -> dict[str, Any] | None:
    build = sweep.environment_build
    if build is None and not sweep.environment_name:
        return None
    return {"name": sweep.environment_name, "state": build and build.state}


def _rules(sweep: Sweep) -> dict[str, Any]:
    early = early_termination_of(sweep)
    return {
        "limits": {
            "max_total_trials": sweep.max_total_trials,
            "max_concurrent_trials": sweep.max_concurrent_trials,
            "timeout": sweep.timeout_s,
            "trial_timeout": sweep.trial_timeout_s,
        },
        "early_termination": {"type": early.type, **early.options} if early else None,
        "stop_rules": asdict(stop_rules_of(sweep)),
        "failure_policy": asdict(failure_policy_of(sweep)),
        "logged_models": sweep.logged_models,
        "preload": sweep.preload,
    }


def _best(trial: Trial) -> dict[str, Any]:
    return {
        "number": trial.number,
        "value": number(trial.objective),
        "params": trial.params,
        "run_id": trial.run_id,
    }


def revisions_out(revisions: Sequence[Revision]) -> list[dict[str, Any]]:
    """Edits as the API shows them."""
    return [
        {name: getattr(revision, name) for name in RevisionOut.model_fields}
        for revision in revisions
    ]


def failures_out(groups: Sequence[FailureGroup]) -> list[dict[str, Any]]:
    """Groups of failed trials as the API shows them."""
    return [
        {
            "signature": group.signature,
            "count": group.count,
            "numbers": group.numbers,
            "example": group.example.number,
            "status": group.example.status,
            "reason": group.example.reason,
        }
        for group in groups
    ]


def decisions_out(decisions: Sequence[TerminationDecision]) -> list[dict[str, Any]]:
    """Early-termination decisions as the API shows them."""
    return [
        {
            "attempt": decision.attempt.number,
            "report": decision.report,
            "policy": decision.policy,
            "stop": decision.stop,
            "value": number(decision.value),
            "threshold": number(decision.threshold),
            "reason": decision.reason,
            "numbers": {name: number(value) for name, value in decision.numbers.items()},
            "at": decision.at,
        }
        for decision in decisions
    ]


def dumps(body: Any) -> str:
    """JSON text of an answer that is not one of the schemas above."""
    return json.dumps(body, default=str, allow_nan=False)
