"""Sweep configurations of Weights & Biases (`method`, `metric`, `parameters`, …).

Source: "Sweep configuration options" of the W&B documentation. `log_uniform` and its kind take
exponents of e there as here; the `_values` kinds take the values themselves.
"""

import math
import shlex
from collections.abc import Mapping
from typing import Any

from sweeps.domain.wording import shown
from sweeps.spec.dialects.base import Translated
from sweeps.spec.dialects.ranges import Range, Ranges
from sweeps.spec.keys import Reading

TOOL = "Weights & Biases"
_KEYS = (
    "method", "metric", "parameters", "program", "command", "early_terminate", "run_cap", "name",
    "description", "project", "entity",
)  # fmt: skip
_METHODS = {"random": "random", "grid": "grid", "bayes": "bayesian"}
# W&B's name -> ours, and the names of its numbers.
_KINDS = {
    "uniform": ("uniform", ("min", "max")),
    "q_uniform": ("quniform", ("min", "max", "q")),
    "log_uniform": ("loguniform", ("min", "max")),
    "q_log_uniform": ("qloguniform", ("min", "max", "q")),
    "log_uniform_values": ("loguniform", ("min", "max")),
    "q_log_uniform_values": ("qloguniform", ("min", "max", "q")),
    "normal": ("normal", ("mu", "sigma")),
    "q_normal": ("qnormal", ("mu", "sigma", "q")),
    "log_normal": ("lognormal", ("mu", "sigma")),
    "q_log_normal": ("qlognormal", ("mu", "sigma", "q")),
}  # fmt: skip
_WHOLE = "int_uniform"
_NAMES = {"min": "min_value", "max": "max_value"}
_DEFAULTS = {"mu": 0, "sigma": 1, "q": 1}
_WORDS = {"${env}": "", "${interpreter}": "python", "${args}": "${{args}}"}
# Where the parts of a job stand in W&B's file.
_PLACES = {
    "search_space": "parameters",
    "objective.primary_metric": "metric.name",
    "objective": "metric",
    "sampling_algorithm": "method",
    "early_termination.min_reports": "early_terminate.min_iter",
    "early_termination.reduction_factor": "early_terminate.eta",
    "early_termination": "early_terminate",
    "limits.max_total_trials": "run_cap",
    "trial.command": "command",
    "studio.stop_rules.target_value": "metric.target",
    "display_name": "name",
    "experiment_name": "project",
}


def is_it(doc: Mapping[str, Any]) -> bool:
    """True for a W&B sweep: it has a method and parameters, and nothing of a sweep job."""
    return {"method", "parameters"} <= doc.keys() and not {"type", "trial"} & doc.keys()


def to_job(doc: Mapping[str, Any], reading: Reading) -> Translated:
    """The sweep-job document that means the same; problems and notes go to `reading`."""
    reading.known(doc, "", _KEYS)
    metric = reading.mapping(doc.get("metric"), "metric")
    reading.known(metric, "metric", ("name", "goal", "target"))
    if doc.get("entity"):
        reading.note("“entity” of W&B names an account there; it is ignored.")
    algorithm = _METHODS.get(reading.word(doc, "method", "", _METHODS), "random")
    job = {
        "type": "sweep",
        "display_name": doc.get("name"),
        "description": doc.get("description"),
        "experiment_name": doc.get("project"),
        "trial": {"command": _command(doc, reading)},
        "search_space": _space(doc, Ranges(algorithm, reading)),
        "sampling_algorithm": algorithm,
        "objective": {"goal": metric.get("goal", "minimize"), "primary_metric": metric.get("name")},
        "limits": {"max_total_trials": doc.get("run_cap")},
        "early_termination": _early(doc, reading),
        "studio": _target(metric),
    }
    said = {key: value for key, value in job.items() if value is not None}
    return Translated(said, _PLACES)


def _target(metric: Mapping[str, Any]) -> dict[str, Any] | None:
    """W&B, too, begins no run once a value is as good, and lets running ones finish."""
    target = metric.get("target")
    return None if target is None else {"stop_rules": {"target_value": target}}


def _command(doc: Mapping[str, Any], reading: Reading) -> str:
    given, program = doc.get("command"), reading.text(doc, "program", "")
    if given is None:
        if not program:
            reading.problem("program", "Name the script that runs one trial.")
        given = ["${env}", "${interpreter}", "${program}", "${args}"]
    if not isinstance(given, list):
        reading.problem("command", f"Must be a list of words, but got {shown(given)}.")
        return "x"
    words = [_word(item, program, index, reading) for index, item in enumerate(given)]
    return " ".join(filter(None, words)) or "x"


