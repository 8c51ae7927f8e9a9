"""What a sweep job says that Azure's schema has no key for.

People write it as one key, `studio:`. The writer puts it as JSON text into `properties.studio`,
which Azure's tools load and ignore; both are read.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from sweeps.domain.job import (
    EarlyTermination,
    FailurePolicy,
    LoggedModels,
    Sampling,
    StopRules,
    SweepJob,
    WarmTrial,
)
from sweeps.domain.limits import Limits
from sweeps.domain.picks import checked_point
from sweeps.domain.problems import InvalidInput
from sweeps.domain.space import ParamValue, SearchSpace
from sweeps.domain.wording import shown
from sweeps.spec import checks, parts
from sweeps.spec.azure_space import lost_in_it, restored
from sweeps.spec.early import AZURES, early_termination
from sweeps.spec.keys import Reading

PROPERTY = "studio"
IN_PROPERTIES = f"properties.{PROPERTY}"
MAX_FIRST_TRIALS = 1_000
MAX_WARM_TRIALS = 1_000


@dataclass(frozen=True, slots=True)
class Extras:
    """The parts as written, and the path under which they stand."""

    doc: Mapping[str, Any]
    where: str


def split(
    doc: Mapping[str, Any], properties: dict[str, str], reading: Reading
) -> tuple[Extras, dict[str, str]]:
    """The extras of a job document, and its properties without them."""
    rest = {name: value for name, value in properties.items() if name != PROPERTY}
    text = properties.get(PROPERTY)
    if text is None:
        return Extras(reading.mapping(doc.get("studio"), "studio"), "studio"), rest
    if doc.get("studio") is not None:
        reading.problem(IN_PROPERTIES, "Give the key “studio” or this property, not both.")
        return Extras({}, "studio"), rest
    return Extras(_loaded(text, reading), IN_PROPERTIES), rest


def _loaded(text: str, reading: Reading) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict):
        checks.storable({IN_PROPERTIES: found}, reading, (IN_PROPERTIES,))
        return found
    reading.problem(
        IN_PROPERTIES,
        f"This property holds what a sweep job has for this studio alone, as JSON; {shown(text)} "
        "is none. Rename it, or write a key “studio”.",
    )
    return {}


def early(doc: Mapping[str, Any], extras: Extras, reading: Reading) -> EarlyTermination | None:
    """The policy, wherever it stands."""
    plain, own = doc.get("early_termination"), extras.doc.get("early_termination")
    where = f"{extras.where}.early_termination"
    if plain is not None and own is not None:
        reading.problem(where, "There is an early_termination at the top of the job already.")
        return None
    if own is not None:
        return early_termination(own, reading, where)
    return early_termination(plain, reading)


def rules(extras: Extras, reading: Reading) -> dict[str, Any]:
    """The parts of a job that stand under our key alone and hang on no other part; defaults where
    there are problems."""
    names = (
        "stop_rules",
        "failure_policy",
        "logged_models",
        "first_trials",
        "warm_start",
        "early_termination",
        "seed",
        "search_space",
        "preload",
    )
    reading.known(extras.doc, extras.where, names)
    failing = extras.doc.get("failure_policy")
    return {
        "stop_rules": stop_rules(
            extras.doc.get("stop_rules"), reading, f"{extras.where}.stop_rules"
        ),
        "failure_policy": failure_policy(failing, reading, f"{extras.where}.failure_policy"),
        "logged_models": logged_models(extras, reading),
        "preload": preload(extras, reading),
    }


def stop_rules(value: Any, reading: Reading, where: str) -> StopRules:
    """Stop rules, none where there are problems."""
    doc = reading.mapping(value, where)
    reading.known(doc, where, ("target_value", "no_improvement_trials"))
    target = reading.number(doc, "target_value", where)
    patience = reading.whole(doc, "no_improvement_trials", where)
    try:
        return StopRules(target, patience)
    except InvalidInput as error:
        reading.take(error, where)
        return StopRules()


def failure_policy(value: Any, reading: Reading, where: str) -> FailurePolicy:
    """A failure policy, the default one where there are problems."""
    doc = reading.mapping(value, where)
    names = tuple(asdict(FailurePolicy()))
    reading.known(doc, where, names)
    numbers = {name: reading.whole(doc, name, where) for name in names}
    try:
        return FailurePolicy(**{name: n for name, n in numbers.items() if n is not None})
    except InvalidInput as error:
        reading.take(error, where)
        return FailurePolicy()


def logged_models(extras: Extras, reading: Reading) -> LoggedModels:
    """Whose logged models are kept; all where there is a problem."""
    value, where = extras.doc.get("logged_models"), f"{extras.where}.logged_models"
    if value is None:
        return LoggedModels.ALL
    if isinstance(value, str) and value in tuple(LoggedModels):
        return LoggedModels(value)
    reading.problem(where, f"Must be all, best or none, but got {shown(value)}.")
    return LoggedModels.ALL


def preload(extras: Extras, reading: Reading) -> bool:
    """Whether trials may start from a preloaded process."""
    value = extras.doc.get("preload")
    if value is None or isinstance(value, bool):
        return value is not False
    reading.problem(f"{extras.where}.preload", f"Must be true or false, but got {shown(value)}.")
    return True


def search_space(found: Any, extras: Extras, reading: Reading) -> Any:
    """A search space, as a document, with the booleans back that Azure's tools cannot say."""
    where = f"{extras.where}.search_space"
    exact = reading.mapping(extras.doc.get("search_space"), where)
    return restored(found, exact, where, reading) or {}


