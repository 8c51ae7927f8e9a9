"""The sweep to run next: from a region, from the best trials, or as the space doctor advises."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sweeps.domain.board import Board, Ints, Mask
from sweeps.domain.doctor import LEAST_BEST, MOST_BEST, Finding, changed, findings
from sweeps.domain.job import SweepJob, WarmTrial
from sweeps.domain.narrowing import Cut, around, cuts_of, narrowed
from sweeps.domain.objective import Goal
from sweeps.domain.picks import checked_point
from sweeps.domain.problems import InvalidInput
from sweeps.domain.selection import Selection
from sweeps.domain.space import Scalar, SearchSpace, grid_size
from sweeps.models import Sweep, Trial
from sweeps.queries.analyses import importance
from sweeps.queries.boards import board_of
from sweeps.queries.records import sampling_of, space_of
from sweeps.queries.selecting import kept
from sweeps.queries.spec_of import job_of

MOST_WARM = 500
# The property that says of which sweep of its workspace a job is the next.
GOES_ON_FROM = "goes_on_from"
# The one sampler that learns from trials of earlier sweeps.
LEARNER = "bayesian"


@dataclass(frozen=True, slots=True)
class NextSweep:
    """A job to look through and submit; `notes` say how it came about, a sentence each.

    `learns`: bayesian sampling should take the place of the job's own, which would leave the
    earlier trials unused.
    """

    job: SweepJob
    notes: tuple[str, ...]
    learns: bool = False


@dataclass(frozen=True, slots=True)
class Before:
    """What a sweep goes on from: `trials` earlier ones that its sampler starts with, of the sweep
    called `name` ("" for unsaid); `sweep` is that one, None where it is not in the workspace."""

    name: str
    trials: int
    sweep: Sweep | None


def before(sweep: Sweep) -> Before | None:
    """What a sweep goes on from; None for one that starts afresh."""
    name = str(sweep.properties.get(GOES_ON_FROM, ""))
    learns = sweep.sampling.get("algorithm") == LEARNER
    trials = len(sweep.warm_start) if learns else 0
    if not name and not trials:
        return None
    rows = Sweep.objects.filter(workspace=sweep.workspace_id, deleted_at=None)
    return Before(name, trials, rows.filter(name=name).first() if name else None)


def from_region(sweep: Sweep, selection: Selection) -> NextSweep:
    """The space cut down to what the selection keeps: its ranges, or else what its trials span."""
    board = board_of(sweep)
    mask = kept(sweep, board, selection)
    cuts = cuts_of(selection.conditions)
    if not cuts:
        cuts = _around(sweep, board, np.flatnonzero(mask & board.can_win))
    return _next(sweep, board, _cut(sweep, cuts), mask, "the selected region")


def makes_region(board: Board, selection: Selection, mask: Mask) -> bool:
    """Does a selection, which keeps `mask`, say which part of the search space to look at? By
    ranges of parameters, or by trials with a value: failures alone span nothing."""
    return bool(cuts_of(selection.conditions)) or bool((mask & board.can_win).any())


def from_best(sweep: Sweep, count: int) -> NextSweep:
    """The space around the best `count` trials."""
    board = board_of(sweep)
    best = _best_first(sweep, board)[:count]
    cuts = _around(sweep, board, best)
    mask = np.ones(len(board), dtype=np.bool_)
    return _next(sweep, board, _cut(sweep, cuts), mask, f"the best {len(best)} trials")


def advised(sweep: Sweep, keys: Iterable[str]) -> NextSweep:
    """The space with the changes that these findings of the doctor ask for."""
    board = board_of(sweep)
    space, base = space_of(sweep), _base(sweep)
    known = {finding.key: finding for finding in doctor(sweep)}
    chosen = [known[key] for key in dict.fromkeys(keys) if key in known]
    best = _best_first(sweep, board)
    for finding in chosen:
        point = _best_with(board, best, finding.column)
        space = changed(space, finding.kind, finding.column, point, base)
    mask = np.ones(len(board), dtype=np.bool_)
    size = grid_size(space)
    # Of a space that is to be tried out whole nothing is left to guess.
    whole = size is not None and any(finding.kind == "small" for finding in chosen)
    made = _next(sweep, board, space, mask, "", may_learn=not whole)
    job, notes = made.job, [finding.action + "." for finding in chosen]
    if size is not None and whole:
        job = replace(job, limits=replace(job.limits, max_total_trials=size))
    return replace(made, job=job, notes=(*notes, *made.notes))


def doctor(sweep: Sweep) -> list[Finding]:
    """What the trials so far say of the search space; only advice that would change it."""
    board, space, base = board_of(sweep), space_of(sweep), _base(sweep)
    valued = int(board.can_win.sum())
    count = min(max(LEAST_BEST, valued // 10), MOST_BEST)
    found = findings(
        space,
        _points(board, board.best(count, minimize=sweep.goal == Goal.MINIMIZE)),
        valued=valued,
        max_total_trials=sweep.max_total_trials,
        dead=_dead(sweep),
        base=base,
    )
    if not found:
        return []
    best = _best_first(sweep, board)

    def takes_hold(one: Finding) -> bool:
        point = _best_with(board, best, one.column)
        # A small space asks for fewer trials, not for another space.
        return one.kind == "small" or changed(space, one.kind, one.column, point, base) != space

    return [one for one in found if takes_hold(one)]


# A share above this is not called nothing, however much chance explains.
_LITTLE = 0.05


def _dead(sweep: Sweep) -> set[str]:
    """Parameters of no importance, as far as that has been worked out."""
    found = importance(sweep)
    if found is None or found.is_flat:
        return set()
    return {one.name for one in found.weights if not one.is_clear and one.share < _LITTLE}


def _best_first(sweep: Sweep, board: Board) -> Ints:
    return board.best_first(minimize=sweep.goal == Goal.MINIMIZE)


def _base(sweep: Sweep) -> float:
    base = sampling_of(sweep).logbase
    return math.e if base is None else base


def _points(board: Board, rows: Ints) -> list[dict[str, Scalar]]:
    """Parameters by dotted name."""
    return [
        {
            name: value
            for name, column in board.params.items()
            if (value := column.raw[row]) is not None
        }
        for row in rows.tolist()
    ]


def _best_with(board: Board, best: Ints, name: str) -> dict[str, Scalar]:
    """The parameter `name` of the best trial that has one: within nested choices not every trial
    has all of them. Empty where none has."""
    column = board.params.get(name)
    if column is None:
        return {}
    raws = (column.raw[row] for row in best.tolist())
    return next(({name: raw} for raw in raws if raw is not None), {})


def _around(sweep: Sweep, board: Board, rows: Ints) -> dict[str, Cut]:
    return around(space_of(sweep), _points(board, rows))


def _cut(sweep: Sweep, cuts: Mapping[str, Cut]) -> SearchSpace:
    return narrowed(space_of(sweep), cuts, _base(sweep))


def _next(
    sweep: Sweep,
    board: Board,
    space: SearchSpace,
    mask: Mask,
    where: str,
    *,
    may_learn: bool = True,
) -> NextSweep:
    """The sweep's job over another space: its best trial there first, the others as warm start."""
    rows = _best_first(sweep, board)
    rows = rows[mask[rows]][:MOST_WARM]
    warm = _warm(sweep, space, board.number[rows].tolist())
    former = job_of(sweep)
    job = replace(
        former,
        name=None,
        display_name=f"{sweep}, next"[:255],
        search_space=space,
        first_trials=tuple(one.params for one in warm[:1]),
        warm_start=tuple(warm),
        properties={**former.properties, GOES_ON_FROM: sweep.name},
    )
    learns = may_learn and bool(warm) and job.sampling.algorithm != LEARNER
    return NextSweep(job, tuple(_notes(sweep, job, where, learns=learns)), learns)


