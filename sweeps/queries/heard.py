"""What has happened lately to the sweeps of a person: what the open pages of a browser tell.

Read from the state log when somebody asks; where nobody does, it costs nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import F, Q, QuerySet

from studio.models import User
from sweeps.domain.notices import Event, event_of
from sweeps.domain.states import FINAL_SWEEP, WINNING_TRIAL, PausedBy, SweepStatus
from sweeps.models import StateChange, Sweep
from sweeps.queries.best import best_of_each

# A browser that slept through more than so many changes hears of the latest only.
_REACH = 20_000
_MOST = 20
_STUDIO = "studio"


@dataclass(frozen=True, slots=True)
class Heard:
    """`key` is what no other event is called."""

    key: str
    sweep: Sweep
    event: Event
    at: datetime


def newest_change() -> int:
    """The end of the state log, from which on to listen."""
    return StateChange.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def heard(user: User, after: int, upto: int, also: tuple[str, str] | None) -> list[Heard]:
    """Events between two places in the log: of sweeps that the person submitted, unless their
    workspace is archived, and of one more (workspace and name), which the page shows. Of each
    sweep the latest, its end before a best."""
    wanted = Q(created_by=user, workspace__archived_at=None)
    if also is not None:
        wanted |= Q(workspace__name=also[0], name=also[1])
    sweeps = Sweep.objects.allowed(user).real().filter(wanted)
    changes = StateChange.objects.filter(
        pk__gt=max(after, upto - _REACH), pk__lte=upto, sweep__in=sweeps
    )
    found = {one.sweep.pk: one for one in _bests(changes)} | {
        one.sweep.pk: one for one in _turns(changes)
    }
    return sorted(found.values(), key=lambda one: one.at)[-_MOST:]


def _turns(changes: QuerySet[StateChange]) -> list[Heard]:
    """Ends, and pauses by the studio itself."""
    rows = changes.filter(trial=None, after__in=[*FINAL_SWEEP, SweepStatus.PAUSED])
    rows = rows.exclude(before=F("after")).select_related("sweep__workspace").order_by("pk")
    found = []
    for row in rows:
        by = PausedBy.BREAKER if row.actor == _STUDIO else PausedBy.PERSON
        event = event_of(row.after, by)
        if event is not None:
            found.append(Heard(f"change-{row.pk}", row.sweep, event, row.at))
    return found


def _bests(changes: QuerySet[StateChange]) -> list[Heard]:
    """Sweeps whose best trial is one of those that have ended meanwhile."""
    rows = changes.filter(trial__isnull=False, after__in=WINNING_TRIAL).order_by()
    ended = dict(rows.values_list("trial", "sweep"))
    if not ended:
        return []
    sweeps = Sweep.objects.filter(pk__in=set(ended.values())).select_related("workspace")
    best = best_of_each(list(sweeps))
    return [
        Heard(
            f"best-{trial.pk}-{trial.attempt}",
            sweep,
            Event.NEW_BEST,
            trial.ended_at or sweep.created_at,
        )
        for sweep in sweeps
        if (trial := best.get(sweep.pk)) is not None and trial.pk in ended
    ]
