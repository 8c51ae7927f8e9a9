"""Lists of sweeps: filter, order, and what each row shows, in a constant number of queries."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    Max,
    OuterRef,
    Q,
    Subquery,
    Sum,
    TextField,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Lower, NullIf

from studio.models import Workspace
from sweeps.domain.objective import Goal
from sweeps.domain.states import FINAL_SWEEP, LIVE_SWEEP, WINNING_TRIAL, SweepStatus, TrialStatus
from sweeps.models import Sweep, Trial
from sweeps.models.sweep import SweepQuerySet
from sweeps.queries.progress import Progress, progress_of
from sweeps.queries.summaries import summaries
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


# What a list may be sorted by; a minus before it turns it round. "" puts active sweeps first.
SORTS = ("name", "trials", "best", "compute", "started", "duration", "by")
# Tags are collected from so many of the newest sweeps, and so many are offered.
_TAGGED, _TAGS = 2_000, 30


@dataclass(frozen=True, slots=True)
class Selection:
    """Which sweeps a list shows, and in which order.

    `group` is a key of GROUPS, `text` stands in names, metric, tags or person, `tag` is the name
    of a tag or name=value, `sort` one of SORTS, perhaps with a minus.
    """

    group: str = ""
    text: str = ""
    tag: str = ""
    sort: str = ""

    @property
    def is_filtered(self) -> bool:
        """True if it may leave sweeps out."""
        return bool(self.group or self.text or self.tag)


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


def sweeps_of(workspaces: Sequence[Workspace]) -> SweepQuerySet:
    """The sweeps of some workspaces, dry runs left out."""
    return Sweep.objects.filter(workspace__in=[row.pk for row in workspaces]).real()


def matching(sweeps: SweepQuerySet, text: str) -> SweepQuerySet:
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


def tagged(sweeps: SweepQuerySet, tag: str) -> SweepQuerySet:
    """Those with the tag: `name`, or `name=value`."""
    name, equals, value = tag.partition("=")
    if not name:
        return sweeps
    # Not by a path in JSON: there a tag named "0" is an index, and one with quotes is not found.
    rows = sweeps.exclude(tags={}).order_by().values_list("pk", "tags")
    fits = (lambda tags: tags.get(name) == value) if equals else (lambda tags: name in tags)
    return sweeps.filter(pk__in=[key for key, tags in rows if fits(tags)])


def tags_of(sweeps: SweepQuerySet) -> list[tuple[str, int]]:
    """The most frequent tags as `name` or `name=value` and how many sweeps have them, by name."""
    newest = sweeps.exclude(tags={}).order_by("-pk").values_list("tags", flat=True)[:_TAGGED]
    found = Counter(
        f"{name}={value}" if value else name
        for tags in newest
        for name, value in tags.items()
        if "=" not in name
    )
    return sorted(found.most_common(_TAGS))


def groups(sweeps: SweepQuerySet) -> list[Group]:
    """The filters with their counts."""
    found = dict(sweeps.order_by().values_list("status").annotate(n=Count("pk")))
    return [
        Group(key, label, sum(found.get(status.value, 0) for status in statuses))
        for key, (label, statuses) in GROUPS.items()
    ]


def in_group(sweeps: SweepQuerySet, group: str) -> SweepQuerySet:
    """The sweeps that a filter keeps."""
    return sweeps.filter(status__in=GROUPS[group][1]) if group else sweeps


def listed(sweeps: SweepQuerySet, now: datetime, sort: str = "") -> SweepQuerySet:
    """In the order asked for; by itself active sweeps first, then the newest start.

    What has no value of what is sorted by comes last.
    """
    rows = sweeps.with_build_states().select_related("workspace", "compute", "created_by")
    start = Coalesce("started_at", "created_at")
    if sort.removeprefix("-") not in SORTS:
        rank = Case(
            When(status__in=LIVE_SWEEP, then=Value(0)),
            default=Value(1),
            output_field=IntegerField(),
        )
        return rows.order_by(rank, start.desc(), "-pk")
    key = _key(sort.removeprefix("-"), now)
    rows = rows.annotate(sorted_by=key)
    by = F("sorted_by")
    order = by.desc(nulls_last=True) if sort.startswith("-") else by.asc(nulls_last=True)
    return rows.order_by(order, "-pk")


def _key(word: str, now: datetime) -> Any:
    """What one of SORTS sorts by."""
    if word == "best":
        own = Trial.objects.filter(sweep=OuterRef("pk"))
        first = {goal: Subquery(own.best_first(goal).values("objective")[:1]) for goal in Goal}
        return Case(
            When(goal=Goal.MINIMIZE, then=first[Goal.MINIMIZE]), default=first[Goal.MAXIMIZE]
        )
    if word == "duration":
        took = Coalesce("ended_at", Value(now)) - F("started_at")
        return ExpressionWrapper(took, output_field=DurationField())
    return {
        "name": Lower(Coalesce(NullIf("display_name", Value("")), "name")),
        "trials": F("planned"),
        "compute": Lower("compute__name"),
        "started": Coalesce("started_at", "created_at"),
        "by": Lower("created_by__username"),
    }[word]


def ended_with_value(sweeps: SweepQuerySet) -> SweepQuerySet:
    """Ended ones that have a best trial, the last to end first."""
    winners = Trial.objects.filter(
        sweep=OuterRef("pk"), status__in=WINNING_TRIAL, objective__isnull=False
    )
    found = sweeps.filter(Exists(winners), status__in=FINAL_SWEEP, ended_at__isnull=False)
    rows = found.select_related("workspace", "compute", "created_by")
    return rows.order_by("-ended_at", "-pk")


def revision(sweeps: SweepQuerySet) -> str:
    """A word that changes whenever a row of the list may look different."""
    figures = sweeps.order_by().aggregate(
        n=Count("pk"), total=Sum("revision"), most=Max("revision")
    )
    return f"{figures['n']}.{figures['total'] or 0}.{figures['most'] or 0}"


def rows(sweeps: Sequence[Sweep], now: datetime) -> list[Row]:
    """What each of the sweeps shows, in the order given; as many queries for many as for one."""
    known = summaries(sweeps)
    waits = Waits(sweeps, now)
    return [
        Row(
            sweep=sweep,
            progress=progress_of(sweep, known[sweep.pk].counts, known[sweep.pk].mean_s, now),
            counts=known[sweep.pk].counts,
            records=known[sweep.pk].records,
            reason=waits.reason(sweep, known[sweep.pk].counts),
        )
        for sweep in sweeps
    ]