def _warm(sweep: Sweep, space: SearchSpace, numbers: Sequence[int]) -> list[WarmTrial]:
    """Trials that are points of the space, in the order of `numbers`."""
    fields = ("number", "params", "objective")
    found = Trial.objects.filter(sweep=sweep, number__in=numbers).values_list(*fields)
    rows = {number: (params, value) for number, params, value in found}
    logbase = sampling_of(sweep).logbase
    warm = []
    for number in numbers:
        params, value = rows.get(number, ({}, None))
        point = _fitting(space, params, logbase)
        if point is not None and value is not None:
            warm.append(WarmTrial(point, value))
    return warm


def _fitting(space: SearchSpace, params: Any, logbase: float | None) -> Any:
    try:
        return checked_point(space, params, logbase)
    except InvalidInput:
        return None


def _notes(sweep: Sweep, job: SweepJob, where: str, *, learns: bool) -> Iterable[str]:
    """A sentence for each thing that was done, and for what was asked for and could not be."""
    warm = job.warm_start
    if where and job.search_space == space_of(sweep):
        yield f"The search space stays that of {sweep}: {where} would cut nothing off."
    elif where:
        yield f"The search space of {sweep} is cut down to {where}."
    if not warm:
        yield "No earlier trial with a value lies in it, so it starts from nothing."
        return
    yield f"The best trial there, with {warm[0].value:.6g}, is tried first."
    algorithm = sampling_of(sweep).algorithm
    those = (
        "the earlier trial that lies"
        if len(warm) == 1
        else f"the {len(warm):,} earlier trials that lie"
    )
    if learns:
        yield f"Sampling is set to bayesian, which starts with {those} in it; it was {algorithm}."
    elif algorithm == LEARNER:
        yield f"Bayesian sampling starts with {those} in it."
    else:
        yield f"Bayesian sampling would start with {those} in it."
