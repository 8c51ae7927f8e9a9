"""The slots of a compute as lanes over time, with the trials that were in them."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.db.models import Q
from django.db.models.functions import Coalesce

from studio.models import Compute
from sweeps.domain.occupancy import peak
from sweeps.domain.states import LIVE_SWEEP, LIVE_TRIAL, TrialStatus
from sweeps.models import Attempt, Sweep, Trial
from sweeps.queries.best import best_of_each
from sweeps.queries.places import IMPORTED

# How far back lanes may reach; by itself a compute takes the shortest that shows enough.
SPANS: Mapping[str, timedelta] = {
    "5m": timedelta(minutes=5),
    "20m": timedelta(minutes=20),
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
}
# Enough: so many trials per slot.
_ENOUGH = 6
# More lanes than this are no picture any more, and more attempts than this no page.
MOST_LANES = 32
MOST_ATTEMPTS = 800
# In percent of the lane: shorter bars than this are drawn together, up to such a width.
_SHORT, _TOGETHER = 0.6, 2.5
TICKS = 4
# What pages say of them; the rest is large.
_SWEEP = ("name", "display_name", "uid", "status", "goal", "primary_metric", "workspace__name")
_ATTEMPT = (
    "number", "created_at", "started_at", "ended_at", "peak_memory", "reason", "trial__sweep_id",
    "trial__number", "trial__status", "trial__attempt", "trial__objective", "trial__reports",
    "trial__reason",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Piece:
    """An attempt on a lane, or several short ones in a row; from and to in percent of the span.

    `is_best`: its trial is the best of its sweep so far.
    """

    attempts: tuple[Attempt, ...]
    start: float
    end: float
    is_best: bool = False

    @property
    def attempt(self) -> Attempt:
        """The first one."""
        return self.attempts[0]

    @property
    def trial(self) -> Trial:
        """The trial of the first one."""
        return self.attempts[0].trial

    @property
    def statuses(self) -> Mapping[str, int]:
        """How many stand in each status, the most frequent first."""
        return dict(Counter(status_of(attempt) for attempt in self.attempts).most_common())

    @property
    def status(self) -> str:
        """The status of most of them."""
        return next(iter(self.statuses))


@dataclass(frozen=True, slots=True)
class Lane:
    """A slot: what was in it, and the trial that holds it now."""

    number: int
    pieces: tuple[Piece, ...]
    holder: Trial | None


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes of a compute over `span`; `hidden` ones are not drawn.

    `used` slots hold a trial; `ticks` are the moments below, the last one is now.
    """

    compute: Compute
    span: timedelta
    used: int
    lanes: tuple[Lane, ...]
    hidden: int
    ticks: tuple[datetime, ...]


def status_of(attempt: Attempt) -> str:
    """The trial's status for its newest attempt, else that of a lost one."""
    if attempt.number == attempt.trial.attempt:
        return attempt.trial.status
    return TrialStatus.LOST.value


def lanes_of(computes: Sequence[Compute], now: datetime, wanted: str = "") -> list[Lanes]:
    """The lanes of each compute; `wanted` is a key of SPANS, else each takes what suits it.

    Four queries per compute, and two for the best trials.
    """
    longest = SPANS.get(wanted, SPANS["4h"])
    # Twice as far: which slot a trial had then decides which ones the later trials have.
    found = {row.pk: _attempts(row, now - 2 * longest) for row in computes}
    sweeps = {a.trial.sweep.pk: a.trial.sweep for rows in found.values() for a in rows}
    best = {trial.pk for trial in best_of_each(list(sweeps.values())).values()}
    return [
        _lanes(row, found[row.pk], SPANS.get(wanted) or _span(found[row.pk], row, now), now, best)
        for row in computes
    ]


def most_at_once(compute: Compute, now: datetime) -> int:
    """How many slots the attempts took at one moment, as far back as lanes are worked out."""
    longest = list(SPANS.values())[-1]
    ended = Attempt.objects.filter(
        trial__sweep__compute=compute, ended_at__gt=now - 2 * longest
    ).values_list(Coalesce("started_at", "created_at"), "ended_at")
    times = np.array([(a.timestamp(), b.timestamp()) for a, b in ended]).reshape(-1, 2)
    return peak(times[:, 0], times[:, 1])


