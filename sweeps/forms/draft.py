"""A sweep as it is being typed: every field as text, so that nothing is lost or tidied away."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from django.http import QueryDict

from sweeps.domain.space_doc import MAX_NESTING
from sweeps.forms.rows import ALL_FIELDS, DEFAULT_TAG, Row

# Single text fields of the form, with what they hold at first.
TEXTS: Mapping[str, str] = {
    "display_name": "",
    "name": "",
    "description": "",
    "experiment_name": "",
    "tags": "",
    "command": "",
    "environment": "",  # as environment_text writes it; "": the compute's Python
    "compute": "",
    "algorithm": "random",
    "algorithm_before": "",  # that of the sweep this one follows, where another was set for it
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
    "former": "",  # the sweep that a clone is of: its hidden values are kept
    "kept": "",  # JSON: what a cloned job says that the form does not ask
    "early_type": "",  # no policy
    "slack": "10",
    "slack_as": "factor",
    "truncation_percentage": "20",
    "evaluation_interval": "1",
    "delay_evaluation": "5",  # Azure's advice for a conservative policy
    "min_reports": "1",
    "reduction_factor": "4",
    "target_value": "",
    "no_improvement_trials": "",
    "max_consecutive_failures": "5",
    "retries": "0",
    "infrastructure_retries": "2",
    "logged_models": "all",
    "fresh": "",  # "1": no trial starts from a preloaded process
    "try_first": "",  # "1": the point of `Draft.first` is the first trial
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
    """The whole form as typed; `first` is the point to try first, by the keys of its rows."""

    texts: Mapping[str, str] = field(default_factory=lambda: dict(TEXTS))
    rows: tuple[Row, ...] = ()
    inputs: tuple[InputRow, ...] = ()
    variables: tuple[VariableRow, ...] = ()
    metrics: tuple[str, ...] = ()
    first: Mapping[str, str] = field(default_factory=dict)

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
    texts["logged_models"] = texts["logged_models"] or "all"
    keys = [key for key in dict.fromkeys(data.getlist("row")) if _KEY.fullmatch(key)]
    return Draft(
        texts=texts,
        rows=_rooted([_row(data, key) for key in keys]),
        first={key: data.get(f"first-{key}", "") for key in keys if f"first-{key}" in data},
        inputs=tuple(
            InputRow(*parts) for parts in _columns(data, "input_name", "input_kind", "input_value")
        ),
        variables=tuple(
            VariableRow(*parts) for parts in _columns(data, "variable_name", "variable_value")
        ),
        metrics=tuple(data.getlist("found_metric")),
    )


def to_post(draft: Draft) -> str:
    """The request that `from_post` reads back as `draft`, as text."""
    data = QueryDict(mutable=True)
    for name, text in draft.texts.items():
        data[name] = text
    for row in draft.rows:
        data.appendlist("row", row.key)
        parts = {"name": row.name, "type": row.type, **row.typed}
        parts |= {"parent": row.parent, "when": row.when, "tag": row.tag}
        for name, text in parts.items():
            data[f"row-{row.key}-{name}"] = text
    for key, text in draft.first.items():
        data[f"first-{key}"] = text
    for one in draft.inputs:
        data.appendlist("input_name", one.name)
        data.appendlist("input_kind", one.kind)
        data.appendlist("input_value", one.value)
    for variable in draft.variables:
        data.appendlist("variable_name", variable.name)
        data.appendlist("variable_value", variable.value)
    data.setlist("found_metric", draft.metrics)
    return data.urlencode()


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
