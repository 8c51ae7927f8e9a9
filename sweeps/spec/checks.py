"""What ties the parts of a job together: placeholders, samplers, names."""

import math
import posixpath
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sweeps.domain import command as commands
from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits, values_problem
from sweeps.domain.naming import name_problem
from sweeps.domain.param_names import known_names
from sweeps.domain.preview import log_notes
from sweeps.domain.problems import InvalidInput
from sweeps.domain.samplers.registry import get_sampler
from sweeps.domain.space import SearchSpace, columns
from sweeps.domain.tags import tag_problems
from sweeps.domain.wording import listed, shown
from sweeps.spec.keys import Reading
from sweeps.spec.yaml_text import MAX_DEPTH, MAX_DIGITS

# MLflow's rule for metric names.
_METRIC = re.compile(r"[\w\-. :/]+")
MAX_METRIC = 250
_MAX_TEXT = {"display_name": 255, "experiment_name": 255, "description": 10_000, "compute": 255}


def command(text: str, space: SearchSpace, doc: Mapping[str, Any], reading: Reading) -> str:
    """The command with its placeholders checked; the one to keep (see `_swept_inputs`).

    `space` is what could be read of the job's search space; what could not be read in a part of
    `doc` has a name all the same, and the command may use it.
    """
    if not text.strip() or _is_odd(text):
        return text  # told elsewhere
    if len(text) > commands.MAX_COMMAND:
        told = f"Has {commands.MAX_COMMAND:,} characters at most, but this has {len(text):,}."
        reading.problem("trial.command", told)
        return text
    named = {kind: _keys(doc.get(kind)) for kind in commands.KINDS}
    text = _swept_inputs(text, named["search_space"], named["inputs"])
    try:
        template = commands.parse_command(text)
    except InvalidInput as error:
        reading.take(error, "trial")
        return text
    for note in template.notes:
        reading.note(note)
    for problem in commands.check(template, _known(template, space, named, doc)):
        reading.problem("trial.command", problem.message)
    unused = commands.unused(template, space.names())
    if unused:
        names = listed(unused)
        verb, them = ("is", "it") if len(unused) == 1 else ("are", "them")
        reading.note(
            f"{names} {verb} not in the command; the script can read {them} from "
            f"SWEEP_PARAM_{unused[0].upper()} or SWEEP_PARAMS_FILE."
        )
    for note in (*commands.dashes(template, space), *log_notes(space)):
        reading.note(note)
    return text


def _keys(part: Any) -> list[str]:
    return [str(key) for key in part] if isinstance(part, Mapping) else []


def _known(
    template: commands.CommandTemplate,
    space: SearchSpace,
    named: Mapping[str, list[str]],
    doc: Mapping[str, Any],
) -> dict[str, Collection[str]]:
    """The names that placeholders may use, as `commands.check` takes them.

    Of a parameter that could not be read nobody knows what is in it; of a part that is no mapping,
    and of an empty search space, which is told already, nobody knows any name.
    """
    known = known_names(space, named["inputs"], named["outputs"])
    unread = set(named["search_space"]).difference(space.names())
    lost = {kind for kind in commands.KINDS if not isinstance(doc.get(kind), Mapping | None)}
    if not named["search_space"]:
        lost.add("search_space")
    more: dict[str, dict[str, None]] = {kind: {} for kind in commands.KINDS}
    more["search_space"] = dict.fromkeys(unread)
    for one in template.placeholders:
        is_inside = one.kind == "search_space" and one.name.partition(".")[0] in unread
        if one.kind in lost or is_inside:
            more[one.kind][one.name] = None
    return {kind: (*names, *more.get(kind, ())) for kind, names in known.items()}


def _swept_inputs(text: str, names: Collection[str], inputs: Collection[str]) -> str:
    """${{inputs.p}} of a swept p means ${{search_space.p}}: the form that a sweep node dumps."""
    swept = set(names).difference(inputs)

    def ours(match: re.Match[str]) -> str:
        return f"${{{{search_space.{match[1]}}}}}" if match[1] in swept else match[0]

    return re.sub(r"\$\{\{\s*inputs\.(\w+)\s*\}\}", ours, text)


