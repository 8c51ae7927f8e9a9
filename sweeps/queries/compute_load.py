"""Slots in use on the computes of a workspace, and what waits for them."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Avg, Count, DurationField, ExpressionWrapper, F, Min

from studio.models import Compute, Workspace
from sweeps.domain.states import LIVE_TRIAL, Desired, SweepStatus, TrialStatus
from sweeps.models import Sweep, Trial
from sweeps.queries.waiting import MOMENT, Waits, down

# How long trials take is told from those that ended since then.
_LATELY = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sweep whose trial `number` starts next, with `more` behind it.

    `place` is its place among those that wait for the compute, None while it is paused;
    `expected_s` when a slot should be free for it, None where nothing tells.
    """

    sweep: Sweep
    number: int
    more: int
    why: str
    since: datetime
    place: int | None
    expected_s: float | None
    # It has as many trials at the same time as it may.
    is_at_limit: bool

    @property
    def is_paused(self) -> bool:
        """It waits for somebody, or for room on the disk, not for a slot."""
        return self.place is None


def computes_of(workspace: Workspace) -> list[Compute]:
    """The computes of a workspace, the default one first."""
    return list(Compute.objects.filter(workspace=workspace))


def slots_used(computes: Sequence[Compute]) -> dict[int, int]:
    """By compute id: slots in use now."""
    active = Trial.objects.active().filter(sweep__compute__in=[row.pk for row in computes])
    found = dict(active.order_by().values_list("sweep__compute").annotate(n=Count("pk")))
    return {row.pk: found.get(row.pk, 0) for row in computes}


def waiting(workspace: Workspace, now: datetime) -> list[Waiting]:
    """Sweeps with trials that wait, in the order in which they get a slot; paused ones last."""
    sweeps = list(
        Sweep.objects.filter(workspace=workspace, desired__in=[Desired.RUN, Desired.PAUSE])
        .live()
        .exclude(status=SweepStatus.STOPPING)
        .select_related("compute", "workspace")
    )
    lines = _lines(sweeps)
    found = sorted((s for s in sweeps if _to_go(s, lines[s.pk])), key=lambda s: _turn(s, lines))
    waits = Waits(found, now)
    frees = _frees(found, now)
    places: dict[int, int] = defaultdict(int)
    return [_waiting(s, lines[s.pk], waits.why(s), places, frees) for s in found]


@dataclass(slots=True)
class _Line:
    """Trials of a sweep that hold a slot, and queued ones: the first, and since when."""

    active: int = 0
    queued: int = 0
    first: int | None = None
    since: datetime | None = None


def _lines(sweeps: Sequence[Sweep]) -> dict[int, _Line]:
    found = {sweep.pk: _Line() for sweep in sweeps}
    live = Trial.objects.filter(sweep__in=found, status__in=LIVE_TRIAL).order_by()
    rows = live.values_list("sweep", "status").annotate(
        n=Count("pk"), first=Min("number"), since=Min("created_at")
    )
    for key, status, count, first, since in rows:
        line = found[key]
        if status == TrialStatus.QUEUED:
            line.queued, line.first, line.since = count, first, since
        else:
            line.active += count
    return found


def _turn(sweep: Sweep, lines: Mapping[int, _Line]) -> tuple[bool, int, int, int]:
    """As the slots are shared: who holds the fewest, among equals who waited longest."""
    return (sweep.desired == Desired.PAUSE, lines[sweep.pk].active, sweep.turn, sweep.pk)


def _to_go(sweep: Sweep, line: _Line) -> int:
    """Trials that have not started: queued ones, and those that are not even planned."""
    unplanned = 0 if sweep.exhausted else sweep.max_total_trials - sweep.planned
    return line.queued + max(0, unplanned)


def _waiting(
    sweep: Sweep,
    line: _Line,
    why: str,
    places: dict[int, int],
    frees: Mapping[int, Sequence[float]],
) -> Waiting:
    place = None
    if sweep.desired != Desired.PAUSE:
        places[sweep.compute_id] += 1
        place = places[sweep.compute_id]
    return Waiting(
        sweep=sweep,
        number=sweep.planned if line.first is None else line.first,
        more=_to_go(sweep, line) - 1,
        why=why,
        since=line.since or sweep.started_at or sweep.created_at,
        place=place,
        expected_s=_expected(sweep, why, place, frees.get(sweep.compute_id, ())),
        is_at_limit=line.active >= sweep.max_concurrent_trials,
    )


def _expected(sweep: Sweep, why: str, place: int | None, frees: Sequence[float]) -> float | None:
    """The slot that falls free as the `place`-th is its own, if it waits for nothing else."""
    if why == MOMENT:
        return 0.0
    if place is None or not sweep.run_id or place > len(frees):
        return None
    return frees[place - 1]


def _frees(sweeps: Sequence[Sweep], now: datetime) -> dict[int, list[float]]:
    """By compute: in how many seconds its slots fall free, as earlier trials took, the first first.

    Trials of sweeps of which nothing has ended are left out.
    """
    computes = {sweep.compute_id for sweep in sweeps}
    if not computes or down(now):
        return {}
    running = Trial.objects.filter(sweep__compute__in=computes, status=TrialStatus.RUNNING)
    rows = list(running.order_by().values_list("sweep", "sweep__compute", "started_at"))
    means = _means({key for key, _, _ in rows}, now)
    found: dict[int, list[float]] = defaultdict(list)
    for key, compute, started in rows:
        if key in means and started:
            found[compute].append(max(1.0, means[key] - (now - started).total_seconds()))
    return {compute: sorted(seconds) for compute, seconds in found.items()}


def _means(keys: set[int], now: datetime) -> dict[int, float]:
    """By sweep id: seconds that trials took which ended lately; without sweeps that have none."""
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    ended = Trial.objects.filter(sweep__in=keys, ended_at__gt=now - _LATELY)
    rows = ended.order_by().values_list("sweep").annotate(mean=Avg(took))
    return {key: mean.total_seconds() for key, mean in rows if mean is not None}
