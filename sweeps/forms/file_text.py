"""The draft as a job file: also a half-filled one, with what cannot be read as it was typed."""

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from sweeps.domain.job import FailurePolicy, LoggedModels
from sweeps.forms.checked import PATHS, kept_of, to_doc
from sweeps.forms.draft import Draft, InputRow, VariableRow
from sweeps.forms.first import FIELD
from sweeps.forms.rows import CONSTANT, FIELDS, REAL_BOUNDS, Row, children, to_space_doc
from sweeps.forms.rules import AMOUNT
from sweeps.forms.values import format_value, parse_value, parse_values
from sweeps.spec.writer import SCHEMA, dump

_ORDER = (
    "type", "name", "display_name", "experiment_name", "description", "tags", "properties",
    "compute", "trial", "inputs", "outputs", "search_space", "sampling_algorithm", "objective",
    "limits", "early_termination", "studio",
)  # fmt: skip
# No name of a parameter, input or variable, so that the file says where one is missing.
NAMELESS = "(name me)"
_REQUIRED = {
    "  command: ''": "required",
    "  primary_metric: ''": "required: the metric's name as the script logs it",
    "  max_total_trials: ''": "required",
    "search_space: {}": "required: at least one parameter",
}


def file_text(draft: Draft) -> str:
    """The job file that says what the form says.

    What is required and empty stands there as empty, and is marked.
    """
    text = dump(_file_doc(draft))
    lines = [f"{line}  # {_REQUIRED[line]}" if line in _REQUIRED else line
             for line in text.splitlines()]  # fmt: skip
    return f"$schema: {SCHEMA}\n" + "\n".join(lines) + "\n"


def _file_doc(draft: Draft) -> dict[str, Any]:
    doc, _, problems = to_doc(draft)
    doc["search_space"] = _space(draft.rows)
    doc["inputs"] = _inputs(draft, doc["inputs"])
    doc["trial"]["environment_variables"] = _variables(draft.variables)
    for problem in problems:
        if problem.field in PATHS and problem.field in draft.texts:
            _put(doc, _path(problem.field, draft), draft[problem.field].strip())
    if draft["try_first"] and any(one.field.startswith(f"{FIELD}.") for one in problems):
        kept = kept_of(draft).get("first_trials", [])
        point = _point(children(draft.rows, ""), draft)
        doc["studio"]["first_trials"] = [point, *(kept if isinstance(kept, list) else [])]
    _tidy(doc)
    found = {name: doc.pop(name) for name in _ORDER if name in doc}
    said = {**found, **doc}
    return {name: said[name] for name in said if said[name] not in ("", {}, None) or name in _SHOWN}


_SHOWN = ("search_space",)


def _tidy(doc: dict[str, Any]) -> None:
    """Without what is at its default, as people write job files."""
    doc.pop("$schema", None)
    trial = {"command": doc["trial"]["command"], "code": None, **doc["trial"]}
    doc["trial"] = {k: v for k, v in trial.items() if v not in ({}, None)}
    sampling = doc["sampling_algorithm"]
    if sampling.get("rule") == "random":
        sampling.pop("rule")
    if list(sampling) == ["type"]:
        doc["sampling_algorithm"] = sampling["type"]
    studio, defaults = doc["studio"], asdict(FailurePolicy())
    policy = studio["failure_policy"]
    studio["failure_policy"] = {k: v for k, v in policy.items() if v != defaults.get(k)}
    if studio["logged_models"] == LoggedModels.ALL:
        del studio["logged_models"]
    doc["studio"] = {key: part for key, part in studio.items() if part not in ({}, [])}


def _path(field: str, draft: Draft) -> str:
    """Where a field stands in the document; a slack by what it is."""
    if field == "slack" and draft["slack_as"] == AMOUNT:
        return "early_termination.slack_amount"
    return PATHS[field]


def _put(doc: dict[str, Any], path: str, text: str) -> None:
    """What was typed where it could not be read."""
    *parts, name = path.split(".")
    for part in parts:
        doc = doc.setdefault(part, {})
    doc[name] = text


# --- Search space -------------------------------------------------------------------------------


def _space(rows: Sequence[Row]) -> dict[str, Any]:
    out = to_space_doc(_told_apart(rows))
    doc: dict[str, Any] = _plain(out.doc)
    return doc


