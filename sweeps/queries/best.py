"""The best trial and how far it is ahead."""

from dataclasses import dataclass

from sweeps.domain.objective import Goal
from sweeps.models import Sweep, Trial


@dataclass(frozen=True, slots=True)
class Best:
    """The best trial, the next best one, and the gap between them (signed, best minus next)."""

    trial: Trial
    runner_up: Trial | None

    @property
    def value(self) -> float:
        """The best value, which `best_first` made sure is there."""
        assert self.trial.objective is not None
        return self.trial.objective

    @property
    def gap(self) -> float | None:
        """None while there is only one value."""
        if self.runner_up is None or self.runner_up.objective is None:
            return None
        return self.value - self.runner_up.objective

    @property
    def word(self) -> str:
        """under or over the next best."""
        return "under" if self.trial.sweep.goal == Goal.MINIMIZE else "over"


def best_of(sweep: Sweep) -> Best | None:
    """None before the first trial with a value has ended."""
    first = list(
        Trial.objects.filter(sweep=sweep).select_related("sweep").best_first(sweep.goal)[:2]
    )
    return Best(first[0], first[1] if len(first) > 1 else None) if first else None
