"""The parameters of a Katib experiment as a search space."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeps.domain.space_doc import NAME
from sweeps.domain.wording import listed, shown
from sweeps.spec.dialects.ranges import STAND_IN, Range, Ranges
from sweeps.spec.keys import Reading

WHERE = "spec.parameters"
_TYPES = ("double", "int", "discrete", "categorical")
_DISTRIBUTIONS = ("uniform", "logUniform", "normal", "logNormal")


@dataclass(slots=True)
class Space:
    """A search space, our name of each parameter by Katib's, and where each stands."""

    doc: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


def search_space(value: Any, algorithm: str, reading: Reading) -> Space:
    """The space of `spec.parameters`; problems and notes go to `reading`."""
    space, ranges = Space(), Ranges(algorithm, reading)
    if not isinstance(value, list):
        reading.problem(WHERE, f"Must be a list of parameters, but got {shown(value)}.")
        return space
    for index, item in enumerate(value):
        where = f"{WHERE}[{index}]"
        part = reading.mapping(item, where)
        reading.known(part, where, ("name", "parameterType", "feasibleSpace"))
        given = reading.text(part, "name", where)
        name = _name(given)
        if not NAME.fullmatch(name) or name in space.doc:
            why = "has no letters" if not name else f"would be {name} here, which is there already"
            reading.problem(f"{where}.name", f"{shown(given)} {why}.")
            continue
        space.names[given] = name
        space.places[f"search_space.{name}"] = f"{where}.feasibleSpace"
        space.doc[name] = _distribution(name, part, where, ranges)
    renamed = [f"{given} is called {name}" for given, name in space.names.items() if given != name]
    if renamed:
        reading.note(f"{listed(renamed)} here: names have letters, digits and _.")
    return space


def _name(given: str) -> str:
    """A name that placeholders and environment variables can carry: --num-layers is num_layers."""
    name = re.sub(r"\W", "_", given.lstrip("-"), flags=re.ASCII)
    return f"_{name}" if name[:1].isdigit() else name


def _distribution(name: str, part: Mapping[str, Any], where: str, ranges: Ranges) -> dict[str, Any]:
    reading = ranges.reading
    kind = reading.word(part, "parameterType", where, _TYPES)
    place = f"{where}.feasibleSpace"
    space = reading.mapping(part.get("feasibleSpace"), place)
    if not kind:
        return STAND_IN
    if kind in ("discrete", "categorical"):
        reading.known(space, place, ("list",))
        return {"type": "choice", "values": _values(space.get("list"), kind)}
    reading.known(space, place, ("min", "max", "step", "distribution"))
    before = len(reading.problems)
    whole = kind == "int"
    read = reading.whole if whole else reading.number
    low, high, step = (read(space, key, place) for key in ("min", "max", "step"))
    for key in ("min", "max"):
        if space.get(key) is None:
            reading.problem(f"{place}.{key}", "Is required.")
    how = "uniform"
    if space.get("distribution") is not None:
        how = reading.word(space, "distribution", place, map(str.lower, _DISTRIBUTIONS))
    if len(reading.problems) > before or low is None or high is None:
        return STAND_IN
    one = Range(name, place, low, high, step, how == "loguniform", whole)
    if how in ("normal", "lognormal"):
        return _normal(one, how, reading)
    return ranges.distribution(one)


def _values(given: Any, kind: str) -> Any:
    """Katib's lists are texts; numbers are numbers where they are all discrete ones."""
    if not isinstance(given, list) or kind == "categorical":
        return given
    return [_number(value) for value in given]


def _number(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[+-]?[0-9]{1,300}", value):
        return int(value)
    try:
        number = float(value) if isinstance(value, str) else value
    except ValueError:
        return value
    return number if not isinstance(number, float) or math.isfinite(number) else value


def _normal(one: Range, how: str, reading: Reading) -> dict[str, Any]:
    """As Katib's Hyperopt service has it: the range is six standard deviations wide."""
    low, high = one.low, one.high
    if how == "lognormal":
        if low <= 0 or high <= 0:
            reading.problem(one.where, "Must begin above 0, for its logarithm is taken.")
            return STAND_IN
        low, high = math.log(low), math.log(high)
    numbers = {"mu": (low + high) / 2, "sigma": (high - low) / 6}
    reading.note(
        f"{one.name} is {how} around the middle of its range, which is six sigma wide, as Katib "
        "has it; one draw in 370 lies outside."
    )
    step = 1 if one.whole and one.step is None else one.step
    return {"type": f"q{how}" if step else how, **numbers, **({"q": step} if step else {})}
