"""Intervals in few words."""

from collections.abc import Sequence

from sweeps.domain.objective import Goal, Objective
from sweeps.domain.termination.base import Interval, Standing

LESS = Objective("loss", Goal.MINIMIZE)
MORE = Objective("auc", Goal.MAXIMIZE)


def standing(number: int, best: float | None, mean: float | None = None) -> Standing:
    """A trial; its mean is its best unless told."""
    return Standing(number, best, best if mean is None else mean)


def at(
    objective: Objective, own: float | None, others: Sequence[float | None], report: int = 6
) -> Interval:
    """A report of trial 0 with the bests (and means) of others."""
    rest = tuple(standing(i + 1, value) for i, value in enumerate(others))
    return Interval(report, objective, standing(0, own), rest)


def from_values(objective: Objective, *trials: Sequence[float]) -> Interval:
    """The interval at the end of these values; the first trial is the one that is judged."""
    found = [
        Standing(i, objective.best(values), sum(values) / len(values))
        for i, values in enumerate(trials)
    ]
    return Interval(len(trials[0]), objective, found[0], tuple(found[1:]))
