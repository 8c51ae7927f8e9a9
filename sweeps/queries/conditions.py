"""What everybody should know of the studio: conditions, and parts that are down."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from sweeps.models import Condition
from sweeps.queries.prepared import Prepared
from sweeps.queries.waiting import TRACKING, part_down

__all__ = ["DISK", "TRACKING", "Notice", "holds", "notices"]

# Less is free than STUDIO_MIN_FREE_MB; sweeps are paused.
DISK = "disk"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that holds now; `since` is None where the text says it."""

    text: str
    since: datetime | None = None


def holds(name: str) -> bool:
    """True while the condition is noted."""
    return Condition.objects.filter(name=name).exists()


@Prepared
def _conditions() -> QuerySet[Condition]:
    return Condition.objects.order_by("since")


def notices(now: datetime) -> list[Notice]:
    """What holds, the longest first; two small queries."""
    found = [Notice(row.text, None if row.name == TRACKING else row.since) for row in _conditions()]
    text = part_down(now)
    return [*found, Notice(text)] if text else found
