"""Parts of a sweep job: trial, sampling algorithm, limits."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeps.domain.elsewhere import without_prefix
from sweeps.domain.job import ALGORITHMS, Sampling
from sweeps.domain.limits import (
    DEFAULT_TIMEOUT_S,
    MAX_CONCURRENT_TRIALS,
    MAX_SECONDS,
    Limits,
)
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown
from sweeps.spec import environments
from sweeps.spec.keys import Reading

# Azure's own default for a sweep without limits.
DEFAULT_TOTAL = 1000
# What a 32-bit column holds.
_TRIAL = (
    "command", "code", "environment", "environment_variables", "distribution", "resources",
    "queue_settings",
)  # fmt: skip
# Keys of the component that `sweep_node.dump()` writes around the trial.
_COMPONENT = (
    "$schema", "type", "name", "version", "is_deterministic", "inputs", "outputs", "display_name",
    "description", "tags", "properties", "id", "creation_context",
)  # fmt: skip
_ABOUT = ("display_name", "description", "tags")


@dataclass(slots=True)
class Trial:
    """What a job says of its trials."""

    command: str = ""
    code: str | None = None
    environment: Any = None
    variables: dict[str, str] = field(default_factory=dict)
    # What a component says of itself: it speaks for a job that says nothing.
    about: dict[str, Any] = field(default_factory=dict)


def trial(value: Any, reading: Reading) -> Trial:
    """The `trial` part; problems go to `reading`."""
    if isinstance(value, str):
        reading.problem("trial", f"Write the trial out here; {shown(value)} cannot be looked up.")
        return Trial()
    doc = reading.mapping(value, "trial")
    if not doc:
        reading.problem("trial.command", "Give the command that runs one trial.")
        return Trial()
    is_component = doc.get("type") == "command" or "is_deterministic" in doc
    if not is_component and "inputs" in doc:
        reading.problem("trial.inputs", "Inputs belong at the top of the job, not in the trial.")
    if "compute" in doc:
        reading.problem("trial.compute", "The compute belongs at the top of the job.")
    misplaced = ("inputs", "compute")
    reading.known(doc, "trial", (*_TRIAL, *misplaced, *(_COMPONENT if is_component else ())))
    for key in ("distribution", "resources", "queue_settings"):
        if doc.get(key):
            reading.note(f"“{key}” of the trial does not apply on this machine; it is ignored.")
    environment = environments.environment(doc.get("environment"), reading)
    command = reading.text(doc, "command", "trial")
    if not command.strip():
        reading.problem("trial.command", "Give the command that runs one trial.")
    return Trial(
        command=command,
        code=_code(doc.get("code"), reading),
        environment=environment,
        variables=_variables(doc, reading),
        about={key: doc[key] for key in _ABOUT if is_component and doc.get(key)},
    )


def _variables(doc: Mapping[str, Any], reading: Reading) -> dict[str, str]:
    found = reading.texts(doc, "environment_variables", "trial")
    for name in found:
        if not name or "=" in name:
            text = f"{shown(name)} cannot name an environment variable."
            reading.problem(f"trial.environment_variables.{name}", text)
    return found


def _code(value: Any, reading: Reading) -> str | None:
    if isinstance(value, Mapping):
        reading.problem("trial.code", "Must be a folder, for example ./src, not a mapping.")
        return None
    if value is None or isinstance(value, str):
        return without_prefix(value or "") or None
    reading.problem("trial.code", f"Must be a folder, but got {shown(value)}.")
    return None


def sampling(value: Any, reading: Reading) -> Sampling | None:
    """The `sampling_algorithm` part: a name, or a mapping with options."""
    if value is None:
        return Sampling()
    where = "sampling_algorithm"
    doc = {"type": value} if isinstance(value, str) else reading.mapping(value, where)
    kind = reading.word(doc, "type", where, ALGORITHMS)
    reading.known(doc, where, ("type", "seed", "rule", "logbase"))
    number = seed(doc, where, reading)
    if not kind:
        return None
    if kind != "random":
        for key in ("rule", "logbase"):
            if doc.get(key) is not None:
                reading.problem(f"{where}.{key}", f"Only random has “{key}”, not {kind}.")
        return Sampling(kind, seed=number)
    has_rule = doc.get("rule") is not None
    rule = reading.word(doc, "rule", where, ("random", "sobol")) if has_rule else "random"
    return Sampling(kind, rule or "random", number, _logbase(doc, where, reading))


def seed(doc: Mapping[str, Any], where: str, reading: Reading) -> int | None:
    """A seed that a 64-bit column holds, None when absent."""
    found = reading.whole(doc, "seed", where)
    if found is not None and not 0 <= found < 2**63:
        reading.problem(f"{where}.seed", f"Must be from 0 to 2^63 - 1, but got {shown(found)}.")
    return found


def _logbase(doc: Mapping[str, Any], where: str, reading: Reading) -> float | None:
    if doc.get("logbase") is None:
        return None
    base = math.e if doc["logbase"] == "e" else reading.number(doc, "logbase", where)
    if base is not None and not (math.isfinite(base) and base > 0 and base != 1):
        text = f"Must be a positive number other than 1, or e, but got {shown(base)}."
        reading.problem(f"{where}.logbase", text)
        return None
    return base


def limits(value: Any, reading: Reading) -> Limits | None:
    """The `limits` part."""
    doc = reading.mapping(value, "limits")
    names = ("max_total_trials", "max_concurrent_trials", "timeout", "trial_timeout")
    reading.known(doc, "limits", names)
    before = len(reading.problems)
    total = reading.whole(doc, names[0], "limits")
    if total is None and len(reading.problems) == before:
        total = DEFAULT_TOTAL
        reading.note(f"No limit on trials was given; at most {total:,} are run, as in Azure ML.")
    at_once = reading.whole(doc, names[1], "limits")
    timeouts = [seconds(doc, name, reading) for name in names[2:]]
    all_read = len(reading.problems) == before
    # What could not be read is told already; of the others the ranges are.
    total = 1 if total is None else total
    if at_once is None:
        at_once = min(max(total, 1), MAX_CONCURRENT_TRIALS)
    timeout = DEFAULT_TIMEOUT_S if timeouts[0] is None else timeouts[0]
    try:
        found = Limits(total, at_once, timeout, timeouts[1])
    except InvalidInput as error:
        reading.take(error, "limits")
        return None
    return found if all_read else None


_ISO = re.compile(r"P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})S)?)?")


def seconds(doc: Mapping[str, Any], name: str, reading: Reading) -> int | None:
    """A timeout: seconds, or an ISO 8601 duration as Azure's REST API writes it (PT2H)."""
    value = doc.get(name)
    found = _ISO.fullmatch(value) if isinstance(value, str) else None
    if found and any(found.groups()):
        days, hours, minutes, rest = (int(part or 0) for part in found.groups())
        total: int | None = ((days * 24 + hours) * 60 + minutes) * 60 + rest
    else:
        total = reading.whole(doc, name, "limits", " of seconds, or a duration like PT2H")
    if total is not None and total > MAX_SECONDS:
        text = f"Must be at most {MAX_SECONDS:,} seconds (68 years), but got {shown(total)}."
        reading.problem(f"limits.{name}", text)
        return None
    return total
