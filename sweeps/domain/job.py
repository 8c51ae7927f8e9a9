"""A sweep job as one value: what a form, a job file, the client and the database row all say."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from sweeps.domain.limits import Limits
from sweeps.domain.objective import Objective
from sweeps.domain.space import Scalar, SearchSpace

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
class SweepJob:
    """Everything that makes a sweep, independent of where it runs.

    `code` is a folder (as written) or None when it comes apart from the job, as an upload does;
    `notes` says what a reader replaced or ignored.
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
    tags: Mapping[str, str] = field(default_factory=dict)
    properties: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
