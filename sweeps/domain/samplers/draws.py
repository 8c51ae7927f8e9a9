"""Between uniform numbers, draws and parameters: what the samplers share. Standard library only."""

import hashlib
import math
import random
import sys
from collections.abc import Iterable, Mapping

from sweeps.domain.space import (
    Branch,
    Choice,
    Distribution,
    Draw,
    Leaf,
    LogNormal,
    LogUniform,
    Numeric,
    ParamValue,
    QLogNormal,
    QLogUniform,
    QUniform,
    Randint,
    Scalar,
    SearchSpace,
    Uniform,
    leaves,
    quantise,
)


def stable_hash(*numbers: int) -> int:
    """64 well-mixed bits, the same on every machine and Python (hash() promises neither)."""
    text = ":".join(str(number) for number in numbers)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8])


def uniforms(dimensions: int, *seeds: int) -> list[float]:
    """Independent numbers in [0, 1), a function of the seeds."""
    rng = random.Random(stable_hash(*seeds))  # noqa: S311 - sampling, not secrets
    return [rng.random() for _ in range(dimensions)]


def is_active(leaf: Leaf, draw: Draw) -> bool:
    """True if the choices drawn so far lead to this leaf."""
    return all(draw.get(label) == index for label, index in leaf.condition)


def prior_draw(
    space: SearchSpace, cube: Iterable[float], base: float = math.e
) -> dict[str, int | float]:
    """The draw at one point of the unit cube: `cube` has a number in [0, 1] per leaf.

    Inactive leaves use theirs up too, so that each dimension keeps its meaning.
    """
    draw: dict[str, int | float] = {}
    for leaf, u in zip(leaves(space), cube, strict=True):
        if is_active(leaf, draw):
            distribution = leaf.distribution
            draw[leaf.label] = (
                distribution.index(u)
                if isinstance(distribution, Choice)
                else distribution.quantile(u, base)
            )
    return draw


def bounds(distribution: Numeric, base: float = math.e) -> tuple[float, float]:
    """Lowest and highest value that can be drawn; infinite where there is none."""
    match distribution:
        case Randint(upper):
            return 0, upper - 1
        case Uniform(low, high):
            return low, high
        case LogUniform(low, high):
            return _powers(base, low, high)
        case QUniform(low, high, q):
            return quantise(low, q), quantise(high, q)
        case QLogUniform(low, high, q):
            lowest, highest = _powers(base, low, high)
            return quantise(lowest, q), quantise(highest, q)
        case LogNormal() | QLogNormal():
            return 0, math.inf
        case _:
            return -math.inf, math.inf


def _powers(base: float, low: float, high: float) -> tuple[float, float]:
    """base^low and base^high in order: a base below 1 turns them round."""
    ends = [math.exp(x) if base == math.e else float(base**x) for x in (low, high)]
    return min(ends), max(ends)


def draw_of(
    space: SearchSpace, params: Mapping[str, ParamValue], base: float = math.e
) -> dict[str, int | float] | None:
    """The draw that `realise` turns into `params`, None if the space cannot give them.

    For points that people picked: names missing or unknown, values out of range or off the step
    of a quantised distribution all give None.
    """
    if set(params) != set(space.names()):
        return None
    draw: dict[str, int | float] = {}
    for name, distribution in space:
        if not _invert(name, distribution, params[name], draw, base):
            return None
    return draw


def _invert(
    label: str,
    distribution: Distribution,
    value: ParamValue,
    draw: dict[str, int | float],
    base: float,
) -> bool:
    if isinstance(distribution, Choice):
        return _invert_choice(label, distribution, value, draw, base)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    # abs, not isfinite: an int beyond the largest float is none that a space can give.
    if not abs(value) <= sys.float_info.max:
        return False
    low, high = bounds(distribution, base)
    # exp(log(x)) is x but for the last digits: a bound typed as 0.1 must not fall outside.
    slack = 1e-12 * max(abs(value), 1e-300)
    if not low - slack <= value <= high + slack:
        return False
    q = 1 if isinstance(distribution, Randint) else getattr(distribution, "q", None)
    if q is not None and not math.isclose(quantise(value, q), value, rel_tol=1e-12):
        return False
    draw[label] = float(value) if q is None else quantise(value, q)
    return True


def _invert_choice(
    label: str, choice: Choice, value: ParamValue, draw: dict[str, int | float], base: float
) -> bool:
    for index, option in enumerate(choice.values):
        if not isinstance(option, Branch):
            if not isinstance(value, dict) and _same(option, value):
                draw[label] = index
                return True
        elif isinstance(value, dict):
            inner: dict[str, int | float] = {}
            if _invert_branch(f"{label}[{index}]", option, value, inner, base):
                draw.update({label: index, **inner})
                return True
    return False


def _invert_branch(
    prefix: str,
    branch: Branch,
    value: dict[str, ParamValue],
    draw: dict[str, int | float],
    base: float,
) -> bool:
    if set(value) != {key for key, _ in branch.items}:
        return False
    for key, item in branch.items:
        given = value[key]
        if isinstance(item, str | int | float | bool):
            if isinstance(given, dict) or not _same(item, given):
                return False
        elif not _invert(f"{prefix}.{key}", item, given, draw, base):
            return False
    return True


def _same(one: Scalar, other: Scalar) -> bool:
    """Equal as JSON values: 1 is 1.0, but neither is true."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
