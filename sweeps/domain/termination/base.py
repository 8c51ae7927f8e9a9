"""What every early-termination policy is asked and answers, and what they share.

An interval is one logged value of the primary metric, whatever its step, as in Azure ML's
HyperDrive (`azureml.train.hyperdrive`, "how to tune hyperparameters"). At interval N a trial is
compared with the others as they stood at their own N-th value, also if they have logged more since.
"""

import math
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

from sweeps.domain import wording
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.problems import Problem

Options: TypeAlias = Mapping[str, int | float]

# When a policy looks; `evaluation_interval` 0 means 1 (Azure's documents disagree on the default).
TIMING = ("evaluation_interval", "delay_evaluation")
# No trial logs more values than this.
MAX_REPORTS = 10**9
# Two numbers that agree to twelve digits are equal: 0.8 - 0.2 is 0.6000000000000001.
TOLERANCE = 1e-12


@dataclass(frozen=True, slots=True)
class Standing:
    """One trial over its reports 1 to N: best and mean of the finite ones, None without any."""

    number: int
    best: float | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class Interval:
    """Report N of one trial; `others` are the trials that have reported at least N values."""

    report: int
    objective: Objective
    own: Standing
    others: tuple[Standing, ...] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a trial is stopped at a report, and by which numbers.

    `value` is the trial's best so far, `threshold` what it needed (None: it could not fail),
    `numbers` all that the decision rests on, `reason` the same as a line for people.
    """

    policy: str
    report: int
    stop: bool
    value: float
    threshold: float | None
    reason: str
    numbers: dict[str, float | int]


class Policy(Protocol):
    """An early-termination policy. Stateless: a function of interval and options alone.

    `names` are its own options with their types; `has_timing` says that it takes those of TIMING,
    too.
    """

    names: ClassVar[Mapping[str, type]]
    has_timing: ClassVar[bool]

    def is_due(self, report: int, options: Options) -> bool:
        """True if a trial is judged when it has logged `report` values."""
        ...

    def decide(self, interval: Interval, options: Options) -> Decision | None:
        """The decision on a trial; None while there is nothing to compare it with."""
        ...

    def check(self, options: Options) -> list[Problem]:
        """What is wrong with the options; fields are names of options."""
        ...

    def describe(self, options: Options) -> str:
        """The policy in a few words: "bandit, slack 10 %"."""
        ...

    def explain(self, options: Options, objective: Objective) -> str:
        """One sentence on what it does with these options."""
        ...


# --- When ---------------------------------------------------------------------------------------


def is_due(report: int, options: Options) -> bool:
    """At every multiple of `evaluation_interval` (0 = 1) that is at least `delay_evaluation`."""
    interval = int(options.get("evaluation_interval", 0)) or 1
    return report >= max(1, int(options.get("delay_evaluation", 0))) and report % interval == 0


def when(options: Options) -> str:
    """The same as the beginning of a sentence: "From report 20 on, every 10 reports, "."""
    interval = int(options.get("evaluation_interval", 0)) or 1
    delay = max(1, int(options.get("delay_evaluation", 0)))
    first = -(-delay // interval) * interval
    every = "at every report" if interval == 1 else f"every {interval:,} reports"
    if first == interval:
        return f"{every[0].upper()}{every[1:]}, "
    return f"From report {first:,} on, {every}, "


# --- Comparing ----------------------------------------------------------------------------------


def bests(interval: Interval) -> list[float]:
    """The finite best values of the others."""
    return [value for s in interval.others if (value := finite(s.best)) is not None]


def finite(value: float | None) -> float | None:
    """The value if it is a number to compare with, else None."""
    return value if value is not None and math.isfinite(value) else None


def within_floats(value: float) -> float:
    """The value, or the largest float where it is beyond: JSON has no infinity."""
    return max(-sys.float_info.max, min(value, sys.float_info.max))


def is_worse(objective: Objective, value: float, threshold: float, scale: float) -> bool:
    """True if `value` is worse by more than dust in numbers of size `scale`; ties are not."""
    size = max(abs(value), abs(threshold), abs(scale))
    return objective.is_better(threshold, value) and (abs(value - threshold) > TOLERANCE * size)


def worst_first(objective: Objective, values: Iterable[float]) -> list[float]:
    """The values in order, the worst first."""
    return sorted(values, key=objective.loss, reverse=True)


def rank(objective: Objective, value: float, others: Iterable[float]) -> int:
    """1 for the best; of equal ones each has the best rank."""
    return 1 + sum(objective.is_better(other, value) for other in others)


# --- Saying -------------------------------------------------------------------------------------


def shown(value: float) -> str:
    """A number in a reason."""
    return f"{value:.6g}"


def outcome(value: float, report: int, threshold: float, stop: bool) -> str:
    """ "0.412 at report 6, needed 0.395", with as many digits as it takes to tell them apart."""
    digits = 6
    while digits < 17 and value != threshold and f"{value:.{digits}g}" == f"{threshold:.{digits}g}":
        digits += 1
    verb = ", needed" if stop else " meets"
    return f"{value:.{digits}g} at report {report}{verb} {threshold:.{digits}g}"


def worse_than(objective: Objective) -> str:
    """The direction in words: "above" for minimize."""
    return "above" if objective.goal is Goal.MINIMIZE else "below"


# --- Checking -----------------------------------------------------------------------------------


def unknown(options: Options, allowed: Iterable[str]) -> list[Problem]:
    """Options that a policy does not have."""
    names = list(allowed)
    known = ", ".join(names)
    return [Problem(n, f"Unknown option; there are {known}.") for n in options if n not in names]


def whole(options: Options, name: str, lowest: int, highest: int) -> list[Problem]:
    """A problem if that option is there, but no whole number from `lowest` to `highest`."""
    value = options.get(name)
    if value is None:
        return []
    if isinstance(value, bool) or not isinstance(value, int):
        return [Problem(name, f"Must be a whole number, but got {wording.shown(value)}.")]
    if lowest <= value <= highest:
        return []
    if value < lowest and highest == MAX_REPORTS:
        return [Problem(name, f"Must be at least {lowest}, but got {wording.shown(value)}.")]
    return [Problem(name, f"Must be from {lowest} to {highest:,}, but got {wording.shown(value)}.")]


def timing_problems(options: Options) -> list[Problem]:
    """What is wrong with the options that say when."""
    return [problem for name in TIMING for problem in whole(options, name, 0, MAX_REPORTS)]
