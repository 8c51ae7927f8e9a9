"""What a distribution looks like: sample draws, a density to sketch, real bounds for logarithms.

For the pages: standard library only.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

from sweeps.domain.param_names import format_value
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.samplers.draws import prior_draw, uniforms
from sweeps.domain.samplers.points import step_range
from sweeps.domain.space import (
    LOG_KINDS,
    Choice,
    Distribution,
    LogUniform,
    Numeric,
    ParamValue,
    QLogUniform,
    QUniform,
    Randint,
    SearchSpace,
    Uniform,
    leaves,
    quantise,
    realise,
)
from sweeps.domain.space_doc import MAX_LOG
from sweeps.domain.wording import shown

# How many standard deviations of the unbounded distributions are drawn.
SPREAD = 3.0


@dataclass(frozen=True, slots=True)
class Density:
    """Bars to draw: `heights` from 0 to 1 (the highest), equally wide from `x0` to `x1`.

    With `log` they are equally wide in log x. For a choice x counts the values from 0.
    """

    x0: float
    x1: float
    log: bool
    heights: tuple[float, ...]


def draws(distribution: Distribution, seed: int, n: int = 5) -> tuple[str, ...]:
    """`n` sample values as a script might get them, floats cut to six significant digits."""
    space = SearchSpace((("x", distribution),))
    dimensions = len(leaves(space))
    values = []
    for k in range(n):
        draw = prior_draw(space, uniforms(dimensions, seed, k))
        values.append(format_value(_short(realise(space, draw)["x"])))
    return tuple(values)


def _short(value: ParamValue) -> ParamValue:
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    return float(f"{value:.6g}") if isinstance(value, float) else value


def density(distribution: Distribution, bins: int = 40) -> Density:
    """The shape of a distribution in at most `bins` bars.

    A quantised one with few steps has a bar for each of them, with its probability; with many it
    is drawn like the continuous one beneath.
    """
    if isinstance(distribution, Choice | Randint):
        count = _count(distribution)
        return Density(0, count - 1, False, (1.0,) * min(count, bins))
    low, high, cdf = _beneath(distribution)
    log = distribution.kind in LOG_KINDS
    if isinstance(distribution, QUniform | QLogUniform):
        steps = step_range(distribution)
        if steps is not None and len(steps) <= bins:
            return _bars(steps, distribution, cdf)
    edges = [low + (high - low) * i / bins for i in range(bins + 1)]
    heights = _scaled([cdf(b) - cdf(a) for a, b in pairwise(edges)])
    return Density(_real(low, log), _real(high, log), log, heights)


def _count(distribution: Choice | Randint) -> int:
    return distribution.upper if isinstance(distribution, Randint) else len(distribution.values)


def _beneath(distribution: Numeric) -> tuple[float, float, Callable[[float], float]]:
    """Range and cumulative distribution of what is drawn before exp and rounding."""
    if isinstance(distribution, Uniform | QUniform | LogUniform | QLogUniform):
        low, high = float(distribution.min_value), float(distribution.max_value)
        return low, high, lambda x: min(max((x - low) / (high - low), 0.0), 1.0)
    assert not isinstance(distribution, Randint)  # `density` draws it as equal bars
    mu, sigma = distribution.mu, distribution.sigma
    return mu - SPREAD * sigma, mu + SPREAD * sigma, NormalDist(mu, sigma).cdf


def _bars(
    steps: range, distribution: QUniform | QLogUniform, cdf: Callable[[float], float]
) -> Density:
    """One bar per step: the share of draws within half a step of it."""
    q = distribution.q

    def share_below(x: float) -> float:
        if isinstance(distribution, QUniform):
            return cdf(x)
        return cdf(math.log(x)) if x > 0 else 0.0

    masses = [share_below((k + 0.5) * q) - share_below((k - 0.5) * q) for k in steps]
    first, last = quantise(steps[0] * q, q), quantise(steps[-1] * q, q)
    return Density(first, last, False, _scaled(masses))


def _scaled(values: list[float]) -> tuple[float, ...]:
    highest = max(values)
    return tuple(value / highest for value in values) if highest > 0 else (1.0,) * len(values)


# --- Logarithms ---------------------------------------------------------------------------------


def real_bounds(min_value: float, max_value: float) -> tuple[float, float]:
    """The real bounds of a log distribution whose stored bounds are these logarithms."""
    return _real(min_value, True), _real(max_value, True)


def log_bounds(low: float, high: float) -> tuple[float, float]:
    """The logarithms to store for real bounds as typed; `real_bounds` gives those back.

    Raises InvalidInput (fields "min_value", "max_value") for bounds that have no finite logarithm
    or stand the wrong way round.
    """
    problems = []
    for name, value in (("min_value", low), ("max_value", high)):
        if not math.isfinite(value) or value > math.exp(MAX_LOG):
            problems.append(Problem(name, f"Must be a finite number, but got {shown(value)}."))
    if problems:
        raise InvalidInput(problems)
    if low <= 0:
        problems.append(
            Problem("min_value", f"A log scale needs a lower bound above 0, but got {low:g}.")
        )
    elif not low < high:
        text = f"Must be greater than the minimum {low:g}, but got {high:g}."
        problems.append(Problem("max_value", text))
    if problems:
        raise InvalidInput(problems)
    return math.log(low), math.log(high)


def log_notes(space: SearchSpace) -> list[str]:
    """Sentences on log-uniform bounds that look like real ones: Azure ML's classic trap."""
    return [
        f"The bounds of {leaf.column} are logarithms: as written it runs from "
        f"{math.exp(leaf.distribution.min_value):.4g} to "
        f"{math.exp(leaf.distribution.max_value):.4g}."
        for leaf in leaves(space)
        if isinstance(leaf.distribution, LogUniform | QLogUniform)
        and leaf.distribution.min_value > 0
        and leaf.distribution.max_value <= 1
    ]


def _real(value: float, log: bool) -> float:
    """exp without float dust: 1e-05 and not 1.0000000000000003e-05."""
    if not log:
        return value
    return float(f"{math.exp(min(max(value, -MAX_LOG), MAX_LOG)):.12g}")