def _told_apart(rows: Sequence[Row]) -> list[Row]:
    """Rows of which each has a name of its own among its siblings, and bounds as they are stored.

    A name that is missing, or there twice, becomes one that no parameter can have.
    """
    taken: dict[tuple[str, str], set[str]] = {}
    found = []
    for row in rows:
        if row.is_blank and not children(rows, row.key):
            continue
        siblings = taken.setdefault((row.parent, row.when), set())
        name = _unique(row.name.strip(), siblings)
        siblings.add(name)
        found.append(replace(_stored(row), name=name))
    return _with_all_branches(found)


def _unique(name: str, taken: Container[str]) -> str:
    text, count = name or NAMELESS, 1
    while text in taken:
        count += 1
        text = f"{name or NAMELESS} ({count})"
    return text


_BOUNDS = ("min_value", "max_value")
_AS_STORED = "_"


def _stored(row: Row) -> Row:
    """A row of real bounds that have no logarithms together, with each by itself."""
    if row.type not in REAL_BOUNDS:
        return row
    texts = {name: row.get(name).strip().replace("−", "-") for name in _BOUNDS}
    are_numbers = all(_number(text) is not None for text in texts.values())
    if are_numbers and not to_space_doc([replace(row, name="x", parent="")]).problems:
        return row
    # Of a type that has no real bounds, so that what stands here now is taken as it is.
    logs = {name: _log(text) for name, text in texts.items()}
    typed = {name: row.get(name).strip() for name in FIELDS[row.type]}
    return replace(row, type=f"{_AS_STORED}{row.type}", typed={**typed, **logs})


def _number(text: str) -> float | None:
    value = parse_value(text) if text else None
    return None if isinstance(value, str | bool) else value


def _log(text: str) -> str:
    """The logarithm of a real bound; words that no reader takes for a number where it has none."""
    value = _number(text)
    if value is None:
        return text
    return repr(math.log(value)) if value > 0 else f"log({text})"


def _with_all_branches(rows: list[Row]) -> list[Row]:
    """Choices that still have the values on which nested rows hang."""
    found = []
    for row in rows:
        whens = {child.when for child in children(rows, row.key)}
        values = row.get("values")
        known = {format_value(value) for value in parse_values(values)}
        gone = ", ".join(sorted(when for when in whens if when and when not in known))
        found.append(row.with_typed(values=f"{values}, {gone}") if gone else row)
    return found


def _plain(item: Any) -> Any:
    """Numbers that were typed, as numbers; choices have theirs already."""
    if not isinstance(item, Mapping):
        return item
    if item.get("type") == "choice" and isinstance(item.get("values"), list):
        return {**item, "values": [_plain(value) for value in item["values"]]}
    if isinstance(item.get("type"), str):
        kind = str(item["type"]).removeprefix(_AS_STORED)
        numbers = {k: parse_value(v) if isinstance(v, str) else v for k, v in item.items()}
        return {**numbers, "type": kind}
    return {name: _plain(value) for name, value in item.items()}


def _point(level: Sequence[Row], draft: Draft) -> dict[str, Any]:
    """The point to try first as typed."""
    found: dict[str, Any] = {}
    for row in level:
        text = draft.first.get(row.key, "").strip()
        if row.is_blank or row.type == CONSTANT or not text:
            continue
        value: Any = parse_value(text)
        if children(draft.rows, row.key):
            inner = children(draft.rows, row.key, format_value(value))
            value = {row.tag: value, **_point(inner, draft)}
        found[row.name.strip() or NAMELESS] = value
    return found


# --- Inputs and variables -----------------------------------------------------------------------


def _inputs(draft: Draft, read: Mapping[str, Any]) -> dict[str, Any]:
    """What could be read, and the rest as typed."""
    found: dict[str, Any] = {}
    for row in draft.inputs:
        if row.is_blank:
            continue
        name = _unique(row.name.strip(), found)
        value = row.value.strip()
        if row.kind != "value" and not value:
            found[name] = {"type": row.kind, "path": ""}
        else:
            found[name] = read[name] if name in read else _input(row)
    return found


def _input(row: InputRow) -> Any:
    value = row.value.strip()
    return parse_value(value) if row.kind == "value" else {"type": row.kind, "path": value}


def _variables(rows: Sequence[VariableRow]) -> dict[str, str]:
    found: dict[str, str] = {}
    for row in rows:
        if not row.is_blank:
            found[_unique(row.name.strip(), found)] = row.value
    return found
