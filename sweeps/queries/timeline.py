"""When the attempts of a sweep's trials ran."""

from datetime import datetime
from typing import NamedTuple

from sweeps.domain.states import TrialStatus
from sweeps.models import Attempt, Sweep


class Span(NamedTuple):
    """One attempt; `ended` is None while it runs, `queued` when its trial began to wait for it."""

    number: int
    attempt: int
    status: TrialStatus
    queued: datetime
    began: datetime
    ended: datetime | None


_COLUMNS = (
    "number", "created_at", "started_at", "ended_at",
    "trial__number", "trial__attempt", "trial__status", "trial__created_at",
)  # fmt: skip


def spans(sweep: Sweep) -> list[Span]:
    """All attempts in the order of their trials; one query."""
    rows = Attempt.objects.filter(trial__sweep=sweep).order_by("trial__number", "number")
    found: list[Span] = []
    for number, created, started, ended, trial, newest, status, queued in rows.values_list(
        *_COLUMNS
    ):
        known = TrialStatus(status if number == newest else TrialStatus.LOST)
        before = found[-1].ended if found and found[-1].number == trial else None
        # An attempt is claimed before its command starts; a trial that runs has not ended.
        end = ended if known.is_final else None
        found.append(Span(trial, number, known, before or queued, started or created, end))
    return found
