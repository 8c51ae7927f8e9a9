"""Who holds the slots of a compute, and whom its free ones go to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, QuerySet

from studio.models import Compute
from sweeps.domain.fair import Claimant, allocate
from sweeps.domain.states import ACTIVE_TRIAL, Desired
from sweeps.models import Sweep, Trial
from sweeps.queries.prepared import Prepared


@dataclass(slots=True)
class Demand:
    """Trials of one sweep: `active` hold a slot, `queued` could start as soon as they get one."""

    active: int = 0
    queued: int = 0


def demands(compute_id: int, now: datetime) -> dict[int, Demand]:
    """By sweep, what its trials hold and wait for on the compute.

    Trials of a paused sweep wait for nothing, nor do those that rest before their next try.
    """
    found: dict[int, Demand] = {}
    for pk, status, *wishes, rests_until, count in _live_trials(compute_id):
        demand = found.setdefault(pk, Demand())
        if status in ACTIVE_TRIAL:
            demand.active += count
        elif wishes == [Desired.RUN, Desired.RUN] and (rests_until is None or rests_until <= now):
            demand.queued += count
    return found


@Prepared
def _live_trials(compute_id: Any) -> QuerySet[Trial, Any]:
    fields = ("sweep", "status", "desired", "sweep__desired", "not_before")
    trials = Trial.objects.live().filter(sweep__compute=compute_id).order_by()
    return trials.values_list(*fields).annotate(n=Count("pk"))


@dataclass(frozen=True, slots=True)
class Shares:
    """Free slots of a compute by the sweep that they go to, and what everybody holds."""

    given: Mapping[int, int]
    demands: Mapping[int, Demand]

    def of(self, sweep_id: int) -> int:
        """How many trials the sweep may start now, queued ones and new ones together."""
        return self.given.get(sweep_id, 0)

    def for_new(self, sweep_id: int) -> int:
        """How many of them are left for trials that are not even queued."""
        return max(0, self.of(sweep_id) - self.demands.get(sweep_id, Demand()).queued)


@Prepared
def _live_sweeps(compute_id: Any) -> QuerySet[Sweep, Any]:
    sweeps = Sweep.objects.live().filter(compute=compute_id)
    wishes = ("desired", "exhausted", "planned", "max_total_trials", "max_concurrent_trials")
    return sweeps.values_list("pk", "turn", *wishes)


def shares(compute_id: int, slots: int, now: datetime) -> Shares:
    """Share the free slots of a compute among the sweeps that want them."""
    held = demands(compute_id, now)
    free = slots - sum(demand.active for demand in held.values())
    if free <= 0:
        return Shares({}, held)
    claimants = [
        Claimant(pk, _of(held, pk).active, _wants(_of(held, pk), *wishes), turn)
        for pk, turn, *wishes in _live_sweeps(compute_id)
    ]
    return Shares(allocate(free, claimants), held)


def shares_of(sweep: Sweep, now: datetime) -> Shares:
    """The shares of the sweep's compute."""
    slots = Compute.objects.values_list("slots", flat=True).get(pk=sweep.compute_id)
    return shares(sweep.compute_id, slots, now)


def _of(held: Mapping[int, Demand], sweep_id: int) -> Demand:
    return held.get(sweep_id, Demand())


def _wants(
    demand: Demand, desired: Any, exhausted: bool, planned: int, total: int, at_once: int
) -> int:
    """How many more trials a sweep would start now, had it all slots."""
    if desired != Desired.RUN:
        return 0
    unplanned = 0 if exhausted else max(0, total - planned)
    return max(0, min(demand.queued + unplanned, at_once - demand.active))
