"""A sweep as it is being typed: every field as text, so that nothing is lost or tidied away."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.http import QueryDict

from sweeps.domain.durations import format_duration
from sweeps.domain.job import DataInput, SweepJob
from sweeps.domain.limits import DEFAULT_TIMEOUT_S
from sweeps.domain.space_doc import MAX_NESTING, space_to_doc
from sweeps.forms.rows import ALL_FIELDS, DEFAULT_TAG, Row, from_space_doc
from sweeps.forms.values import format_value

# Single text fields of the form, with what they hold at first.
TEXTS: Mapping[str, str] = {
    "display_name": "",
    "name": "",
    "description": "",
    "experiment_name": "",
    "tags": "",
    "command": "",
    "compute": "",
    "algorithm": "random",
    "rule": "random",
    "seed": "",
    "logbase": "",
    "primary_metric": "",
    "goal": "minimize",
    "max_total_trials": "20",
    "max_concurrent_trials": "",
    "timeout": "2h",
    "trial_timeout": "",
    "code": "",  # digest of the kept snapshot
    "code_origin": "",
    "code_folder": "",
    "entry": "",
    "entry_read": "",  # the script that the proposals came from
    "kept": "",  # JSON: what a cloned job says that the form does not ask
}


@dataclass(frozen=True, slots=True)
class InputRow:
    """One input: a literal value, or a file or folder (uploaded, or a path on this machine)."""

    name: str = ""
    kind: str = "value"
    value: str = ""

    @property
    def is_blank(self) -> bool:
        """True for an empty line that was only offered."""
        return not (self.name.strip() or self.value.strip())


@dataclass(frozen=True, slots=True)
class VariableRow:
    """One environment variable."""

    name: str = ""
    value: str = ""

    @property
    def is_blank(self) -> bool:
        """True for an empty line that was only offered."""
        return not (self.name.strip() or self.value)


_KEY = re.compile(r"\d{1,6}")
INPUT_KINDS = {"value": "Value", "uri_file": "File", "uri_folder": "Folder"}


@dataclass(frozen=True, slots=True)
class Draft:
    """The whole form as typed."""

    texts: Mapping[str, str] = field(default_factory=lambda: dict(TEXTS))
    rows: tuple[Row, ...] = ()
    inputs: tuple[InputRow, ...] = ()
    variables: tuple[VariableRow, ...] = ()
    metrics: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> str:
        return self.texts[name]

    def having(self, **texts: str) -> "Draft":
        """The draft with other texts in some fields."""
        return replace(self, texts={**self.texts, **texts})


def from_post(data: QueryDict) -> Draft:
    """What came in with a request; unknown fields are ignored, missing ones are empty."""
    texts = {name: data.get(name, "") for name in TEXTS}
    texts["goal"] = texts["goal"] or "minimize"
    texts["algorithm"] = texts["algorithm"] or "random"
    return Draft(
        texts=texts,
        rows=_rooted(
            [_row(data, key) for key in dict.fromkeys(data.getlist("row")) if _KEY.fullmatch(key)]
        ),
        inputs=tuple(
            InputRow(*parts) for parts in _columns(data, "input_name", "input_kind", "input_value")
        ),
        variables=tuple(
            VariableRow(*parts) for parts in _columns(data, "variable_name", "variable_value")
        ),
        metrics=tuple(data.getlist("found_metric")),
    )


def _row(data: QueryDict, key: str) -> Row:
    def text(name: str, default: str = "") -> str:
        return data.get(f"row-{key}-{name}", default)

    return Row(
        key=key,
        name=text("name"),
        type=text("type", "uniform"),
        typed={name: text(name) for name in ALL_FIELDS if f"row-{key}-{name}" in data},
        parent=text("parent"),
        when=text("when"),
        tag=text("tag") or DEFAULT_TAG,
    )


def _rooted(rows: list[Row]) -> tuple[Row, ...]:
    """Rows whose parents lead to the top; a request can name others, in circles even."""
    parents = {row.key: row.parent for row in rows}

    def has_root(row: Row) -> bool:
        key = row.parent
        for _ in range(MAX_NESTING):
            if not key:
                return True
            key = parents.get(key, key)
        return False

    return tuple(row if has_root(row) else replace(row, parent="") for row in rows)


def _columns(data: QueryDict, *names: str) -> list[tuple[str, ...]]:
    """Repeated fields as rows, also the empty ones: buttons name them by their place."""
    return list(zip(*(data.getlist(name) for name in names), strict=False))


def from_job(job: SweepJob, **texts: str) -> Draft:
    """The draft that says what a job says: for clones and examples."""
    sampling = job.sampling
    known = {
        "display_name": job.display_name,
        "description": job.description,
        "experiment_name": job.experiment_name or "",
        "tags": ", ".join(f"{key}={value}" if value else key for key, value in job.tags.items()),
        "command": job.command,
        "compute": (job.compute or "").removeprefix("azureml:"),
        "algorithm": sampling.algorithm,
        "rule": sampling.rule,
        "seed": "" if sampling.seed is None else str(sampling.seed),
        "logbase": "" if sampling.logbase is None else str(sampling.logbase),
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
    }
    return Draft(
        texts={**TEXTS, **known, **texts},
        rows=tuple(from_space_doc(space_to_doc(job.search_space))),
        inputs=tuple(_input_row(name, value) for name, value in job.inputs.items()),
        variables=tuple(VariableRow(*pair) for pair in job.environment_variables.items()),
    )


def _input_row(name: str, value: Any) -> InputRow:
    if isinstance(value, DataInput):
        kind = "uri_file" if value.type == "uri_file" else "uri_folder"
        return InputRow(name, kind, value.path)
    return InputRow(name, "value", format_value(value))
