"""The best trial and how far it is ahead."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Case, OuterRef, Subquery, When

from sweeps.domain.objective import Goal
from sweeps.models import Sweep, Trial
from sweeps.queries.records import best_two


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
    first = best_two(sweep)
    for trial in first:
        trial.sweep = sweep
    return Best(first[0], first[1] if len(first) > 1 else None) if first else None


def best_of_each(sweeps: Sequence[Sweep]) -> dict[int, Trial]:
    """By sweep id: the best trial of each sweep that has one. Two queries, however many."""
    own = Trial.objects.filter(sweep=OuterRef("pk"))
    first = {goal: Subquery(own.best_first(goal).values("pk")[:1]) for goal in Goal}
    best = Case(When(goal=Goal.MINIMIZE, then=first[Goal.MINIMIZE]), default=first[Goal.MAXIMIZE])
    rows = Sweep.objects.filter(pk__in=[sweep.pk for sweep in sweeps]).order_by()
    keys = [key for key in rows.values_list(best, flat=True) if key is not None]
    return {trial.sweep_id: trial for trial in Trial.objects.filter(pk__in=keys)}
