"""Sampling algorithms, early-termination policies, objective and limits of a sweep.

Called as those of `azure.ai.ml.sweep` are; `SuccessiveHalvingPolicy` and the seed of bayesian
sampling are the studio's own.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


class _Typed:
    type: ClassVar[str]

    def document(self) -> dict[str, Any]:
        """The part as job files write it, without what is not given."""
        given = {k: v for k, v in asdict(self).items() if v is not None}  # type: ignore[call-overload]
        return {"type": self.type, **given}


class SamplingAlgorithm(_Typed):
    """What every sampling algorithm is."""


@dataclass
class RandomSamplingAlgorithm(SamplingAlgorithm):
    """Independent draws; rule "sobol" covers the space more evenly."""

    type = "random"
    rule: str | None = None
    seed: int | None = None
    logbase: float | str | None = None


@dataclass
class GridSamplingAlgorithm(SamplingAlgorithm):
    """Every combination of choices."""

    type = "grid"


@dataclass
class BayesianSamplingAlgorithm(SamplingAlgorithm):
    """Hyperopt's TPE."""

    type = "bayesian"
    seed: int | None = None


@dataclass
class BanditPolicy(_Typed):
    """Stop what is further from the best than the slack, of which exactly one is given."""

    type = "bandit"
    delay_evaluation: int = 0
    evaluation_interval: int = 0
    slack_amount: float | None = None
    slack_factor: float | None = None


@dataclass
class MedianStoppingPolicy(_Typed):
    """Stop what is worse than the median of the others' running averages."""

    type = "median_stopping"
    delay_evaluation: int = 0
    evaluation_interval: int = 1


@dataclass
class TruncationSelectionPolicy(_Typed):
    """Stop the worst share, 1 to 99 percent, at each interval."""

    type = "truncation_selection"
    delay_evaluation: int = 0
    evaluation_interval: int = 0
    truncation_percentage: int = 0


@dataclass
class SuccessiveHalvingPolicy(_Typed):
    """ASHA in the variant that stops trials; Azure ML has no such policy."""

    type = "successive_halving"
    min_reports: int = 1
    reduction_factor: int = 4


@dataclass
class Objective:
    """The metric, exactly as the script logs it, and minimize or maximize."""

    goal: str | None = None
    primary_metric: str | None = None

    def document(self) -> dict[str, Any]:
        """The part as job files write it."""
        given = {"goal": (self.goal or "").lower(), "primary_metric": self.primary_metric}
        return {name: value for name, value in given.items() if value}


@dataclass
class SweepJobLimits:
    """How many trials, how many at once, and timeouts in seconds."""

    max_concurrent_trials: int | None = None
    max_total_trials: int | None = None
    timeout: int | None = None
    trial_timeout: int | None = None

    def document(self) -> dict[str, Any]:
        """The part as job files write it."""
        return {name: value for name, value in asdict(self).items() if value is not None}
