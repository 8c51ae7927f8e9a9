"""How much each parameter matters: what is asked and what is answered, as plain values.

`analyses/ped_anova.py` works it out. Nothing here imports what that needs, so that pages can read
an answer.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sweeps.domain.preview import SPREAD
from sweeps.domain.space import (
    LOG_KINDS,
    Branch,
    Choice,
    Draw,
    Leaf,
    LogNormal,
    LogUniform,
    Normal,
    QLogNormal,
    QLogUniform,
    QNormal,
    QUniform,
    Randint,
    Scalar,
    SearchSpace,
    Uniform,
    leaves,
)

# With fewer values an answer would be chance.
MIN_TRIALS = 20
# So many trials, and so many values of parameters in all, are about a second of work.
MOST_TRIALS = 1_000
MOST_VALUES = 4_000
# Numbers with as many steps or fewer are told apart one by one.
_FEW_STEPS = 50


@dataclass(frozen=True, slots=True)
class Weight:
    """One parameter: its share of all importance, from 0 to 1.

    `low` and `high` bound the share over the resamples (90 %); `chance` is the share that a
    parameter like this one reaches when the objective has nothing to do with it.
    """

    name: str
    share: float
    low: float
    high: float
    chance: float

    @property
    def is_clear(self) -> bool:
        """True if it matters more than chance explains."""
        return self.share > self.chance


@dataclass(frozen=True, slots=True)
class Importance:
    """Weights, the weightiest first; all shares are 0 where all values are the same.

    `used` of `trials` with a value were looked at; `quantile` of them are the good ones.
    """

    used: int
    trials: int
    quantile: float
    resamples: int
    weights: tuple[Weight, ...]

    @property
    def is_flat(self) -> bool:
        """True if no parameter can matter: all trials came to the same value."""
        return not any(weight.share for weight in self.weights)

    def document(self) -> dict[str, Any]:
        """Fit for JSON; `read_importance` reads it."""
        return asdict(self)


def read_importance(document: Mapping[str, Any]) -> Importance:
    """What `Importance.document` wrote."""
    weights = tuple(Weight(**weight) for weight in document["weights"])
    return Importance(**{**document, "weights": weights})


@dataclass(frozen=True, slots=True)
class Axis:
    """A leaf of the space as the analysis sees it: `steps` values apart, or positions in [0, 1]."""

    leaf: Leaf
    low: float
    high: float
    steps: int = 0

    @property
    def is_choice(self) -> bool:
        return isinstance(self.leaf.distribution, Choice)

    @property
    def is_constant(self) -> bool:
        return self.steps == 1 or (not self.steps and self.low == self.high)

    def place(self, draw: Draw, flat: Mapping[str, Scalar], alone: bool) -> float | None:
        """Where a trial stands: a step from 0, or a position; None where it has no value.

        A point that a person picked has no draw: its value counts where the column is this leaf's
        `alone`.
        """
        if self.leaf.label in draw:
            return self._position(draw[self.leaf.label])
        value = flat.get(self.leaf.column) if alone else None
        distribution = self.leaf.distribution
        if isinstance(distribution, Choice):
            plain = [item for item in distribution.values if not isinstance(item, Branch)]
            return float(distribution.values.index(value)) if value in plain else None  # type: ignore[arg-type]
        return None if value is None or isinstance(value, str) else self._position(value)

    def _position(self, value: float) -> float | None:
        if self.is_choice:
            return float(value)
        if self.leaf.distribution.kind in LOG_KINDS:
            # What was rounded down to nothing stands at the low end.
            value = math.log(value) if value > 0 else self.low
        if not math.isfinite(value):
            return None
        share = (value - self.low) / ((self.high - self.low) or 1.0)
        share = min(max(share, 0.0), 1.0)
        return float(round(share * (self.steps - 1))) if self.steps else share


def axes_of(space: SearchSpace) -> list[Axis]:
    """Every leaf of a space; log distributions by their logarithms, normal ones to three sigma."""
    return [_axis(leaf) for leaf in leaves(space)]


def _axis(leaf: Leaf) -> Axis:
    match leaf.distribution:
        case Choice(values):
            return Axis(leaf, 0, len(values) - 1, len(values))
        case Randint(upper):
            return Axis(leaf, 0, upper - 1, upper if upper <= _FEW_STEPS else 0)
        case QUniform(low, high, q):
            first, last = round(low / q), round(high / q)
            steps = last - first + 1
            return Axis(leaf, first * q, last * q, steps if steps <= _FEW_STEPS else 0)
        case Uniform(low, high) | LogUniform(low, high) | QLogUniform(low, high):
            return Axis(leaf, low, high)
        case Normal(mu, sigma) | QNormal(mu, sigma) | LogNormal(mu, sigma) | QLogNormal(mu, sigma):
            return Axis(leaf, mu - SPREAD * sigma, mu + SPREAD * sigma)
    raise AssertionError(leaf.distribution)


@dataclass(frozen=True, slots=True)
class Observations:
    """What the analysis looks at: by trial the place on each axis, and the objective as a loss.

    `trials` is how many had a value before a sample was taken.
    """

    axes: Sequence[Axis]
    places: Sequence[Sequence[float | None]]
    losses: Sequence[float]
    trials: int


def most_trials(axes: int) -> int:
    """How large a sample may be."""
    return max(5 * MIN_TRIALS, min(MOST_TRIALS, MOST_VALUES // max(axes, 1)))


def observe(
    space: SearchSpace,
    rows: Sequence[tuple[Draw, Mapping[str, Scalar], float]],
    *,
    trials: int,
) -> Observations:
    """Trials as (draw, flat parameters, loss) on the axes of their space."""
    axes = axes_of(space)
    columns = [axis.leaf.column for axis in axes]
    alone = [columns.count(axis.leaf.column) == 1 for axis in axes]
    places = [
        [axis.place(draw, flat, own) for axis, own in zip(axes, alone, strict=True)]
        for draw, flat, _ in rows
    ]
    return Observations(axes, places, [loss for *_, loss in rows], trials)
