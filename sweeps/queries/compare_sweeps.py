"""Sweeps side by side: what came of them, and in what they differ."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from studio import formatting
from sweeps.domain.board import Board
from sweeps.domain.objective import Goal
from sweeps.domain.records import MetricPoint
from sweeps.domain.states import TrialStatus
from sweeps.domain.termination.registry import describe
from sweeps.models import Sweep, Trial
from sweeps.queries.best import best_of_each
from sweeps.queries.boards import board_of
from sweeps.queries.compare import (
    Group,
    Line,
    goal_of,
    numbers_line,
    params_line,
    seconds_line,
    texts_line,
)
from sweeps.queries.records import early_termination_of
from sweeps.queries.trials import parameter_columns


def compare_sweeps(sweeps: Sequence[Sweep], base: int) -> list[Group]:
    """The rows of `sweeps` (columns in that order), compared with the one at place `base`."""
    best = best_of_each(sweeps)
    tops = [best.get(sweep.pk) for sweep in sweeps]
    names = list(dict.fromkeys(name for one in sweeps for name in parameter_columns(one)))
    params = [[t.flat_params.get(name) if t else None for t in tops] for name in names]
    found = [
        Group("Result", tuple(_result(sweeps, tops, base))),
        Group(
            "Parameters of the best trial",
            tuple(
                params_line(name, values, base) for name, values in zip(names, params, strict=True)
            ),
        ),
        Group("Search", tuple(_search(sweeps, base))),
        Group("Search space", tuple(_space(sweeps))),
        Group("Work", tuple(_work(sweeps))),
    ]
    return [group for group in found if group.lines]


def _result(sweeps: Sequence[Sweep], tops: Sequence[Trial | None], base: int) -> list[Line]:
    counts = [_counts(board_of(sweep)) for sweep in sweeps]
    took = [
        (one.ended_at - one.started_at).total_seconds() if one.ended_at and one.started_at else None
        for one in sweeps
    ]
    seen = [status for status in TrialStatus if any(status in one for one in counts)]
    return [
        texts_line("status", [sweep.status for sweep in sweeps]),
        numbers_line(
            "best",
            [t.objective if t else None for t in tops],
            base,
            goal_of(sweeps),
            heat=True,
        ),
        texts_line("best trial", [f"#{t.number}" if t else "" for t in tops]),
        numbers_line("trials", [sweep.planned for sweep in sweeps], base, 0, _whole),
        *(
            numbers_line(
                formatting.status_look(status).label.lower(),
                [one.get(status, 0) for one in counts],
                base,
                0,
                _whole,
            )
            for status in seen
        ),
        seconds_line("duration", took, base),
    ]


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _counts(board: Board) -> dict[TrialStatus, int]:
    return {status: count for status in TrialStatus if (count := int(board.having([status]).sum()))}


def _search(sweeps: Sequence[Sweep], base: int) -> list[Line]:
    limits = (
        ("trials at most", "max_total_trials", _whole),
        ("at the same time", "max_concurrent_trials", _whole),
        ("timeout", "timeout_s", formatting.duration),
        ("trial timeout", "trial_timeout_s", formatting.duration),
    )
    return [
        texts_line("objective", [f"{one.goal} {one.primary_metric}" for one in sweeps]),
        texts_line("sampling", [_sampling(one.sampling) for one in sweeps]),
        texts_line("seed", [str(one.seed) for one in sweeps]),
        texts_line("early termination", [describe(early_termination_of(one)) for one in sweeps]),
        *(
            numbers_line(title, [getattr(one, field) for one in sweeps], base, 0, show)
            for title, field, show in limits
        ),
    ]


def _sampling(doc: Mapping[str, Any]) -> str:
    others = [f"{name} {value}" for name, value in doc.items() if name not in _NAMED and value]
    return ", ".join([str(doc.get("algorithm", "")), *others])


_NAMED = ("algorithm", "seed")


def _space(sweeps: Sequence[Sweep]) -> list[Line]:
    names = list(dict.fromkeys(name for one in sweeps for name in one.search_space))
    found = [
        texts_line(name, [_distribution(one.search_space.get(name)) for one in sweeps])
        for name in names
    ]
    return [Line(line.name, line.values, line.differs, mono=True) for line in found]


def _distribution(doc: Any) -> str:
    """For example: uniform, min_value 0.1, max_value 0.9."""
    if not isinstance(doc, Mapping):
        return "" if doc is None else formatting.param(doc)
    kind, rest = str(doc.get("type", "")), {k: v for k, v in doc.items() if k != "type"}
    if isinstance(rest.get("values"), list):
        return f"{kind} of {', '.join(formatting.param(value) for value in rest['values'])}"
    return ", ".join([kind, *(f"{name} {formatting.param(value)}" for name, value in rest.items())])


def _work(sweeps: Sequence[Sweep]) -> list[Line]:
    return [
        texts_line("command", [one.command for one in sweeps]),
        texts_line("code", [one.code.digest[:12] if one.code else "" for one in sweeps]),
        texts_line("commit", [str(one.git.get("commit", ""))[:12] for one in sweeps]),
        texts_line("compute", [one.compute.name for one in sweeps]),
        texts_line("environment", [one.environment_name for one in sweeps]),
    ]


def best_so_far(sweep: Sweep) -> list[MetricPoint]:
    """The best value after so many ended trials, as corners of a staircase.

    `report` and `step` count ended trials from 1, in the order in which they ended.
    """
    board = board_of(sweep)
    ended = np.flatnonzero(~np.isnan(board.ended))
    if not len(ended):
        return []
    rows = ended[np.argsort(board.ended[ended], kind="stable")]
    down = sweep.goal == Goal.MINIMIZE
    loss = np.where(board.can_win[rows], board.objective[rows] * (1 if down else -1), np.inf)
    best = np.minimum.accumulate(loss)
    steps = np.flatnonzero(np.diff(best, prepend=np.inf) < 0)
    corners: list[tuple[int, float]] = []
    for place in steps.tolist():
        if corners:
            corners.append((place + 1, corners[-1][1]))
        corners.append((place + 1, float(best[place])))
    if corners:
        corners.append((len(rows), corners[-1][1]))
    sign = 1 if down else -1
    name = sweep.primary_metric
    return [MetricPoint(name, count, count, value * sign, 0) for count, value in corners]
