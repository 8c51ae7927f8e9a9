"""The axes of a search space: name, kind, scale and condition of every column."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from sweeps.charts.scales import Scale, numeric_scale
from sweeps.charts.text import param_text
from sweeps.domain.preview import real_bounds
from sweeps.domain.selection import word_of
from sweeps.domain.space import (
    LOG_KINDS,
    Branch,
    Choice,
    Distribution,
    Leaf,
    LogUniform,
    Numeric,
    QLogUniform,
    QUniform,
    Randint,
    Scalar,
    SearchSpace,
    Uniform,
    columns,
    leaves,
    quantise,
)


class AxisInfo(NamedTuple):
    """One parameter as an axis; `kind` is the muted line under its name ("log, integer").

    `words` are, by category of the scale, the values that it stands for as a selection writes them.
    """

    name: str
    kind: str
    scale: Scale
    words: tuple[tuple[str, ...], ...] = ()


def space_axes(space: SearchSpace, params: Sequence[Mapping[str, Scalar]]) -> tuple[AxisInfo, ...]:
    """An axis for every column of `space`, wide enough for all of `params` (flat, per trial)."""
    return axes_over(space, lambda name, _: [flat[name] for flat in params if name in flat])


def axes_over(
    space: SearchSpace, seen: Callable[[str, bool], Sequence[Scalar]]
) -> tuple[AxisInfo, ...]:
    """An axis for every column of `space`, wide enough for the values seen in it.

    `seen(column, numeric)` gives these; of a numeric column its ends are enough.
    """
    found = leaves(space)
    by_label = {leaf.label: leaf for leaf in found}
    by_column: dict[str, list[Leaf]] = {}
    for leaf in found:
        by_column.setdefault(leaf.column, []).append(leaf)
    fixed: dict[str, list[Scalar]] = {}
    for name, distribution in space:
        _collect_constants(name, distribution, fixed)
    result = []
    for column in columns(space):
        own = by_column.get(column, [])
        distributions = [leaf.distribution for leaf in own]
        numeric = bool(own) and not any(isinstance(d, Choice) for d in distributions)
        values = [*fixed.get(column, ()), *seen(column, numeric)]
        scale = column_scale(distributions, values)
        words = _words(distributions, values) if scale.kind == "category" else {}
        by_category = tuple(tuple(words[text]) for text in scale.categories)
        result.append(AxisInfo(column, _kind(own, scale, by_label), scale, by_category))
    return tuple(result)


def _collect_constants(
    column: str, distribution: Distribution, found: dict[str, list[Scalar]]
) -> None:
    """What the branches of a choice set without drawing it, by column."""
    for value in distribution.values if isinstance(distribution, Choice) else ():
        for key, item in value.items if isinstance(value, Branch) else ():
            name = f"{column}.{key}"
            if isinstance(item, str | int | float | bool):
                found.setdefault(name, []).append(item)
            else:
                _collect_constants(name, item, found)


def column_scale(distributions: Sequence[Distribution], seen: Sequence[Scalar]) -> Scale:
    """The scale of a column: bounds of its distributions, widened to the values in use.

    A column without a distribution is a constant of some branches: its values are categories.
    """
    numeric = [d for d in distributions if not isinstance(d, Choice)]
    if len(numeric) < max(len(distributions), 1):
        return _category_scale(distributions, seen)
    numbers = [float(v) for v in seen if not isinstance(v, str) and math.isfinite(v)]
    ends = [end for d in numeric for end in _bounds(d, numbers)] + numbers
    log = all(d.kind in LOG_KINDS for d in numeric)
    if log:
        ends = [end for end in ends if end > 0] or [1.0]
    return numeric_scale(
        min(ends),
        max(ends),
        log=log,
        integer=all(_is_integer(d) for d in numeric),
        bounded=not any(d.kind.endswith("normal") for d in numeric),
    )


def _category_scale(distributions: Iterable[Distribution], seen: Iterable[Scalar]) -> Scale:
    return Scale("category", categories=tuple(_words(distributions, seen)))


def _words(
    distributions: Iterable[Distribution], seen: Iterable[Scalar]
) -> dict[str, dict[str, None]]:
    """By category the words of its values: 1 and 1.0 read alike, a selection tells them apart."""
    words: dict[str, dict[str, None]] = {}
    for distribution in distributions:
        if isinstance(distribution, Choice):
            for value in distribution.values:
                if not isinstance(value, Branch):
                    words.setdefault(param_text(value), {})[word_of(value)] = None
    for value in seen:
        words.setdefault(param_text(value), {})[word_of(value)] = None
    return words


def _bounds(distribution: Numeric, seen: Sequence[float]) -> tuple[float, float]:
    """Real ends: those declared, or for unbounded distributions what is seen (else two sigma)."""
    if isinstance(distribution, Randint):
        return 0.0, float(distribution.upper - 1)
    if isinstance(distribution, Uniform | QUniform | LogUniform | QLogUniform):
        low, high = float(distribution.min_value), float(distribution.max_value)
        if isinstance(distribution, LogUniform | QLogUniform):
            low, high = real_bounds(low, high)
        if isinstance(distribution, QUniform | QLogUniform):
            stepped = [float(quantise(end, distribution.q)) for end in (low, high)]
            # The lowest draws of a log space may round to 0, which a log axis cannot hold.
            low, high = stepped[0] or low, stepped[1]
        return low, high
    if seen:
        return min(seen), max(seen)
    low = distribution.mu - 2 * distribution.sigma
    high = distribution.mu + 2 * distribution.sigma
    return real_bounds(low, high) if distribution.kind in LOG_KINDS else (low, high)


def _is_integer(distribution: Numeric) -> bool:
    if isinstance(distribution, Randint):
        return True
    q = getattr(distribution, "q", None)
    return q is not None and float(q).is_integer()


def _kind(own: Sequence[Leaf], scale: Scale, by_label: Mapping[str, Leaf]) -> str:
    conditions = [_condition(leaf, by_label) for leaf in own if leaf.condition]
    if own and len(conditions) == len(own):
        return f"only with {' or '.join(dict.fromkeys(conditions))}"
    if scale.kind == "category":
        return "choice" if len(scale.categories) > 1 else "constant"
    words = ["log"] if scale.kind == "log" else []
    if scale.integer:
        words.append("integer")
    if not words:
        words.append("normal" if own[0].distribution.kind.endswith("normal") else "uniform")
    return ", ".join(words)


def _condition(leaf: Leaf, by_label: Mapping[str, Leaf]) -> str:
    """What it is there with: the branch is called by its first text, else by its place."""
    label, index = leaf.condition[-1]
    choice = by_label[label].distribution
    assert isinstance(choice, Choice)
    branch = choice.values[index]
    assert isinstance(branch, Branch)
    name = next((item for _, item in branch.items if isinstance(item, str)), None)
    return name or f"option {index + 1}"
