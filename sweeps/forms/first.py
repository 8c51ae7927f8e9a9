"""The point that a person wants tried first, as typed: one text per search-space row."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.domain.picks import checked_point, wanted
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.samplers.draws import draw_of, prior_draw
from sweeps.domain.space import ParamValue, SearchSpace, realise
from sweeps.domain.space_doc import parse_space
from sweeps.forms.rows import CONSTANT, Row, children, to_space_doc
from sweeps.forms.values import format_value, parse_value, parse_values

# Field of the form and key of the draft: "first.<row key>".
FIELD = "first"


def to_point(
    rows: Sequence[Row], typed: Mapping[str, str], logbase: float | None, problems: list[Problem]
) -> dict[str, Any]:
    """The parameters that were typed; each that does not fit is a problem at its row's field."""
    return _level(children(rows, ""), rows, typed, logbase, problems)


def _level(
    level: Sequence[Row],
    rows: Sequence[Row],
    typed: Mapping[str, str],
    logbase: float | None,
    problems: list[Problem],
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for row in level:
        if row.is_blank or not row.name.strip():
            continue
        value = _value(row, typed.get(row.key, ""), logbase, problems)
        nested = [child for child in children(rows, row.key) if not child.is_blank]
        if value is not None and nested:
            taken = [child for child in nested if child.when == format_value(value)]
            value = {row.tag: value, **_level(taken, rows, typed, logbase, problems)}
        if value is not None:
            found[row.name.strip()] = value
    return found


def _value(row: Row, text: str, logbase: float | None, problems: list[Problem]) -> Any:
    """The value of one row by itself; None where there is a problem."""
    if row.type == CONSTANT:
        return parse_value(row.get("constant").strip())
    alone = space_of(row)
    if alone is None:
        return None  # the row cannot be read, which is told there
    try:
        return checked_point(alone, _typed(text, row), logbase)[_NAME]
    except InvalidInput as error:
        problems += [Problem(f"{FIELD}.{row.key}", one.message) for one in error.problems]
        return None


_NAME = "x"


def space_of(row: Row) -> SearchSpace | None:
    """A space of this row alone, without what hangs on it; None while it cannot be read."""
    doc = to_space_doc([Row("0", _NAME, row.type, row.typed)])
    try:
        return None if doc.problems else parse_space(doc.doc)
    except InvalidInput:
        return None


def fits(row: Row, text: str) -> bool:
    """True if the row can give this value."""
    alone = space_of(row)
    try:
        return alone is not None and bool(checked_point(alone, _typed(text, row)))
    except InvalidInput:
        return False


def allowed(row: Row, base: float = math.e) -> str:
    """What the row may give, in words; "" while it cannot be read, or where a list says it."""
    alone = space_of(row)
    return wanted(alone.parameters[0][1], base) if alone and row.type != "choice" else ""


def middle(row: Row, base: float = math.e) -> str:
    """The middle of what the row may give, or the first value of a choice; "" if unreadable."""
    alone = space_of(row)
    if alone is None:
        return ""
    draw = prior_draw(alone, [0.0 if row.type == "choice" else 0.5], base)
    value = realise(alone, draw)[_NAME]
    return format_value(value) if not isinstance(value, dict) else ""


def _typed(text: str, row: Row) -> dict[str, ParamValue]:
    text = text.strip()
    if not text:
        # An empty text is a value of a choice only where the choice has one.
        return {_NAME: ""} if "" in parse_values(row.get("values")) else {}
    return {_NAME: parse_value(text if row.type == "choice" else text.replace("−", "-"))}


def texts_of(
    rows: Sequence[Row], space: SearchSpace, point: Mapping[str, ParamValue], base: float
) -> dict[str, str]:
    """What the fields hold to say what a point says, by row key; nothing outside the space."""
    draw = draw_of(space, point, base)
    if draw is None:
        return {}
    labels = _labels(rows)
    texts = {}
    for row in rows:
        drawn = draw.get(labels[row.key])
        if drawn is not None:
            values = parse_values(row.get("values"))
            is_choice = row.type == "choice"
            texts[row.key] = format_value(values[int(drawn)]) if is_choice else repr(drawn)
    return texts


def _labels(rows: Sequence[Row]) -> dict[str, str]:
    """What draws call the rows, by key; a row stands after its parent."""
    labels: dict[str, str] = {}
    known = {row.key: row for row in rows}
    for row in rows:
        parent = known.get(row.parent)
        if parent is None:
            labels[row.key] = row.name
            continue
        whens = [format_value(value) for value in parse_values(parent.get("values"))]
        index = whens.index(row.when) if row.when in whens else -1
        labels[row.key] = f"{labels[parent.key]}[{index}].{row.name}"
    return labels
