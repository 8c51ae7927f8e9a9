"""Edits of a sweep and picked points as documents.

An edit is made of the parts of a job that may change later, merged into what there is.

As with JSON merge patches (RFC 7396) what is not named stays, and null takes away. An
early-termination policy is one thing: it is replaced whole, so that no option of another stays.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from sweeps.domain.edits import LIMITS, RULES, TEXTS
from sweeps.domain.limits import Limits
from sweeps.domain.picks import nested
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import shown
from sweeps.spec import checks, parts, studio
from sweeps.spec.early import early_termination
from sweeps.spec.keys import Reading

TOP = ("limits", *RULES, *TEXTS)


def read_edit(doc: Any, present: Mapping[str, Any]) -> dict[str, Any]:
    """The new values (of `domain.edits.FIELDS`) that `doc` asks for, given the present ones.

    Raises InvalidInput with every problem found.
    """
    if not isinstance(doc, Mapping):
        raise InvalidInput.one("", f"An edit is a mapping of what changes, but got {shown(doc)}.")
    reading = Reading()
    reading.known(doc, "", TOP)
    checks.storable(doc, reading, TEXTS)
    changes = {
        **_limits(doc, present, reading),
        **_rules(doc, present, reading),
        **_texts(doc, present, reading),
    }
    if reading.problems:
        raise InvalidInput(reading.problems)
    return changes


def placed(problems: Iterable[Problem]) -> list[Problem]:
    """Problems of an edit's fields where these stand in the document."""
    return [problem.under("limits") if problem.field in LIMITS else problem for problem in problems]


def read_point(doc: Any) -> dict[str, Any]:
    """The point of {"params": …}, dotted names nested; the search space is asked later.

    Raises InvalidInput with every problem found.
    """
    reading = Reading()
    whole = reading.mapping(doc, "")
    reading.known(whole, "", ("params",))
    checks.storable(whole, reading, ("params",))
    params = reading.mapping(whole.get("params"), "params")
    if reading.problems:
        raise InvalidInput(reading.problems)
    try:
        return nested(params)
    except InvalidInput as error:
        raise InvalidInput(problem.under("params") for problem in error.problems) from error


def _limits(
    doc: Mapping[str, Any], present: Mapping[str, Any], reading: Reading
) -> dict[str, int | None]:
    part = reading.mapping(doc.get("limits"), "limits")
    reading.known(part, "limits", LIMITS)
    before = len(reading.problems)
    found: dict[str, int | None] = {}
    for name in (name for name in LIMITS if name in part):
        if name.endswith("timeout"):
            found[name] = parts.seconds(part, name, reading)
        else:
            found[name] = reading.whole(part, name, "limits")
        if part[name] is None and name != "trial_timeout":
            reading.problem(f"limits.{name}", "Give a number; only trial_timeout may be null.")
    if len(reading.problems) == before:
        try:
            Limits(**{name: present[name] for name in LIMITS} | found)
        except InvalidInput as error:
            reading.take(error, "limits")
    return found


def _rules(doc: Mapping[str, Any], present: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if "early_termination" in doc:
        found["early_termination"] = early_termination(doc["early_termination"], reading)
    for name, read in (
        ("stop_rules", studio.stop_rules),
        ("failure_policy", studio.failure_policy),
    ):
        if name in doc:
            value = doc[name]
            if isinstance(value, Mapping):
                value = {**asdict(present[name]), **value}
            found[name] = read(value, reading, name)
    return found


def _texts(doc: Mapping[str, Any], present: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    found: dict[str, Any] = {
        name: reading.text(doc, name, "") for name in ("display_name", "description") if name in doc
    }
    checks.texts(found, reading)
    if "tags" in doc:
        given = reading.mapping(doc["tags"], "tags")
        kept = {name: value for name, value in given.items() if value is not None}
        stay = {k: v for k, v in present["tags"].items() if k not in given}
        new = reading.texts({"tags": kept}, "tags", "")
        found["tags"] = {} if doc["tags"] is None else {**stay, **new}
    return found
