"""Rows as the frozen records that planner, samplers, policies and charts take."""

from collections import Counter
from collections.abc import Iterable, Sequence

from django.db.models import Count, QuerySet

from sweeps.domain.job import EarlyTermination, FailurePolicy, Sampling, StopRules
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.records import TrialRecord
from sweeps.domain.space import SearchSpace
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import TrialStatus
from sweeps.models import Sweep, Trial
from sweeps.queries.prepared import Prepared


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


def warm_records(sweep: Sweep) -> tuple[TrialRecord, ...]:
    """What a bayesian sweep knows of earlier ones: completed trials, numbered below its own."""
    warm = sweep.warm_start if sweep.sampling.get("algorithm") == "bayesian" else []
    return tuple(
        TrialRecord(
            number=place - len(warm),
            status=TrialStatus.COMPLETED,
            params=one["params"],
            objective=one["value"],
        )
        for place, one in enumerate(warm)
    )


def trial_counts(sweep: Sweep) -> Counter[TrialStatus]:
    """How many trials stand in each status."""
    rows = sweep.trials.order_by().values_list("status").annotate(count=Count("pk"))
    return Counter({TrialStatus(status): count for status, count in rows})


def best_trial(sweep: Sweep) -> Trial | None:
    """The best trial so far: an indexed query, so it can never be stale."""
    return next(iter(best_two(sweep)), None)


def best_two(sweep: Sweep) -> list[Trial]:
    """The best trial and the next best one, as far as there are."""
    return _BEST_TWO[Goal(sweep.goal)](sweep.pk)


def _best_two(goal: Goal) -> Prepared[Trial]:
    @Prepared
    def rows(sweep_id: int) -> QuerySet[Trial]:
        return Trial.objects.filter(sweep=sweep_id).best_first(goal)[:2]

    return rows


_BEST_TWO = {goal: _best_two(goal) for goal in Goal}


def commonest_reason(sweep: Sweep) -> str:
    """The most frequent reason among trials that did not succeed."""
    reasons = sweep.trials.exclude(reason="").exclude(status=TrialStatus.COMPLETED)
    counted = reasons.order_by().values("reason").annotate(count=Count("pk"))
    first = counted.order_by("-count", "reason").first()
    return first["reason"] if first else ""


def commonest_reasons(keys: Sequence[int]) -> dict[int, str]:
    """The same of several sweeps by id, without those that have none; one query."""
    reasons = Trial.objects.filter(sweep__in=keys).exclude(reason="")
    counted = reasons.exclude(status=TrialStatus.COMPLETED).order_by()
    rows = counted.values_list("sweep", "reason").annotate(count=Count("pk"))
    return {key: reason for key, reason, _ in rows.order_by("count", "-reason")}


def stop_rules_of(sweep: Sweep) -> StopRules:
    """What ends the sweep early."""
    return StopRules(**sweep.stop_rules)


def failure_policy_of(sweep: Sweep) -> FailurePolicy:
    """What follows when its trials fail."""
    return FailurePolicy(**sweep.failure_policy)


def early_termination_of(sweep: Sweep) -> EarlyTermination | None:
    """Its early-termination policy."""
    early = sweep.early_termination
    return EarlyTermination(**early) if early else None
