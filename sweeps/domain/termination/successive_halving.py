"""Successive halving (ASHA): only the best share of the trials goes on from each rung.

Rungs stand at reports `min_reports` * `reduction_factor`^k, k = 0, 1, 2, …; both are whole numbers
(reports; a divisor of at least 2). A trial that reaches a rung is ranked by its best up to there
among the n trials that have come to that rung so far, itself included, and goes on when it is one
of the best max(1, n // reduction_factor). Ties go on. No waiting: the first ones at a rung are
judged among few, which is what makes it asynchronous. `evaluation_interval` and `delay_evaluation`
do not apply. Trials without a finite value are neither judged (None) nor counted; the first at a
rung goes on without a decision (None).

Source: Li et al., "A System for Massively Parallel Hyperparameter Tuning" (MLSys 2020), in its
stopping variant: a trial stops at a rung instead of waiting to be promoted. The value at a rung is
the best so far, as everywhere here, not the last. Azure ML has no such policy.
"""

from collections.abc import Mapping
from typing import ClassVar

from sweeps.domain.objective import Objective
from sweeps.domain.problems import Problem
from sweeps.domain.termination import base
from sweeps.domain.termination.base import Decision, Interval, Options

DEFAULTS: Options = {"min_reports": 1, "reduction_factor": 4}
MAX_FACTOR = 1_000


class SuccessiveHalving:
    """See the module."""

    names: ClassVar[Mapping[str, type]] = {"min_reports": int, "reduction_factor": int}
    has_timing: ClassVar[bool] = False

    def is_due(self, report: int, options: Options) -> bool:
        """True at a rung."""
        rung, factor = _numbers(options)
        while rung < report:
            rung *= factor
        return rung == report

    def decide(self, interval: Interval, options: Options) -> Decision | None:
        """See the module."""
        value, others = base.finite(interval.own.best), base.bests(interval)
        if value is None or not others:
            return None
        objective, n = interval.objective, len(others) + 1
        kept = max(1, n // _numbers(options)[1])
        threshold = base.worst_first(objective, [*others, value])[-kept]
        place = base.rank(objective, value, others)
        stop = place > kept
        said = base.outcome(value, interval.report, threshold, stop)
        return Decision(
            policy="successive_halving",
            report=interval.report,
            stop=stop,
            value=value,
            threshold=threshold,
            reason=f"{said}: successive halving, best {kept:,} of {n:,} at this rung go on, "
            f"rank {place:,}",
            numbers={"rank": place, "n": n, "kept": kept},
        )

    def check(self, options: Options) -> list[Problem]:
        """Numbers that are not whole, too small or too large."""
        return [
            *base.unknown(options, self.names),
            *base.whole(options, "min_reports", 1, base.MAX_REPORTS),
            *base.whole(options, "reduction_factor", 2, MAX_FACTOR),
        ]

    def describe(self, options: Options) -> str:
        """The share that goes on and the first rung."""
        first, factor = _numbers(options)
        return f"successive halving, best 1/{factor} from report {first:,} on"

    def explain(self, options: Options, objective: Objective) -> str:
        """The rule with the first rungs filled in."""
        first, factor = _numbers(options)
        rungs = ", ".join(f"{first * factor**k:,}" for k in range(3))
        return (
            f"At reports {rungs}, …, stop a trial whose best {objective.primary_metric} is not "
            f"among the best 1/{factor} of those that have come as far."
        )


def _numbers(options: Options) -> tuple[int, int]:
    """First rung and reduction factor."""
    first = options.get("min_reports", DEFAULTS["min_reports"])
    return int(first), int(options.get("reduction_factor", DEFAULTS["reduction_factor"]))