def sampler(
    space: SearchSpace, sampling: Sampling, limits: Limits | None, reading: Reading, known: int = 0
) -> None:
    """What the sampling algorithm cannot do with the space, and what it does badly; it starts with
    `known` earlier trials."""
    algorithm = get_sampler(sampling.algorithm)
    problems = algorithm.check(space, sampling)
    reading.problems += problems
    if not problems and limits is not None:
        for advice in algorithm.advise(space, limits, known):
            reading.note(advice)


def metric_problem(name: str) -> str | None:
    """Why MLflow would refuse a metric of this name, None if it would not."""
    if len(name) > MAX_METRIC:
        return f"A metric's name has {MAX_METRIC} characters at most, but this has {len(name)}."
    if not _METRIC.fullmatch(name):
        unfit = dict.fromkeys(c for c in name if not _METRIC.fullmatch(c))
        odd = ", ".join(shown(c) for c in list(unfit)[:8])
        return f"MLflow has no metric with {odd} in its name: letters, digits, _ - . space : /."
    if posixpath.normpath(name) != name or name.startswith(("/", "..")) or name == ".":
        return f"MLflow would read {shown(name)} as a path; leave out ./ and //."
    return None


def values(space: SearchSpace | None, limits: Limits | None, reading: Reading) -> None:
    """Trials with more values of parameters together than pages can keep in memory."""
    if space is None or limits is None:
        return
    if problem := values_problem(limits.max_total_trials, len(columns(space))):
        reading.problem(f"limits.{problem.field}", problem.message)


def name(text: str, reading: Reading) -> str | None:
    """The job's name, None to have one made."""
    problem = name_problem(text) if text else None
    if problem:
        reading.problem("name", problem)
    return text or None


def texts(job: Mapping[str, object], reading: Reading) -> None:
    """Texts that are too long for a table."""
    for key, longest in _MAX_TEXT.items():
        value = str(job.get(key) or "")
        if len(value) > longest:
            text = f"Has {longest:,} characters at most, but this has {len(value):,}."
            reading.problem(key, text)


def tags(found: Mapping[str, str], reading: Reading) -> dict[str, str]:
    """Tags as they are; too many, too long and empty ones are problems."""
    reading.problems += tag_problems(found)
    return dict(found)


# Parts that are read as whatever they are; the others are numbers, names and words.
_FREE = (
    "name", "display_name", "experiment_name", "description", "compute", "tags", "properties",
    "trial", "inputs", "outputs", "studio",
)  # fmt: skip


def storable(doc: Mapping[Any, Any], reading: Reading, parts: Sequence[str] = _FREE) -> None:
    """Every text and number of the free parts can be kept as JSON and given to a process."""
    left: list[tuple[str, Any, int]] = [(key, doc.get(key), 1) for key in reversed(parts)]
    while left:
        where, value, depth = left.pop()
        if depth > MAX_DEPTH:
            reading.problem(where, f"Is nested more than {MAX_DEPTH} deep.")
        elif isinstance(value, Mapping):
            for key, item in value.items():
                if _is_odd(str(key)):
                    reading.problem(where, f"{_NO_TEXT} in the key {shown(key)}.")
                left.append((f"{where}.{key}", item, depth + 1))
        elif isinstance(value, list | tuple):
            left += [(f"{where}[{i}]", item, depth + 1) for i, item in enumerate(value)]
        elif isinstance(value, float) and not math.isfinite(value):
            reading.problem(where, f"Must be a finite number, but got {shown(value)}.")
        elif isinstance(value, int) and abs(value) >= 10**MAX_DIGITS:
            reading.problem(where, f"Has more than {MAX_DIGITS} digits.")
        elif isinstance(value, str) and _is_odd(value):
            reading.problem(where, f"{_NO_TEXT} in it.")


_NO_TEXT = "There is a character that is no text (NUL or a surrogate)"


def _is_odd(text: str) -> bool:
    return "\0" in text or any("\ud800" <= c <= "\udfff" for c in text)
