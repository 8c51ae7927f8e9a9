"""A sweep job as one value: what a form, a job file, the client and the database row all say."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from sweeps.domain.limits import MAX_TOTAL_TRIALS, Limits
from sweeps.domain.objective import Objective
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.space import ParamValue, Scalar, SearchSpace
from sweeps.domain.wording import shown

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sampling:
    """The sampling algorithm and its options.

    `rule` ("random" or "sobol") and `logbase` (None = e) hold for `random` only. `seed` None: the
    service draws one when the sweep is created, so that it can be repeated.
    """

    algorithm: str = "random"
    rule: str = "random"
    seed: int | None = None
    logbase: float | None = None

    @property
    def written_logbase(self) -> float | str | None:
        """The base as job files write it: where it was said to be e, that letter."""
        return "e" if self.logbase == math.e else self.logbase


ALGORITHMS = ("random", "grid", "bayesian")


@dataclass(frozen=True, slots=True)
class DataInput:
    """An input that is a file or a folder; `path` is a local path, a URL or a stored upload.

    `type` is uri_file, uri_folder or another of Azure's names; `mode` is kept for round trips.
    """

    path: str
    type: str = "uri_folder"
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """A folder that a trial may write, named in the command as ${{outputs.name}}."""

    type: str = "uri_folder"
    mode: str | None = None


@dataclass(frozen=True, slots=True)
class EarlyTermination:
    """An early-termination policy by name with its numbers, as written (None in SweepJob: none)."""

    type: str
    options: Mapping[str, int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StopRules:
    """When a sweep has found enough; None: that rule is off.

    `target_value` ends it once the best value is as good, `no_improvement_trials` once so many
    results in a row brought no better one. Raises InvalidInput naming each field out of range.
    """

    target_value: float | None = None
    no_improvement_trials: int | None = None

    def __post_init__(self) -> None:
        found = []
        if self.target_value is not None and not math.isfinite(self.target_value):
            text = f"Must be a finite number, but got {shown(self.target_value)}."
            found.append(Problem("target_value", text))
        count = self.no_improvement_trials
        if count is not None:
            found += _range("no_improvement_trials", count, 1, MAX_TOTAL_TRIALS)
        if found:
            raise InvalidInput(found)


MAX_RETRIES = 10


@dataclass(frozen=True, slots=True)
class FailurePolicy:
    """What follows when trials fail.

    `max_consecutive_failures` pauses the sweep after so many failures in a row (0: never);
    `retries` is how often a trial whose script failed runs again, `infrastructure_retries` how
    often one that the machine lost. Raises InvalidInput naming each field out of range.
    """

    max_consecutive_failures: int = 5
    retries: int = 0
    infrastructure_retries: int = 2

    def __post_init__(self) -> None:
        found = [
            *_range("max_consecutive_failures", self.max_consecutive_failures, 0, MAX_TOTAL_TRIALS),
            *_range("retries", self.retries, 0, MAX_RETRIES),
            *_range("infrastructure_retries", self.infrastructure_retries, 0, MAX_RETRIES),
        ]
        if found:
            raise InvalidInput(found)


def _range(name: str, value: int, lowest: int, highest: int) -> list[Problem]:
    if lowest <= value <= highest:
        return []
    return [Problem(name, f"Must be from {lowest} to {highest:,}, but got {shown(value)}.")]


class LoggedModels(StrEnum):
    """Whose models, of those that scripts log with MLflow, are kept once their trials have ended.

    With BEST those of the best trial so far, with NONE nobody's; what is registered always stays.
    """

    ALL = "all"
    BEST = "best"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class WarmTrial:
    """A trial of an earlier sweep that bayesian sampling may learn from: its point, and its best
    finite value of the same metric."""

    params: Mapping[str, ParamValue]
    value: float


@dataclass(frozen=True, slots=True)
class SweepJob:
    """Everything that makes a sweep, independent of where it runs.

    `code` is a folder (as written) or None when it comes apart from the job, as an upload does;
    `first_trials` are points to try before the sampler's own, `warm_start` trials of earlier sweeps
    that it knows from the beginning (bayesian alone learns from them); without `preload` each trial
    starts in a fresh interpreter; `notes` says what a reader
    replaced or ignored.
    """

    command: str
    search_space: SearchSpace
    objective: Objective
    limits: Limits
    sampling: Sampling = Sampling()
    code: str | None = None
    name: str | None = None
    display_name: str = ""
    description: str = ""
    experiment_name: str | None = None
    compute: str | None = None
    environment: object = None
    environment_variables: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, Scalar | DataInput] = field(default_factory=dict)
    outputs: Mapping[str, Output] = field(default_factory=dict)
    early_termination: EarlyTermination | None = None
    stop_rules: StopRules = StopRules()
    failure_policy: FailurePolicy = FailurePolicy()
    logged_models: LoggedModels = LoggedModels.ALL
    first_trials: tuple[Mapping[str, ParamValue], ...] = ()
    warm_start: tuple[WarmTrial, ...] = ()
    preload: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
