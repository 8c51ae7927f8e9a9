"""Bandit: stop a trial that is further from the best than a slack allows.

At report N, B is the best of all trials over their reports 1 to N and Y the best of this one.

- `slack_factor` f (a share, without a unit): for maximize Y must be at least B/(1 + f), for
  minimize at most B*(1 + f). Written as a gap, so that it means the same for a negative B: Y may
  lie |B|*f/(1 + f) below B, or |B|*f above it.
- `slack_amount` a (in the metric's own unit): Y may lie `a` below B, or above it for minimize.

Exactly one of the two; 0 counts as not given, as Azure's client writes the one left out. Y exactly
at the edge stays. A trial is not judged (None) without a finite value, or when no other trial has
one at that report.

Source: Azure ML, "how to tune hyperparameters", and azureml.train.hyperdrive.BanditPolicy for
maximize; both are silent on minimize and on negative metrics, where the above is our choice. As
written there, the formula for maximize would stop even the best trial of a negative metric.
"""

from collections.abc import Mapping
from typing import ClassVar

from sweeps.domain.objective import Goal, Objective
from sweeps.domain.problems import Problem
from sweeps.domain.termination import base
from sweeps.domain.termination.base import Decision, Interval, Options
from sweeps.domain.wording import shown


class Bandit:
    """See the module."""

    names: ClassVar[Mapping[str, type]] = {"slack_factor": float, "slack_amount": float}
    has_timing: ClassVar[bool] = True

    def is_due(self, report: int, options: Options) -> bool:
        """See `base.is_due`."""
        return base.is_due(report, options)

    def decide(self, interval: Interval, options: Options) -> Decision | None:
        """See the module."""
        value, others = base.finite(interval.own.best), base.bests(interval)
        objective = interval.objective
        best = objective.best([*others, *([] if value is None else [value])])
        if value is None or best is None or not others:
            return None
        gap = _gap(best, options, objective)
        threshold = base.within_floats(
            best + gap if objective.goal is Goal.MINIMIZE else best - gap
        )
        stop = base.is_worse(objective, value, threshold, max(abs(best), gap))
        said = base.outcome(value, interval.report, threshold, stop)
        return Decision(
            policy="bandit",
            report=interval.report,
            stop=stop,
            value=value,
            threshold=threshold,
            reason=f"{said}: {self.describe(options)} of best {base.shown(best)}"
            if options.get("slack_factor")
            else f"{said}: {self.describe(options)} from best {base.shown(best)}",
            numbers={"best": best, "slack": base.within_floats(gap), "trials": len(others) + 1},
        )

    def check(self, options: Options) -> list[Problem]:
        """Not exactly one slack, one below 0, or odd timing."""
        found = base.unknown(options, (*self.names, *base.TIMING)) + base.timing_problems(options)
        negative = [name for name in self.names if (options.get(name) or 0) < 0]
        found += [
            Problem(name, f"Must be above 0, but got {shown(options[name])}.") for name in negative
        ]
        given = [name for name in self.names if options.get(name)]
        if not given:
            found.append(Problem("slack_factor", "Give slack_factor or slack_amount, above 0."))
        elif len(given) == 2:
            found.append(Problem("slack_amount", "Give slack_factor or slack_amount, not both."))
        return found

    def describe(self, options: Options) -> str:
        """The slack."""
        if factor := options.get("slack_factor"):
            return f"bandit, slack {factor * 100:.4g} %"
        return f"bandit, slack {options.get('slack_amount', 0):g}"

    def explain(self, options: Options, objective: Objective) -> str:
        """The rule with the share or amount filled in."""
        metric, direction = objective.primary_metric, base.worse_than(objective)
        head = f"{base.when(options)}stop a trial whose best {metric} is "
        factor = options.get("slack_factor")
        if not factor:
            amount = options.get("slack_amount", 0)
            return f"{head}more than {amount:g} {direction} the best so far."
        if objective.goal is Goal.MINIMIZE:
            return f"{head}more than {factor * 100:.4g} % above the best so far."
        return f"{head}below {100 / (1 + factor):.3g} % of the best so far."


def _gap(best: float, options: Options, objective: Objective) -> float:
    """How far from the best a trial may be."""
    factor = float(options.get("slack_factor") or 0)
    if not factor:
        return float(options.get("slack_amount") or 0)
    if objective.goal is Goal.MINIMIZE:
        return abs(best) * factor
    return abs(best) * (factor / (1 + factor))
