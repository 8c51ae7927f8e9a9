"""Lists of sweeps: filter, order, and what each row shows, in a constant number of queries."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import (
    Avg,
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    IntegerField,
    Max,
    Min,
    Q,
    QuerySet,
    RowRange,
    Sum,
    TextField,
    Value,
    When,
    Window,
)
from django.db.models.functions import Cast, Coalesce

from studio.models import Workspace
from sweeps.domain.objective import Goal
from sweeps.domain.states import (
    LIVE_SWEEP,
    WINNING_TRIAL,
    SweepStatus,
    TrialStatus,
)
from sweeps.models import Sweep, Trial
from sweeps.queries.progress import Progress, progress_of
from sweeps.queries.waiting import Waits

PAGE_SIZE = 25
# The filters above the list: none of their words is a status, so that they may grow.
GROUPS: Mapping[str, tuple[str, frozenset[SweepStatus]]] = {
    "": ("All", frozenset(SweepStatus)),
    "active": ("Active", LIVE_SWEEP),
    "paused": ("Paused", frozenset({SweepStatus.PAUSED})),
    "completed": ("Completed", frozenset({SweepStatus.COMPLETED})),
    "failed": ("Failed", frozenset({SweepStatus.FAILED})),
    "canceled": ("Canceled", frozenset({SweepStatus.CANCELED})),
}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which sweeps a list shows: a key of GROUPS and text in names, metric, tags or person."""

    group: str = ""
    text: str = ""

    @property
    def is_filtered(self) -> bool:
        """True if it may leave sweeps out."""
        return bool(self.group or self.text)


@dataclass(frozen=True, slots=True)
class Group:
    """A filter above the list and how many sweeps it would show."""

    key: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Row:
    """A sweep as lists show it.

    `records` are number and objective of each trial that beat all before it; the last is the best.
    `reason` says why the sweep waits, paused, failed or was canceled.
    """

    sweep: Sweep
    progress: Progress
    counts: Mapping[TrialStatus, int]
    records: tuple[tuple[int, float], ...]
    reason: str

    @property
    def best(self) -> float | None:
        """The best objective so far."""
        return self.records[-1][1] if self.records else None

    @property
    def minimizes(self) -> bool:
        """True if a smaller objective is better."""
        return self.sweep.goal == Goal.MINIMIZE


def sweeps_of(workspaces: Sequence[Workspace]) -> QuerySet[Sweep]:
    """The sweeps of some workspaces, dry runs left out."""
    return Sweep.objects.filter(workspace__in=[row.pk for row in workspaces]).real()


def matching(sweeps: QuerySet[Sweep], text: str) -> QuerySet[Sweep]:
    """Those with `text` in their names, metric, tags or the name of who made them."""
    text = text.strip()
    if not text:
        return sweeps
    return sweeps.annotate(tag_text=Cast("tags", TextField())).filter(
        Q(name__icontains=text)
        | Q(display_name__icontains=text)
        | Q(experiment_name__icontains=text)
        | Q(primary_metric__icontains=text)
        | Q(created_by__username__icontains=text)
        | Q(tag_text__icontains=text)
    )


def groups(sweeps: QuerySet[Sweep]) -> list[Group]:
    """The filters with their counts."""
    found = dict(sweeps.order_by().values_list("status").annotate(n=Count("pk")))
    return [
        Group(key, label, sum(found.get(status.value, 0) for status in statuses))
        for key, (label, statuses) in GROUPS.items()
    ]


def in_group(sweeps: QuerySet[Sweep], group: str) -> QuerySet[Sweep]:
    """The sweeps that a filter keeps."""
    return sweeps.filter(status__in=GROUPS[group][1]) if group else sweeps


def listed(sweeps: QuerySet[Sweep]) -> QuerySet[Sweep]:
    """Active sweeps first, then by start, the newest first."""
    rank = Case(
        When(status__in=LIVE_SWEEP, then=Value(0)), default=Value(1), output_field=IntegerField()
    )
    start = Coalesce("started_at", "created_at")
    rows = sweeps.select_related("workspace", "compute", "created_by")
    return rows.order_by(rank, start.desc(), "-pk")


def revision(sweeps: QuerySet[Sweep]) -> str:
    """A word that changes whenever a row of the list may look different."""
    figures = sweeps.order_by().aggregate(
        n=Count("pk"), total=Sum("revision"), most=Max("revision")
    )
    return f"{figures['n']}.{figures['total'] or 0}.{figures['most'] or 0}"


def rows(sweeps: Sequence[Sweep], now: datetime) -> list[Row]:
    """What each of the sweeps shows, in the order given; five queries, however many there are."""
    keys = [sweep.pk for sweep in sweeps]
    counts, means, records = counts_of(keys), _means(keys), _records(keys)
    waits = Waits(sweeps, now)
    return [
        Row(
            sweep=sweep,
            progress=progress_of(sweep, counts[sweep.pk], means.get(sweep.pk), now),
            counts=counts[sweep.pk],
            records=tuple(records[sweep.pk]),
            reason=waits.reason(sweep, counts[sweep.pk]),
        )
        for sweep in sweeps
    ]


def counts_of(keys: Sequence[int]) -> dict[int, Counter[TrialStatus]]:
    """By sweep id: how many trials stand in each status."""
    found: dict[int, Counter[TrialStatus]] = {key: Counter() for key in keys}
    trials = Trial.objects.filter(sweep__in=keys).order_by()
    for key, status, n in trials.values_list("sweep", "status").annotate(n=Count("pk")):
        found[key][TrialStatus(status)] = n
    return found


def _means(keys: Sequence[int]) -> dict[int, float]:
    took = ExpressionWrapper(F("ended_at") - F("started_at"), output_field=DurationField())
    ended = Trial.objects.filter(sweep__in=keys, started_at__isnull=False, ended_at__isnull=False)
    means: dict[int, timedelta] = dict(
        ended.order_by().values_list("sweep").annotate(mean=Avg(took))
    )
    return {key: mean.total_seconds() for key, mean in means.items()}


def _records(keys: Sequence[int]) -> dict[int, list[tuple[int, float]]]:
    """By sweep: number and objective of each trial that beat all trials before it.

    The database finds them: of 100,000 trials only some ten are records.
    """
    loss = Case(
        When(sweep__goal=Goal.MAXIMIZE, then=-F("objective")),
        default=F("objective"),
        output_field=FloatField(),
    )
    before = Window(Min(loss), partition_by=F("sweep"), order_by="number", frame=RowRange(None, -1))
    winners = Trial.objects.filter(
        sweep__in=keys, status__in=WINNING_TRIAL, objective__isnull=False
    )
    better = winners.annotate(loss=loss, before=before).filter(
        Q(before=None) | Q(loss__lt=F("before"))
    )
    found: dict[int, list[tuple[int, float]]] = {key: [] for key in keys}
    for key, number, value in better.order_by("number").values_list("sweep", "number", "objective"):
        if value is not None:
            found[key].append((number, value))
    return found
