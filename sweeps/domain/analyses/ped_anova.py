"""Parameter importance by PED-ANOVA, with how sure it is.

Watanabe, Bansal, Hutter: "PED-ANOVA: Efficiently Quantifying Hyperparameter Importance in
Arbitrary Subspaces", IJCAI 2023, arXiv:2304.10255; conditional parameters after its extension,
arXiv:2601.20800. Both as Optuna implements them (`PedAnovaImportanceEvaluator`).

The method compares where the best trials lie on a parameter with where all trials lie, by the
Pearson divergence of two Parzen estimates. The best are a tenth of all, at least five (fewer would
be chance), at most half. Shares are each parameter's part of the sum.

The interval is the 5th to 95th percentile of the share over RESAMPLES bootstrap samples (trials
drawn with replacement), widened where needed to hold the share itself. What chance explains is the
95th percentile over RESAMPLES shuffles of the objective among the trials: a parameter below that
is not told from one that does nothing.

Each parameter takes time at each resample. Of more than MOST_AXES those are weighed whose values
among the best trials differ most from those of all, by counts in a few bins; the others have no
share. Where there is no more time, fewer resamples have to do.
"""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.storages import InMemoryStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from sweeps.domain.importance import Axis, Importance, Observations, Weight

# One line for every study that is made, which is forty per answer.
optuna.logging.set_verbosity(optuna.logging.WARNING)

RESAMPLES, FEWEST = 20, 3
MOST_AXES = 50
_BINS = 6
GOOD = 0.1
LEAST_GOOD = 5

Values = npt.NDArray[np.float64]


class _Sample(optuna.Study):
    """A study of given trials: adding them would copy each of them, at every resample."""

    def __init__(self, trials: list[FrozenTrial]) -> None:
        storage = InMemoryStorage()
        key = storage.create_new_study([StudyDirection.MINIMIZE])
        super().__init__(storage.get_study_name_from_id(key), storage)
        self._given = trials

    def get_trials(self, deepcopy: bool = True, states: Any = None) -> list[FrozenTrial]:
        return self._given


def importance(
    seen: Observations, *, seed: int, is_late: Callable[[], bool] = lambda: False
) -> Importance:
    """The weight of every parameter (by column: branches that share one are summed).

    Once it `is_late` there is no further resample, beyond FEWEST. Raises ValueError for fewer than
    two trials.
    """
    count = len(seen.losses)
    if count < 2:
        raise ValueError(f"importance needs at least 2 trials, but got {count}.")
    rng = np.random.default_rng(seed)
    losses = np.array(seen.losses, dtype=np.float64)
    quantile = min(max(GOOD, LEAST_GOOD / count), 0.5)
    names = list(dict.fromkeys(axis.leaf.column for axis in seen.axes))
    seen = _most_telling(seen, losses, quantile)
    trials = _trials(seen)
    drawn, shuffled = [], []
    with warnings.catch_warnings():
        # It warns of few trials and of equal values, which the page says in its own words.
        warnings.simplefilter("ignore")
        own = _values(seen.axes, trials, losses, quantile)
        for done in range(RESAMPLES):
            if done >= FEWEST and is_late():
                break
            rows = rng.integers(0, count, count)
            resample = [trials[row] for row in rows]
            drawn.append(_shares(_values(seen.axes, resample, losses, quantile)))
            shuffled.append(_values(seen.axes, trials, rng.permutation(losses), quantile))
    known = list(dict.fromkeys(axis.leaf.column for axis in seen.axes))
    weights = _weights(known, own, np.array(drawn), np.array(shuffled))
    rest = (Weight(name, 0.0, 0.0, 0.0, 0.0) for name in names if name not in set(known))
    return Importance(count, seen.trials, quantile, len(drawn), (*weights, *rest))


