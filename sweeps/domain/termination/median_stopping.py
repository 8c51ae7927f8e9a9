"""Median stopping: stop a trial whose best is worse than what the others had on average.

At report N the trial's best over its reports 1 to N is compared with the median of the running
averages, over reports 1 to N each, of the other trials. Strictly worse: it stops; a tie stays.
Values are in the metric's own unit; those that are not finite count neither in a best nor in an
average. A trial is not judged (None) without a finite value, or when no other trial has reported N.

Source: azureml.train.hyperdrive.MedianStoppingPolicy, after Golovin et al., "Google Vizier" (KDD
2017), which says "strictly worse". Azure does not say what becomes of ties and of trials that
reported fewer than N values, nor whether the trial itself counts; leaving both out is our choice.
"""

from collections.abc import Mapping
from typing import ClassVar

from sweeps.domain.objective import Objective
from sweeps.domain.problems import Problem
from sweeps.domain.termination import base
from sweeps.domain.termination.base import Decision, Interval, Options, Standing


class MedianStopping:
    """See the module."""

    names: ClassVar[Mapping[str, type]] = {}
    has_timing: ClassVar[bool] = True

    def is_due(self, report: int, options: Options) -> bool:
        """See `base.is_due`."""
        return base.is_due(report, options)

    def decide(self, interval: Interval, options: Options) -> Decision | None:
        """See the module."""
        value, objective = base.finite(interval.own.best), interval.objective
        means = [m for s in interval.others if (m := _average(s, objective)) is not None]
        if value is None or not means:
            return None
        median = _median(means)
        stop = base.is_worse(objective, value, median, abs(median))
        said = base.outcome(value, interval.report, median, stop)
        of = (
            "the average of one other trial"
            if len(means) == 1
            else (f"the median of the averages of {len(means):,} other trials")
        )
        return Decision(
            policy="median_stopping",
            report=interval.report,
            stop=stop,
            value=value,
            threshold=median,
            reason=f"{said}: median stopping, {of}",
            numbers={"median": median, "trials": len(means) + 1},
        )

    def check(self, options: Options) -> list[Problem]:
        """Odd timing."""
        return base.unknown(options, base.TIMING) + base.timing_problems(options)

    def describe(self, options: Options) -> str:
        """It has no numbers but when it looks."""
        return "median stopping"

    def explain(self, options: Options, objective: Objective) -> str:
        """The rule with the metric filled in."""
        return (
            f"{base.when(options)}stop a trial whose best {objective.primary_metric} is "
            f"{base.worse_than(objective)} the median of the other trials' averages up to there."
        )


def _average(standing: Standing, objective: Objective) -> float | None:
    """The running average, never better than the best: the mean of three 0.1 is above 0.1."""
    mean, best = base.finite(standing.mean), base.finite(standing.best)
    if mean is None or best is None:
        return mean
    return best if objective.is_better(mean, best) else mean


def _median(values: list[float]) -> float:
    """The median; halved before it is added, for sums beyond the largest float."""
    ordered = sorted(values)
    low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
    return low if low == high else low / 2 + high / 2
