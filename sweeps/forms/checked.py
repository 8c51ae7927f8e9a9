"""Reading a draft: the job it describes, or what to mend and at which field."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeps.domain.durations import parse_duration
from sweeps.domain.job import LoggedModels, SweepJob
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import shown
from sweeps.forms import first, rules
from sweeps.forms.draft import Draft
from sweeps.forms.environment_text import from_text
from sweeps.forms.reading import number, read, whole
from sweeps.forms.rows import Places, to_space_doc
from sweeps.forms.tags import parse_tags
from sweeps.forms.values import parse_value
from sweeps.spec.reader import read_job

# Where problems of the job document stand in the form.
_FIELDS = {
    "trial.command": "command",
    "trial.code": "code",
    "trial.environment": "environment",
    "trial.environment_variables": "variables",
    "objective.primary_metric": "primary_metric",
    "objective.goal": "goal",
    "objective": "primary_metric",
    "limits.max_total_trials": "max_total_trials",
    "limits.max_concurrent_trials": "max_concurrent_trials",
    "limits.timeout": "timeout",
    "limits.trial_timeout": "trial_timeout",
    "early_termination": "early_type",
    **{f"early_termination.{name}": name for name in (*rules.TIMING, *rules.OPTIONS)},
    **{f"early_termination.{name}": "slack" for name in ("slack_factor", "slack_amount")},
    **{f"studio.stop_rules.{name}": name for name in rules.STOPPING},
    **{f"studio.failure_policy.{name}": name for name in rules.FAILING},
    "studio.logged_models": "logged_models",
    "studio.first_trials": first.FIELD,
    "sampling_algorithm.type": "algorithm",
    "sampling_algorithm.seed": "seed",
    "sampling_algorithm.rule": "rule",
    "sampling_algorithm.logbase": "logbase",
    "sampling_algorithm": "algorithm",
    "search_space": "rows",
}
# Where the single fields of the form stand in the job document.
PATHS = {
    **{field: path for path, field in _FIELDS.items() if "." in path},
    "slack": "early_termination.slack_factor",
}
# Parts of a job that the form does not ask for; clones and files that were read keep them:
# "inputs" holds types and modes that the form has no name for, "trial" and "top" other keys.
# "environment" is the one to go back to after another was chosen.
KEPT = (
    "outputs", "properties", "first_trials", "warm_start", "environment", "code", "inputs", "trial",
    "top",
)  # fmt: skip
LABELS = {
    "command": "Command",
    "file": "Job file",
    "job_file": "Job file",
    "code": "Training code",
    "code_file": "Training code",
    "code_folder": "Training code",
    "environment": "Environment",
    "variables": "Environment variables",
    "inputs": "Inputs",
    "primary_metric": "Primary metric",
    "goal": "Goal",
    "max_total_trials": "Total trials",
    "max_concurrent_trials": "At the same time",
    "timeout": "Timeout",
    "trial_timeout": "Trial timeout",
    "algorithm": "Sampling",
    "seed": "Seed",
    "rows": "Search space",
    "display_name": "Display name",
    "name": "Name",
    "compute": "Compute",
    "description": "Description",
    "tags": "Tags",
    "early_type": "Early termination",
    "slack": "Slack",
    "slack_as": "Slack as",
    "truncation_percentage": "Stop the worst",
    "evaluation_interval": "Check every",
    "delay_evaluation": "Not before",
    "min_reports": "First rung at",
    "reduction_factor": "Reduction factor",
    "target_value": "The best value reaches",
    "no_improvement_trials": "No better value in",
    "max_consecutive_failures": "Pause after",
    "retries": "Run failed scripts again",
    "infrastructure_retries": "Run lost trials again",
    "logged_models": "Logged models",
    first.FIELD: "First trial",
}


@dataclass(frozen=True, slots=True)
class FieldError:
    """One message at one field; `anchor` is the id of the element to go to."""

    field: str
    label: str
    message: str

    @property
    def anchor(self) -> str:
        """The id of the field's element on the page."""
        return f"f-{self.field.replace('.', '-')}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What reading a draft gave: a job, or errors; `notes` do not block."""

    job: SweepJob | None
    errors: tuple[FieldError, ...] = ()
    notes: tuple[str, ...] = ()
    by_field: Mapping[str, list[str]] = field(default_factory=dict)
    doc: Mapping[str, Any] = field(default_factory=dict)
    places: Mapping[str, str] = field(default_factory=dict)


