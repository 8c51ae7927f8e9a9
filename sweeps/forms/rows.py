"""Search-space rows: what was typed for one parameter, and the tree they make.

A row whose `parent` is a choice row exists only `when` that choice has a certain value. In the job
such a choice is nested: every value becomes a mapping {tag: value, …its rows}, so that
${{search_space.<choice>.<tag>}} exists in every trial.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sweeps.domain.preview import log_bounds, real_bounds
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.space import Scalar
from sweeps.domain.wording import shown
from sweeps.forms.values import format_value, format_values, parse_value, parse_values

CONSTANT = "constant"
DEFAULT_TAG = "value"
# What each distribution asks for; "constant" only stands under a choice.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "choice": ("values",),
    "uniform": ("min_value", "max_value"),
    "quniform": ("min_value", "max_value", "q"),
    "loguniform": ("min_value", "max_value"),
    "qloguniform": ("min_value", "max_value", "q"),
    "randint": ("upper",),
    "normal": ("mu", "sigma"),
    "qnormal": ("mu", "sigma", "q"),
    "lognormal": ("mu", "sigma"),
    "qlognormal": ("mu", "sigma", "q"),
    CONSTANT: ("constant",),
}
ALL_FIELDS = ("values", "min_value", "max_value", "q", "upper", "mu", "sigma", "constant")
REAL_BOUNDS = ("loguniform", "qloguniform")


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter as typed. `key` tells rows apart while they are edited."""

    key: str
    name: str = ""
    type: str = "uniform"
    typed: Mapping[str, str] = field(default_factory=dict)
    parent: str = ""
    when: str = ""
    tag: str = DEFAULT_TAG

    def get(self, name: str) -> str:
        """What was typed in a field, "" if nothing."""
        return self.typed.get(name, "")

    @property
    def is_blank(self) -> bool:
        """True for an empty line that was only offered."""
        return not self.name and not any(self.get(name) for name in FIELDS.get(self.type, ()))

    def with_typed(self, **typed: str) -> "Row":
        """The row with other text in some fields."""
        return replace(self, typed={**self.typed, **typed})


def children(rows: Sequence[Row], key: str, when: str | None = None) -> list[Row]:
    """Rows under a choice row, of one of its values if said."""
    return [row for row in rows if row.parent == key and when in (None, row.when)]


# --- To a job document --------------------------------------------------------------------------

Places = dict[str, str]  # path in the job document -> the form row it came from ("rows.3")


@dataclass(slots=True)
class SpaceDoc:
    """The document of all rows, where each part came from, and what could not be read."""

    doc: dict[str, Any] = field(default_factory=dict)
    places: Places = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def to_space_doc(rows: Sequence[Row]) -> SpaceDoc:
    """Rows as the `search_space` of a job; problems carry form fields ("rows.<key>.min_value")."""
    out = SpaceDoc()
    for row in children(rows, ""):
        if not row.is_blank:
            _put(row, rows, out.doc, "search_space", out)
    return out


def _put(row: Row, rows: Sequence[Row], into: dict[str, Any], path: str, out: SpaceDoc) -> None:
    name = row.name.strip()
    if not name:
        out.problems.append(Problem(f"rows.{row.key}.name", "Name the parameter."))
        return
    if name in into:
        out.problems.append(Problem(f"rows.{row.key}.name", f"There is a {shown(name)} already."))
        return
    where = f"{path}.{name}"
    out.places[where] = f"rows.{row.key}"
    if row.type != "choice" and children(rows, row.key):
        text = f"Only a choice can have nested parameters: make {shown(name)} one, or remove them."
        out.problems.append(Problem(f"rows.{row.key}.type", text))
    into[name] = _distribution(row, rows, where, out)


def _distribution(row: Row, rows: Sequence[Row], where: str, out: SpaceDoc) -> Any:
    if row.type == CONSTANT:
        return parse_value(row.get("constant").strip())
    if row.type == "choice":
        return {"type": "choice", "values": _values(row, rows, where, out)}
    doc: dict[str, Any] = {"type": row.type}
    for name in FIELDS.get(row.type, tuple(row.typed)):
        text = row.get(name).strip().replace("−", "-")  # as pages print it
        if text:
            doc[name] = text
    if row.type in REAL_BOUNDS:
        _take_logs(row, doc, out)
    return doc


