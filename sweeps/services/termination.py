"""Early termination: each due report of the primary metric is judged, and the judgement kept.

Runs inside the transaction that stores the report, under the sweep's lock, so that a decision
rests on exactly the rows that it names.
"""

from collections.abc import Iterable
from datetime import datetime

from sweeps.domain.job import EarlyTermination
from sweeps.domain.objective import Objective
from sweeps.domain.states import Desired
from sweeps.domain.termination import registry
from sweeps.domain.termination.base import Decision, Interval, Standing
from sweeps.models import Attempt, MetricPoint, TerminationDecision, Trial
from sweeps.queries.standings import standings


def judge_reports(
    attempt: Attempt,
    trial: Trial,
    early: EarlyTermination,
    objective: Objective,
    points: Iterable[MetricPoint],
    now: datetime,
) -> Decision | None:
    """Judge new reports in their order; the decision that stops the trial, None if it goes on.

    A trial that is already wanted stopped is judged no more: what it still logs is only kept.
    """
    if trial.desired != Desired.RUN:
        return None
    for point in points:
        if not registry.is_due(early, point.report):
            continue
        decision = _decide(attempt, trial, early, objective, point)
        if decision is None:
            continue
        _keep(attempt, decision, now)
        if decision.stop:
            _want_stopped(trial, decision)
            return decision
    return None


def _decide(
    attempt: Attempt,
    trial: Trial,
    early: EarlyTermination,
    objective: Objective,
    point: MetricPoint,
) -> Decision | None:
    interval = Interval(
        report=point.report,
        objective=objective,
        own=Standing(trial.number, point.best, point.mean),
        others=standings(trial, objective.primary_metric, point.report),
    )
    return registry.decide(early, interval)


def _keep(attempt: Attempt, decision: Decision, now: datetime) -> None:
    TerminationDecision.objects.create(
        attempt=attempt,
        report=decision.report,
        policy=decision.policy,
        stop=decision.stop,
        value=decision.value,
        threshold=decision.threshold,
        reason=decision.reason,
        numbers=dict(decision.numbers),
        at=now,
    )


def _want_stopped(trial: Trial, decision: Decision) -> None:
    trial.desired, trial.reason = Desired.TERMINATE_EARLY, decision.reason
    rows = Trial.objects.active().filter(pk=trial.pk, desired=Desired.RUN)
    rows.update(desired=trial.desired, reason=trial.reason)
