"""What runs on the computes of a workspace, and what waits for them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min, Q, QuerySet
from django.db.models.functions import Coalesce

from studio.models import Compute, Workspace
from sweeps.domain.states import Desired, SweepStatus, TrialStatus
from sweeps.models import Attempt, Sweep, Trial
from sweeps.queries.waiting import Waits

# The picture shows the shortest of these that holds all recent trials, with four ticks.
WINDOWS = (timedelta(minutes=4), timedelta(minutes=8), timedelta(minutes=20))
TICKS = 4
# More lanes than this are no picture any more, and more bars than this no page.
MOST_LANES = 32
_MOST_BARS = 1500


@dataclass(frozen=True, slots=True)
class Bar:
    """An attempt on a lane, from and to in percent of the window."""

    attempt: Attempt
    start: float
    end: float

    @property
    def trial(self) -> Trial:
        """The trial it belongs to."""
        return self.attempt.trial

    @property
    def status(self) -> str:
        """The trial's status for its newest attempt, else that of a lost one."""
        if self.attempt.number == self.trial.attempt:
            return self.trial.status
        return TrialStatus.LOST.value


@dataclass(frozen=True, slots=True)
class Lane:
    """A slot: its bars, and the trial that holds it now."""

    number: int
    bars: tuple[Bar, ...]
    holder: Trial | None


@dataclass(frozen=True, slots=True)
class Load:
    """A compute and its lanes; `hidden` lanes are not drawn."""

    compute: Compute
    used: int
    lanes: tuple[Lane, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A sweep whose trial `number` starts next, with `more` behind it."""

    sweep: Sweep
    number: int
    more: int
    why: str
    since: datetime
    is_paused: bool


def computes_of(workspace: Workspace) -> list[Compute]:
    """The computes of a workspace, the default one first."""
    return list(Compute.objects.filter(workspace=workspace))


def slots_used(computes: Sequence[Compute]) -> dict[int, int]:
    """By compute id: slots in use now."""
    active = Trial.objects.active().filter(sweep__compute__in=[row.pk for row in computes])
    found = dict(active.order_by().values_list("sweep__compute").annotate(n=Count("pk")))
    return {row.pk: found.get(row.pk, 0) for row in computes}


def recent_attempts(computes: Sequence[Compute], now: datetime) -> list[Attempt]:
    """What ran on the computes within the longest window, in the order of its start."""
    attempts = (
        Attempt.objects.filter(trial__sweep__compute__in=[row.pk for row in computes])
        .filter(Q(ended_at=None) | Q(ended_at__gt=now - WINDOWS[-1]))
        .select_related("trial__sweep__workspace")
        .order_by(Coalesce("started_at", "created_at").desc(), "-pk")[:_MOST_BARS]
    )
    return list(reversed(attempts))


def window_of(attempts: Sequence[Attempt], now: datetime) -> timedelta:
    """How far back the lanes reach."""
    oldest = min((_began(attempt) for attempt in attempts), default=now)
    return next((window for window in WINDOWS if now - window <= oldest), WINDOWS[-1])


def loads(
    computes: Sequence[Compute], attempts: Sequence[Attempt], window: timedelta, now: datetime
) -> list[Load]:
    """Each compute with its lanes over the last minutes."""
    by_compute: dict[int, list[Attempt]] = {row.pk: [] for row in computes}
    for attempt in attempts:
        by_compute[attempt.trial.sweep.compute_id].append(attempt)
    return [_load(compute, by_compute[compute.pk], window, now) for compute in computes]


def _began(attempt: Attempt) -> datetime:
    return attempt.started_at or attempt.created_at


def _load(compute: Compute, attempts: Sequence[Attempt], window: timedelta, now: datetime) -> Load:
    since = now - window
    lanes: list[list[Bar]] = [[] for _ in range(compute.slots)]
    # None: the trial there has not ended.
    free_from: list[datetime | None] = [since] * compute.slots
    for attempt in attempts:
        begin = max(_began(attempt), since)
        lane = next((i for i, at in enumerate(free_from) if at and at <= begin), len(lanes))
        if lane == len(lanes):  # slots were taken away while trials ran
            lanes.append([])
            free_from.append(None)
        free_from[lane] = attempt.ended_at
        bar = Bar(
            attempt, _share(begin, since, window), _share(attempt.ended_at or now, since, window)
        )
        lanes[lane].append(bar)
    drawn = tuple(_lane(i, bars) for i, bars in enumerate(lanes[:MOST_LANES], start=1))
    used = sum(attempt.ended_at is None for attempt in attempts)
    return Load(compute, used, drawn, max(0, len(lanes) - MOST_LANES))


def _lane(number: int, bars: Sequence[Bar]) -> Lane:
    open_bars = [bar for bar in bars if bar.attempt.ended_at is None]
    return Lane(number, tuple(bars), open_bars[-1].trial if open_bars else None)


def _share(moment: datetime, since: datetime, window: timedelta) -> float:
    return round(min(100.0, max(0.0, 100 * ((moment - since) / window))), 2)


def ticks(window: timedelta, now: datetime) -> list[datetime]:
    """The moments under the lanes, the last one is now."""
    return [now - window * (TICKS - i) / TICKS for i in range(TICKS + 1)]


def waiting(workspace: Workspace, now: datetime) -> list[Waiting]:
    """Sweeps with trials that wait, in the order in which they will be looked at."""
    queued = Q(trials__status=TrialStatus.QUEUED)
    sweeps: QuerySet[Sweep] = (
        Sweep.objects.filter(workspace=workspace, desired__in=[Desired.RUN, Desired.PAUSE])
        .live()
        .exclude(status=SweepStatus.STOPPING)
        .select_related("compute", "workspace")
        .annotate(
            queued=Count("trials", filter=queued),
            first=Min("trials__number", filter=queued),
            queued_at=Min("trials__created_at", filter=queued),
        )
        .order_by("created_at", "pk")
    )
    found = list(sweeps)
    waits = Waits(found, now)
    return [_waiting(sweep, waits) for sweep in found if _to_go(sweep)]


def _to_go(sweep: Sweep) -> int:
    """Trials that have not started: queued ones, and those that are not even planned."""
    unplanned = 0 if sweep.exhausted else sweep.max_total_trials - sweep.planned
    queued: int = sweep.queued  # type: ignore[attr-defined]
    return queued + max(0, unplanned)


def _waiting(sweep: Sweep, waits: Waits) -> Waiting:
    first: int | None = sweep.first  # type: ignore[attr-defined]
    queued_at: datetime | None = sweep.queued_at  # type: ignore[attr-defined]
    return Waiting(
        sweep=sweep,
        number=sweep.planned if first is None else first,
        more=_to_go(sweep) - 1,
        why=waits.why(sweep),
        since=queued_at or sweep.created_at,
        is_paused=SweepStatus(sweep.status) is SweepStatus.PAUSED,
    )
