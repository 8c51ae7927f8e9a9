"""Bayesian search: Hyperopt's tree-structured Parzen estimator (Bergstra et al., NIPS 2011).

Measured choices: gamma 0.5 instead of 0.25; unfinished and failed trials take part without a loss,
which Hyperopt reads as worst, so they repel; the start-up phase counts trials with a loss only.
"""

from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.objective import Objective
from sweeps.domain.problems import Problem
from sweeps.domain.samplers.base import Exhausted, Suggestion, SuggestRequest
from sweeps.domain.samplers.draws import prior_draw, stable_hash, uniforms
from sweeps.domain.samplers.estimator import GAMMA, Lessons, estimator_of
from sweeps.domain.samplers.known import Known
from sweeps.domain.samplers.points import point, size_of
from sweeps.domain.samplers.thinning import thinned
from sweeps.domain.space import SearchSpace, leaves

REDRAWS = 10
PRIOR_DRAWS = 100
AZURE_KINDS = ("choice", "uniform", "quniform")


class BayesianSampler:
    """See the module."""

    def suggest(self, request: SuggestRequest) -> Suggestion | Exhausted:
        """A point that no trial has tried yet, where the space still has one."""
        space, number, known = request.space, request.number, request.others()
        size = size_of(space)
        if size is not None and known.points >= size:
            return Exhausted(f"all {size:,} points of the search space have been tried")
        lessons, estimator = lessons_of(known, request.objective), estimator_of(space)
        for turn in range(1 + REDRAWS):
            draw = estimator.draw(lessons, number, stable_hash(request.seed, number, turn))
            if draw is not None and not known.tried(draw):
                return Suggestion.of(space, draw)
        return Suggestion.of(space, _untried(space, known, size, (request.seed, number)))

    def check(self, space: SearchSpace, sampling: Sampling) -> list[Problem]:
        """Nothing: all distributions can be searched."""
        return []

    def advise(self, space: SearchSpace, limits: Limits, known: int = 0) -> list[str]:
        """Too few trials, too many at a time, and what Azure ML would refuse."""
        notes, count, trials = [], len(leaves(space)), limits.max_total_trials
        if trials + known < 20 * count:
            earlier = f", after {known:,} earlier trial{'s' if known > 1 else ''}" if known else ""
            notes.append(
                f"Bayesian sampling works best with 20 trials or more per parameter: "
                f"{20 * count:,} for {count:,}, but max_total_trials is {trials:,}{earlier}."
            )
        if limits.max_concurrent_trials > max(trials // 4, 1):
            notes.append(
                "Bayesian sampling learns from finished trials: run at most "
                f"{max(trials // 4, 1):,} of {trials:,} at a time, but max_concurrent_trials is "
                f"{limits.max_concurrent_trials:,}."
            )
        foreign = [leaf for leaf in leaves(space) if leaf.distribution.kind not in AZURE_KINDS]
        if foreign:
            names = ", ".join(f"{leaf.column} ({leaf.distribution.kind})" for leaf in foreign)
            notes.append(
                "Azure ML's Bayesian sampling takes choice, uniform and quniform only; "
                f"it would refuse {names}."
            )
        return notes


def lessons_of(known: Known, objective: Objective) -> Lessons:
    """What Hyperopt learns from."""
    import numpy as np

    trials = known.lessons()
    numbers = np.array([seen.number for seen in trials], dtype=np.int64)
    results = np.array([seen.objective for seen in trials], dtype=np.float64)  # None is nan
    losses = np.where(np.isnan(results), np.inf, objective.loss(1.0) * results)
    pending = np.array([seen.pending for seen in trials], dtype=bool)
    kept = thinned(numbers, losses, pending, GAMMA)
    values = np.array([trials[place].values for place in kept], dtype=np.float64)
    return Lessons(
        numbers=numbers[kept],
        values=values.reshape(len(kept), known.width),
        losses=losses[kept],
        count=len(trials),
        measured=int(np.isfinite(losses).sum()),
    )


def _untried(
    space: SearchSpace, known: Known, size: int | None, seeds: tuple[int, int]
) -> dict[str, int | float]:
    """A point drawn without regard to results: for when the estimator keeps repeating itself."""
    dimensions = len(leaves(space))
    draw: dict[str, int | float] = {}
    for turn in range(PRIOR_DRAWS):
        draw = prior_draw(space, uniforms(dimensions, *seeds, REDRAWS + 1 + turn))
        if not known.tried(draw):
            return draw
    if size is None:
        return draw
    start = stable_hash(*seeds)
    for offset in range(known.points + 1):
        draw = point(space, (start + offset) % size)
        if not known.tried(draw):
            break
    return draw
