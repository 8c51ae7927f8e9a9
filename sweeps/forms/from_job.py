"""The draft that says what a job says: for clones and examples."""

import math
from collections.abc import Sequence
from typing import Any

from sweeps.domain.durations import format_duration
from sweeps.domain.job import DataInput, SweepJob
from sweeps.domain.limits import DEFAULT_TIMEOUT_S
from sweeps.domain.space_doc import space_to_doc
from sweeps.forms import first, rules
from sweeps.forms.draft import TEXTS, Draft, InputRow, VariableRow
from sweeps.forms.environment_text import to_text
from sweeps.forms.rows import Row, from_space_doc
from sweeps.forms.values import format_value


def from_job(job: SweepJob, **texts: str) -> Draft:
    """The draft of a job; further first trials than the one travel as `kept`."""
    sampling = job.sampling
    known = {
        "display_name": job.display_name,
        "description": job.description,
        "experiment_name": job.experiment_name or "",
        "tags": ", ".join(f"{key}={value}" if value else key for key, value in job.tags.items()),
        "command": job.command,
        "environment": to_text(job.environment),
        "compute": (job.compute or "").removeprefix("azureml:"),
        "algorithm": sampling.algorithm,
        "rule": sampling.rule,
        "seed": "" if sampling.seed is None else str(sampling.seed),
        "logbase": "" if sampling.logbase is None else str(sampling.written_logbase),
        "primary_metric": job.objective.primary_metric,
        "goal": job.objective.goal.value,
        "max_total_trials": str(job.limits.max_total_trials),
        "max_concurrent_trials": str(job.limits.max_concurrent_trials),
        "timeout": ""
        if job.limits.timeout == DEFAULT_TIMEOUT_S
        else format_duration(job.limits.timeout),
        "trial_timeout": ""
        if job.limits.trial_timeout is None
        else format_duration(job.limits.trial_timeout),
        "try_first": "1" if job.first_trials else "",
        "fresh": "" if job.preload else "1",
        **rules.texts_of(job),
    }
    rows = tuple(from_space_doc(space_to_doc(job.search_space)))
    return Draft(
        texts={**TEXTS, **known, **texts},
        rows=rows,
        first=_first(job, rows),
        inputs=tuple(_input_row(name, value) for name, value in job.inputs.items()),
        variables=tuple(VariableRow(*pair) for pair in job.environment_variables.items()),
    )


def _first(job: SweepJob, rows: Sequence[Row]) -> dict[str, str]:
    if not job.first_trials:
        return {}
    base = math.e if job.sampling.logbase is None else job.sampling.logbase
    return first.texts_of(rows, job.search_space, job.first_trials[0], base)


def _input_row(name: str, value: Any) -> InputRow:
    if isinstance(value, DataInput):
        kind = "uri_file" if value.type == "uri_file" else "uri_folder"
        return InputRow(name, kind, value.path)
    return InputRow(name, "value", format_value(value))
