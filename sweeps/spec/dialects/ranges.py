"""Ranges as other tools give them (low, high, step, logarithmic, whole) as distributions here.

Exact is the rule: the same values, each as likely. Our q-distributions round to multiples of their
step, so that a range whose steps do not start at one becomes a list of its values. Where the ends
of a range are values like the others, the bounds lie half a step beyond them; Optuna draws so too
(`_SearchSpaceTransform`).
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sweeps.domain.wording import shown
from sweeps.spec.keys import Reading

# As many values as a person reads at a glance: fewer are listed, more are a range with a step.
MAX_LISTED = 20
MAX_VALUES = 1_000
_LARGEST = 10**300
# What takes a parameter's place that has problems of its own already.
STAND_IN = {"type": "choice", "values": [0]}


@dataclass(frozen=True, slots=True)
class Range:
    """Numbers from `low` to `high`, both included; `whole` ones, in steps of 1 if none is given.

    `name` is the parameter's in notes, `where` its path in problems.
    """

    name: str
    where: str
    low: float
    high: float
    step: float | None = None
    log: bool = False
    whole: bool = False


def distribution_of(one: Range, algorithm: str, reading: Reading) -> dict[str, Any]:
    """The distribution, as a document, of the same values for a sampling algorithm."""
    if problem := _problem(one):
        reading.problem(one.where, problem)
        return STAND_IN
    if one.low == one.high:
        return {"type": "choice", "values": [one.low]}
    if one.log:
        return _logarithmic(one)
    if one.step is None and not one.whole:
        return {"type": "uniform", "min_value": one.low, "max_value": one.high}
    return _stepped(one, algorithm, reading)


def _problem(one: Range) -> str | None:
    if max(abs(one.low), abs(one.high), abs(one.step or 0)) > _LARGEST:
        return "Must not go beyond 1e300."
    if one.low > one.high:
        return f"Must not begin at {one.low:g}, above its end {one.high:g}."
    if one.step is not None and one.step <= 0:
        return f"Must have steps above 0, but got {shown(one.step)}."
    if one.log and (one.low < 1 if one.whole else one.low <= 0):
        least = "at 1 or above" if one.whole else "above 0"
        return f"Must begin {least}, for its logarithm is taken, but got {shown(one.low)}."
    return None


def _logarithmic(one: Range) -> dict[str, Any]:
    """Bounds are logarithms here; whole numbers are what is nearest to a draw."""
    step = 1 if one.whole and one.step is None else one.step
    half = 0.5 if one.whole and step == 1 else 0
    low, high = math.log(one.low - half), math.log(one.high + half)
    if step is None:
        return {"type": "loguniform", "min_value": low, "max_value": high}
    return {"type": "qloguniform", "min_value": low, "max_value": high, "q": step}


def _stepped(one: Range, algorithm: str, reading: Reading) -> dict[str, Any]:
    low, high, step = (_exact(number) for number in (one.low, one.high, one.step or 1))
    count = int((high - low) // step) + 1
    last = low + (count - 1) * step
    if algorithm == "grid" or count == 1 or (algorithm == "random" and count <= MAX_LISTED):
        return _listed(one, low, step, count, reading)
    if one.whole and low == 0 and step == 1:
        return {"type": "randint", "upper": int(last) + 1}
    if low % step == 0:
        ends = _number(low - step / 2), _number(last + step / 2)
        reading.note(
            f"{one.name} is quniform from {ends[0]:g} to {ends[1]:g}, half a step wider on either "
            f"side, so that {_number(low):g} and {_number(last):g} come as often as the others."
        )
        q = _number(step, one.whole)
        return {"type": "quniform", "min_value": ends[0], "max_value": ends[1], "q": q}
    if algorithm == "bayesian" and count <= MAX_VALUES:
        reading.note(
            f"{one.name} is a choice of its {count:,} values, for they are no multiples of the "
            "step; bayesian search does not know that they have an order."
        )
    return _listed(one, low, step, count, reading)


def _listed(one: Range, low: Fraction, step: Fraction, count: int, reading: Reading) -> Any:
    if count > MAX_VALUES:
        text = f"Has {count:,} steps; at most {MAX_VALUES:,} values can be listed here."
        reading.problem(one.where, text)
        return STAND_IN
    values = [_number(low + index * step, one.whole) for index in range(count)]
    return {"type": "choice", "values": values}


def _exact(number: float) -> Fraction:
    """As it was written: 0.1 is a tenth."""
    return Fraction(repr(number))


def _number(value: Fraction, whole: bool = False) -> int | float:
    return int(value) if whole else float(value)
