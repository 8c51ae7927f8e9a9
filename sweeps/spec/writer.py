"""`SweepJob` values to sweep-job documents that Azure ML's tools and `read_job` both read."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import yaml

from sweeps.domain.elsewhere import KEPT_CODE
from sweeps.domain.job import DataInput, Sampling, SweepJob
from sweeps.domain.limits import DEFAULT_TIMEOUT_S
from sweeps.spec.azure_space import azures_form
from sweeps.spec.early import AZURES
from sweeps.spec.environments import written
from sweeps.spec.studio import PROPERTY, to_property

SCHEMA = "https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json"


def job_to_doc(job: SweepJob, *, studio: bool = True) -> dict[str, Any]:
    """The job as a document, without what is at its default.

    `studio=False` leaves out what only this studio knows (see `to_yaml`).
    """
    limits = job.limits
    doc: dict[str, Any] = {
        "type": "sweep",
        "name": job.name,
        "display_name": job.display_name,
        "experiment_name": job.experiment_name,
        "description": job.description,
        "tags": dict(job.tags),
        "properties": dict(job.properties),
        "compute": f"azureml:{job.compute}" if job.compute else None,
        "trial": _trial(job, studio),
        "inputs": {name: _input(value) for name, value in job.inputs.items()},
        "outputs": {name: _without_none(asdict(output)) for name, output in job.outputs.items()},
        "search_space": azures_form(job.search_space),
        "sampling_algorithm": _sampling(job.sampling),
        "objective": {
            "goal": job.objective.goal.value,
            "primary_metric": job.objective.primary_metric,
        },
        "limits": _without_none(
            {
                "max_total_trials": limits.max_total_trials,
                "max_concurrent_trials": limits.max_concurrent_trials,
                "timeout": None if limits.timeout == DEFAULT_TIMEOUT_S else limits.timeout,
                "trial_timeout": limits.trial_timeout,
            }
        ),
    }
    early = job.early_termination
    if early and early.type in AZURES:
        doc["early_termination"] = {"type": early.type, **early.options}
    if studio and (extras := to_property(job)):
        text = json.dumps(extras, ensure_ascii=False, allow_nan=False)
        doc["properties"] = {**job.properties, PROPERTY: text}
    return {key: value for key, value in doc.items() if value not in (None, "", {})}


def to_yaml(job: SweepJob, *, studio: bool = True) -> str:
    """The job as YAML text, keys in reading order; `azure.ai.ml.load_job` reads it either way.

    With `studio` (the default), `read_job` gives the same job back: what Azure's schema has no key
    for (stop rules, failure policy, first trials, successive halving, the seed of any algorithm
    but random, booleans among the values) stands as JSON in `properties.studio`, which Azure's
    tools ignore. `studio=False` is the job for Azure ML alone ("Copy as Azure YAML"): without that
    property, and with a comment at the top that names what is left out.
    """
    head = f"$schema: {SCHEMA}\n"
    if not studio and (left_out := to_property(job)):
        head = f"# Left out, for Azure ML has no key for it: {', '.join(left_out)}.\n{head}"
    if not studio and job.code and job.code.startswith(KEPT_CODE):
        head = f"# The code is kept in the studio: write your folder at trial.code.\n{head}"
    return head + dump(job_to_doc(job, studio=studio))


def dump(doc: Mapping[str, Any]) -> str:
    """A document as YAML text, keys as they come."""
    text: str = yaml.dump(dict(doc), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def _trial(job: SweepJob, studio: bool) -> dict[str, Any]:
    return _without_none(
        {
            "command": job.command,
            "code": _code(job.code, studio),
            "environment": written(job.environment, studio=studio),
            "environment_variables": dict(job.environment_variables) or None,
        }
    )


def _code(code: str | None, studio: bool) -> str | None:
    """Code that the studio keeps by its content looks like an asset to Azure's schema; to Azure
    itself it means nothing."""
    if code is None or not code.startswith(KEPT_CODE):
        return code
    return f"azureml:{code}" if studio else None


def _input(value: Any) -> Any:
    return _without_none(asdict(value)) if isinstance(value, DataInput) else value


def _sampling(sampling: Sampling) -> Any:
    """A name where that says all; Azure's schema knows options for random only."""
    if sampling.algorithm != "random":
        return sampling.algorithm
    options = {"seed": sampling.seed, "logbase": sampling.written_logbase}
    if sampling.rule != "random":
        options["rule"] = sampling.rule  # type: ignore[assignment]
    said = _without_none(options)
    return {"type": "random", **said} if said else "random"


def _without_none(doc: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in doc.items() if value is not None}


class _Dumper(yaml.SafeDumper):
    """Writes floats so that YAML 1.1 readers take them for floats, and no aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _float(dumper: yaml.SafeDumper, value: float) -> yaml.ScalarNode:
    text = repr(value)
    if "e" in text and "." not in text.split("e")[0]:
        text = text.replace("e", ".0e", 1)
    return dumper.represent_scalar("tag:yaml.org,2002:float", text)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    """Quoted where a reader could take it for something else, or fold or drop a character.

    SafeDumper knows what YAML 1.1 takes for no text, but not the numbers of YAML 1.2 (1e-3), and
    it writes line separators and the like bare.
    """
    style = None
    if _looks_like_number(value) or not value.replace("\n", "").isprintable():
        style = '"'
    elif "\n" in value:
        style = '"' if value[0].isspace() or not value.strip() else "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


def _looks_like_number(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


_Dumper.add_representer(float, _float)
_Dumper.add_representer(str, _text)
