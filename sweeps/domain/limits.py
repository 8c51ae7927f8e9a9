"""How much a sweep may do: trials, concurrency, time (seconds)."""

from dataclasses import dataclass

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import shown

MAX_TOTAL_TRIALS = 100_000
# Values of parameters of all trials of a sweep: pages keep them in memory.
MAX_VALUES = 10_000_000
MAX_CONCURRENT_TRIALS = 1_000
# What a 32-bit column holds.
MAX_SECONDS = 2**31 - 1
# Azure's default for a sweep without a timeout is 60 days; the same here.
DEFAULT_TIMEOUT_S = 5_184_000


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a sweep; timeouts in seconds, `trial_timeout` None = as long as the sweep.

    Raises InvalidInput naming each field out of range.
    """

    max_total_trials: int
    max_concurrent_trials: int
    timeout: int = DEFAULT_TIMEOUT_S
    trial_timeout: int | None = None

    def __post_init__(self) -> None:
        problems = [
            _range("max_total_trials", self.max_total_trials, MAX_TOTAL_TRIALS),
            _range("max_concurrent_trials", self.max_concurrent_trials, MAX_CONCURRENT_TRIALS),
            _positive("timeout", self.timeout),
            _positive("trial_timeout", self.trial_timeout),
        ]
        found = [problem for problem in problems if problem]
        if found:
            raise InvalidInput(found)


def values_problem(trials: int, parameters: int) -> Problem | None:
    """What is wrong with so many trials of a search space that has so many columns."""
    if trials * parameters <= MAX_VALUES:
        return None
    text = (
        f"With {parameters:,} parameters a sweep has {MAX_VALUES // parameters:,} trials at most: "
        f"all have {MAX_VALUES:,} values together."
    )
    return Problem("max_total_trials", text)


def _range(field: str, value: int, highest: int) -> Problem | None:
    if 1 <= value <= highest:
        return None
    return Problem(field, f"Must be from 1 to {highest:,}, but got {shown(value)}.")


def _positive(field: str, value: int | None) -> Problem | None:
    if value is None or 1 <= value <= MAX_SECONDS:
        return None
    if value < 1:
        return Problem(field, f"Must be at least 1 second, but got {shown(value)}.")
    return Problem(
        field, f"Must be at most {MAX_SECONDS:,} seconds (68 years), but got {shown(value)}."
    )
