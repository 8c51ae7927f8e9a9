"""Hyperopt's tree-structured Parzen estimator over one search space, made once for many asks.

`tpe.suggest` builds its graph anew at each ask and takes every trial as a document; here the graph
is kept, and the observations go in as they are. With the same trials and seed both give the same
point, which a test holds.
"""

import math
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

from sweeps.domain.samplers import mixtures
from sweeps.domain.samplers.draws import bounds, is_active
from sweeps.domain.samplers.thinning import gamma_for
from sweeps.domain.space import (
    Branch,
    Choice,
    Distribution,
    Randint,
    SearchSpace,
    leaves,
    quantise,
)

GAMMA = 0.5
STARTUP_TRIALS = 20
# Hyperopt's own numbers (tpe._default_n_EI_candidates, _default_prior_weight).
CANDIDATES = 24
PRIOR_WEIGHT = 1.0
# Hyperopt keeps a count for each value of a randint; above this it is searched as a number.
MAX_CATEGORIES = 1_000


@dataclass(frozen=True, slots=True)
class Lessons:
    """What there is to learn from, as arrays with one row per trial, by trial number.

    `values` has a column per leaf of the space, NaN where inactive; a loss that is not known is
    infinite, the worst. These are so many trials as `thinned` leaves of `count`, of which so many
    are `measured`.
    """

    numbers: Any
    values: Any
    losses: Any
    count: int
    measured: int


class Estimator:
    """The graph over one search space. It keeps nothing of what it is asked."""

    def __init__(self, space: SearchSpace) -> None:
        from hyperopt import pyll, tpe
        from hyperopt.base import Domain

        self._space = space
        self._labels = [leaf.label for leaf in leaves(space)]
        self._domain = Domain(None, [expression(name, item) for name, item in space])
        self._idxs, self._vals = pyll.Literal(), pyll.Literal()
        self._loss_idxs, self._loss_vals = pyll.Literal(), pyll.Literal()
        self._gamma = pyll.Literal()
        hyper = self._domain.vh
        self._posterior = tpe.build_posterior(
            hyper.v_expr, hyper.idxs_by_label(), hyper.vals_by_label(), self._idxs, self._vals,
            self._loss_idxs, self._loss_vals, self._gamma, pyll.Literal(PRIOR_WEIGHT),
        )  # fmt: skip
        mixtures.use_in(pyll.as_apply(self._posterior))

    def draw(self, lessons: Lessons, number: int, seed: int) -> dict[str, int | float] | None:
        """A point for trial `number`; None if Hyperopt's answer is not a point of the space.

        Until STARTUP_TRIALS have a loss, it is drawn from the space alone.
        """
        import numpy as np

        seed %= 2**31
        # Wide spaces overflow inside Hyperopt; `_checked` refuses what comes of it.
        with np.errstate(all="ignore"):
            if lessons.measured < STARTUP_TRIALS:
                values = self._from_the_prior(number, seed)
            else:
                values = self._from_the_posterior(lessons, number, seed)
        return self._checked(values)

    def _from_the_prior(self, number: int, seed: int) -> dict[str, list[Any]]:
        """What hyperopt.rand.suggest draws."""
        import numpy as np
        from hyperopt import pyll

        memo = {
            self._domain.s_new_ids: [number],
            self._domain.s_rng: np.random.default_rng(seed),
        }
        values: dict[str, list[Any]] = pyll.rec_eval(self._domain.s_idxs_vals, memo=memo)[1]
        return values

    def _from_the_posterior(self, lessons: Lessons, number: int, seed: int) -> dict[str, list[Any]]:
        """What hyperopt.tpe.suggest draws."""
        import numpy as np
        from hyperopt import pyll

        idxs, vals = self._observed(lessons)
        first = max(int(lessons.numbers[-1]), number) + 2
        memo = {
            self._domain.s_new_ids: list(range(first, first + CANDIDATES)),
            self._domain.s_rng: np.random.default_rng(seed),
            self._idxs: idxs,
            self._vals: vals,
            self._loss_idxs: lessons.numbers,
            self._loss_vals: lessons.losses,
            self._gamma: gamma_for(len(lessons.numbers), lessons.count, GAMMA),
        }
        values: dict[str, list[Any]] = pyll.rec_eval(
            self._posterior, memo=memo, print_node_on_error=False
        )[1]
        return values

    def _observed(self, lessons: Lessons) -> tuple[dict[str, Any], dict[str, Any]]:
        """By label: the trials in which it was active, and its values there."""
        import numpy as np

        idxs, vals = {}, {}
        for label, column in zip(self._labels, lessons.values.T, strict=True):
            active = ~np.isnan(column)
            idxs[label], vals[label] = lessons.numbers[active], column[active]
        return idxs, vals

    def _checked(self, values: dict[str, list[Any]]) -> dict[str, int | float] | None:
        """Hyperopt's numpy values as a draw of Python numbers."""
        draw: dict[str, int | float] = {}
        for leaf in leaves(self._space):
            if not is_active(leaf, draw):
                continue
            found = values[leaf.label]
            if not len(found) or not math.isfinite(raw := float(found[0])):
                return None
            draw[leaf.label] = _number(leaf.distribution, raw)
        return draw


@lru_cache(maxsize=32)
def estimator_of(space: SearchSpace) -> Estimator:
    """The estimator of this space, kept for the next ask."""
    return Estimator(space)


def expression(label: str, distribution: Distribution) -> Any:
    """The distribution in Hyperopt's words; constants do not matter to it."""
    from hyperopt import hp

    match distribution:
        case Choice(values):
            return hp.choice(
                label,
                [
                    _branch(f"{label}[{index}]", value) if isinstance(value, Branch) else index
                    for index, value in enumerate(values)
                ],
            )
        case Randint(upper) if upper > MAX_CATEGORIES:
            return hp.quniform(label, -0.5, upper - 0.5, 1)
        case _:
            numbers = [getattr(distribution, field.name) for field in fields(distribution)]
            return getattr(hp, distribution.kind)(label, *numbers)


def _branch(prefix: str, branch: Branch) -> list[Any]:
    return [
        expression(f"{prefix}.{key}", item)
        for key, item in branch.items
        if not isinstance(item, str | int | float | bool)
    ]


def _number(distribution: Distribution, raw: float) -> int | float:
    if isinstance(distribution, Choice):
        return int(raw)
    low, high = bounds(distribution)
    q = 1 if isinstance(distribution, Randint) else getattr(distribution, "q", None)
    value = raw if q is None else quantise(raw, q)
    return min(max(value, low), high)
