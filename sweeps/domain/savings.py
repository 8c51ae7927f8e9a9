"""What early termination saved: an estimate, for nobody knows how the others had gone on.

The rule: a terminated trial that had gone on would have taken as long (and logged as often) as the
median of the trials that completed. What it did not take of that is saved; one that had already
taken longer saved nothing.
"""

from dataclasses import dataclass

import numpy as np

from sweeps.domain.board import Board, Floats, Ints
from sweeps.domain.states import FINAL_TRIAL, TrialStatus


@dataclass(frozen=True, eq=False)
class Savings:
    """`rows` of the board are the terminated trials, `saved` what each saved, in seconds.

    `usual_s` and `usual_reports` are medians of the completed trials, NaN without any; `spent_s` is
    what all ended trials took. `ahead` of the terminated were already better than the median of the
    completed ones when they ended, `leading` better than the best of them: the price, at least.
    """

    rows: Ints
    saved: Floats
    usual_s: float
    usual_reports: float
    spent_s: float
    unlogged: int
    completed: int
    ahead: int
    leading: int

    @property
    def known(self) -> bool:
        """True once there is a completed trial to compare with."""
        return self.usual_s == self.usual_s

    @property
    def saved_s(self) -> float:
        """Seconds saved in all."""
        return float(self.saved.sum())

    @property
    def share(self) -> float:
        """Saved, of what the sweep would have taken."""
        whole = self.saved_s + self.spent_s
        return self.saved_s / whole if whole else 0.0


def savings(board: Board, *, minimize: bool) -> Savings:
    """What terminating trials early saved so far."""
    took = board.duration_s
    stopped = board.having([TrialStatus.EARLY_TERMINATED]) & ~np.isnan(took)
    done = board.having([TrialStatus.COMPLETED]) & ~np.isnan(took)
    rows = np.flatnonzero(stopped)
    usual_s = float(np.median(took[done])) if done.any() else np.nan
    usual_reports = float(np.median(board.reports[done])) if done.any() else np.nan
    saved = np.nan_to_num(np.maximum(usual_s - took[rows], 0.0))
    unlogged = np.nan_to_num(np.maximum(usual_reports - board.reports[rows], 0.0)).sum()
    ahead, leading = _ahead(board, rows, done & ~np.isnan(board.objective), minimize)
    return Savings(
        rows=rows,
        saved=saved,
        usual_s=usual_s,
        usual_reports=usual_reports,
        spent_s=float(np.nansum(took[board.having(FINAL_TRIAL)])),
        unlogged=int(unlogged),
        completed=int(done.sum()),
        ahead=ahead,
        leading=leading,
    )


def _ahead(board: Board, rows: Ints, done: np.ndarray, minimize: bool) -> tuple[int, int]:  # type: ignore[type-arg]
    if not done.any():
        return 0, 0
    loss = board.objective if minimize else -board.objective
    own = loss[rows]
    return int((own < np.median(loss[done])).sum()), int((own < loss[done].min()).sum())