def sampling(found: Sampling | None, extras: Extras, reading: Reading) -> Sampling | None:
    """The sampling with the seed of an algorithm for which Azure's schema has none."""
    where = f"{extras.where}.seed"
    seed = parts.seed(extras.doc, extras.where, reading)
    if seed is None or found is None:
        return found
    if found.seed is not None:
        reading.problem(where, "The sampling algorithm has a seed already.")
    return replace(found, seed=seed)


def first_trials(
    extras: Extras,
    space: SearchSpace | None,
    sampling: Sampling | None,
    limits: Limits | None,
    reading: Reading,
) -> tuple[dict[str, ParamValue], ...]:
    """The points to try first, as the space would give them."""
    where = f"{extras.where}.first_trials"
    value = _listed(extras, "first_trials", "parameters", MAX_FIRST_TRIALS, reading)
    if space is None or sampling is None:
        return ()
    found = []
    for index, item in enumerate(value):
        try:
            point = reading.mapping(item, f"{where}[{index}]")
            if point or item in ({}, None):
                found.append(checked_point(space, point, sampling.logbase))
        except InvalidInput as error:
            reading.take(error, f"{where}[{index}]")
    if limits is not None and len(found) > limits.max_total_trials:
        reading.note(
            f"There are {len(found):,} first trials, but at most {limits.max_total_trials:,} are "
            "run; the rest is left out."
        )
    return tuple(found)


def warm_start(
    extras: Extras, space: SearchSpace | None, sampling: Sampling | None, reading: Reading
) -> tuple[WarmTrial, ...]:
    """Trials of earlier sweeps (`{params: {...}, value: ...}` each) that lie in the space."""
    where, found, outside = f"{extras.where}.warm_start", [], 0
    value = _listed(extras, "warm_start", "trials", MAX_WARM_TRIALS, reading)
    if space is None or sampling is None:
        return ()
    for index, item in enumerate(value):
        here = f"{where}[{index}]"
        doc = reading.mapping(item, here)
        reading.known(doc, here, ("params", "value"))
        number = reading.number(doc, "value", here)
        if number is None or not math.isfinite(number):
            reading.problem(f"{here}.value", "Give the trial's finite value of the primary metric.")
            continue
        params = reading.mapping(doc.get("params"), f"{here}.params")
        try:
            found.append(WarmTrial(checked_point(space, params, sampling.logbase), number))
        except InvalidInput:
            outside += 1
    if outside:
        reading.note(
            f"{outside:,} of {len(value):,} earlier trials of warm_start lie outside the search "
            "space and are left out."
        )
    if found and sampling.algorithm != "bayesian":
        reading.note(
            f"Only bayesian sampling learns from the {len(found):,} earlier trials of warm_start; "
            f"{sampling.algorithm} does without."
        )
    return tuple(found)


def _listed(extras: Extras, key: str, what: str, most: int, reading: Reading) -> Sequence[Any]:
    """A list of `most` items, as written; empty where there is a problem."""
    value, where = extras.doc.get(key), f"{extras.where}.{key}"
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        reading.problem(where, f"Must be a list of {what}, but got {shown(value)}.")
        return ()
    if len(value) > most:
        reading.problem(where, f"At most {most:,} are taken, but got {len(value):,}.")
        return ()
    return value


def to_property(job: SweepJob) -> dict[str, Any]:
    """What goes into `properties.studio`: the parts that are not at their default."""
    defaults = asdict(FailurePolicy())
    said: dict[str, Any] = {
        "stop_rules": {k: v for k, v in asdict(job.stop_rules).items() if v is not None},
        "failure_policy": {k: v for k, v in asdict(job.failure_policy).items() if v != defaults[k]},
        "first_trials": [dict(point) for point in job.first_trials],
        "warm_start": [{"params": dict(w.params), "value": w.value} for w in job.warm_start],
    }
    policy = job.early_termination
    if policy and policy.type not in AZURES:
        said["early_termination"] = {"type": policy.type, **policy.options}
    if job.sampling.algorithm != "random" and job.sampling.seed is not None:
        said["seed"] = job.sampling.seed
    if job.logged_models is not LoggedModels.ALL:
        said["logged_models"] = job.logged_models.value
    said["search_space"] = lost_in_it(job.search_space)
    if not job.preload:
        said["preload"] = False
    return {key: part for key, part in said.items() if part not in ({}, [])}
