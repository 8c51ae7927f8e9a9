"""Objective history: every trial's best value, and the best so far."""

from sweeps.charts.objective_history import Dot, Edit, build_objective_info, objective_figure
from sweeps.domain.board import STATUSES
from sweeps.domain.edits import TEXTS
from sweeps.figures.ask import Ask, Drawing
from sweeps.models import Revision, Sweep


def build(ask: Ask) -> Drawing:
    """Of all trials; those that the selection leaves out step back."""
    sweep = ask.sweep
    info = build_objective_info(
        _dots(ask),
        ask.objective,
        total=sweep.planned if sweep.exhausted else sweep.max_total_trials,
        edits=_edits(sweep),
        seen_metrics=ask.metrics,
        final=ask.final,
    )
    return info, objective_figure(info)


def _dots(ask: Ask) -> list[Dot]:
    board = ask.board
    values = [None if value != value else value for value in board.objective.tolist()]
    rows = zip(
        board.number.tolist(), values, board.status.tolist(), (~ask.mask).tolist(), strict=True
    )
    return [Dot(number, value, STATUSES[code], out) for number, value, code, out in rows]


# What the words of an edit may take of the chart.
_LINES, _SHORT = 2, 40


def _edits(sweep: Sweep) -> list[Edit]:
    """Edits of what decides on trials, where they were made; new names and tags are none."""
    return [
        Edit(row.trial_number, f"{_drawn(row)}\nby {row.actor}, {row.at:%H:%M} UTC")
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
