"""A sweep job as an object: what `.sweep(…)` makes, and Azure's `SweepJob(…)` by hand."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeps.client.distributions import Distribution
from sweeps.client.machines import document_of, merged
from sweeps.client.rules import Objective, SweepJobLimits

if TYPE_CHECKING:
    from sweeps.client.words import Command

# Both spellings of a placeholder: ${{inputs.x}} and ${{ inputs.x }}.
_INPUT = re.compile(r"(\$\{\{\s*)inputs(\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\})")
_ASKED = ("identity", "queue_settings", "resources")


@dataclass
class Sweep:
    """A sweep job. Its attributes may be set until it is submitted.

    `studio` holds what Azure has no key for: stop_rules, logged_models, first_trials … (user guide,
    "Job files").
    """

    trial: "Command"
    search_space: dict[str, Any]
    objective: Objective
    sampling_algorithm: Any = "random"
    limits: SweepJobLimits = field(default_factory=SweepJobLimits)
    early_termination: Any = None
    compute: str | None = None
    name: str | None = None
    display_name: str | None = None
    experiment_name: str | None = None
    description: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    properties: dict[str, str] = field(default_factory=dict)
    identity: Any = None
    queue_settings: Any = None
    resources: Any = None
    services: dict[str, Any] | None = None
    studio: dict[str, Any] = field(default_factory=dict)

    def set_limits(
        self,
        *,
        max_concurrent_trials: int | None = None,
        max_total_trials: int | None = None,
        timeout: int | None = None,
        trial_timeout: int | None = None,
    ) -> None:
        """Set those limits that are given; timeouts in seconds."""
        given = SweepJobLimits(max_concurrent_trials, max_total_trials, timeout, trial_timeout)
        for name, value in given.document().items():
            setattr(self.limits, name, value)

    def set_objective(self, *, goal: str | None = None, primary_metric: str | None = None) -> None:
        """Set goal or primary metric, or both."""
        self.objective.goal = goal or self.objective.goal
        self.objective.primary_metric = primary_metric or self.objective.primary_metric

    def set_resources(
        self,
        *,
        instance_type: str | list[str] | None = None,
        instance_count: int | None = None,
        locations: list[str] | None = None,
        properties: dict[str, Any] | None = None,
        docker_args: str | list[str] | None = None,
        shm_size: str | None = None,
    ) -> None:
        """Write those that are given into the job; they do not apply on one's own machines."""
        self.resources = merged(
            self.resources,
            instance_type=instance_type,
            instance_count=instance_count,
            locations=locations,
            properties=properties,
            docker_args=docker_args,
            shm_size=shm_size,
        )

    def document(self) -> dict[str, Any]:
        """The job as job files write it, without what is not given."""
        trial, early = self.trial, self.early_termination
        texts = ("name", "display_name", "experiment_name", "description", "tags", "properties")
        doc = {
            "type": "sweep",
            **{name: getattr(self, name) for name in texts},
            "compute": self.compute,
            "trial": _given(
                {
                    "command": _swept(trial.command, self.search_space),
                    "code": None if trial.code is None else str(trial.code),
                    "environment": document_of(trial.environment),
                    "environment_variables": trial.environment_variables,
                    "distribution": document_of(trial.distribution),
                    "resources": document_of(trial.resources),
                }
            ),
            "inputs": _mapping(trial.inputs),
            "outputs": _mapping(trial.outputs),
            "search_space": _mapping(self.search_space),
            "sampling_algorithm": document_of(self.sampling_algorithm),
            "objective": self.objective.document(),
            "limits": document_of(self.limits),
            "early_termination": {"type": early} if isinstance(early, str) else document_of(early),
            **{name: document_of(getattr(self, name)) for name in _ASKED},
            "services": _mapping(self.services or {}),
            "studio": self.studio,
        }
        return _given(doc)

    def dump(self, path: str | PathLike[str]) -> None:
        """Write the job as a job file."""
        import yaml

        text = yaml.safe_dump(self.document(), sort_keys=False, allow_unicode=True)
        Path(path).write_text(text, encoding="utf-8")


class SweepJob(Sweep):
    """A sweep of its parts, as `azure.ai.ml.sweep.SweepJob` is called.

    What it says nothing of, `compute`, `inputs`, `outputs` and the time that a trial may take, is
    what the trial's command says.
    """

    def __init__(
        self,
        *,
        trial: "Command",
        search_space: Mapping[str, Any],
        objective: Objective,
        limits: SweepJobLimits | None = None,
        sampling_algorithm: Any = None,
        early_termination: Any = None,
        inputs: dict[str, Any] | None = None,
        outputs: dict[str, Any] | None = None,
        compute: str | None = None,
        **more: Any,
    ) -> None:
        inputs = {
            name: value
            for name, value in (inputs or trial.inputs).items()
            if name not in search_space and not isinstance(value, Distribution)
        }
        limits = copy.copy(limits) or SweepJobLimits()
        limits.trial_timeout = limits.trial_timeout or trial.timeout
        super().__init__(
            trial=replace(trial, inputs=inputs, outputs=outputs or trial.outputs),
            search_space=dict(search_space),
            objective=objective,
            sampling_algorithm=sampling_algorithm or "random",
            limits=limits,
            early_termination=early_termination,
            compute=compute or trial.compute,
            **{name: value for name, value in more.items() if value is not None},
        )


def _mapping(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: document_of(value) for name, value in parts.items()}


def _given(doc: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in doc.items() if value not in (None, "", {})}


def _swept(command: str, space: dict[str, Any]) -> str:
    """The command with `${{inputs.x}}` as `${{search_space.x}}` where x is drawn."""
    return _INPUT.sub(lambda m: f"{m[1]}search_space{m[2]}" if m[3] in space else m[0], command)
