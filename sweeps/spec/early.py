"""The `early_termination` part of a sweep job."""

from typing import Any

from sweeps.domain.job import EarlyTermination, Sampling
from sweeps.domain.termination.base import TIMING, Policy
from sweeps.domain.termination.registry import POLICIES, get_policy
from sweeps.domain.termination.successive_halving import DEFAULTS
from sweeps.spec.keys import Reading

# The policies that Azure's schema knows; the others travel as a property.
AZURES = ("bandit", "median_stopping", "truncation_selection")
# Azure's how-to has it for truncation; its service is always sent false.
_EXCLUDE = "exclude_finished_jobs"


def early_termination(
    value: Any, reading: Reading, where: str = "early_termination"
) -> EarlyTermination | None:
    """The part found at `where`; None when there is none, or problems."""
    if value is None:
        return None
    before = len(reading.problems)
    doc = reading.mapping(value, where)
    kind = reading.word(doc, "type", where, POLICIES) if len(reading.problems) == before else ""
    if not kind:
        return None
    policy = get_policy(kind)
    options = _options(policy, doc, reading, where)
    told = {problem.field for problem in reading.problems[before:]}
    # What could not be read hides nothing of the others: any number that fits stands for it.
    unread = [name for name in policy.names if f"{where}.{name}" in told]
    options |= dict.fromkeys(unread, 1)
    if kind == "successive_halving":
        options = {**DEFAULTS, **options}
    found = [problem.under(where) for problem in policy.check(options)]
    reading.problems += [problem for problem in found if problem.field not in told]
    return EarlyTermination(kind, options) if len(reading.problems) == before else None


def _options(policy: Policy, doc: Any, reading: Reading, where: str) -> dict[str, int | float]:
    """The options as numbers; an interval of 0 is one of 1 in Azure's documents."""
    timing = TIMING if policy.has_timing else ()
    documented = (_EXCLUDE,) if "truncation_percentage" in policy.names else ()
    reading.known(doc, where, ("type", *timing, *policy.names, *documented))
    if documented and doc.get(_EXCLUDE):
        text = "Finished trials always count, as in Azure ML; leave this out."
        reading.problem(f"{where}.{_EXCLUDE}", text)
    options: dict[str, int | float] = {}
    for name in timing:
        least = 1 if name == "evaluation_interval" else 0
        options[name] = reading.whole(doc, name, where) or least
    for name, kind in policy.names.items():
        read = reading.whole if kind is int else reading.number
        number = read(doc, name, where)
        if number is not None:
            options[name] = number
    return _without_unset(options)


def _without_unset(options: dict[str, int | float]) -> dict[str, int | float]:
    """Azure's client writes 0.0 for the one of the two slacks that was not given."""
    slacks = [name for name in ("slack_factor", "slack_amount") if name in options]
    unset = [name for name in slacks if options[name] == 0]
    return {k: v for k, v in options.items() if k not in unset or len(unset) == len(slacks)}


def note_differences(
    early: EarlyTermination | None, sampling: Sampling | None, reading: Reading
) -> None:
    """Where Azure ML would not take what is taken here."""
    if early is not None and sampling is not None and sampling.algorithm == "bayesian":
        reading.note(
            "Azure ML's documents say that bayesian sampling does not support early termination; "
            "here it does: a stopped trial counts with its best value."
        )
