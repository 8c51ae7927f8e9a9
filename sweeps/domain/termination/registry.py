"""Early-termination policies by name, and the questions that take one as a job writes it."""

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from sweeps.domain.job import EarlyTermination
from sweeps.domain.termination.base import Decision, Interval, Policy
from sweeps.domain.wording import shown

POLICIES: Mapping[str, str] = {
    "bandit": "sweeps.domain.termination.bandit.Bandit",
    "median_stopping": "sweeps.domain.termination.median_stopping.MedianStopping",
    "truncation_selection": "sweeps.domain.termination.truncation_selection.TruncationSelection",
    "successive_halving": "sweeps.domain.termination.successive_halving.SuccessiveHalving",
}


def get_policy(name: str) -> Policy:
    """The policy called `name`.

    Raises KeyError with a sentence that names those there are.
    """
    if name not in POLICIES:
        raise KeyError(f"The policy must be one of {', '.join(POLICIES)}, but got {shown(name)}.")
    module, _, attribute = POLICIES[name].rpartition(".")
    return cast(Policy, getattr(import_module(module), attribute)())


def is_due(early: EarlyTermination, report: int) -> bool:
    """True if a trial is judged when it has logged `report` values of the primary metric."""
    return get_policy(early.type).is_due(report, early.options)


def decide(early: EarlyTermination, interval: Interval) -> Decision | None:
    """The decision on a trial at a report that is due; None: nothing to compare with yet."""
    return get_policy(early.type).decide(interval, early.options)


def describe(early: EarlyTermination | None) -> str:
    """The policy in a few words, "none" without one."""
    return get_policy(early.type).describe(early.options) if early else "none"
