"""What a chart is asked to draw."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sweeps.charts.figure import Figure, Info
from sweeps.domain.board import Board, Ints, Mask
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.selection import Selection
from sweeps.domain.space import SearchSpace
from sweeps.domain.states import SweepStatus
from sweeps.models import Sweep
from sweeps.queries.boards import board_of, metric_names
from sweeps.queries.records import objective_of, space_of
from sweeps.queries.selecting import kept

# What to draw (texts, legend, numbers) and how.
Drawing = tuple[Info, Figure]


@dataclass(frozen=True)
class Ask:
    """One sweep at one moment, which of its trials are looked at, and the chart's own options.

    `options` are words of the page's address, unchecked: a kind takes those it knows and falls
    back to its defaults for anything else. `others` are names of sweeps to draw beside this one.
    """

    sweep: Sweep
    board: Board
    selection: Selection
    options: Mapping[str, str]
    others: Sequence[str] = ()

    @cached_property
    def mask(self) -> Mask:
        """By row of the board, whether the selection keeps it."""
        return kept(self.sweep, self.board, self.selection)

    @cached_property
    def objective(self) -> Objective:
        return objective_of(self.sweep)

    @cached_property
    def minimize(self) -> bool:
        return self.objective.goal is Goal.MINIMIZE

    @cached_property
    def space(self) -> SearchSpace:
        return space_of(self.sweep)

    @cached_property
    def metrics(self) -> list[str]:
        """Every metric logged so far, the primary one first."""
        return metric_names(self.sweep)

    @cached_property
    def best_first(self) -> Ints:
        """Rows of trials that can win, best first."""
        return self.board.best_first(minimize=self.minimize)

    @property
    def final(self) -> bool:
        return SweepStatus(self.sweep.status).is_final

    def choice(self, word: str, known: Mapping[str, object] | tuple[str, ...], default: str) -> str:
        """An option that must be one of `known`."""
        asked = self.options.get(word, default)
        return asked if asked in known else default


def ask(
    sweep: Sweep,
    selection: Selection,
    options: Mapping[str, str],
    others: Sequence[str] = (),
) -> Ask:
    """The question to all kinds of charts of a page."""
    return Ask(sweep, board_of(sweep), selection, options, others)
