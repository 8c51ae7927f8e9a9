"""A search space cut down to a region, or widened at an edge: the space of a next sweep."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sweeps.domain.samplers.draws import bounds
from sweeps.domain.selection import Condition, word_of
from sweeps.domain.space import (
    LOG_KINDS,
    Branch,
    Choice,
    Distribution,
    LogUniform,
    Numeric,
    QLogUniform,
    QUniform,
    Randint,
    Scalar,
    SearchSpace,
    Uniform,
    leaves,
)

# Beyond the outermost of the best trials, as a share of what they span.
PADDING = 0.1


@dataclass(frozen=True, slots=True)
class Cut:
    """What one parameter keeps: numbers from `low` to `high` (None: as they are), or `words`."""

    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] | None = None


def cuts_of(conditions: Iterable[Condition]) -> dict[str, Cut]:
    """The cut for each parameter that a selection limits, by dotted name; several ranges of one
    become the range around them."""
    found = {}
    for one in conditions:
        what, _, name = one.key.partition(".")
        if what == "params" and (one.spans or one.words):
            found[name] = _cut(one)
    return found


def _cut(condition: Condition) -> Cut:
    lows = [low for low, _ in condition.spans]
    highs = [high for _, high in condition.spans]
    return Cut(
        None if not lows or None in lows else min(low for low in lows if low is not None),
        None if not highs or None in highs else max(high for high in highs if high is not None),
        condition.words or None,
    )


def around(space: SearchSpace, points: Sequence[Mapping[str, Scalar]]) -> dict[str, Cut]:
    """The cut around some points (parameters by dotted name): what they span and a tenth more on
    either side, on the parameter's own scale, and the values of choices that appear in them."""
    found = {}
    names = dict.fromkeys(name for point in points for name in point)
    logs = _log_columns(space)
    for name in names:
        values = [point[name] for point in points if name in point]
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        words = tuple(dict.fromkeys(word_of(value) for value in values))
        low, high = (None, None)
        if len(numbers) == len(values):
            low, high = _padded(numbers, name in logs)
        found[name] = Cut(low, high, words)
    return found


def _padded(numbers: Sequence[float], log: bool) -> tuple[float, float]:
    low, high = min(numbers), max(numbers)
    if log and low > 0:
        air = (high / low) ** PADDING
        return low / air, high * air
    air = (high - low) * PADDING
    return low - air, high + air


def _log_columns(space: SearchSpace) -> set[str]:
    return {leaf.column for leaf in leaves(space) if leaf.distribution.kind in LOG_KINDS}


def narrowed(space: SearchSpace, cuts: Mapping[str, Cut], base: float = math.e) -> SearchSpace:
    """The space with each cut made; a cut that would leave nothing of a parameter is not made.

    `base` is that of the log distributions. Normal distributions become uniform between the ends
    of the cut, randint from 0 becomes a whole number between two.
    """
    return SearchSpace(
        tuple((name, _narrowed(name, one, cuts, base)) for name, one in space.parameters)
    )


def _narrowed(
    column: str, distribution: Distribution, cuts: Mapping[str, Cut], base: float
) -> Distribution:
    if isinstance(distribution, Choice):
        return _fewer(column, distribution, cuts, base)
    cut = cuts.get(column, Cut())
    if cut.low is None and cut.high is None:
        return distribution
    lowest, highest = bounds(distribution, base)
    low = lowest if cut.low is None else max(lowest, cut.low)
    high = highest if cut.high is None else min(highest, cut.high)
    return between(distribution, low, high, base)


def _fewer(column: str, choice: Choice, cuts: Mapping[str, Cut], base: float) -> Choice:
    """The values of a choice that its cut keeps; branches by the constants they hold."""
    kept: list[Scalar | Branch] = []
    for value in choice.values:
        if isinstance(value, Branch):
            if _holds(column, value, cuts):
                kept.append(_branch(column, value, cuts, base))
        elif _keeps(cuts.get(column, Cut()), value):
            kept.append(value)
    return Choice(tuple(kept)) if kept else choice


def _keeps(cut: Cut, value: Scalar) -> bool:
    if cut.words is not None and word_of(value) in cut.words:
        return True
    if cut.words is not None or isinstance(value, str | bool):
        return cut.words is None
    return (cut.low is None or value >= cut.low) and (cut.high is None or value <= cut.high)


def _holds(column: str, branch: Branch, cuts: Mapping[str, Cut]) -> bool:
    constants = [(k, v) for k, v in branch.items if isinstance(v, str | int | float | bool)]
    return all(_keeps(cuts.get(f"{column}.{key}", Cut()), value) for key, value in constants)


def _branch(column: str, branch: Branch, cuts: Mapping[str, Cut], base: float) -> Branch:
    return replace(
        branch,
        items=tuple(
            (key, item)
            if isinstance(item, str | int | float | bool)
            else (key, _narrowed(f"{column}.{key}", item, cuts, base))
            for key, item in branch.items
        ),
    )


def between(distribution: Numeric, low: float, high: float, base: float = math.e) -> Numeric:
    """Of the same kind of scale and step between two values; as it is where nothing is between."""
    step = 1.0 if isinstance(distribution, Randint) else getattr(distribution, "q", None)
    if step is not None:
        low, high = math.ceil(low / step) * step, math.floor(high / step) * step
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return distribution
    if isinstance(distribution, Randint) and low <= 0:
        return Randint(int(high) + 1)
    if distribution.kind in LOG_KINDS and low > 0:
        ends = (math.log(low, base), math.log(high, base))
        return LogUniform(*ends) if step is None else QLogUniform(*ends, step)
    if step is None:
        return Uniform(low, high)
    return QUniform(low, high, step)
