"""What lists show of sweeps: counts, how long trials take, and the values that beat all before.

Of ended sweeps these are kept in memory by revision: a list is mostly of those, and of 100,000
trials each the database would have to look at all of them at every poll. Of large sweeps that live
all trials are in memory as columns, brought up to date by revision.
"""

import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.db.models import (
    Avg,
    Case,
    Count,
    DurationField,
    ExpressionWrapper,
    F,
    FloatField,
    Min,
    Q,
    RowRange,
    When,
    Window,
)

from sweeps.domain.board import Board
from sweeps.domain.objective import Goal
from sweeps.domain.states import FINAL_SWEEP, WINNING_TRIAL, TrialStatus
from sweeps.models import Sweep, Trial
from sweeps.queries.boards import board_of

MOST_KEPT = 2_000
# From so many trials on the columns of a live sweep are worth their memory.
LARGE = 2_000


@dataclass(frozen=True, slots=True)
class Summary:
    """`records` are number and objective of each trial that beat all before it, the best last.

    `mean_s` is how long ended trials took, None while none has ended, and for ended sweeps.
    """

    counts: Mapping[TrialStatus, int]
    mean_s: float | None
    records: tuple[tuple[int, float], ...]


_kept: "OrderedDict[tuple[str, int], Summary]" = OrderedDict()
_guard = threading.Lock()


def summaries(sweeps: Sequence[Sweep]) -> dict[int, Summary]:
    """By sweep id; three queries, however many there are, and one for each large one that lives."""
    with _guard:
        known = {s.pk: _kept[_key(s)] for s in sweeps if _key(s) in _kept}
    missing = [sweep for sweep in sweeps if sweep.pk not in known]
    large = [sweep for sweep in missing if _is_large(sweep)]
    found = known | _read([sweep for sweep in missing if not _is_large(sweep)])
    found |= {sweep.pk: _of_board(board_of(sweep), sweep.goal) for sweep in large}
    with _guard:
        for sweep in sweeps:
            if sweep.status in FINAL_SWEEP:
                _kept[_key(sweep)] = found[sweep.pk]
                _kept.move_to_end(_key(sweep))
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
    return found


def _key(sweep: Sweep) -> tuple[str, int]:
    return sweep.uid, sweep.revision


def _is_large(sweep: Sweep) -> bool:
    return sweep.status not in FINAL_SWEEP and sweep.planned >= LARGE


def _of_board(board: Board, goal: str) -> Summary:
    rows = np.flatnonzero(board.can_win)
    loss = board.objective[rows] * (-1 if goal == Goal.MAXIMIZE else 1)
    beats = np.append(np.ones(1, dtype=bool), loss[1:] < np.minimum.accumulate(loss)[:-1])
    best = rows[beats[: len(rows)]]
    return Summary(
        counts=board.counts,
        mean_s=board.mean_s,
        records=tuple((int(board.number[r]), float(board.objective[r])) for r in best),
    )


def _read(sweeps: Sequence[Sweep]) -> dict[int, Summary]:
    keys = [sweep.pk for sweep in sweeps]
    live = [sweep.pk for sweep in sweeps if sweep.status not in FINAL_SWEEP]
    counts, means, records = counts_of(keys), _means(live), _records(keys)
    return {key: Summary(counts[key], means.get(key), tuple(records[key])) for key in keys}


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
