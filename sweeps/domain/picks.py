"""Points that people pick: checked against the search space, and typed as the script gets them."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.samplers.draws import bounds, draw_of
from sweeps.domain.space import (
    Branch,
    Choice,
    Distribution,
    Numeric,
    ParamValue,
    Randint,
    SearchSpace,
    realise,
)
from sweeps.domain.wording import nearest, plain, shown

_LISTED = 8


def checked_point(
    space: SearchSpace, params: Mapping[str, Any], logbase: float | None = None
) -> dict[str, ParamValue]:
    """`params` as a sampler would have drawn them: typed, nested, in the order of the space.

    `logbase` is the base of the log distributions (None = e). Raises InvalidInput with a problem
    per parameter that is missing, unknown or out of the space.
    """
    return point_and_draw(space, params, logbase)[0]


def point_and_draw(
    space: SearchSpace, params: Mapping[str, Any], logbase: float | None = None
) -> tuple[dict[str, ParamValue], dict[str, int | float]]:
    """The point as `checked_point` gives it, and the draw that it is realised from. Raises the
    same."""
    base = math.e if logbase is None else logbase
    problems, found = _unknown(space, params), {}
    draws: dict[str, int | float] = {}
    for name, distribution in space:
        if name not in params:
            problems.append(Problem(name, "Give a value."))
            continue
        one, value = SearchSpace(((name, distribution),)), params[name]
        draw = draw_of(one, {name: value}, base)
        if draw is None:
            text = f"Must be {wanted(distribution, base)}, but got {shown(value)}."
            problems.append(Problem(name, text))
        else:
            found[name] = realise(one, draw)[name]
            draws |= draw
    if problems:
        raise InvalidInput(problems)
    return found, draws


def nested(params: Mapping[str, Any]) -> dict[str, Any]:
    """`params` with dotted names ("model.c", as columns show them) put where they belong.

    Raises InvalidInput where a value stands in the way of another.
    """
    found: dict[str, Any] = {}
    problems = []
    for name, value in _leaves(params):
        *above, last = name.split(".")
        inner: Any = found
        for part in above:
            inner = inner.setdefault(part, {}) if isinstance(inner, dict) else inner
        if not isinstance(inner, dict) or last in inner:
            problems.append(Problem(name, "Is given twice, or is a part of another value."))
        else:
            inner[last] = value
    if problems:
        raise InvalidInput(problems)
    return found


def _leaves(params: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in params.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _unknown(space: SearchSpace, params: Mapping[str, Any]) -> list[Problem]:
    names = space.names()
    problems: list[Problem] = []
    if params.keys() <= set(names):
        return problems
    for name in params:
        if name not in names:
            near = nearest(name, names)
            hint = f" Did you mean “{near}”?" if near else ""
            text = f"The search space has no parameter {shown(name)}.{hint}"
            problems.append(Problem(str(name), text))
    return problems


def wanted(distribution: Distribution, base: float) -> str:
    """What the distribution can give, in words."""
    if isinstance(distribution, Choice):
        return _listed(distribution)
    return f"{_kind(distribution)}{_range(distribution, base)}"


def _listed(choice: Choice) -> str:
    scalars = [plain(value) for value in choice.values if not isinstance(value, Branch)]
    more = [f"{len(scalars) - _LISTED} more"] if len(scalars) > _LISTED else []
    told = scalars[:_LISTED] + more
    if len(scalars) < len(choice.values):
        told.append("a mapping with all that one of its branches has")
    return f"one of {', '.join(told)}" if len(told) > 1 else told[0]


def _kind(distribution: Numeric) -> str:
    if isinstance(distribution, Randint):
        return "a whole number"
    q = getattr(distribution, "q", None)
    return "a number" if q is None else f"a multiple of {q:g}"


def _range(distribution: Numeric, base: float) -> str:
    low, high = bounds(distribution, base)
    if math.isfinite(high):
        return f" from {low:.6g} to {high:.6g}"
    return f" of at least {low:g}" if math.isfinite(low) else ""
