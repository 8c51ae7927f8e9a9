"""The trial template of a Katib experiment as a command: what its container would run."""

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeps.domain.wording import listed, shown
from sweeps.spec.keys import Reading

WHERE = "spec.trialTemplate"
_KEYS = (
    "retain", "trialSpec", "configMap", "trialParameters", "primaryPodLabels",
    "primaryContainerName", "successCondition", "failureCondition",
)  # fmt: skip
# From the job to its container; metadata are names.
_ON_THE_WAY = ("template", "spec", "metadata", "containers", "restartPolicy")
_PARAMETER = re.compile(r"\$\{trialParameters\.([^{}]*)\}")
# Kubernetes' own: $(NAME) is the variable's value, $$(NAME) the text $(NAME).
_VARIABLE = re.compile(r"(\$?)\$\(([A-Za-z_][\w.-]*)\)")
_SPLIT = re.compile(r"(\$\{\{[^{}]*\}\})")


@dataclass(slots=True)
class Trial:
    """The `trial` of a sweep job, and where its parts stand."""

    doc: dict[str, Any] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


def trial(value: Any, names: Mapping[str, str], reading: Reading) -> Trial:
    """The trial of `spec.trialTemplate`; `names` has our name of each parameter by Katib's."""
    part = reading.mapping(value, WHERE)
    reading.known(part, WHERE, _KEYS)
    if part.get("configMap") is not None:
        text = "The template stands in the cluster; write it out under trialSpec."
        reading.problem(f"{WHERE}.configMap", text)
        return Trial()
    container, where = _container(part, reading)
    if not container:
        return Trial()
    texts = _Texts(_placeholders(part, names, reading), reading)
    variables, carried = _variables(container, where, texts, reading)
    words = [*_words(container, "command", where, reading)]
    if not words:
        text = "Give the command that runs one trial: that of the image is not known here."
        reading.problem(f"{where}.command", text)
        return Trial()
    words += _words(container, "args", where, reading)
    texts.variables = {name: str(text) for name, text in variables.items()} | carried
    command = [texts.filled(word, place) for word, place in words]
    settings = [texts.filled(f"{name}={text}", place) for name, (text, place) in texts.set.items()]
    if settings:
        command = ["env", *settings, *command]
    _note_rest(container, reading)
    return Trial(
        {"command": " ".join(map(_quoted, command)), "environment_variables": variables},
        {"trial.command": f"{where}.command", "trial.environment_variables": f"{where}.env"},
    )


# --- The container ------------------------------------------------------------------------------


def _container(part: Mapping[str, Any], reading: Reading) -> tuple[Mapping[str, Any], str]:
    """The container that trains, and where it stands; {} where there are problems."""
    where = f"{WHERE}.trialSpec"
    spec = reading.mapping(part.get("trialSpec"), where)
    kind = spec.get("kind")
    if kind != "Job":
        got = "is missing" if not spec else f"is a {shown(kind)}"
        text = f"Trials run as single commands here: give a Job (batch/v1); it {got}."
        reading.problem(f"{where}.kind", text)
        return {}, where
    pod: Any = spec
    rest: list[str] = []
    for key in ("spec", "template", "spec"):
        where = f"{where}.{key}"
        pod = reading.mapping(pod.get(key), where)
        rest += [one for one in pod if one not in _ON_THE_WAY]
    if rest:
        reading.note(f"What the job has besides its container is not used: {listed(rest)}.")
    where = f"{where}.containers"
    containers = pod.get("containers")
    if not isinstance(containers, list) or not containers:
        reading.problem(where, f"Must be a list of containers, but got {shown(containers)}.")
        return {}, where
    found = [reading.mapping(one, f"{where}[{index}]") for index, one in enumerate(containers)]
    index = _primary(found, part.get("primaryContainerName"))
    if index is None:
        text = f"No container is called {shown(part.get('primaryContainerName'))}."
        reading.problem(f"{WHERE}.primaryContainerName", text)
        return {}, where
    others = [str(one.get("name")) for at, one in enumerate(found) if at != index]
    if others:
        reading.note(f"Only the container that trains is run, not {listed(others)}.")
    return found[index], f"{where}[{index}]"


def _primary(containers: list[Mapping[str, Any]], name: Any) -> int | None:
    """Which container trains: the named one, the first where none is."""
    if name is None:
        return 0
    return next((i for i, one in enumerate(containers) if one.get("name") == name), None)


