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
from sweeps.spec.yaml_text import MAX_NODES

# As many values as a person reads at a glance: fewer are listed, more are a range with a step.
MAX_LISTED = 20
MAX_VALUES = 1_000
# In one search space: as many as could be written out.
MAX_IN_ALL = MAX_NODES
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


@dataclass(slots=True)
class Ranges:
    """Makes the distributions, as documents, of one search space for a sampling algorithm.

    `left` counts down the values that may still be listed. Problems and notes go to `reading`.
    """

    algorithm: str
    reading: Reading
    left: int = MAX_IN_ALL

    def distribution(self, one: Range) -> dict[str, Any]:
        """The distribution of the same values; a stand-in where there is a problem."""
        if problem := _problem(one):
            self.reading.problem(one.where, problem)
            return STAND_IN
        if one.low == one.high:
            return {"type": "choice", "values": [one.low]}
        if one.log:
            return _logarithmic(one)
        if one.step is None and not one.whole:
            return {"type": "uniform", "min_value": one.low, "max_value": one.high}
        return self._stepped(one, _Steps.of(one))

    def takes(self, count: int) -> bool:
        """True if so many more values may be listed; they count then."""
        if count > self.left:
            return False
        self.left -= count
        return True

    def _stepped(self, one: Range, steps: "_Steps") -> dict[str, Any]:
        is_short = self.algorithm == "random" and steps.count <= MAX_LISTED
        if self.algorithm == "grid" or steps.count == 1 or is_short:
            return self._listed(one, steps)
        if one.whole and one.low == 0 and one.step in (None, 1):
            return {"type": "randint", "upper": steps.count}
        if steps.low % steps.step == 0:
            return self._rounded(one, steps)
        if self.algorithm == "bayesian" and steps.count <= MAX_VALUES:
            self.reading.note(
                f"{one.name} is a choice of its {steps.count:,} values, for they are no multiples "
                "of the step; bayesian search does not know that they have an order."
            )
        return self._listed(one, steps)

    def _rounded(self, one: Range, steps: "_Steps") -> dict[str, Any]:
        """What rounds to multiples of the step, these."""
        (first, last), (low, high) = steps.ends, steps.around
        self.reading.note(
            f"{one.name} is quniform from {low:g} to {high:g}, half a step wider on either side, "
            f"so that {first:g} and {last:g} come as often as the others."
        )
        q = 1 if one.step is None else one.step
        return {"type": "quniform", "min_value": low, "max_value": high, "q": q}

    def _listed(self, one: Range, steps: "_Steps") -> dict[str, Any]:
        if steps.count > MAX_VALUES or not self.takes(steps.count):
            most = f"{MAX_VALUES:,} values can be listed here, {MAX_IN_ALL:,} in all parameters"
            self.reading.problem(one.where, f"Has {steps.count:,} values; at most {most}.")
            return STAND_IN
        return {"type": "choice", "values": steps.values(one.whole)}


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


@dataclass(frozen=True, slots=True)
class _Steps:
    """`count` values from `low` on, `step` apart, all in units of 1/`parts`: exact, as written."""

    low: int
    step: int
    count: int
    parts: int

    @classmethod
    def of(cls, one: Range) -> "_Steps":
        low, high, step = (Fraction(repr(n)) for n in (one.low, one.high, one.step or 1))
        parts = math.lcm(low.denominator, step.denominator)
        return cls(int(low * parts), int(step * parts), int((high - low) // step) + 1, parts)

    @property
    def ends(self) -> tuple[float, float]:
        """The first value and the last."""
        return self.low / self.parts, (self.low + (self.count - 1) * self.step) / self.parts

    @property
    def around(self) -> tuple[float, float]:
        """Half a step below the first value, and half a step above the last."""
        twice, parts = 2 * self.low, 2 * self.parts
        return (twice - self.step) / parts, (twice + (2 * self.count - 1) * self.step) / parts

    def values(self, whole: bool) -> list[int | float]:
        """All of them."""
        last = self.low + self.count * self.step
        found = range(self.low, last, self.step)
        return [n // self.parts if whole else n / self.parts for n in found]
