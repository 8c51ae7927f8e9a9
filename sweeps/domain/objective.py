"""The objective of a sweep: a primary metric and the direction in which it is better."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Goal(StrEnum):
    """Direction of the primary metric."""

    MINIMIZE = "minimize"
    MAXIMIZE = "maximize"


@dataclass(frozen=True, slots=True)
class Objective:
    """Primary metric (the exact name the script logs) and goal."""

    primary_metric: str
    goal: Goal

    def is_better(self, value: float, than: float | None) -> bool:
        """True if `value` beats `than`; a non-finite value never does, a finite one beats none."""
        if not math.isfinite(value):
            return False
        if than is None or not math.isfinite(than):
            return True
        return value < than if self.goal is Goal.MINIMIZE else value > than

    def best(self, values: Iterable[float]) -> float | None:
        """The best finite one of `values`; None when there is none."""
        best: float | None = None
        for value in values:
            if self.is_better(value, best):
                best = value
        return best

    def loss(self, value: float) -> float:
        """The value as something to minimise (negated for maximize)."""
        return value if self.goal is Goal.MINIMIZE else -value
