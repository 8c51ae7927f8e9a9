"""Points that people pick: checked against the search space, and typed as the script gets them."""

from collections.abc import Mapping

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.samplers.draws import bounds, draw_of
from sweeps.domain.space import (
    Branch,
    Choice,
    Distribution,
    ParamValue,
    SearchSpace,
    realise,
)


def checked_point(space: SearchSpace, params: Mapping[str, ParamValue]) -> dict[str, ParamValue]:
    """`params` as a sampler would have drawn them: typed, nested, in the order of the space.

    Raises InvalidInput with a problem per parameter that is missing, unknown or out of the space.
    """
    problems = [
        Problem(name, f"The search space has no parameter “{name}”.")
        for name in params
        if name not in space.names()
    ]
    for name, distribution in space:
        if name not in params:
            problems.append(Problem(name, "Give a value."))
        elif draw_of(SearchSpace(((name, distribution),)), {name: params[name]}) is None:
            problems.append(Problem(name, f"Must be {words(distribution)}."))
    if problems:
        raise InvalidInput(problems)
    draw = draw_of(space, params)
    assert draw is not None, "every parameter fits by itself"
    return realise(space, draw)


def words(distribution: Distribution) -> str:
    """What a value of the distribution may be, in words."""
    if isinstance(distribution, Choice):
        plain = [str(v) for v in distribution.values if not isinstance(v, Branch)]
        branches = len(distribution.values) - len(plain)
        parts = [", ".join(plain)] if plain else []
        if branches:
            parts.append("one of the nested choices with all its parameters")
        return f"one of {' or '.join(parts)}" if plain else parts[0]
    low, high = bounds(distribution)
    q = getattr(distribution, "q", None)
    step = f" in steps of {q:g}" if q is not None else ""
    if distribution.kind == "randint":
        return f"a whole number from {low:g} to {high:g}"
    if low > float("-inf") and high < float("inf"):
        return f"a number from {low:.6g} to {high:.6g}{step}"
    return f"a number{' above 0' if low == 0 else ''}{step}"
