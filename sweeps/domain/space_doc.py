"""Search spaces to and from the document form that job files, forms and the database share.

The form is Azure ML's: {"lr": {"type": "uniform", "min_value": 0.01, "max_value": 0.9}}.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.space import KINDS, Branch, Choice, Distribution, Randint, Scalar, SearchSpace
from sweeps.domain.wording import nearest, shown

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NAME_RULE = "Use letters, digits and _, not starting with a digit."
MAX_NESTING = 8
_BIGGEST = 10**300
# math.exp overflows just above this.
MAX_LOG = 709.0


def parse_space(doc: object) -> SearchSpace:
    """The space that `doc` describes.

    Raises InvalidInput with every problem; fields are paths inside the space ("lr.min_value").
    """
    problems: list[Problem] = []
    if not isinstance(doc, Mapping):
        raise InvalidInput.one("", "A search space maps parameter names to distributions.")
    if not doc:
        raise InvalidInput.one("", "Add at least one parameter.")
    parameters = []
    for name, item in doc.items():
        if not isinstance(name, str) or not NAME.fullmatch(name):
            problems.append(
                Problem(str(name), f"{shown(name)} cannot name a parameter. {NAME_RULE}")
            )
            continue
        distribution = _distribution(item, name, problems, 0)
        if distribution is not None:
            parameters.append((name, distribution))
    if problems:
        raise InvalidInput(problems)
    return SearchSpace(tuple(parameters))


def space_to_doc(space: SearchSpace) -> dict[str, Any]:
    """The document that `parse_space` reads back as `space`."""
    return {name: distribution_to_doc(distribution) for name, distribution in space}


def distribution_to_doc(distribution: Distribution) -> dict[str, Any]:
    """One distribution as a document."""
    if isinstance(distribution, Choice):
        return {"type": "choice", "values": [_value_to_doc(value) for value in distribution.values]}
    return {
        "type": distribution.kind,
        **{field.name: getattr(distribution, field.name) for field in fields(distribution)},
    }


def _value_to_doc(value: Scalar | Branch) -> Any:
    if not isinstance(value, Branch):
        return value
    return {
        key: item if isinstance(item, str | int | float | bool) else distribution_to_doc(item)
        for key, item in value.items
    }


def _distribution(
    doc: object, path: str, problems: list[Problem], depth: int
) -> Distribution | None:
    if not isinstance(doc, Mapping):
        problems.append(Problem(path, "Give a distribution, for example {type: uniform, …}."))
        return None
    kind = str(doc.get("type", "")).lower()
    if kind not in KINDS:
        got = f"but got {shown(doc['type'])}" if "type" in doc else "but it has no type"
        near = nearest(doc["type"], KINDS) if "type" in doc else None
        hint = f" Did you mean {near}?" if near else ""
        problems.append(Problem(f"{path}.type", f"Must be one of {', '.join(KINDS)}, {got}.{hint}"))
        return None
    cls = KINDS[kind]
    known = {field.name for field in fields(cls)}
    before = len(problems)
    for key in doc:
        if key not in known and key != "type":
            allowed = ", ".join(sorted(known))
            problems.append(
                Problem(f"{path}.{key}", f"{kind} has no {shown(key)}; it has {allowed}.")
            )
    if cls is Choice:
        values = _choice_values(doc.get("values"), path, problems, depth)
        return Choice(values) if len(problems) == before else None
    numbers = {name: _number(doc, name, path, problems) for name in sorted(known)}
    if len(problems) == before:
        problems.extend(_ranges(kind, numbers, path))
    if len(problems) > before:
        return None
    return Randint(int(numbers["upper"])) if cls is Randint else cls(**numbers)


def _number(doc: Mapping[Any, Any], name: str, path: str, problems: list[Problem]) -> Any:
    """A finite number; text that reads as one is taken as one (YAML 1.1 makes 1e-3 a string)."""
    value = doc.get(name)
    if isinstance(value, str):
        try:
            value = int(value) if re.fullmatch(r"[+-]?\d+", value.strip()) else float(value)
        except ValueError:
            problems.append(Problem(f"{path}.{name}", f"Must be a number, but got {shown(value)}."))
            return None
    if value is None:
        problems.append(Problem(f"{path}.{name}", "Is required."))
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        problems.append(Problem(f"{path}.{name}", f"Must be a number, but got {shown(value)}."))
        return None
    if (isinstance(value, int) and abs(value) > _BIGGEST) or not math.isfinite(value):
        problems.append(
            Problem(f"{path}.{name}", f"Must be a finite number, but got {shown(value)}.")
        )
        return None
    return value


def _ranges(kind: str, n: Mapping[str, Any], path: str) -> list[Problem]:
    """What is wrong with numbers that are each fine by themselves."""
    found = []
    if kind == "randint":
        if n["upper"] != int(n["upper"]) or not 1 <= n["upper"] < 2**53:
            text = f"Must be a whole number of at least 1, but got {shown(n['upper'])}."
            found.append(Problem(f"{path}.upper", text))
        return found
    if "min_value" in n and not n["min_value"] < n["max_value"]:
        low, high = shown(n["min_value"]), shown(n["max_value"])
        text = f"Must be greater than the minimum {low}, but got {high}."
        found.append(Problem(f"{path}.max_value", text))
    elif "min_value" in n and not math.isfinite(n["max_value"] - n["min_value"]):
        found.append(Problem(f"{path}.max_value", "The range is too wide to draw from."))
    if n.get("sigma", 1) <= 0:
        found.append(Problem(f"{path}.sigma", f"Must be above 0, but got {shown(n['sigma'])}."))
    if n.get("q", 1) <= 0:
        found.append(Problem(f"{path}.q", f"Must be above 0, but got {shown(n['q'])}."))
    elif kind == "quniform" and n["q"] > n["max_value"] - n["min_value"] and not found:
        span = n["max_value"] - n["min_value"]
        text = f"Must be at most the range {span:g}, but got {shown(n['q'])}."
        found.append(Problem(f"{path}.q", text))
    found.extend(_log_bounds(kind, n, path))
    return found


def _log_bounds(kind: str, n: Mapping[str, Any], path: str) -> list[Problem]:
    if kind in ("loguniform", "qloguniform"):
        return [
            Problem(f"{path}.{name}", f"Is a logarithm: e^{n[name]:g} cannot be represented.")
            for name in ("min_value", "max_value")
            if abs(n[name]) > MAX_LOG
        ]
    # Nine sigmas: beyond anything that 53 random bits can draw.
    if kind in ("lognormal", "qlognormal") and abs(n["mu"]) + 9 * abs(n["sigma"]) > MAX_LOG:
        return [Problem(f"{path}.mu", "Draws as large as e^(mu + 9 sigma) cannot be represented.")]
    if kind in ("normal", "qnormal") and not math.isfinite(abs(n["mu"]) + 9 * abs(n["sigma"])):
        return [Problem(f"{path}.mu", "Draws as large as mu + 9 sigma cannot be represented.")]
    return []


def _choice_values(
    values: object, path: str, problems: list[Problem], depth: int
) -> tuple[Scalar | Branch, ...]:
    if not isinstance(values, list | tuple):
        problems.append(Problem(f"{path}.values", "Give a list of values to choose from."))
        return ()
    if not values:
        problems.append(Problem(f"{path}.values", "Add at least one value to choose from."))
    result: list[Scalar | Branch] = []
    seen: set[str] = set()
    for index, value in enumerate(values):
        where, before = f"{path}.values[{index}]", len(problems)
        if isinstance(value, Mapping):
            result.append(_branch(value, where, problems, depth + 1))
        elif isinstance(value, str | int | float | bool):
            problems.extend(_constant_problems(value, where))
            result.append(value)
        else:
            text = (
                f"A value is a text, a number, true or false, or a mapping, but got {shown(value)}."
            )
            problems.append(Problem(where, text))
            continue
        # By repr: 1, 1.0, True and "1" are four values.
        if (key := repr(result[-1])) in seen and len(problems) == before:
            problems.append(Problem(where, f"{shown(value)} is there twice."))
        seen.add(key)
    return tuple(result)


def _constant_problems(value: Scalar, path: str) -> list[Problem]:
    """What JSON, a command line or a database would not take."""
    if isinstance(value, float) and not math.isfinite(value):
        return [Problem(path, f"Must be a finite number, but got {shown(value)}.")]
    if isinstance(value, int) and abs(value) > _BIGGEST:  # charts and samplers count in floats
        return [Problem(path, f"Must be a finite number, but got {shown(value)}.")]
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= c <= "\udfff" for c in value)):
        return [Problem(path, "Holds a NUL or half a character, which no command line can carry.")]
    return []


def _branch(doc: Mapping[Any, Any], path: str, problems: list[Problem], depth: int) -> Branch:
    if depth > MAX_NESTING:
        problems.append(Problem(path, f"Choices may be nested {MAX_NESTING} deep at most."))
        return Branch(())
    if not doc:
        problems.append(Problem(path, "An empty mapping chooses nothing; give it a key."))
    items: list[tuple[str, Scalar | Distribution]] = []
    for key, item in doc.items():
        where = f"{path}.{key}"
        if not isinstance(key, str) or not NAME.fullmatch(key):
            problems.append(Problem(where, f"{shown(key)} cannot name a parameter. {NAME_RULE}"))
        elif isinstance(item, Mapping):
            distribution = _distribution(item, where, problems, depth)
            if distribution is not None:
                items.append((key, distribution))
        elif isinstance(item, str | int | float | bool):
            problems.extend(_constant_problems(item, where))
            items.append((key, item))
        else:
            text = f"Must be a constant or a distribution, but got {shown(item)}."
            problems.append(Problem(where, text))
    return Branch(tuple(items))
