"""Early termination: each due report of the primary metric is judged, and the judgement kept.

Runs inside the transaction that stores the report, under the sweep's lock, so that a decision
rests on exactly the rows that it names.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from sweeps.domain.job import EarlyTermination
from sweeps.domain.objective import Objective
from sweeps.domain.states import Desired
from sweeps.domain.termination import registry
from sweeps.domain.termination.base import Decision, Interval, Standing
from sweeps.models import Attempt, MetricPoint, TerminationDecision, Trial
from sweeps.queries.standings import standings
from sweeps.services import rows

# Reports judged with one look at the others: a call may bring a thousand.
AT_ONCE = 100


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
    due = [point for point in points if registry.is_due(early, point.report)]
    for start in range(0, len(due), AT_ONCE):
        part = due[start : start + AT_ONCE]
        decisions = list(_decisions(trial, early, objective, part))
        _keep(attempt, decisions, now)
        if decisions and decisions[-1].stop:
            _want_stopped(trial, decisions[-1])
            return decisions[-1]
    return None


def _decisions(
    trial: Trial, early: EarlyTermination, objective: Objective, due: Sequence[MetricPoint]
) -> Iterator[Decision]:
    """The decisions on these reports, up to the first that stops the trial."""
    others = standings(trial, objective.primary_metric, [point.report for point in due])
    for point in due:
        own = Standing(trial.number, point.best, point.mean)
        interval = Interval(point.report, objective, own, others[point.report])
        decision = registry.decide(early, interval)
        if decision is None:
            continue
        yield decision
        if decision.stop:
            return


def _keep(attempt: Attempt, decisions: Sequence[Decision], now: datetime) -> None:
    rows.insert_many(
        [
            TerminationDecision(
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
            for decision in decisions
        ]
    )


def _want_stopped(trial: Trial, decision: Decision) -> None:
    trial.desired, trial.reason = Desired.TERMINATE_EARLY, decision.reason
    found = Trial.objects.active().filter(pk=trial.pk, desired=Desired.RUN)
    found.update(desired=trial.desired, reason=trial.reason)