def _attempts(compute: Compute, since: datetime) -> list[Attempt]:
    """What ran on the compute since then, in the order of its start; the newest if too many.

    By way of sweeps and trials, which have indexes for it, and each sweep is read once.
    """
    ended = Q(ended_at__gt=since)
    sweeps = Sweep.objects.filter(Q(status__in=LIVE_SWEEP) | ended, compute=compute)
    known = {row.pk: row for row in sweeps.select_related("workspace").only(*_SWEEP)}
    trials = Trial.objects.filter(sweep__in=known).order_by("-ended_at").values_list("pk")
    # A trial that waits for its next try has attempts that are over.
    live = trials.filter(status__in=LIVE_TRIAL, attempt__gt=0)[:MOST_ATTEMPTS]
    over = trials.filter(ended)[:MOST_ATTEMPTS]
    keys = [key for (key,) in (*live, *over)]
    attempts = (
        Attempt.objects.filter(Q(ended_at=None) | ended, trial__in=keys)
        .exclude(spool__startswith=IMPORTED)
        .select_related("trial")
        .only(*_ATTEMPT)
        .order_by(Coalesce("started_at", "created_at").desc(), "-pk")[:MOST_ATTEMPTS]
    )
    found = list(reversed(attempts))
    for attempt in found:
        attempt.trial.sweep = known[attempt.trial.sweep_id]
    return found


def _span(attempts: Sequence[Attempt], compute: Compute, now: datetime) -> timedelta:
    """The shortest span with enough trials in it, or with all there are."""
    *shorter, longest = SPANS.values()
    seen = [attempt for attempt in attempts if _ended(attempt, now) > now - longest]
    for span in shorter:
        inside = sum(began(attempt) > now - span for attempt in seen)
        if inside >= min(_ENOUGH * compute.slots, len(seen)):
            return span
    return longest


def began(attempt: Attempt) -> datetime:
    """When its command was started, or when its slot was taken for it."""
    return attempt.started_at or attempt.created_at


def _ended(attempt: Attempt, now: datetime) -> datetime:
    return attempt.ended_at or now


def _lanes(
    compute: Compute,
    attempts: Sequence[Attempt],
    span: timedelta,
    now: datetime,
    best: set[int],
) -> Lanes:
    # From a moment that stays for a while, so that lanes do not change places at each look.
    anchor = _floor(now - span, span)
    since = now - span
    lanes = _assigned([a for a in attempts if _ended(a, now) > anchor], compute.slots, anchor)
    drawn = tuple(
        Lane(number, tuple(_pieces(lane, since, now, best)), _holder(lane))
        for number, lane in enumerate(lanes[:MOST_LANES], start=1)
    )
    return Lanes(
        compute=compute,
        span=span,
        used=sum(attempt.ended_at is None for attempt in attempts),
        lanes=drawn,
        hidden=max(0, len(lanes) - MOST_LANES),
        ticks=tuple(now - span * (TICKS - i) / TICKS for i in range(TICKS + 1)),
    )


def _floor(moment: datetime, span: timedelta) -> datetime:
    return moment - timedelta(seconds=moment.timestamp() % span.total_seconds())


def _assigned(attempts: Sequence[Attempt], slots: int, since: datetime) -> list[list[Attempt]]:
    """A slot for each attempt: the first that is free when it begins."""
    lanes: list[list[Attempt]] = [[] for _ in range(slots)]
    # None: the trial there has not ended.
    free_from: list[datetime | None] = [since] * slots
    for attempt in attempts:
        begin = max(began(attempt), since)
        lane = next((i for i, at in enumerate(free_from) if at and at <= begin), len(lanes))
        if lane == len(lanes):  # slots were taken away while trials ran
            lanes.append([])
            free_from.append(None)
        free_from[lane] = attempt.ended_at
        lanes[lane].append(attempt)
    return lanes


def _holder(attempts: Sequence[Attempt]) -> Trial | None:
    holding = [attempt.trial for attempt in attempts if attempt.ended_at is None]
    return holding[-1] if holding else None


def _pieces(
    attempts: Sequence[Attempt], since: datetime, now: datetime, best: set[int]
) -> Iterator[Piece]:
    """The attempts as they are drawn: what is too short to be seen alone is drawn together."""
    group: list[Piece] = []
    for attempt in attempts:
        if _ended(attempt, now) <= since:
            continue
        start, end = _share(began(attempt), since, now), _share(_ended(attempt, now), since, now)
        is_best = attempt.trial_id in best and attempt.number == attempt.trial.attempt
        piece = Piece((attempt,), start, end, is_best)
        is_short = attempt.ended_at is not None and end - start < _SHORT and not is_best
        if group and (not is_short or end - group[0].start > _TOGETHER):
            yield _together(group)
            group = []
        if is_short:
            group.append(piece)
        else:
            yield piece
    if group:
        yield _together(group)


def _together(pieces: Sequence[Piece]) -> Piece:
    attempts = tuple(attempt for piece in pieces for attempt in piece.attempts)
    return Piece(attempts, pieces[0].start, pieces[-1].end)


def _share(moment: datetime, since: datetime, now: datetime) -> float:
    return round(min(100.0, max(0.0, 100 * ((moment - since) / (now - since)))), 2)
