"""Building a sweep in Python: `command(…)`, calling it with distributions, `.sweep(…)`.

The words and their calling are those of `azure.ai.ml`, so that code written for one reads as code
for the other.
"""

import copy
import re
from dataclasses import asdict, dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any

from sweeps.client.distributions import Distribution
from sweeps.client.errors import ValidationException
from sweeps.client.rules import Objective, SweepJobLimits

# Both spellings of a placeholder: ${{inputs.x}} and ${{ inputs.x }}.
_INPUT = re.compile(r"(\$\{\{\s*)inputs(\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\})")


@dataclass
class Input:
    """A file or folder that the command reads; `path` is local, relative, or a URL."""

    type: str = "uri_folder"
    path: str | PathLike[str] | None = None
    mode: str | None = None


@dataclass
class Output:
    """A folder that the command writes, kept with its trial."""

    type: str = "uri_folder"
    path: str | None = None
    mode: str | None = None


def _document(value: Any) -> Any:
    """A part as job files write it, whatever it was built from."""
    if isinstance(value, Input | Output):
        return {k: str(v) for k, v in asdict(value).items() if v is not None}
    return value.document() if hasattr(value, "document") else value


def _mapping(parts: dict[str, Any]) -> dict[str, Any]:
    return {name: _document(value) for name, value in parts.items()}


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
    ) -> "Sweep":
        """A sweep over the inputs whose value is a distribution, and over `search_space`."""
        drawn = {k: v for k, v in self.inputs.items() if isinstance(v, Distribution)}
        trial = copy.deepcopy(self)
        trial.inputs = {k: v for k, v in trial.inputs.items() if k not in drawn}
        return Sweep(
            trial=trial,
            search_space={**drawn, **(search_space or {})},
            objective=Objective(goal, primary_metric),
            sampling_algorithm=sampling_algorithm,
            limits=SweepJobLimits(max_concurrent_trials, max_total_trials, timeout, trial_timeout),
            early_termination=early_termination_policy,
            compute=compute or self.compute,
            name=self.name,
            display_name=self.display_name,
            experiment_name=self.experiment_name,
            description=self.description,
            tags=dict(self.tags),
            properties=dict(self.properties),
        )


@dataclass
class Sweep:
    """A sweep job. Its attributes may be set until it is submitted.

    `studio` holds what Azure has no key for: stop_rules, failure_policy, first_trials (user guide,
    "Job files").
    """

    trial: Command
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
                    "environment": _document(trial.environment),
                    "environment_variables": trial.environment_variables,
                }
            ),
            "inputs": _mapping(trial.inputs),
            "outputs": _mapping(trial.outputs),
            "search_space": _mapping(self.search_space),
            "sampling_algorithm": _document(self.sampling_algorithm),
            "objective": self.objective.document(),
            "limits": _document(self.limits),
            "early_termination": {"type": early} if isinstance(early, str) else _document(early),
            "studio": self.studio,
        }
        return _given(doc)

    def dump(self, path: str | PathLike[str]) -> None:
        """Write the job as a job file."""
        import yaml

        text = yaml.safe_dump(self.document(), sort_keys=False, allow_unicode=True)
        Path(path).write_text(text, encoding="utf-8")


def _given(doc: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in doc.items() if value not in (None, "", {})}


def _swept(command: str, space: dict[str, Any]) -> str:
    """The command with `${{inputs.x}}` as `${{search_space.x}}` where x is drawn."""
    return _INPUT.sub(lambda m: f"{m[1]}search_space{m[2]}" if m[3] in space else m[0], command)


def command(*, command: str, **parts: Any) -> Command:
    """A command; see `Command` for its parts.

    Raises ValidationException for a part that does not apply on one's own machines.
    """
    unknown = [name for name in parts if name not in Command.__dataclass_fields__]
    if unknown:
        known = ", ".join(Command.__dataclass_fields__)
        raise ValidationException(
            f"A command has no {', '.join(unknown)} here; it has {known}.", field=unknown[0]
        )
    return Command(command=command, **{k: v for k, v in parts.items() if v is not None})
