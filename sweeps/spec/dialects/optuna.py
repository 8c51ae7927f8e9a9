"""Optuna's distributions where a job's search space has a distribution.

Optuna has no file of its own. What people have is `distribution_to_json` of its distributions, as
text or as the mapping that it stands for, old names included, and the words of `suggest_float`
and its kind: {type: float, low: 1e-5, high: 0.1, log: true}. Source: optuna.distributions 4.
"""

import json
from collections.abc import Mapping
from typing import Any

from sweeps.domain.wording import shown, why_not_json
from sweeps.spec.dialects.ranges import MAX_IN_ALL, STAND_IN, Range, Ranges
from sweeps.spec.keys import Reading

# Whole numbers?, logarithmic? (None: as it says), the name of its step.
_RANGES: Mapping[str, tuple[bool, bool | None, str]] = {
    "FloatDistribution": (False, None, "step"),
    "IntDistribution": (True, None, "step"),
    "UniformDistribution": (False, False, ""),
    "LogUniformDistribution": (False, True, ""),
    "DiscreteUniformDistribution": (False, False, "q"),
    "IntUniformDistribution": (True, False, "step"),
    "IntLogUniformDistribution": (True, True, "step"),
}
_CHOICE = "CategoricalDistribution"
_WORDS = {"float": "FloatDistribution", "int": "IntDistribution", "categorical": _CHOICE}


def ours(space: Any, algorithm: Any, reading: Reading) -> Any:
    """A search space, as a document, with Optuna's distributions as those of a sweep job."""
    if not isinstance(space, Mapping):
        return space
    ranges = Ranges(_algorithm(algorithm), reading)
    return {name: _parameter(name, value, ranges) for name, value in space.items()}


def _algorithm(value: Any) -> str:
    """The word of `sampling_algorithm`, which is read (and refused) elsewhere."""
    word = value.get("type") if isinstance(value, Mapping) else value
    return str(word or "random").lower()


def _parameter(name: str, value: Any, ranges: Ranges) -> Any:
    where, reading = f"search_space.{name}", ranges.reading
    if isinstance(value, str) and value.lstrip().startswith("{"):
        value = _loaded(value, where, ranges)
    if not isinstance(value, Mapping):
        return value
    if value.keys() == {"name", "attributes"}:
        kind, place = str(value["name"]), f"{where}.attributes"
        part = reading.mapping(value["attributes"], place)
    elif (kind := _WORDS.get(str(value.get("type")).lower(), "")) or value.get("type") in _ALL:
        kind, place = kind or str(value["type"]), where
        part = {key: item for key, item in value.items() if key != "type"}
    else:
        return value
    if kind == _CHOICE:
        reading.known(part, place, ("choices",))
        return {"type": "choice", "values": part.get("choices")}
    if kind not in _RANGES:
        text = f"Must be one of {', '.join(_ALL)}; it is {shown(kind)}."
        reading.problem(f"{where}.name", text)
        return STAND_IN
    return _range(name, kind, part, place, ranges)


_ALL = (*_RANGES, _CHOICE)


def _loaded(text: str, where: str, ranges: Ranges) -> Any:
    """What a text of JSON says; it may hold as much as could be written out."""
    if not ranges.takes(text.count(",")):
        ranges.reading.problem(where, f"Has more than {MAX_IN_ALL:,} values, with those before it.")
        return STAND_IN
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        text = f"Is no JSON of a distribution: {why_not_json(error)}."
        ranges.reading.problem(where, text)
        return STAND_IN


def _range(
    name: str, kind: str, part: Mapping[str, Any], where: str, ranges: Ranges
) -> dict[str, Any]:
    whole, log, step_name = _RANGES[kind]
    reading = ranges.reading
    before = len(reading.problems)
    keys = ["low", "high", *(["log"] if log is None else []), *([step_name] if step_name else [])]
    reading.known(part, where, keys)
    read = reading.whole if whole else reading.number
    low, high = read(part, "low", where), read(part, "high", where)
    step = read(part, step_name, where) if step_name else None
    for key in ("low", "high"):
        if part.get(key) is None:
            reading.problem(f"{where}.{key}", "Is required.")
    log = _truth(part, where, reading) if log is None else log
    if log and step not in (None, 1):
        if kind == "IntLogUniformDistribution":
            reading.note(f"{name} has steps of 1: Optuna leaves its “step” out, too.")
        else:
            reading.problem(f"{where}.{step_name}", "Optuna has no steps where log is true.")
    if len(reading.problems) > before or low is None or high is None:
        return STAND_IN
    found = Range(name, where, low, high, None if log else step, log, whole)
    return ranges.distribution(found)


def _truth(part: Mapping[str, Any], where: str, reading: Reading) -> bool:
    value = part.get("log")
    if value not in (None, True, False):
        reading.problem(f"{where}.log", f"Must be true or false, but got {shown(value)}.")
    return value is True
