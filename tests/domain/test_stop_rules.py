"""A sweep ends by its rules exactly when they say."""

import pytest

from sweeps.domain.job import StopRules
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.stop_rules import ended_by

LESS = Objective("loss", Goal.MINIMIZE)
MORE = Objective("auc", Goal.MAXIMIZE)


def results(*values: float | None) -> list[tuple[int, float | None]]:
    return list(enumerate(values))


@pytest.mark.parametrize(
    ("objective", "target", "values", "ends"),
    [
        (LESS, 0.1, (), False),
        (LESS, 0.1, (0.5, 0.100001), False),
        (LESS, 0.1, (0.5, 0.1), True),
        (LESS, 0.1, (0.5, 0.099), True),
        (LESS, 0.1, (0.09, 0.5), True),
        (MORE, 0.9, (0.5, 0.89), False),
        (MORE, 0.9, (0.5, 0.9), True),
        (MORE, 0.9, (0.91, 0.5), True),
        (MORE, -1.0, (-1.1,), False),
        (MORE, 0.0, (0.0,), True),
        (LESS, 0.1, (None, None), False),
        (LESS, None, (0.0,), False),
    ],
)
def test_a_target_is_reached_by_a_value_as_good(objective, target, values, ends):
    assert bool(ended_by(StopRules(target), objective, results(*values))) is ends


@pytest.mark.parametrize(
    ("objective", "patience", "values", "ends"),
    [
        (LESS, 3, (), False),
        (LESS, 3, (0.5, 0.6, 0.6), False),
        (LESS, 3, (0.5, 0.6, 0.6, 0.6), True),
        (LESS, 3, (0.5, 0.6, 0.6, 0.6, 0.7), True),
        (LESS, 3, (0.5, 0.5, 0.5, 0.5), True),  # as good is no improvement
        (LESS, 3, (0.5, 0.6, 0.6, 0.4, 0.6, 0.6), False),
        (LESS, 3, (0.5, 0.6, 0.6, 0.4, 0.6, 0.6, 0.6), True),
        (LESS, 1, (0.5,), False),
        (LESS, 1, (0.5, 0.6), True),
        (LESS, 1, (0.5, 0.4), False),
        (MORE, 2, (0.5, 0.4, 0.3), True),
        (MORE, 2, (0.5, 0.6, 0.7), False),
        (LESS, 2, (0.5, None, None, 0.6), False),
        (LESS, 2, (0.5, None, 0.6, 0.6), True),
        (LESS, None, (0.5, *[0.6] * 50), False),
    ],
)
def test_so_many_results_in_a_row_without_a_better_one(objective, patience, values, ends):
    rules = StopRules(no_improvement_trials=patience)
    assert bool(ended_by(rules, objective, results(*values))) is ends


@pytest.mark.parametrize(
    ("rules", "found", "reason"),
    [
        (StopRules(0.1), [(3, 0.5), (7, 0.098)], "Trial 7 reached 0.098; the target was 0.1."),
        (StopRules(None, 2), [(3, 0.5), (7, 0.6), (5, 0.7)],
         "None of the last 2 results was better than 0.5 of trial 3."),
        (StopRules(None, 1), [(3, 0.5), (7, 0.6)],
         "The last result was no better than 0.5 of trial 3."),
        (StopRules(0.5, 1), [(3, 0.5), (7, 0.6)], "Trial 3 reached 0.5; the target was 0.5."),
    ],
)  # fmt: skip
def test_the_reason_names_trial_and_values(rules, found, reason):
    assert ended_by(rules, LESS, found) == reason


def test_the_order_is_that_of_ending_not_of_numbers():
    rules = StopRules(no_improvement_trials=2)
    assert not ended_by(rules, LESS, [(2, 0.6), (1, 0.5), (0, 0.7)])
    assert ended_by(rules, LESS, [(1, 0.5), (2, 0.6), (0, 0.7)])
