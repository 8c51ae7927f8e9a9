"""Truncation selection: at each look, stop the worst share of the trials.

At report N, n is the number of trials that have reported N values (finished and stopped ones
included, this one too), ranked by their best over reports 1 to N; `truncation_percentage` p is a
whole number from 1 to 99. The cut is floor(n*p/100) trials. A trial stops if it is in the cut with
everyone who is as bad: the number of trials worse than it or equal to it, itself included, is at
most the cut. So ties stay, and the best trial always does. Trials without a finite value at N are
neither judged (None) nor counted; without any other trial there is no decision (None).

Source: azureml.train.hyperdrive.TruncationSelectionPolicy, which sends `exclude_finished_jobs`
false. Azure does not say how it rounds or what becomes of ties; rounding down and sparing ties is
our choice.
"""

from collections.abc import Mapping
from typing import ClassVar

from sweeps.domain.objective import Objective
from sweeps.domain.problems import Problem
from sweeps.domain.termination import base
from sweeps.domain.termination.base import Decision, Interval, Options


class TruncationSelection:
    """See the module."""

    names: ClassVar[Mapping[str, type]] = {"truncation_percentage": int}
    has_timing: ClassVar[bool] = True

    def is_due(self, report: int, options: Options) -> bool:
        """See `base.is_due`."""
        return base.is_due(report, options)

    def decide(self, interval: Interval, options: Options) -> Decision | None:
        """See the module."""
        value, others = base.finite(interval.own.best), base.bests(interval)
        if value is None or not others:
            return None
        objective, n = interval.objective, len(others) + 1
        cut = n * int(options["truncation_percentage"]) // 100
        place = base.rank(objective, value, others)
        # The first that stays: whoever is as good as it has more than `cut` at or below itself.
        threshold = base.worst_first(objective, [*others, value])[cut] if cut else None
        stop = threshold is not None and objective.is_better(threshold, value)
        said = f"{base.shown(value)} at report {interval.report}"
        if threshold is not None:
            said = base.outcome(value, interval.report, threshold, stop)
        goes = f"the worst {cut:,} of {n:,}" if cut else f"none of {n:,} yet"
        return Decision(
            policy="truncation_selection",
            report=interval.report,
            stop=stop,
            value=value,
            threshold=threshold,
            reason=f"{said}: {self.describe(options)} ({goes}), rank {place:,}",
            numbers={"rank": place, "n": n, "cut": cut},
        )

    def check(self, options: Options) -> list[Problem]:
        """No percentage from 1 to 99, or odd timing."""
        found = base.unknown(options, (*self.names, *base.TIMING)) + base.timing_problems(options)
        if options.get("truncation_percentage") is None:
            text = "Is required: a whole number from 1 to 99."
            return [*found, Problem("truncation_percentage", text)]
        return found + base.whole(options, "truncation_percentage", 1, 99)

    def describe(self, options: Options) -> str:
        """The percentage."""
        return f"truncation selection, worst {options.get('truncation_percentage', 0):g} %"

    def explain(self, options: Options, objective: Objective) -> str:
        """The rule with the percentage filled in."""
        percent = options.get("truncation_percentage", 0)
        return (
            f"{base.when(options)}stop a trial whose best {objective.primary_metric} is among the "
            f"worst {percent:g} % of all trials at that report."
        )
