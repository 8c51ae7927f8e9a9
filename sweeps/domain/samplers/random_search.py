"""Random search: independent draws, or a scrambled Sobol sequence (rule "sobol").

The k-th point depends on (seed, k) alone, so it is the same at any concurrency and after any
restart. For the same reason nothing is drawn again: a small discrete space repeats points, as it
does in Azure ML, and the sweep ends by `max_total_trials`.
"""

import math

from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.problems import Problem
from sweeps.domain.samplers.base import Exhausted, Suggestion, SuggestRequest, field_of
from sweeps.domain.samplers.draws import prior_draw, stable_hash, uniforms
from sweeps.domain.samplers.points import size_of
from sweeps.domain.space import (
    Distribution,
    LogNormal,
    LogUniform,
    QLogNormal,
    QLogUniform,
    SearchSpace,
    leaves,
)
from sweeps.domain.space_doc import MAX_LOG
from sweeps.domain.wording import shown

RULES = ("random", "sobol")
# As many dimensions as the direction numbers of Joe and Kuo (2008) have.
MAX_SOBOL_DIMENSIONS = 21_201


class RandomSampler:
    """See the module."""

    def suggest(self, request: SuggestRequest) -> Suggestion | Exhausted:
        """Point `request.number` of the sequence; the history is not looked at."""
        dimensions = len(leaves(request.space))
        if request.sampling.rule == "sobol":
            cube = _sobol(dimensions, request.seed, request.number)
        else:
            cube = uniforms(dimensions, request.seed, request.number)
        base = math.e if request.sampling.logbase is None else request.sampling.logbase
        return Suggestion.of(request.space, prior_draw(request.space, cube, base))

    def check(self, space: SearchSpace, sampling: Sampling) -> list[Problem]:
        """Unknown rules, impossible bases of the logarithm, too many Sobol dimensions."""
        found = []
        if sampling.rule not in RULES:
            text = f"Must be one of {', '.join(RULES)}, but got {shown(sampling.rule)}."
            found.append(Problem("sampling_algorithm.rule", text))
        if sampling.rule == "sobol" and (size := len(leaves(space))) > MAX_SOBOL_DIMENSIONS:
            text = f"Sobol takes up to {MAX_SOBOL_DIMENSIONS:,} parameters, but got {size:,}."
            found.append(Problem("sampling_algorithm.rule", text))
        return found + _logbase_problems(space, sampling.logbase)

    def advise(self, space: SearchSpace, limits: Limits, known: int = 0) -> list[str]:
        """Says when points will certainly repeat."""
        size = size_of(space)
        if size is None or size >= limits.max_total_trials:
            return []
        return [
            f"The search space has {size:,} {'point' if size == 1 else 'points'}, fewer than "
            f"max_total_trials ({limits.max_total_trials:,}): random sampling will repeat points; "
            "grid tries each once."
        ]


def _sobol(dimensions: int, seed: int, number: int) -> list[float]:
    """Point `number` of the sequence that `seed` scrambles (Owen's way, by scipy)."""
    # Here and not above: the web process loads this module to check forms, never to draw.
    from scipy.stats import qmc

    engine = qmc.Sobol(dimensions, scramble=True, rng=stable_hash(seed))
    if number:  # scipy cannot go forward by 0
        engine.fast_forward(number)
    return [float(u) for u in engine.random(1)[0]]


def _logbase_problems(space: SearchSpace, logbase: float | None) -> list[Problem]:
    if logbase is None:
        return []
    if not math.isfinite(logbase) or logbase <= 0 or logbase == 1:
        text = f"Must be a positive number other than 1, or e, but got {shown(logbase)}."
        return [Problem("sampling_algorithm.logbase", text)]
    found = []
    for leaf in leaves(space):
        largest = _largest_exponent(leaf.distribution)
        if largest * abs(math.log(logbase)) > MAX_LOG:
            text = f"{logbase:g} to the power {largest:g} cannot be represented."
            found.append(Problem(field_of(leaf.label), text))
    return found


def _largest_exponent(distribution: Distribution) -> float:
    """The largest power that a log distribution raises its base to (0 for the others)."""
    match distribution:
        case LogUniform() | QLogUniform():
            return max(abs(distribution.min_value), abs(distribution.max_value))
        case LogNormal() | QLogNormal():
            return abs(distribution.mu) + 9 * distribution.sigma
        case _:
            return 0.0