def check(draft: Draft) -> Checked:
    """Read a draft; every problem is told at the field where it was made."""
    doc, places, problems = to_doc(draft)
    job: SweepJob | None = None
    try:
        job = read_job(doc)
    except InvalidInput as error:
        problems += error.problems
    return checked(draft, job, problems, places, doc)


def checked(
    draft: Draft,
    job: SweepJob | None,
    problems: Sequence[Problem],
    places: Mapping[str, str],
    doc: Mapping[str, Any],
) -> Checked:
    """The outcome of reading, with problems at their fields (once each)."""
    by_field: dict[str, list[str]] = {}
    errors: list[FieldError] = []
    names = {row.key: row.name for row in draft.rows}
    are_rows_odd = any(problem.field.startswith("rows.") for problem in problems)
    for problem in problems:
        if problem.field == "search_space" and are_rows_odd:
            continue  # empty only because the rows could not be read, which is told at each
        where = place(problem.field, places)
        messages = by_field.setdefault(where, [])
        if problem.message not in messages:
            messages.append(problem.message)
            errors.append(FieldError(where, _label(where, names), problem.message))
    return Checked(
        job=None if errors else job,
        errors=tuple(errors),
        notes=job.notes if job else (),
        by_field=by_field,
        doc=doc,
        places=places,
    )


# What the form calls the parts of a data input.
_PARTS = {"path": "value", "type": "kind"}


def place(path: str, places: Mapping[str, str]) -> str:
    """The form field of a path in the job document."""
    fitting = [
        known for known in places if path == known or path.startswith((f"{known}.", f"{known}["))
    ]
    if fitting:
        known = max(fitting, key=len)
        rest = re.split(r"[.\[]", path[len(known) :].lstrip(".["))[0]
        part = _PARTS.get(rest, rest) if places[known].startswith("inputs.") else rest
        return f"{places[known]}.{part or 'name'}"
    for known in sorted(_FIELDS, key=len, reverse=True):
        if path == known or path.startswith((f"{known}.", f"{known}[")):
            return _FIELDS[known]
    return path or "form"


def _label(where: str, names: Mapping[str, str]) -> str:
    head, _, rest = where.partition(".")
    if head == "rows" and rest:
        return names.get(rest.split(".")[0]) or LABELS["rows"]
    if head == first.FIELD and rest:
        return f"First trial, {names.get(rest) or 'a parameter'}"
    return LABELS.get(head, head)


def to_doc(draft: Draft) -> tuple[dict[str, Any], Places, list[Problem]]:
    """The draft as a job document, where its parts came from, and what could not be read."""
    problems: list[Problem] = []
    space = to_space_doc(draft.rows)
    problems += space.problems
    kept = kept_of(draft)
    doc: dict[str, Any] = {
        **_mapping(kept.get("top")),
        **{name: kept[name] for name in ("outputs", "properties") if name in kept},
        "type": "sweep",
        "trial": {
            **_mapping(kept.get("trial")),
            **_said(environment=from_text(draft["environment"]), code=kept.get("code")),
            "command": draft["command"].replace("\r\n", "\n"),
            "environment_variables": _variables(draft, space.places, problems),
        },
        "inputs": _inputs(draft, space.places, problems),
        "search_space": space.doc,
        "sampling_algorithm": _sampling(draft, problems),
        "objective": {"primary_metric": draft["primary_metric"].strip(), "goal": draft["goal"]},
        "limits": _limits(draft, problems),
        "studio": {
            "stop_rules": rules.stop_doc(draft, problems),
            "failure_policy": rules.failure_doc(draft, problems),
            "logged_models": draft["logged_models"] or LoggedModels.ALL.value,
            "first_trials": _first_trials(draft, problems),
            **_said(warm_start=kept.get("warm_start")),
            **({"preload": False} if draft["fresh"] else {}),
        },
        "tags": parse_tags(draft["tags"]),
    }
    early = rules.early_doc(draft, problems)
    if early is not None:
        doc["early_termination"] = early
    for name in ("display_name", "description", "experiment_name", "compute", "name"):
        if draft[name].strip():
            doc[name] = draft[name].strip()
    return doc, space.places, problems


