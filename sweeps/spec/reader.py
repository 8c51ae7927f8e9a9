"""Sweep-job documents to `SweepJob` values: Azure ML CLI v2 `type: sweep`, read generously.

What cannot be honoured is refused or noted in plain words, never dropped silently. Source: Azure ML
sweep-job YAML reference and the azure-ai-ml 1.35 schemas.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sweeps.domain.elsewhere import without_prefix
from sweeps.domain.job import DataInput, Output, SweepJob
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.space import Distribution, Scalar, SearchSpace
from sweeps.domain.space_doc import NAME, NAME_RULE, parse_space
from sweeps.domain.web_inputs import https_form, without_query
from sweeps.domain.wording import shown
from sweeps.spec import checks, parts, studio, yaml_text
from sweeps.spec.dialects import optuna
from sweeps.spec.dialects.base import Dialect, Translated
from sweeps.spec.dialects.registry import dialect_of
from sweeps.spec.early import note_differences
from sweeps.spec.keys import Reading

TOP = (
    "$schema", "type", "name", "display_name", "experiment_name", "description", "tags",
    "properties", "compute", "trial", "inputs", "outputs", "search_space", "sampling_algorithm",
    "objective", "limits", "early_termination", "studio", "queue_settings", "identity",
    "resources", "services", "id", "status", "creation_context", "log_files",
)  # fmt: skip
_UNUSED = {
    "queue_settings": "Job tiers and priorities",
    "identity": "Identities",
    "resources": "Resources (instances, shared memory, docker arguments)",
    "services": "Interactive services",
}
MAX_PROBLEMS = 100
_INPUT_MODES = ("ro_mount", "download", "direct", "eval_mount", "eval_download")
_OUTPUT_MODES = ("rw_mount", "mount", "upload", "direct")
_DATA_TYPES = ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model", "triton_model")


def read_job(source: Mapping[str, Any] | str | bytes) -> SweepJob:
    """The job that a document, or a file's text or bytes, describes.

    Raises InvalidInput with every problem, with line and column when it was read from text.
    """
    if isinstance(source, bytes | bytearray):
        source = yaml_text.decoded(source)
    loaded = yaml_text.load(source) if isinstance(source, str) else yaml_text.Loaded(source)
    try:
        return _read(loaded.document)
    except InvalidInput as error:
        found = list(error.problems)
        if isinstance(source, str):  # of which an empty one has no positions
            found = _in_order(yaml_text.placed(found, loaded.positions))
        raise InvalidInput(_first(found)) from error


def placed(problems: Iterable[Problem], text: str) -> list[Problem]:
    """Problems that were found in a job after it was read, with their lines in its text."""
    loaded = yaml_text.load(text)
    dialect = dialect_of(loaded.document)
    if dialect is not None:
        problems = _there(problems, dialect.to_job(loaded.document, Reading()))
    return _in_order(yaml_text.placed(problems, loaded.positions))


def _in_order(problems: list[Problem]) -> list[Problem]:
    """Problems from top to bottom of their text."""
    return sorted(problems, key=lambda problem: (problem.line or 0, problem.column or 0))


def tool_of(text: str) -> str:
    """The tool that a file was written for, "" for a sweep job and what is no YAML."""
    try:
        dialect = dialect_of(yaml_text.load(text).document)
    except InvalidInput:
        return ""
    return dialect.TOOL if dialect else ""


def _read(doc: Any) -> SweepJob:
    dialect = dialect_of(doc)
    return _job(doc, Reading()) if dialect is None else _translated(doc, dialect)


def _translated(doc: Mapping[str, Any], dialect: Dialect) -> SweepJob:
    """The job of another tool's file; problems are told under that tool's keys, all at once.

    What a part that could not be translated lacks then, nobody wants to know.
    """
    reading = Reading()
    translated = dialect.to_job(doc, reading)
    told = reading.problems
    if not translated.job:
        raise InvalidInput(told)
    try:
        job = _job(translated.job, Reading(notes=reading.notes))
    except InvalidInput as error:
        fields = [problem.field for problem in told]
        more = [one for one in error.problems if not translated.holds(one.field, fields)]
        raise InvalidInput([*told, *_there(more, translated)]) from error
    if told:
        raise InvalidInput(told)
    return job


def _there(problems: Iterable[Problem], translated: Translated) -> list[Problem]:
    """Problems of a job where they stand in the other tool's file."""
    return [replace(problem, field=translated.there(problem.field)) for problem in problems]


