"""What an ended sweep's trials say of its search space, and the change that each finding asks for.

Rules, on trials with a value, the best tenth of them (5 to 200) called the best:

- *edge*: three of five of the best lie within a tenth of the range from one end, on the
  parameter's own scale. The best value may lie beyond: widen the range there by its own width.
  An end at 0, and at 1 for shares, is where the values end.
- *log*: a range that spans 50 times or more is searched linearly, but most of the best lie in its
  lowest tenth, where a linear search hardly looks: search it on a log scale.
- *dead*: the parameter matters no more than chance explains (see `importance`): keep the value of
  the best trial that has one and search one dimension less.
- *small*: the space has fewer points than the sweep may run trials: add values, or ask for fewer.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sweeps.domain.narrowing import between
from sweeps.domain.samplers.draws import bounds
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
    grid_size,
    leaves,
)

FindingKind = Literal["low_edge", "high_edge", "log", "dead", "small"]
LEAST_TRIALS = 20
LEAST_BEST, MOST_BEST = 5, 200
_EDGE, _MOST, _LOG_RATIO = 0.1, 0.6, 50.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark: `kind` and the dotted `column` name the change (`changed`), `text` says what was
    seen, `action` what the change does."""

    kind: FindingKind
    column: str
    text: str
    action: str

    @property
    def key(self) -> str:
        """How an address names the change."""
        return f"{self.kind}:{self.column}" if self.column else self.kind


def findings(
    space: SearchSpace,
    best: Sequence[Mapping[str, Scalar]],
    *,
    valued: int,
    max_total_trials: int,
    dead: Collection[str] = (),
    base: float = math.e,
) -> list[Finding]:
    """Remarks on a space after `valued` trials with a value; `best` are parameters by dotted name
    of the best tenth, `dead` parameters that matter no more than chance explains."""
    found = _small(space, max_total_trials)
    if valued < LEAST_TRIALS or len(best) < LEAST_BEST:
        return found
    for leaf in leaves(space):
        values = [point[leaf.column] for point in best if leaf.column in point]
        if leaf.column in dead:
            found.append(_dead(leaf.column, everywhere=leaf.column in best[0]))
        elif not isinstance(leaf.distribution, Choice) and len(values) >= LEAST_BEST:
            found += _numeric(leaf.column, leaf.distribution, values, base)
    return found


def _small(space: SearchSpace, trials: int) -> list[Finding]:
    size = grid_size(space)
    if size is None or size >= trials:
        return []
    text = f"The search space has {size:,} points, fewer than the {trials:,} trials allowed."
    return [Finding("small", "", text, f"Ask for {size:,} trials")]


def _dead(column: str, *, everywhere: bool) -> Finding:
    text = f"{column} mattered no more than chance explains."
    whose = "the best trial's value" if everywhere else "the value of the best trial with one"
    return Finding("dead", column, text, f"Keep {column} at {whose}")


def _numeric(
    column: str, distribution: Numeric, values: Sequence[Scalar], base: float
) -> list[Finding]:
    low, high = bounds(distribution, base)
    numbers = [float(v) for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if not (math.isfinite(low) and math.isfinite(high) and low < high and numbers):
        return []
    linear = [(value - low) / (high - low) for value in numbers]
    if distribution.kind not in LOG_KINDS and low > 0 and high / low >= _LOG_RATIO:
        count = sum(place <= _EDGE for place in linear)
        if count >= _MOST * len(numbers):
            text = (
                f"{count} of the {len(numbers)} best trials have {column} in the lowest tenth of "
                f"its range, where a linear search hardly looks."
            )
            return [Finding("log", column, text, f"Search {column} on a log scale")]
    places = linear
    if distribution.kind in LOG_KINDS and low > 0:
        width = math.log(high / low)
        places = [math.log(max(value, low) / low) / width for value in numbers]
    # Beyond 0 and, for shares, beyond 1 there is nothing to look for.
    natural = ("lower" if low == 0 else "", "upper" if low >= 0 and high == 1 else "")
    return _edges(column, places, natural)


def _edges(column: str, places: Sequence[float], natural: Sequence[str]) -> list[Finding]:
    found = []
    ends: tuple[tuple[FindingKind, str, int], ...] = (
        ("low_edge", "lower", sum(place <= _EDGE for place in places)),
        ("high_edge", "upper", sum(place >= 1 - _EDGE for place in places)),
    )
    for kind, word, count in ends:
        if word not in natural and count >= _MOST * len(places):
            text = (
                f"{count} of the {len(places)} best trials lie at the {word} edge of {column}; "
                "better ones may lie beyond."
            )
            action = f"Widen {column} {'downwards' if word == 'lower' else 'upwards'}"
            found.append(Finding(kind, column, text, action))
    return found


# --- Changes ------------------------------------------------------------------------------------


def changed(
    space: SearchSpace,
    kind: str,
    column: str,
    best: Mapping[str, Scalar],
    base: float = math.e,
) -> SearchSpace:
    """The space with the change that a finding asks for; `best` is the best trial's parameters by
    dotted name. As it is where the column is none of it or the change has no meaning."""
    return SearchSpace(
        tuple((name, _in(name, one, kind, column, best, base)) for name, one in space.parameters)
    )


def _in(
    name: str,
    distribution: Distribution,
    kind: str,
    column: str,
    best: Mapping[str, Scalar],
    base: float,
) -> Distribution:
    if name == column:
        return _change(distribution, kind, best.get(column), base)
    if not isinstance(distribution, Choice) or not column.startswith(f"{name}."):
        return distribution
    values = tuple(
        Branch(
            tuple(
                (key, item)
                if isinstance(item, str | int | float | bool)
                else (key, _in(f"{name}.{key}", item, kind, column, best, base))
                for key, item in value.items
            )
        )
        if isinstance(value, Branch)
        else value
        for value in distribution.values
    )
    return Choice(values)


def _change(
    distribution: Distribution, kind: str, value: Scalar | None, base: float
) -> Distribution:
    if kind == "dead":
        nested = isinstance(distribution, Choice) and any(
            isinstance(one, Branch) for one in distribution.values
        )
        return distribution if value is None or nested else Choice((value,))
    if isinstance(distribution, Choice):
        return distribution
    low, high = bounds(distribution, base)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return distribution
    if kind == "log":
        return _logarithmic(distribution, low, high, base)
    if kind == "low_edge":
        return _wider(distribution, low, high, down=True, base=base)
    if kind == "high_edge":
        return _wider(distribution, low, high, down=False, base=base)
    return distribution


def _logarithmic(distribution: Numeric, low: float, high: float, base: float) -> Numeric:
    if low <= 0:
        return distribution
    ends = (math.log(low, base), math.log(high, base))
    step = 1.0 if isinstance(distribution, Randint) else getattr(distribution, "q", None)
    return LogUniform(*ends) if step is None else QLogUniform(*ends, step)


def _wider(distribution: Numeric, low: float, high: float, *, down: bool, base: float) -> Numeric:
    """By its own width on its own scale; a range of positive numbers stays one."""
    if distribution.kind in LOG_KINDS and low > 0:
        ratio = high / low
        return between(distribution, *((low / ratio, high) if down else (low, high * ratio)), base)
    width = high - low
    if not down:
        return between(distribution, low, high + width, base)
    lower = low - width
    if low > 0 >= lower:
        lower = low / 10
    if isinstance(distribution, Randint):
        return QUniform(lower, high, 1)
    if isinstance(distribution, Uniform) or getattr(distribution, "q", None) is not None:
        return between(distribution, lower, high, base)
    return distribution
