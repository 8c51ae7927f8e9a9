"""What everybody should know of the studio: conditions, and parts that are down."""

from dataclasses import dataclass
from datetime import datetime

from sweeps.models import Condition
from sweeps.queries.waiting import down


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
    found = [Notice(row.text, row.since) for row in Condition.objects.order_by("since")]
    text = down(now)
    return [*found, Notice(text)] if text else found
