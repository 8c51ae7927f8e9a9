"""What early termination saved, by its stated rule."""

from typing import Any

import numpy as np
import pytest

from sweeps.domain.board import CODES, Board
from sweeps.domain.savings import savings

NAN = float("nan")


def board(*rows: tuple[str, float, int, float]) -> Board:
    """Trials as (status, seconds taken, values logged, objective)."""
    status, took, reports, objective = zip(*rows, strict=True)
    nothing = np.full(len(rows), NAN)
    columns: dict[str, Any] = {"last": nothing, "best_report": nothing, "params": {}}
    return Board(
        revision=1,
        number=np.arange(len(rows)),
        status=np.array([CODES[one] for one in status]),
        objective=np.array(objective),
        reports=np.array(reports),
        started=np.zeros(len(rows)),
        ended=np.array(took),
        **columns,
    )


PLAYED = board(
    ("Completed", 100, 10, 0.5),
    ("Completed", 120, 10, 0.3),
    ("Completed", 140, 10, 0.9),
    ("EarlyTerminated", 20, 2, 0.4),  # ahead of the median of the completed ones
    ("EarlyTerminated", 50, 4, 0.2),  # ahead of the best of them
    ("EarlyTerminated", 300, 9, 2.0),  # had taken longer already
    ("Failed", 10, 0, NAN),
    ("Running", NAN, 3, 0.1),
)


def test_each_terminated_trial_saved_what_it_took_less_than_the_median() -> None:
    found = savings(PLAYED, minimize=True)
    assert found.usual_s == 120
    assert found.saved.tolist() == [100, 70, 0]
    assert found.saved_s == 170
    assert found.spent_s == 100 + 120 + 140 + 20 + 50 + 300 + 10
    assert found.share == pytest.approx(170 / (170 + 740))
    assert found.unlogged == 8 + 6 + 1


def test_its_price_is_counted_in_the_direction_of_the_goal() -> None:
    found = savings(PLAYED, minimize=True)
    assert (found.ahead, found.leading) == (2, 1)
    found = savings(PLAYED, minimize=False)
    assert (found.ahead, found.leading) == (1, 1)


def test_without_a_completed_trial_nothing_is_known() -> None:
    found = savings(board(("EarlyTerminated", 20, 2, 0.4)), minimize=True)
    assert not found.known
    assert found.saved_s == 0
    assert (found.ahead, found.leading) == (0, 0)