def _take_logs(row: Row, doc: dict[str, Any], out: SpaceDoc) -> None:
    """Replace the typed real bounds by the logarithms that are stored."""
    try:
        low, high = float(doc.get("min_value", "")), float(doc.get("max_value", ""))
    except ValueError:
        return  # missing or no number: the reader says so where it stands
    try:
        doc["min_value"], doc["max_value"] = log_bounds(low, high)
    except InvalidInput as error:
        out.problems += [problem.under(f"rows.{row.key}") for problem in error.problems]
        doc["min_value"], doc["max_value"] = 0.0, 1.0


def _values(row: Row, rows: Sequence[Row], where: str, out: SpaceDoc) -> list[Any]:
    values = parse_values(row.get("values"))
    nested = [child for child in children(rows, row.key) if not child.is_blank]
    if not nested:
        return list(values)
    known = [format_value(value) for value in values]
    for child in nested:
        if child.when not in known:
            gone = f"{shown(row.name)} has no value {shown(child.when)} any more"
            text = f"{gone}; choose one of its values."
            out.problems.append(Problem(f"rows.{child.key}.when", text))
    branches = []
    for index, value in enumerate(values):
        branch: dict[str, Any] = {row.tag: value}
        for child in [child for child in nested if child.when == known[index]]:
            _put(child, rows, branch, f"{where}.values[{index}]", out)
        branches.append(branch)
    return branches


# --- From a job document ------------------------------------------------------------------------


def from_space_doc(doc: Mapping[str, Any]) -> list[Row]:
    """Rows that say what `doc` (a valid search space) says."""
    rows: list[Row] = []
    for name, item in doc.items():
        _read(name, item, "", "", rows)
    return rows


def _read(name: str, item: Any, parent: str, when: str, rows: list[Row]) -> None:
    key = str(len(rows))
    if not isinstance(item, Mapping):
        typed = {"constant": format_value(item)}
        rows.append(Row(key, name, CONSTANT, typed, parent, when))
        return
    kind = str(item["type"]).lower()
    if kind == "choice":
        _read_choice(Row(key, name, kind, {}, parent, when), item["values"], rows)
        return
    typed = {field: _text(item[field]) for field in FIELDS[kind] if field in item}
    if kind in REAL_BOUNDS:
        low, high = real_bounds(float(item["min_value"]), float(item["max_value"]))
        typed |= {"min_value": _text(low), "max_value": _text(high)}
    rows.append(Row(key, name, kind, typed, parent, when))


def _read_choice(row: Row, values: Sequence[Any], rows: list[Row]) -> None:
    branches = [value for value in values if isinstance(value, Mapping)]
    tag = _tag(branches)
    heads = [_head(value, tag, index) for index, value in enumerate(values)]
    rows.append(replace(row, tag=tag, typed={"values": format_values(heads)}))
    for head, value in zip(heads, values, strict=True):
        for name, item in value.items() if isinstance(value, Mapping) else ():
            if name != tag:
                _read(name, item, row.key, format_value(head), rows)


def _tag(branches: Sequence[Mapping[str, Any]]) -> str:
    """The key by which all branches say which one they are, if there is one."""
    for name, item in branches[0].items() if branches else ():
        heads = [branch.get(name) for branch in branches]
        scalars = [head for head in heads if isinstance(head, str | int | float)]
        if not isinstance(item, Mapping) and len(set(map(str, scalars))) == len(branches):
            return name
    return DEFAULT_TAG


def _head(value: Any, tag: str, index: int) -> Scalar:
    if not isinstance(value, Mapping):
        return value  # type: ignore[no-any-return]
    head = value.get(tag)
    return head if isinstance(head, str | int | float) else f"option {index + 1}"


def _text(value: object) -> str:
    return repr(value) if isinstance(value, float) else str(value)