def _job(doc: Any, reading: Reading) -> SweepJob:
    if not isinstance(doc, Mapping):
        raise InvalidInput.one("", "A sweep job is a mapping that begins with type: sweep.")
    if doc.get("type") is not None and str(doc["type"]).lower() != "sweep":
        raise InvalidInput.one(
            "type", f"Only jobs of type sweep run here, not {shown(doc['type'])}."
        )
    reading.known(doc, "", TOP)
    for key, what in _UNUSED.items():
        if doc.get(key):
            reading.note(f"{what} do not apply on this machine; “{key}” is ignored.")
    checks.storable(doc, reading)
    extras, properties = studio.split(doc, reading.texts(doc, "properties", ""), reading)
    given = optuna.ours(doc.get("search_space"), doc.get("sampling_algorithm"), reading)
    written = studio.search_space(given, extras, reading)
    space = _space(written, reading)
    readable = space or _readable(written)
    trial = parts.trial(doc.get("trial"), reading)
    inputs = _inputs(doc, reading)
    outputs = _outputs(doc, reading)
    command = checks.command(trial.command, readable, doc, reading)
    objective = _objective(doc, reading)
    limits = parts.limits(doc.get("limits"), reading)
    sampling = parts.sampling(doc.get("sampling_algorithm"), reading)
    sampling = studio.sampling(sampling, extras, reading)
    early = studio.early(doc, extras, reading)
    note_differences(early, sampling, reading)
    rules = studio.rules(extras, reading)
    first_trials = studio.first_trials(extras, space, sampling, limits, reading)
    warm_start = studio.warm_start(extras, space, sampling, reading)
    checks.values(space, limits, reading)
    name = checks.name(reading.text(doc, "name", ""), reading)
    if sampling is not None:
        checks.sampler(readable, sampling, limits, reading, len(warm_start))
    words = _words(doc, trial, reading)
    if reading.problems or space is None or objective is None or limits is None or sampling is None:
        raise InvalidInput(reading.problems)
    return SweepJob(
        command=command,
        search_space=space,
        objective=objective,
        limits=limits,
        sampling=sampling,
        code=trial.code,
        name=name,
        environment=trial.environment,
        environment_variables=trial.variables,
        inputs=inputs,
        outputs=outputs,
        early_termination=early,
        first_trials=first_trials,
        warm_start=warm_start,
        notes=tuple(reading.notes),
        properties=properties,
        **rules,
        **words,
    )


def _words(doc: Mapping[str, Any], trial: parts.Trial, reading: Reading) -> dict[str, Any]:
    """What people call a job; a component that stands for the trial may say it, too."""
    about = {**trial.about, **{key: value for key, value in doc.items() if value}}
    words = {
        "display_name": reading.text(about, "display_name", ""),
        "description": reading.text(about, "description", ""),
        "experiment_name": reading.text(doc, "experiment_name", "") or None,
        "compute": reading.text(doc, "compute", "").removeprefix("azureml:") or None,
        "tags": checks.tags(reading.texts(about, "tags", ""), reading),
    }
    checks.texts(words, reading)
    return words


def _first(problems: list[Problem]) -> list[Problem]:
    """As many as a person reads."""
    more = len(problems) - MAX_PROBLEMS
    if more <= 0:
        return problems
    first = problems[MAX_PROBLEMS]
    text = f"There are {more:,} more problems."
    return [*problems[:MAX_PROBLEMS], Problem("", text, first.line, first.column)]


