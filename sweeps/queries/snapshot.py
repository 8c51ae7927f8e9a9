"""What the planner needs to know of a sweep, read at one moment."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db.models import Count, F, OuterRef, QuerySet, Subquery

from sweeps.domain.fair import Claimant, allocate
from sweeps.domain.records import SweepSnapshot
from sweeps.domain.states import (
    ACTIVE_TRIAL,
    LIVE_TRIAL,
    WINNING_TRIAL,
    Desired,
    SweepStatus,
    TrialStatus,
)
from sweeps.domain.stop_rules import ended_by
from sweeps.models import Attempt, Sweep, Trial
from sweeps.queries.failures import PROBLEMS, failed_in_a_row
from sweeps.queries.records import (
    best_trial,
    commonest_reason,
    failure_policy_of,
    objective_of,
    stop_rules_of,
)


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
        commonest_reason=commonest_reason(sweep) if ended else "",
        unclosed_runs=Attempt.objects.unclosed().filter(trial__sweep=sweep).count() if ended else 0,
        waiting=_resting(now).filter(sweep=sweep).count() if counts[TrialStatus.QUEUED] else 0,
        going=sum(by_wish[status, Desired.RUN] for status in LIVE_TRIAL),
        failed_in_a_row=len(failed),
        failure_limit=limit,
        failure_reason=_breaker_reason(failed),
        stop_reason=stop_reason(sweep),
    )


def _counts(sweep: Sweep) -> Counter[tuple[TrialStatus, str]]:
    """How many trials stand in each status, by what is wanted of them."""
    rows = sweep.trials.order_by().values_list("status", "desired").annotate(count=Count("pk"))
    return Counter({(TrialStatus(status), desired): count for status, desired, count in rows})


def _breaker_reason(failed: Sequence[Trial]) -> str:
    if not failed:
        return ""
    common, count = Counter(trial.reason for trial in failed).most_common(1)[0]
    share = "all" if count == len(failed) else f"{count} of them"
    return (
        f"Paused after {len(failed)} failures in a row, {share} with: {common.rstrip('.')}. "
        "Mend the cause, then resume (or stop) the sweep."
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


def _resting(now: datetime) -> QuerySet[Trial]:
    """Queued trials that wait before their next try: they take no slot until then."""
    return Trial.objects.filter(status=TrialStatus.QUEUED, not_before__gt=now)


def _room(sweep: Sweep, now: datetime) -> int:
    """How many more trials of this sweep its compute should take now."""
    if sweep.desired != Desired.RUN:
        return 0
    return _shares(sweep, now).get(sweep.pk, 0)


def _shares(sweep: Sweep, now: datetime) -> Mapping[int, int]:
    """Free slots of the sweep's compute, by the sweep that they go to."""
    taken = _taken(sweep.compute_id, now)
    free = sweep.compute.slots - taken.total()
    if free <= 0:
        return {}
    others = Sweep.objects.live().filter(compute=sweep.compute_id).exclude(pk=sweep.pk)
    if not others.exists():
        wishes = (getattr(sweep, name) for name in _WISHES)
        return {sweep.pk: min(free, _wants(taken[sweep.pk], *wishes))}
    return allocate(free, _claimants(sweep.compute_id, taken))


def next_in_line(sweep_id: int, now: datetime) -> list[int]:
    """Ids of other sweeps that free slots of this one's compute go to."""
    sweep = Sweep.objects.select_related("compute").only("compute__slots").get(pk=sweep_id)
    return [pk for pk, share in _shares(sweep, now).items() if share and pk != sweep_id]


_WISHES = ("desired", "exhausted", "planned", "max_total_trials", "max_concurrent_trials")


def _claimants(compute_id: int, taken: Counter[int]) -> list[Claimant]:
    """Everybody on the compute; those that are being ended hold slots and want none."""
    newest = Trial.objects.filter(sweep=OuterRef("pk")).order_by("-number").values("pk")[:1]
    sweeps = Sweep.objects.live().filter(compute_id=compute_id).annotate(last=Subquery(newest))
    return [
        Claimant(pk, taken[pk], _wants(taken[pk], *wishes), last or 0)
        for pk, last, *wishes in sweeps.values_list("pk", "last", *_WISHES)
    ]


def _wants(
    taken: int, desired: str, exhausted: bool, planned: int, total: int, at_once: int
) -> int:
    """How many more trials a sweep would start now, had it all slots."""
    if desired != Desired.RUN or exhausted:
        return 0
    return max(0, min(total - planned, at_once - taken))


def _taken(compute_id: int, now: datetime) -> Counter[int]:
    """By sweep: trials that hold a slot, or will as soon as the queue gets to them."""
    # A plain question and the rest here: Django takes longer for the conditions of
    # slots.taking(), which says the same, than the database for the answer.
    fields = ("sweep", "status", "desired", "sweep__desired", "not_before")
    trials = Trial.objects.live().filter(sweep__compute=compute_id).order_by()
    taken: Counter[int] = Counter()
    for pk, status, *wishes, rests_until, count in trials.values_list(*fields).annotate(
        n=Count("pk")
    ):
        is_due = rests_until is None or rests_until <= now
        if status in ACTIVE_TRIAL or (is_due and wishes == [Desired.RUN, Desired.RUN]):
            taken[pk] += count
    return taken


def sharing(sweep: Sweep) -> list[int]:
    """Ids of the other live sweeps on the same compute, the one that waited longest first."""
    others = Sweep.objects.live().filter(compute=sweep.compute_id, desired=Desired.RUN)
    others = others.exclude(pk=sweep.pk).filter(planned__lt=F("max_total_trials"), exhausted=False)
    return list(others.order_by("created_at").values_list("pk", flat=True))
