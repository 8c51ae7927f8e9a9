"""Objective history: every trial's best value, and the best so far."""

import numpy as np

from sweeps.charts.history_figure import objective_figure
from sweeps.charts.objective_history import By, Dot, Edit, build_objective_info
from sweeps.domain.board import STATUSES
from sweeps.domain.edits import TEXTS
from sweeps.figures.ask import Ask, Drawing
from sweeps.figures.options import Option, fixed
from sweeps.models import Revision, Sweep

BY = Option("objective.by", "Along", fixed(("trial", "trial number"), ("time", "end time")))
OPTIONS = (BY,)


def build(ask: Ask) -> Drawing:
    """Of all trials; those that the selection leaves out step back."""
    sweep = ask.sweep
    by: By = BY.chosen(ask)  # type: ignore[assignment]
    start = float(np.nanmin(ask.board.started)) if _has_begun(ask) else 0.0
    info = build_objective_info(
        _dots(ask, start if by == "time" else None),
        ask.objective,
        total=sweep.planned if sweep.exhausted else sweep.max_total_trials,
        edits=_edits(sweep, start if by == "time" else None),
        seen_metrics=ask.metrics,
        final=ask.final,
        by=by,
        picked=ask.selection.picked,
    )
    return info, objective_figure(info)


def _has_begun(ask: Ask) -> bool:
    return not np.isnan(ask.board.started).all()


def _dots(ask: Ask, start: float | None) -> list[Dot]:
    """By number, or since `start`; what has not ended stands at the last moment that is known."""
    board = ask.board
    at: list[float] | list[None] = [None] * len(board)
    if start is not None:
        known = np.concatenate([board.started, board.ended, [start]])
        at = (np.nan_to_num(board.ended, nan=np.nanmax(known)) - start).round(2).tolist()
    values = [None if value != value else value for value in board.objective.tolist()]
    statuses = [STATUSES[code] for code in board.status.tolist()]
    columns = (board.number.tolist(), values, statuses, (~ask.mask).tolist(), at)
    return list(map(Dot._make, zip(*columns, strict=True)))


# What the words of an edit may take of the chart.
_LINES, _SHORT = 2, 40


def _edits(sweep: Sweep, start: float | None) -> list[Edit]:
    """Edits of what decides on trials, where they were made; new names and tags are none."""
    return [
        Edit(
            row.trial_number,
            f"{_drawn(row)}\nby {row.actor}, {row.at:%H:%M} UTC",
            None if start is None else max(row.at.timestamp() - start, 0.0),
        )
        for row in sweep.revisions.order_by("number")
        if set(row.changes) - set(TEXTS)
    ]


def _drawn(row: Revision) -> str:
    """The edit in a few short lines; the Config tab has it in full."""
    parts = [part for part in row.text.split("; ") if not part.endswith(" edited")]
    short = [
        part if len(part) <= _SHORT else f"{part.partition(' → ')[2] or part}"[:_SHORT]
        for part in parts[:_LINES]
    ]
    more = len(parts) - _LINES
    return "\n".join([*short, *([f"and {more} more"] if more > 0 else [])])