def _most_telling(seen: Observations, losses: Values, quantile: float) -> Observations:
    """The same of MOST_AXES axes, where there are more."""
    if len(seen.axes) <= MOST_AXES:
        return seen
    best = np.argsort(losses, kind="stable")[: max(1, round(len(losses) * quantile))]
    places = np.array(seen.places, dtype=np.float64)
    scores = [
        _difference(places[:, column] / max(axis.steps - 1, 1), best)
        for column, axis in enumerate(seen.axes)
    ]
    kept = sorted(np.argsort(scores, kind="stable")[-MOST_AXES:].tolist())
    return replace(
        seen,
        axes=[seen.axes[column] for column in kept],
        places=[[row[column] for column in kept] for row in seen.places],
    )


def _difference(positions: Values, best: npt.NDArray[np.int64]) -> float:
    """How differently the best trials lie in bins of [0, 1], and in one for those without."""
    bins = np.where(np.isnan(positions), _BINS, np.minimum(positions * _BINS, _BINS - 1))
    whole = bins.astype(np.int64)
    everyone = np.bincount(whole, minlength=_BINS + 1) / len(whole)
    good = np.bincount(whole[best], minlength=_BINS + 1) / len(best)
    there = everyone > 0
    return float(((good - everyone)[there] ** 2 / everyone[there]).sum())


def _weights(
    names: Sequence[str], own: Values, drawn: Values, shuffled: Values
) -> tuple[Weight, ...]:
    shares = _shares(own)
    low, high = np.percentile(drawn, [5, 95], axis=0)
    chance = np.percentile(shuffled, 95, axis=0) / (own.sum() or 1.0)
    rows = zip(
        names,
        shares.tolist(),
        np.minimum(low, shares).tolist(),
        np.maximum(high, shares).tolist(),
        # More than all there is says no more than all there is.
        np.minimum(chance, 1.0).tolist(),
        strict=True,
    )
    return tuple(sorted((Weight(*row) for row in rows), key=lambda weight: -weight.share))


def _shares(values: Values) -> Values:
    total = values.sum()
    return values / total if total > 0 else values


def _values(
    axes: Sequence[Axis], trials: list[FrozenTrial], losses: Values, quantile: float
) -> Values:
    """The importance of each column, in the order in which columns first appear.

    `losses` are those of trials by number.
    """
    labels = [axis.leaf.label for axis in axes if not axis.is_constant]
    known = {label for trial in trials for label in trial.params}
    found = PedAnovaImportanceEvaluator(target_quantile=quantile).evaluate(
        _Sample(trials),
        [label for label in labels if label in known],
        target=lambda trial: float(losses[trial.number]),
    )
    sums: dict[str, float] = {}
    for axis in axes:
        value = found.get(axis.leaf.label, 0.0)
        sums[axis.leaf.column] = sums.get(axis.leaf.column, 0.0) + value
    return np.array(list(sums.values()), dtype=np.float64)


def _trials(seen: Observations) -> list[FrozenTrial]:
    kinds = [_distribution(axis) for axis in seen.axes]
    labels = [axis.leaf.label for axis in seen.axes]
    return [
        _trial(number, labels, kinds, places, loss)
        for number, (places, loss) in enumerate(zip(seen.places, seen.losses, strict=True))
    ]


def _trial(
    number: int,
    labels: Sequence[str],
    kinds: Sequence[BaseDistribution],
    places: Sequence[float | None],
    loss: float,
) -> FrozenTrial:
    """Resamples hold the same trial several times: its id says that it is one."""
    active = [
        (label, kind, place)
        for label, kind, place in zip(labels, kinds, places, strict=True)
        if place is not None
    ]
    return FrozenTrial(
        number=number,
        trial_id=number,
        state=TrialState.COMPLETE,
        value=loss,
        datetime_start=None,
        datetime_complete=None,
        params={
            label: place if isinstance(kind, FloatDistribution) else int(place)
            for label, kind, place in active
        },
        distributions={label: kind for label, kind, _ in active},
        user_attrs={},
        system_attrs={},
        intermediate_values={},
    )


def _distribution(axis: Axis) -> BaseDistribution:
    if axis.is_choice:
        return CategoricalDistribution(tuple(range(axis.steps)))
    if axis.steps:
        return IntDistribution(0, axis.steps - 1)
    return FloatDistribution(0.0, 1.0)
