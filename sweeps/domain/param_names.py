"""What the parameters of a trial are called: in placeholders and in its environment."""

import json
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from sweeps.domain.space import Branch, Choice, Distribution, ParamValue, SearchSpace, flatten

_NONE: Mapping[str, str] = MappingProxyType({})


def format_value(value: ParamValue) -> str:
    """A value as a script gets it on its command line or in its environment.

    Numbers as Python prints them (0.05, 1e-05, 5), booleans True and False, a branch of a choice
    as compact JSON.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return repr(value)


def presence(space: SearchSpace) -> dict[str, bool]:
    """Every dotted name that a placeholder may use, and whether it exists in every trial.

    "model" always exists (as JSON where a branch is taken); "model.c" does if every value of the
    choice is a branch with a key c.
    """
    found: dict[str, bool] = {}
    for name, distribution in space:
        found.update(_presence(name, distribution))
    return found


def _presence(column: str, distribution: Distribution) -> dict[str, bool]:
    found = {column: True}
    if not isinstance(distribution, Choice):
        return found
    options = [
        _inside(column, value) if isinstance(value, Branch) else {} for value in distribution.values
    ]
    for option in options:
        for name in option:
            found[name] = all(other.get(name, False) for other in options)
    return found


def _inside(column: str, branch: Branch) -> dict[str, bool]:
    found: dict[str, bool] = {}
    for key, item in branch.items:
        if isinstance(item, str | int | float | bool):
            found[f"{column}.{key}"] = True
        else:
            found.update(_presence(f"{column}.{key}", item))
    return found


def known_names(
    space: SearchSpace, inputs: Collection[str] = (), outputs: Collection[str] = ()
) -> dict[str, tuple[str, ...]]:
    """What placeholders may name, by kind, as `command.check` takes it."""
    names = presence(space)
    return {
        "search_space": tuple(name for name, always in names.items() if always),
        "conditional": tuple(name for name, always in names.items() if not always),
        "inputs": tuple(inputs),
        "outputs": tuple(outputs),
    }


def environment(
    params: Mapping[str, ParamValue],
    *,
    sweep: str,
    trial: int,
    attempt: int,
    output_dir: str,
    params_file: str,
    inputs: Mapping[str, str] = _NONE,
    outputs: Mapping[str, str] = _NONE,
) -> dict[str, str]:
    """The variables by which a script learns its parameters and its place.

    AZUREML_SWEEP_<name> as Azure ML has it (parameters, inputs and outputs; a parameter wins over
    an input of its name) and SWEEP_PARAM_<NAME> for the flat parameters, in capitals and with _
    for each dot. Two parameters that would share such a name get none: SWEEP_PARAMS_FILE has both.
    """
    shared = {**inputs, **outputs, **{name: format_value(v) for name, v in params.items()}}
    capitals: dict[str, list[str]] = {}
    for name, value in flatten(params).items():
        capitals.setdefault(re.sub(r"\W", "_", name).upper(), []).append(format_value(value))
    return {
        **{f"AZUREML_SWEEP_{name}": value for name, value in shared.items()},
        **{f"SWEEP_PARAM_{name}": found[0] for name, found in capitals.items() if len(found) == 1},
        "SWEEP_NAME": sweep,
        "SWEEP_TRIAL": str(trial),
        "SWEEP_ATTEMPT": str(attempt),
        "SWEEP_OUTPUT_DIR": output_dir,
        "SWEEP_PARAMS_FILE": params_file,
    }
