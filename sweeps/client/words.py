"""Building a sweep in Python: `command(…)`, calling it with distributions, `.sweep(…)`.

The words and their calling are those of `azure.ai.ml`, so that code written for one reads as code
for the other.
"""

import copy
from dataclasses import asdict, dataclass, field
from os import PathLike
from typing import Any

from sweeps.client.distributions import Distribution
from sweeps.client.errors import ValidationException
from sweeps.client.machines import merged
from sweeps.client.rules import Objective, SweepJobLimits
from sweeps.client.sweep_job import Sweep


@dataclass
class Input:
    """A file or folder that the command reads; `path` is local, relative, or a URL."""

    type: str = "uri_folder"
    path: str | PathLike[str] | None = None
    mode: str | None = None

    def document(self) -> dict[str, str]:
        """The input as job files write it."""
        return {k: str(v) for k, v in asdict(self).items() if v is not None}


@dataclass
class Output:
    """A folder that the command writes, kept with its trial."""

    type: str = "uri_folder"
    path: str | None = None
    mode: str | None = None

    def document(self) -> dict[str, str]:
        """The output as job files write it."""
        return {k: str(v) for k, v in asdict(self).items() if v is not None}


@dataclass
class Command:
    """What one trial runs. Calling it gives a copy with other inputs."""

    command: str
    code: str | PathLike[str] | None = None
    environment: Any = None
    environment_variables: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    compute: str | None = None
    name: str | None = None
    display_name: str | None = None
    experiment_name: str | None = None
    description: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    distribution: Any = None
    resources: Any = None
    queue_settings: Any = None
    identity: Any = None
    services: dict[str, Any] | None = None
    timeout: int | None = None

    def __call__(self, **inputs: Any) -> "Command":
        """The same command with these inputs; a distribution is what a sweep draws from.

        Raises ValidationException for a name that the command has no input for.
        """
        unknown = [name for name in inputs if name not in self.inputs]
        if unknown:
            known = ", ".join(self.inputs) or "none"
            raise ValidationException(
                f"The command has no input {', '.join(unknown)}; it has {known}.", field="inputs"
            )
        copied = copy.deepcopy(self)
        copied.inputs |= inputs
        return copied

    def sweep(
        self,
        *,
        primary_metric: str,
        goal: str,
        sampling_algorithm: Any = "random",
        compute: str | None = None,
        max_concurrent_trials: int | None = None,
        max_total_trials: int | None = None,
        timeout: int | None = None,
        trial_timeout: int | None = None,
        early_termination_policy: Any = None,
        search_space: dict[str, Any] | None = None,
        identity: Any = None,
        queue_settings: Any = None,
        job_tier: str | None = None,
        priority: str | None = None,
    ) -> Sweep:
        """A sweep over the inputs whose value is a distribution, and over `search_space`.

        A trial may take as long as the command may, in seconds, where `trial_timeout` is not given.
        """
        drawn = {k: v for k, v in self.inputs.items() if isinstance(v, Distribution)}
        trial = copy.deepcopy(self)
        trial.inputs = {k: v for k, v in trial.inputs.items() if k not in drawn}
        return Sweep(
            trial=trial,
            search_space={**drawn, **(search_space or {})},
            objective=Objective(goal, primary_metric),
            sampling_algorithm=sampling_algorithm,
            limits=SweepJobLimits(
                max_concurrent_trials, max_total_trials, timeout, trial_timeout or self.timeout
            ),
            early_termination=early_termination_policy,
            compute=compute or self.compute,
            name=self.name,
            display_name=self.display_name,
            experiment_name=self.experiment_name,
            description=self.description,
            tags=dict(self.tags),
            properties=dict(self.properties),
            identity=identity or self.identity,
            queue_settings=merged(
                queue_settings or self.queue_settings, job_tier=job_tier, priority=priority
            ),
            services=self.services,
        )

    def set_resources(self, **asked: Any) -> None:
        """Write resources into the job, as `Sweep.set_resources` does."""
        self.resources = merged(self.resources, **asked)

    def set_limits(self, *, timeout: int) -> None:
        """How many seconds one trial may take."""
        self.timeout = timeout


def command(
    *,
    command: str,
    instance_count: int | None = None,
    instance_type: str | None = None,
    locations: list[str] | None = None,
    docker_args: str | list[str] | None = None,
    shm_size: str | None = None,
    job_tier: str | None = None,
    priority: str | None = None,
    is_deterministic: bool = True,
    parent_job_name: str | None = None,
    **parts: Any,
) -> Command:
    """A command; see `Command` for its other parts.

    Resources, tier and priority are written into the job and do not apply on one's own machines;
    `is_deterministic` and `parent_job_name`, which no sweep has, say nothing. Raises
    ValidationException for a part that a command does not have.
    """
    unknown = [name for name in parts if name not in Command.__dataclass_fields__]
    if unknown:
        known = ", ".join(Command.__dataclass_fields__)
        raise ValidationException(
            f"A command has no {', '.join(unknown)} here; it has {known}.", field=unknown[0]
        )
    made = Command(command=command, **{k: v for k, v in parts.items() if v is not None})
    made.set_resources(
        instance_count=instance_count,
        instance_type=instance_type,
        locations=locations,
        docker_args=docker_args,
        shm_size=shm_size,
    )
    made.queue_settings = merged(made.queue_settings, job_tier=job_tier, priority=priority)
    return made