def _space(doc: Any, reading: Reading) -> SearchSpace | None:
    try:
        return parse_space(doc)
    except InvalidInput as error:
        reading.take(error, "search_space")
        return None


def _readable(doc: Any) -> SearchSpace:
    """Those parameters that can be read, so that one that cannot hides no problem of others."""
    found: list[tuple[str, Distribution]] = []
    for name, value in doc.items() if isinstance(doc, Mapping) else ():
        with suppress(InvalidInput):
            found += parse_space({name: value})
    return SearchSpace(tuple(found))


def _objective(doc: Mapping[str, Any], reading: Reading) -> Objective | None:
    part = reading.mapping(doc.get("objective"), "objective")
    reading.known(part, "objective", ("goal", "primary_metric"))
    goal = reading.word(part, "goal", "objective", list(Goal))
    metric = reading.text(part, "primary_metric", "objective").strip()
    if not metric:
        text = "Name the metric exactly as the script logs it."
        reading.problem("objective.primary_metric", text)
    elif problem := checks.metric_problem(metric):
        reading.problem("objective.primary_metric", problem)
    elif goal:
        return Objective(metric, Goal(goal))
    return None


def _inputs(doc: Mapping[str, Any], reading: Reading) -> dict[str, Scalar | DataInput]:
    found: dict[str, Scalar | DataInput] = {}
    for name, value in reading.mapping(doc.get("inputs"), "inputs").items():
        where = f"inputs.{name}"
        if not NAME.fullmatch(str(name)):
            reading.problem(where, f"{shown(name)} cannot name an input. {NAME_RULE}")
        elif isinstance(value, Mapping):
            data = _data(value, where, reading)
            if data is not None:
                found[name] = data
        elif isinstance(value, str | int | float):
            found[name] = value
        else:
            reading.problem(where, f"Must be a value or a file or folder, but got {shown(value)}.")
    return found


def _data(value: Mapping[str, Any], where: str, reading: Reading) -> DataInput | None:
    reading.known(value, where, ("type", "path", "mode"))
    kind, mode = _kind(value, where, _INPUT_MODES, reading)
    path = without_prefix(reading.text(value, "path", where))
    if kind and kind != "mltable" and (mode or "").startswith("eval_"):
        reading.problem(f"{where}.mode", f"Only an mltable has the mode {mode}, not {kind}.")
    if not path:
        reading.problem(f"{where}.path", "Give the path of the file or folder.")
        return None
    if https := https_form(path):
        name = where.removeprefix("inputs.")
        reading.note(f"Input “{name}” is downloaded by https from {without_query(https)}.")
    return DataInput(path, kind, mode)


def _kind(
    part: Mapping[str, Any], where: str, modes: Iterable[str], reading: Reading
) -> tuple[str, str | None]:
    """Type and mode of an input or output."""
    kind = reading.word(part, "type", where, _DATA_TYPES) if part.get("type") else "uri_folder"
    mode = reading.word(part, "mode", where, modes) if part.get("mode") else None
    return kind, mode


def _outputs(doc: Mapping[str, Any], reading: Reading) -> dict[str, Output]:
    found = {}
    for name, value in reading.mapping(doc.get("outputs"), "outputs").items():
        where = f"outputs.{name}"
        if not NAME.fullmatch(str(name)):
            reading.problem(where, f"{shown(name)} cannot name an output. {NAME_RULE}")
            continue
        part = reading.mapping(value, where)
        reading.known(part, where, ("type", "mode", "path", "name", "version"))
        if any(part.get(key) for key in ("path", "name", "version")):
            reading.note(f"Output “{name}” is kept with its trial; its path and name are ignored.")
        found[name] = Output(*_kind(part, where, _OUTPUT_MODES, reading))
    return found