def _note_rest(container: Mapping[str, Any], reading: Reading) -> None:
    reading.note(
        f"The image {shown(container.get('image'))} is not pulled: hand in the code, and choose an "
        "environment that has its packages."
    )
    read = ("name", "image", "command", "args", "env")
    rest = [key for key in container if key not in read]
    if rest:
        reading.note(f"What the container has besides its command is not used: {listed(rest)}.")


def _words(
    container: Mapping[str, Any], key: str, where: str, reading: Reading
) -> Iterable[tuple[str, str]]:
    """The words of `command` or `args`, and where each stands."""
    given = container.get(key) or []
    if not isinstance(given, list):
        reading.problem(f"{where}.{key}", f"Must be a list of words, but got {shown(given)}.")
        given = ["x"]
    return [(str(word), f"{where}.{key}[{index}]") for index, word in enumerate(given)]


# --- Parameters and variables in texts ----------------------------------------------------------


@dataclass(slots=True)
class _Texts:
    """Texts of the container with their placeholders filled in.

    `parameters` has our placeholder by the name of a trial parameter, None where it has no like;
    `set` are the variables that carry a parameter, each with its place.
    """

    parameters: Mapping[str, str | None]
    reading: Reading
    variables: Mapping[str, str] = field(default_factory=dict)
    set: dict[str, tuple[str, str]] = field(default_factory=dict)

    def filled(self, text: str, where: str) -> str:
        """A text with our placeholders; what cannot be filled in is a problem at `where`."""

        def one(match: re.Match[str]) -> str:
            found = self.parameters.get(match[1])
            if found is None:
                why = (
                    "is about the trial's object in the cluster, which is not here; a script reads "
                    "SWEEP_NAME and SWEEP_TRIAL"
                    if match[1] in self.parameters
                    else "is not among trialParameters"
                )
                self.reading.problem(where, f"{shown(match[1])} {why}.")
            return found or ""

        return _PARAMETER.sub(one, _VARIABLE.sub(self._variable, text))

    def _variable(self, match: re.Match[str]) -> str:
        if match[1]:
            return f"$({match[2]})"
        return self.variables.get(match[2], match[0])


def _placeholders(
    part: Mapping[str, Any], names: Mapping[str, str], reading: Reading
) -> dict[str, str | None]:
    where = f"{WHERE}.trialParameters"
    given = part.get("trialParameters") or []
    if not isinstance(given, list):
        reading.problem(where, f"Must be a list of parameters, but got {shown(given)}.")
        return {}
    found: dict[str, str | None] = {}
    for index, item in enumerate(given):
        place = f"{where}[{index}]"
        one = reading.mapping(item, place)
        reading.known(one, place, ("name", "description", "reference"))
        reference = str(one.get("reference"))
        is_of_cluster = reference.startswith("${trialSpec.")
        if reference not in names and not is_of_cluster:
            text = f"No parameter is called {shown(reference)}."
            reading.problem(f"{place}.reference", text)
        ours = f"${{{{search_space.{names[reference]}}}}}" if reference in names else "x"
        found[str(one.get("name"))] = None if is_of_cluster else ours
    return found


def _variables(
    container: Mapping[str, Any], where: str, texts: _Texts, reading: Reading
) -> tuple[dict[str, str], dict[str, str]]:
    """The variables that are the same in all trials, and those that carry a parameter."""
    given = container.get("env") or []
    if not isinstance(given, list):
        reading.problem(f"{where}.env", f"Must be a list of variables, but got {shown(given)}.")
        return {}, {}
    same: dict[str, str] = {}
    carried: dict[str, str] = {}
    left_out: list[str] = []
    for index, item in enumerate(given):
        one = reading.mapping(item, f"{where}.env[{index}]")
        name, value = str(one.get("name") or ""), str(one.get("value") or "")
        used = _PARAMETER.findall(value)
        if "valueFrom" in one or any(texts.parameters.get(key, "") is None for key in used):
            left_out.append(name)
        elif used:
            carried[name] = value
            texts.set[name] = (value, f"{where}.env[{index}]")
        else:
            same[name] = value
    if left_out:
        reading.note(f"Variables whose value the cluster gives are not set: {listed(left_out)}.")
    return same, carried


def _quoted(text: str) -> str:
    """One word of a command; its placeholders hold inside quotes as well."""
    parts = _SPLIT.split(text)
    plain = [part for index, part in enumerate(parts) if index % 2 == 0 and part]
    is_plain = bool(text) and all(shlex.quote(part) == part for part in plain)
    return text if is_plain else shlex.quote(text)
