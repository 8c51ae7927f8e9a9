"""Parallel coordinates: a line for every trial."""

import numpy as np

from sweeps.charts.parallel_coordinates import MAX_LINES, build_parallel_info
from sweeps.charts.parallel_figure import parallel_figure
from sweeps.domain.board import Ints
from sweeps.domain.states import ACTIVE_TRIAL, TrialStatus
from sweeps.figures.ask import Ask, Drawing
from sweeps.models import Trial
from sweeps.queries.records import trial_records


def build(ask: Ask) -> Drawing:
    """Of all trials, or of the best and the running ones; the others of a selection step back."""
    numbers = ask.board.number[_rows(ask)].tolist()
    records = trial_records(_trials(ask, numbers))
    info = build_parallel_info(
        records,
        ask.space,
        ask.objective,
        known=int((~ask.board.having([TrialStatus.QUEUED])).sum()),
        out=set(ask.board.number[~ask.mask].tolist()),
        seen_metrics=ask.metrics,
        final=ask.final,
    )
    return info, parallel_figure(info)


def _rows(ask: Ask) -> Ints:
    """Rows worth a line of their own: those selected first, then running, then by value."""
    board = ask.board
    rows = np.flatnonzero(~board.having([TrialStatus.QUEUED]))
    if len(rows) <= MAX_LINES:
        return rows
    loss = board.objective if ask.minimize else -board.objective
    active = board.having(ACTIVE_TRIAL)
    order = np.lexsort((np.nan_to_num(loss[rows], nan=np.inf), ~active[rows], ~ask.mask[rows]))
    return np.sort(rows[order[:MAX_LINES]])


def _trials(ask: Ask, numbers: list[int]) -> list[Trial]:
    trials = Trial.objects.filter(sweep=ask.sweep).order_by("number")
    return list(trials if len(numbers) == len(ask.board) else trials.filter(number__in=numbers))
