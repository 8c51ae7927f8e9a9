"""What everybody should know of the studio: conditions, and parts that are down."""

from dataclasses import dataclass
from datetime import datetime

from sweeps.models import Condition
from sweeps.queries.waiting import TRACKING, part_down

__all__ = ["TRACKING", "Notice", "holds", "notices"]


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing that holds now; `since` is None where the text says it."""

    text: str
    since: datetime | None = None


def holds(name: str) -> bool:
    """True while the condition is noted."""
    return Condition.objects.filter(name=name).exists()


def notices(now: datetime) -> list[Notice]:
    """What holds, the longest first; two small queries."""
    rows = Condition.objects.order_by("since")
    found = [Notice(row.text, None if row.name == TRACKING else row.since) for row in rows]
    text = part_down(now)
    return [*found, Notice(text)] if text else found
