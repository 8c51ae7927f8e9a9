"""Finite spaces as numbered points, in mixed radix: the last parameter varies fastest."""

import math
from collections.abc import Iterable

from sweeps.domain.space import (
    Branch,
    Choice,
    Distribution,
    QLogUniform,
    QUniform,
    Randint,
    SearchSpace,
    quantise,
)


def size_of(space: SearchSpace) -> int | None:
    """How many points there are to try; None if infinite.

    Unlike `space.grid_size` it counts the steps of bounded quantised distributions too.
    """
    return _product(distribution for _, distribution in space)


def point(space: SearchSpace, rank: int) -> dict[str, int | float]:
    """The draw of point `rank`, from 0 to `size_of(space) - 1`.

    Raises ValueError for a space that is not finite.
    """
    draw: dict[str, int | float] = {}
    _place_all([(name, distribution) for name, distribution in space], rank, draw)
    return draw


def _product(distributions: Iterable[Distribution]) -> int | None:
    total = 1
    for distribution in distributions:
        size = _size(distribution)
        if size is None:
            return None
        total *= size
    return total


def _inside(prefix: str, branch: Branch) -> list[tuple[str, Distribution]]:
    return [
        (f"{prefix}.{key}", item)
        for key, item in branch.items
        if not isinstance(item, str | int | float | bool)
    ]


def _size(distribution: Distribution) -> int | None:
    match distribution:
        case Randint(upper):
            return upper
        case QUniform() | QLogUniform():
            steps = step_range(distribution)
            return None if steps is None else len(steps)
        case Choice(values):
            total = 0
            for value in values:
                inside = _inside("", value) if isinstance(value, Branch) else []
                size = _product(item for _, item in inside)
                if size is None:
                    return None
                total += size
            return total
        case _:
            return None


def step_range(distribution: QUniform | QLogUniform) -> range | None:
    """The multiples of q that have a chance; None if there are too many to count exactly.

    A half step at either end rounds inwards: only a single point of the range gives the other.
    """
    low, high = distribution.min_value, distribution.max_value
    if isinstance(distribution, QLogUniform):
        low, high = math.exp(low), math.exp(high)
    first, last = low / distribution.q + 0.5, high / distribution.q - 0.5
    if max(abs(first), abs(last)) > 2**53:
        return None
    return range(math.floor(first), max(math.ceil(last), math.floor(first)) + 1)


def _place_all(
    items: list[tuple[str, Distribution]], rank: int, draw: dict[str, int | float]
) -> None:
    digits = []
    for _, distribution in reversed(items):
        size = _size(distribution)
        if size is None:
            raise ValueError(f"a {distribution.kind} parameter has no numbered points")
        rank, digit = divmod(rank, size)
        digits.append(digit)
    for (label, distribution), digit in zip(items, reversed(digits), strict=True):
        _place(label, distribution, digit, draw)


def _place(label: str, distribution: Distribution, rank: int, draw: dict[str, int | float]) -> None:
    if isinstance(distribution, QUniform | QLogUniform):
        steps = step_range(distribution)
        assert steps is not None  # `_place_all` has asked for the size
        draw[label] = quantise(steps[rank] * distribution.q, distribution.q)
    elif isinstance(distribution, Choice):
        _place_choice(label, distribution, rank, draw)
    else:
        draw[label] = rank


def _place_choice(label: str, choice: Choice, rank: int, draw: dict[str, int | float]) -> None:
    for index, value in enumerate(choice.values):
        inside = _inside(f"{label}[{index}]", value) if isinstance(value, Branch) else []
        size = _product(item for _, item in inside)
        if size is None:
            raise ValueError("a branch of the choice has no numbered points")
        if rank < size:
            draw[label] = index
            _place_all(inside, rank, draw)
            return
        rank -= size