def kept_of(draft: Draft) -> dict[str, Any]:
    """What a clone brings along beside the form's fields."""
    try:
        found = json.loads(draft["kept"] or "{}")
    except (ValueError, RecursionError):
        found = {}
    return {key: found[key] for key in KEPT if isinstance(found, dict) and found.get(key)}


def _said(**parts: Any) -> dict[str, Any]:
    return {name: part for name, part in parts.items() if part}


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _first_trials(draft: Draft, problems: list[Problem]) -> list[Any]:
    """The typed point, if it is wanted and fits, then those that a clone brought along."""
    others = kept_of(draft).get("first_trials", [])
    points = others if isinstance(others, list) else []
    if not draft["try_first"]:
        return points
    before = len(problems)
    logbase = draft["logbase"].strip() if draft["algorithm"] == "random" else ""
    base = None if logbase in ("", "e") else number(draft, "logbase", [])
    point = first.to_point(draft.rows, draft.first, base, problems)
    return [point, *points] if point and len(problems) == before else points


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _variables(draft: Draft, places: Places, problems: list[Problem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for index, variable in enumerate(draft.variables):
        if not variable.is_blank:
            where, name = f"variables.{index}.name", variable.name.strip()
            _name(where, name, "variable", found, problems)
            places[f"trial.environment_variables.{name}"] = f"variables.{index}"
            found[name] = variable.value
    return found


def _inputs(draft: Draft, places: Places, problems: list[Problem]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    kept = _mapping(kept_of(draft).get("inputs"))
    for index, row in enumerate(draft.inputs):
        where, name, value = f"inputs.{index}", row.name.strip(), row.value.strip()
        if row.is_blank or not _name(f"{where}.name", name, "input", found, problems):
            continue
        places[f"inputs.{name}"] = where
        if not value:
            what = "value" if row.kind == "value" else "path, or upload a file"
            problems.append(Problem(f"{where}.value", f"Give input {shown(name)} a {what}."))
        more = _mapping(kept.get(name))
        found[name] = (
            parse_value(value)
            if row.kind == "value"
            else {"type": row.kind, "path": value or ".", **more}
        )
    return found


def _name(
    where: str, name: str, what: str, taken: Mapping[str, Any], problems: list[Problem]
) -> bool:
    """True if `name` can name one more input or variable; else a problem."""
    if name in taken:
        problems.append(Problem(where, f"There is {_A[what]} {shown(name)} already."))
    elif not name:
        problems.append(Problem(where, f"Name the {what}."))
    elif not _NAME.fullmatch(name):
        text = f"{shown(name)} cannot name {_A[what]}. Use letters, digits and _."
        problems.append(Problem(where, text))
    else:
        return True
    return False


_A = {"variable": "a variable", "input": "an input"}


def _sampling(draft: Draft, problems: list[Problem]) -> dict[str, Any]:
    doc: dict[str, Any] = {"type": draft["algorithm"]}
    if draft["seed"].strip():
        doc["seed"] = whole(draft, "seed", problems) or 0
    if draft["algorithm"] == "random":
        doc["rule"] = draft["rule"] or "random"
        if draft["logbase"].strip():
            doc["logbase"] = draft["logbase"].strip()
    return doc


def _limits(draft: Draft, problems: list[Problem]) -> dict[str, Any]:
    """Where one cannot be read there is a problem, and a harmless stand-in."""
    total = whole(draft, "max_total_trials", problems)
    doc: dict[str, Any] = {"max_total_trials": 1 if total is None else total}
    if draft["max_concurrent_trials"].strip():
        at_once = whole(draft, "max_concurrent_trials", problems)
        doc["max_concurrent_trials"] = 1 if at_once is None else at_once
    for name in ("timeout", "trial_timeout"):
        if draft[name].strip():
            seconds = read(draft, name, parse_duration, problems)
            doc[name] = 1 if seconds is None else seconds
    return doc
