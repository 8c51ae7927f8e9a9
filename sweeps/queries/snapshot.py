"""What the planner needs to know of a sweep, read at one moment."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from sweeps.domain.records import SweepSnapshot
from sweeps.domain.states import (
    LIVE_TRIAL,
    WINNING_TRIAL,
    Desired,
    SweepStatus,
    TrialStatus,
)
from sweeps.domain.stop_rules import ended_by
from sweeps.models import Attempt, Sweep, Trial
from sweeps.queries.endings import former_end, ran_out
from sweeps.queries.failures import PROBLEMS, failed_in_a_row
from sweeps.queries.prepared import Prepared
from sweeps.queries.records import (
    best_trial,
    commonest_reason,
    failure_policy_of,
    objective_of,
    stop_rules_of,
)
from sweeps.queries.slots import shares


def snapshot(sweep: Sweep, now: datetime) -> SweepSnapshot:
    """The sweep, its trials and its compute as they stand."""
    by_wish = _counts(sweep)
    counts: Counter[TrialStatus] = Counter()
    for (status, _desired), count in by_wish.items():
        counts[status] += count
    ended = not any(not status.is_final and count for status, count in counts.items())
    limit = failure_policy_of(sweep).max_consecutive_failures
    any_failed = limit and any(counts[status] for status in PROBLEMS)
    failed = failed_in_a_row(sweep, limit) if any_failed else []
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
        room=_room(sweep, now),
        has_objective=ended and best_trial(sweep) is not None,
        exhausted=sweep.exhausted,
        exhausted_reason=ran_out(sweep) if ended and sweep.exhausted else "",
        former_end=former_end(sweep) if ended else None,
        commonest_reason=commonest_reason(sweep) if ended else "",
        unclosed_runs=Attempt.objects.unclosed().filter(trial__sweep=sweep).count() if ended else 0,
        waiting=len(_resting(sweep.pk, now)) if counts[TrialStatus.QUEUED] else 0,
        going=sum(by_wish[status, Desired.RUN] for status in LIVE_TRIAL),
        failed_in_a_row=len(failed),
        failure_limit=limit,
        failure_reason=_breaker_reason(failed),
        stop_reason=stop_reason(sweep),
    )


def _counts(sweep: Sweep) -> Counter[tuple[TrialStatus, str]]:
    """How many trials stand in each status, by what is wanted of them."""
    rows = _counted(sweep.pk)
    return Counter({(TrialStatus(status), desired): count for status, desired, count in rows})


@Prepared
def _counted(sweep_id: Any) -> QuerySet[Trial, Any]:
    trials = Trial.objects.filter(sweep=sweep_id).order_by()
    return trials.values_list("status", "desired").annotate(count=Count("pk"))


def _breaker_reason(failed: Sequence[Trial]) -> str:
    if not failed:
        return ""
    common, count = Counter(trial.reason for trial in failed).most_common(1)[0]
    share = "all" if count == len(failed) else f"{count} of them"
    return (
        f"Paused after {len(failed)} failures in a row, {share} with: {common.rstrip('.')}. "
        "Mend the cause and resume the sweep, or clone it with mended code."
    )


def stop_reason(sweep: Sweep) -> str:
    """Which of the sweep's stop rules holds, and by what; "" for none."""
    rules = stop_rules_of(sweep)
    if rules.target_value is None and rules.no_improvement_trials is None:
        return ""
    results = sweep.trials.filter(status__in=WINNING_TRIAL, objective__isnull=False)
    ordered = results.order_by("ended_at", "number").values_list("number", "objective")
    pairs = [(number, value) for number, value in ordered if value is not None]
    return ended_by(rules, objective_of(sweep), pairs)


# --- Slots --------------------------------------------------------------------------------------


@Prepared
def _resting(sweep_id: Any, now: Any) -> QuerySet[Trial, int]:
    """Queued trials that wait before their next try: they take no slot until then."""
    trials = Trial.objects.filter(sweep=sweep_id, status=TrialStatus.QUEUED, not_before__gt=now)
    return trials.order_by().values_list("pk", flat=True)


def _room(sweep: Sweep, now: datetime) -> int:
    """How many more trials of this sweep its compute should take now."""
    if sweep.desired != Desired.RUN:
        return 0
    return shares(sweep.compute_id, sweep.compute.slots, now).for_new(sweep.pk)


def next_in_line(sweep_id: int, now: datetime) -> list[int]:
    """Ids of other sweeps that free slots of this one's compute go to."""
    sweep = Sweep.objects.select_related("compute").only("compute__slots").get(pk=sweep_id)
    found = shares(sweep.compute_id, sweep.compute.slots, now)
    return [pk for pk, share in found.given.items() if share and pk != sweep_id]
