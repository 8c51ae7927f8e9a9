"""Whom to tell of what, and what waits to be told."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from studio.models import Workspace
from sweeps.domain.notices import TOPICS, Event, Topic
from sweeps.models import Channel, Delivery, Trial
from sweeps.queries.prepared import Prepared

_OPEN = (Delivery.WAITING, Delivery.SENDING)
# What one look takes up; the next finds the rest.
_MOST = 20


def _wanting(topics: Collection[Topic]) -> Prepared[Channel]:
    """By the sweep's id, because every end of a trial asks, and mostly to find nobody."""
    wanted = Q(*[(f"on_{topic}", True) for topic in topics], _connector=Q.OR)

    def of_sweep(sweep_id: Any) -> QuerySet[Channel, Channel]:
        real = Q(workspace__sweeps=sweep_id, workspace__sweeps__is_dry_run=False)
        shown = Q(workspace__archived_at=None, is_on=True)
        return Channel.objects.filter(wanted, real, shown).order_by("pk")

    return Prepared(of_sweep)


_LISTENERS: Mapping[Event, Prepared[Channel]] = {
    event: _wanting(topics) for event, topics in TOPICS.items()
}


def listeners(sweep_id: int, event: Event) -> list[Channel]:
    """The channels that want to be told of this; none for dry runs and in archived workspaces."""
    return _LISTENERS[event](sweep_id)


def is_new_best(trial: Trial, goal: str) -> bool:
    """True if this ended trial is better than all others of its sweep."""
    first = Trial.objects.filter(sweep=trial.sweep_id).best_first(goal)
    found = list(first.values_list("pk", "objective")[:2])
    if not found or found[0][0] != trial.pk:
        return False
    return len(found) == 1 or found[0][1] != found[1][1]


def last_best(channel: Channel, sweep_id: int) -> Delivery | None:
    """The newest of what the channel was to be told of new bests of the sweep."""
    told = Delivery.objects.filter(channel=channel, sweep=sweep_id, event=Event.NEW_BEST)
    return told.order_by("-pk").first()


@Prepared
def _any_due(now: Any) -> QuerySet[Delivery, int]:
    due = Delivery.objects.filter(state__in=_OPEN, due_at__lte=now)
    return due.order_by().values_list("pk", flat=True)[:1]


def due_deliveries(now: datetime, busy: Collection[int] = ()) -> list[tuple[int, int]]:
    """Ids of deliveries that are due and of their channels, without those of `busy` channels."""
    if not _any_due(now):
        return []
    due = Delivery.objects.filter(state__in=_OPEN, due_at__lte=now).exclude(channel__in=busy)
    return list(due.order_by("due_at", "pk").values_list("pk", "channel_id")[:_MOST])


def channels_of(workspace: Workspace) -> list[Channel]:
    """All channels of a workspace."""
    return list(Channel.objects.filter(workspace=workspace))


def recent_deliveries(workspace: Workspace, most: int = 50) -> list[Delivery]:
    """The newest first, what failed for good before all else."""
    rows = Delivery.objects.filter(channel__workspace=workspace).select_related("channel")
    newest = list(rows.order_by("-created_at", "-pk")[:most])
    failed = rows.filter(state=Delivery.FAILED).exclude(pk__in=[row.pk for row in newest])
    return [*newest, *failed.order_by("-created_at", "-pk")[:most]]
