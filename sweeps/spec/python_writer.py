"""`SweepJob` values to Python that builds the same job with azure-ai-ml's words."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from sweeps.domain.job import DataInput, EarlyTermination, Sampling, SweepJob
from sweeps.domain.limits import DEFAULT_TIMEOUT_S
from sweeps.domain.space import Branch, Choice, Distribution
from sweeps.spec.early import AZURES
from sweeps.spec.environments import written
from sweeps.spec.python_source import Call, Raw, functions, source
from sweeps.spec.studio import PROPERTY, to_property

_CLIENT = "sweeps.client"
_POLICIES = {
    "bandit": "BanditPolicy",
    "median_stopping": "MedianStoppingPolicy",
    "truncation_selection": "TruncationSelectionPolicy",
}
_ENVIRONMENT = (
    "image", "conda_file", "build", "name", "version", "description", "tags", "properties",
)  # fmt: skip


def write_python(job: SweepJob, studio_url: str, workspace: str) -> str:
    """Python source that builds `job` as `sweep_job` and, run as a script, submits it.

    The names come from `sweeps.client`; `command`, `Input`, `Output`, `Environment`,
    `BuildContext` of `azure.ai.ml` and `azure.ai.ml.entities` and all of `azure.ai.ml.sweep` mean
    the same. What only this studio knows travels in `properties["studio"]` as JSON. The token is
    read from STUDIO_TOKEN when the script runs.
    """
    command, sweep, limits = _command(job), _sweep(job), _limits(job)
    names = {"MLClient", *functions([command, sweep])} - {"command_job.sweep", "json.dumps"}
    modules = ["json", "os"] if "json.dumps" in functions(command) else ["os"]
    client = Call(
        "MLClient", (studio_url,), {"token": Raw('os.environ["STUDIO_TOKEN"]'),
                                    "workspace": workspace},
    )  # fmt: skip
    return (
        "".join(f"import {module}\n" for module in modules)
        + f"\n{_imports(sorted(names, key=_as_sorted))}\n\n"
        + f"command_job = {source(command, before=14)}\n\n"
        f"sweep_job = {source(sweep, before=12)}\n"
        f"{source(limits)}\n\n"
        'if __name__ == "__main__":\n'
        f"    ml_client = {source(client, 1, 12)}\n"
        "    returned_job = ml_client.create_or_update(sweep_job)\n"
        "    print(returned_job.studio_url)\n"
    )


def _as_sorted(name: str) -> tuple[bool, str]:
    """Classes before functions, as import sorters have it."""
    return name.islower(), name


def _imports(names: list[str]) -> str:
    line = f"from {_CLIENT} import {', '.join(names)}"
    if len(line) <= 88:
        return line
    return f"from {_CLIENT} import (\n" + "".join(f"    {name},\n" for name in names) + ")"


def _command(job: SweepJob) -> Call:
    said: dict[str, Any] = {
        "name": job.name,
        "display_name": job.display_name,
        "description": job.description,
        "experiment_name": job.experiment_name,
        "code": job.code,
        "command": job.command,
        "environment": _environment(job.environment),
        "environment_variables": dict(job.environment_variables),
        "compute": job.compute,
        "inputs": {name: _input(value) for name, value in job.inputs.items()},
        "outputs": {
            name: Call("Output", keywords=asdict(output)) for name, output in job.outputs.items()
        },
        "tags": dict(job.tags),
        "properties": _properties(job),
    }
    return Call("command", keywords={key: v for key, v in said.items() if v not in (None, "", {})})


def _properties(job: SweepJob) -> dict[str, Any]:
    extras = to_property(job)
    return {**job.properties, **({PROPERTY: Call("json.dumps", (extras,))} if extras else {})}


def _environment(value: object) -> Any:
    if not isinstance(value, Mapping):
        return written(value)
    said = {str(key): item for key, item in value.items() if key in _ENVIRONMENT}
    if isinstance(said.get("build"), Mapping):
        said["build"] = Call("BuildContext", keywords=dict(said["build"]))
    return Call("Environment", keywords=said)


def _input(value: Any) -> Any:
    if not isinstance(value, DataInput):
        return value
    return Call("Input", keywords={"type": value.type, "path": value.path, "mode": value.mode})


def _sweep(job: SweepJob) -> Call:
    return Call(
        "command_job.sweep",
        keywords={
            "primary_metric": job.objective.primary_metric,
            "goal": job.objective.goal.value,
            "sampling_algorithm": _sampling(job.sampling),
            "search_space": {name: _distribution(one) for name, one in job.search_space},
            "early_termination_policy": _policy(job.early_termination),
        },
    )


def _sampling(sampling: Sampling) -> Any:
    if sampling.algorithm != "random":
        return sampling.algorithm
    rule = None if sampling.rule == "random" else sampling.rule
    options = {"rule": rule, "seed": sampling.seed, "logbase": sampling.written_logbase}
    if all(value is None for value in options.values()):
        return "random"
    return Call("RandomSamplingAlgorithm", keywords=options)


def _distribution(distribution: Distribution) -> Call:
    name = type(distribution).__name__
    if isinstance(distribution, Choice):
        return Call(name, ([_value(value) for value in distribution.values],))
    numbers = {part.name: getattr(distribution, part.name) for part in fields(distribution)}
    return Call(name, keywords=numbers)


def _value(value: Any) -> Any:
    if not isinstance(value, Branch):
        return value
    return {
        key: item if isinstance(item, str | int | float | bool) else _distribution(item)
        for key, item in value.items
    }


def _policy(policy: EarlyTermination | None) -> Call | None:
    if policy is None or policy.type not in AZURES:
        return None
    return Call(_POLICIES[policy.type], keywords=dict(policy.options))


def _limits(job: SweepJob) -> Call:
    limits = job.limits
    return Call(
        "sweep_job.set_limits",
        keywords={
            "max_total_trials": limits.max_total_trials,
            "max_concurrent_trials": limits.max_concurrent_trials,
            "timeout": None if limits.timeout == DEFAULT_TIMEOUT_S else limits.timeout,
            "trial_timeout": limits.trial_timeout,
        },
    )