def _word(item: Any, program: str, index: int, reading: Reading) -> str:
    text = str(item)
    if text == "${program}":
        return shlex.quote(program)
    if text in _WORDS:
        return _WORDS[text]
    if text.startswith("${"):
        known = ", ".join(("${program}", *_WORDS))
        problem = f"{shown(text)} has no match here. Known: {known}."
        reading.problem(f"command[{index}]", problem)
    return shlex.quote(text)


def _space(doc: Mapping[str, Any], ranges: Ranges) -> dict[str, Any]:
    found, reading = {}, ranges.reading
    for name, value in reading.mapping(doc.get("parameters"), "parameters").items():
        where = f"parameters.{name}"
        part = reading.mapping(value, where)
        one = _parameter(part, where, ranges)
        if one is not None:
            found[name] = one
    return found


def _parameter(part: Mapping[str, Any], where: str, ranges: Ranges) -> dict[str, Any] | None:
    reading = ranges.reading
    before = len(reading.problems)
    names = ("distribution", "value", "values", "min", "max", "mu", "sigma", "q")
    if "parameters" in part:
        reading.problem(where, "Nested parameters have no match here; give each its own name.")
        return None
    if "probabilities" in part:
        reading.problem(f"{where}.probabilities", "Values are equally likely here.")
    reading.known(part, where, (*names, "probabilities"))
    kind = _kind(part)
    if kind in ("constant", "categorical"):
        values = [part.get("value")] if kind == "constant" else part.get("values")
        return {"type": "choice", "values": values} if len(reading.problems) == before else None
    if kind == _WHOLE:
        return _whole(part, where, ranges)
    if kind not in _KINDS:
        known = ", ".join(("constant", "categorical", _WHOLE, *_KINDS))
        text = f"Must be one of {known}; it is {shown(kind)}."
        reading.problem(f"{where}.distribution", text)
        return None
    numbers = {}
    for name in _KINDS[kind][1]:
        number = reading.number(part, name, where)
        number = _DEFAULTS.get(name) if number is None else part.get(name)
        if number is None:
            reading.problem(f"{where}.{name}", "Is required.")
        numbers[name] = number
    if len(reading.problems) > before:
        return None
    return _distribution(kind, numbers, where, reading)


def _whole(part: Mapping[str, Any], where: str, ranges: Ranges) -> dict[str, Any] | None:
    reading = ranges.reading
    low, high = (reading.whole(part, name, where) for name in ("min", "max"))
    for name in ("min", "max"):
        if part.get(name) is None:
            reading.problem(f"{where}.{name}", "Is required.")
    if low is None or high is None:
        return None
    one = Range(where.removeprefix("parameters."), where, low, high, whole=True)
    return ranges.distribution(one)


def _kind(part: Mapping[str, Any]) -> str:
    """The distribution, as W&B guesses it from what is given."""
    if part.get("distribution") is not None:
        return str(part["distribution"]).lower()
    if "value" in part:
        return "constant"
    if "values" in part:
        return "categorical"
    whole = all(isinstance(part.get(name), int) for name in ("min", "max"))
    return _WHOLE if whole else "uniform"


def _distribution(
    kind: str, numbers: dict[str, Any], where: str, reading: Reading
) -> dict[str, Any] | None:
    if kind.endswith("_values"):
        for name in ("min", "max"):
            if float(numbers[name]) <= 0:
                reading.problem(f"{where}.{name}", "Must be above 0: its logarithm is taken.")
                return None
            numbers[name] = math.log(float(numbers[name]))
    return {"type": _KINDS[kind][0], **{_NAMES.get(k, k): n for k, n in numbers.items()}}


def _early(doc: Mapping[str, Any], reading: Reading) -> dict[str, Any] | None:
    """Hyperband stops at brackets of reports; successive halving is its one-bracket form."""
    if doc.get("early_terminate") is None:
        return None
    where = "early_terminate"
    part = reading.mapping(doc["early_terminate"], where)
    reading.known(part, where, ("type", "min_iter", "max_iter", "s", "eta", "strict"))
    reading.word(part, "type", where, ("hyperband",))
    least, eta = reading.whole(part, "min_iter", where), reading.whole(part, "eta", where) or 3
    most, brackets = reading.whole(part, "max_iter", where), reading.whole(part, "s", where)
    if least is None and most and brackets and 1 < eta < 1000 and 0 < brackets < 64:
        least = max(1, most // eta**brackets)
    if least is None:
        reading.problem(f"{where}.min_iter", "Give min_iter, or max_iter and s.")
    reading.note("Hyperband becomes successive halving with the same first bracket and eta.")
    return {"type": "successive_halving", "min_reports": least, "reduction_factor": eta}
