"""Rows as the frozen records that planner, samplers, policies and charts take."""

from collections import Counter
from collections.abc import Iterable

from django.db.models import Count

from studio.models import Compute
from sweeps.domain.job import Sampling
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.records import SweepSnapshot, TrialRecord
from sweeps.domain.space import SearchSpace
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import (
    ACTIVE_TRIAL,
    Desired,
    SweepStatus,
    TrialStatus,
)
from sweeps.models import Attempt, Sweep, Trial


def objective_of(sweep: Sweep) -> Objective:
    """The objective of a sweep."""
    return Objective(sweep.primary_metric, Goal(sweep.goal))


def space_of(sweep: Sweep) -> SearchSpace:
    """The search space of a sweep, which was checked when it was saved."""
    return parse_space(sweep.search_space)


def sampling_of(sweep: Sweep) -> Sampling:
    """The sampling algorithm of a sweep and its options."""
    return Sampling(**sweep.sampling)


def trial_record(trial: Trial) -> TrialRecord:
    """One trial."""
    return TrialRecord(
        number=trial.number,
        status=TrialStatus(trial.status),
        params=trial.params,
        draw=trial.draw,
        objective=trial.objective,
        last=trial.last_value,
        reports=trial.reports,
        started_at=trial.started_at,
        ended_at=trial.ended_at,
        reason=trial.reason,
        attempt=trial.attempt,
    )


def trial_records(trials: Iterable[Trial]) -> tuple[TrialRecord, ...]:
    """Several trials, in the order given."""
    return tuple(trial_record(trial) for trial in trials)


def free_slots(compute: Compute) -> int:
    """Slots that neither a running nor a queued trial will take."""
    taking = [*ACTIVE_TRIAL, TrialStatus.QUEUED]
    taken = Trial.objects.filter(sweep__compute=compute, status__in=taking).count()
    return compute.slots - taken


def slots_used(compute: Compute) -> int:
    """Slots that a trial takes now."""
    return Trial.objects.filter(sweep__compute=compute).active().count()


def trial_counts(sweep: Sweep) -> Counter[TrialStatus]:
    """How many trials stand in each status."""
    rows = sweep.trials.order_by().values_list("status").annotate(count=Count("pk"))
    return Counter({TrialStatus(status): count for status, count in rows})


def best_trial(sweep: Sweep) -> Trial | None:
    """The best trial so far: an indexed query, so it can never be stale."""
    return Trial.objects.filter(sweep=sweep).best_first(sweep.goal).first()


def commonest_reason(sweep: Sweep) -> str:
    """The most frequent reason among trials that did not succeed."""
    reasons = sweep.trials.exclude(reason="").exclude(status=TrialStatus.COMPLETED)
    counted = reasons.order_by().values("reason").annotate(count=Count("pk"))
    first = counted.order_by("-count", "reason").first()
    return first["reason"] if first else ""


def snapshot(sweep: Sweep) -> SweepSnapshot:
    """What the planner needs to know of a sweep."""
    counts = trial_counts(sweep)
    unclosed = Attempt.objects.unclosed().filter(trial__sweep=sweep)
    ended = not any(not status.is_final and count for status, count in counts.items())
    return SweepSnapshot(
        status=SweepStatus(sweep.status),
        desired=Desired(sweep.desired),
        reason=sweep.reason,
        max_total_trials=sweep.max_total_trials,
        max_concurrent_trials=sweep.max_concurrent_trials,
        timeout_s=sweep.timeout_s,
        started_at=sweep.timed_from,
        planned=sweep.planned,
        counts=counts,
        free_slots=free_slots(sweep.compute),
        has_objective=best_trial(sweep) is not None,
        exhausted=sweep.exhausted,
        commonest_reason=commonest_reason(sweep) if ended else "",
        unclosed_runs=unclosed.count(),
    )
