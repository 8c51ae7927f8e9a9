"""What the new-sweep page says of a draft: errors, notes, an example command, a summary."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import Any

from studio.models import Compute, Workspace
from sweeps import intake
from sweeps.domain.command import CommandTemplate, parse_command, render
from sweeps.domain.durations import format_duration, parse_duration
from sweeps.domain.limits import Limits
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.samplers.draws import prior_draw, uniforms
from sweeps.domain.samplers.points import point
from sweeps.domain.samplers.registry import ALGORITHMS, get_sampler
from sweeps.domain.scripts import missing_script
from sweeps.domain.space import ParamValue, SearchSpace, grid_size, leaves, realise
from sweeps.domain.space_doc import parse_space
from sweeps.domain.wording import shown
from sweeps.forms.checked import Checked, FieldError, check, checked, kept_of
from sweeps.forms.draft import Draft
from sweeps.forms.environment_text import from_text, in_words
from sweeps.forms.rows import CONSTANT
from sweeps.intake_places import data_root
from sweeps.models import CodeSnapshot
from sweeps.queries.secrets import with_kept_values
from sweeps.views.new_sweep_actions import Page
from sweeps.views.new_sweep_code import files_of
from sweeps.views.new_sweep_environment import COMPUTES
from sweeps.views.new_sweep_file import code_wanted

ALGORITHM_NAMES = {"random": "Random", "bayesian": "Bayesian (TPE)", "grid": "Grid"}


# --- Checking -----------------------------------------------------------------------------------


def code_of(workspace: Workspace, draft: Draft) -> CodeSnapshot | None:
    """The kept code that a draft names, if it is one of this workspace."""
    if not draft["code"]:
        return None
    return CodeSnapshot.objects.filter(workspace=workspace, digest=draft["code"]).first()


def check_all(workspace: Workspace, draft: Draft, code: CodeSnapshot | None) -> Checked:
    """Everything that Submit would refuse or note, at the fields of the form."""
    result = check(draft)
    problems: list[Problem] = []
    if wanted := code_wanted(draft):
        problems.append(Problem("code", wanted))
    notes: Sequence[str] = result.notes
    if result.job is not None:
        try:
            whole = with_kept_values(result.job, workspace, draft["former"])
            notes = intake.check(workspace, whole, code)
        except InvalidInput as error:
            problems += [] if problems else error.problems  # what is in it nobody knows yet
    more = checked(draft, result.job, problems, result.places, result.doc)
    return Checked(
        job=None if problems else result.job,
        errors=result.errors + more.errors,
        notes=tuple(notes),
        by_field={**result.by_field, **more.by_field},
        doc=result.doc,
        places=result.places,
    )


def told(page: Page, errors: Sequence[FieldError]) -> tuple[FieldError, ...]:
    """The errors to show: before a submit only those of fields that hold something."""
    own = page.errors
    taken = {(error.field, error.message) for error in own}
    rest = [error for error in errors if (error.field, error.message) not in taken]
    if not page.shown:
        rest = [error for error in rest if _is_typed(page.draft, error.field)]
    return (*own, *rest)


def _is_typed(draft: Draft, field: str) -> bool:
    head, _, rest = field.partition(".")
    key, _, name = rest.partition(".")
    if head == "rows":
        row = next((row for row in draft.rows if row.key == key), None)
        if row is None or name in ("name", "when", "type"):
            return row is not None and bool(row.name)
        return bool(row.get(name).strip())
    if head == "first" and key:
        return bool(draft.first.get(key, "").strip())
    lists: Mapping[str, Sequence[Any]] = {"inputs": draft.inputs, "variables": draft.variables}
    if head in lists:
        found = lists[head][int(key)] if key.isdecimal() and int(key) < len(lists[head]) else None
        return bool(getattr(found, name, "")) if name else True
    return bool(draft.texts.get(field, "x").strip())


# --- The example command ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """One argument of the example command; `exact` is what `text` shortens."""

    text: str
    is_value: bool
    exact: str


@dataclass(frozen=True, slots=True)
class Example:
    """The command of one trial; `certain` when it is what trial 0 will run."""

    pieces: tuple[Piece, ...]
    certain: bool


def example_of(draft: Draft, result: Checked, number: int) -> Example | None:
    """A concrete command; None until command and search space can be read."""
    text = result.job.command if result.job else result.doc["trial"]["command"]
    try:
        space = parse_space(result.doc["search_space"])
        template = parse_command(text)
        params, certain = _params(draft, space, number, result)
        return Example(_pieces(template, params, _inputs(draft), result), certain)
    except InvalidInput:
        return None


def seed_of(draft: Draft) -> int:
    """The typed seed, 0 where none can be read."""
    text = draft["seed"].strip()
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _params(
    draft: Draft, space: SearchSpace, number: int, result: Checked
) -> tuple[dict[str, ParamValue], bool]:
    """The parameters of a trial, and whether trial `number` will have them."""
    firsts = result.job.first_trials if result.job else ()
    if number < len(firsts):
        return dict(firsts[number]), True
    size = grid_size(space)
    if draft["algorithm"] == "grid" and size:
        return realise(space, point(space, (number - len(firsts)) % size)), True
    cube = uniforms(len(leaves(space)), seed_of(draft), number)
    plain = draft["rule"] != "sobol" and draft["logbase"].strip() in ("", "e")
    certain = draft["algorithm"] == "random" and plain and draft["seed"].strip().isdecimal()
    return realise(space, prior_draw(space, cube)), certain


def _inputs(draft: Draft) -> dict[str, str]:
    """What a trial would get for each input, uploads by their name alone."""
    found = {}
    for row in draft.inputs:
        value = row.value.strip() or f"<{row.name.strip()}>"
        if row.kind != "value" and value.startswith(f"{data_root()}/"):
            value = Path(value).name
        found[row.name.strip()] = value
    return found


def _pieces(
    template: CommandTemplate,
    params: Mapping[str, ParamValue],
    inputs: Mapping[str, str],
    result: Checked,
) -> tuple[Piece, ...]:
    outputs = {name: f"outputs/{name}" for name in result.doc.get("outputs", {})}
    short = {name: _short(value) for name, value in params.items()}
    pieces: list[Piece] = []
    for part in _parts(template):
        exact = render(part, params, inputs, outputs)
        shown = render(part, short, inputs, outputs)
        filled = [bool(word.placeholders) for word in part.words]
        marks = filled if len(filled) == len(exact) else [True] * len(exact)
        pieces += [
            Piece(quote(text), mark, quote(whole))
            for text, mark, whole in zip(shown, marks, exact, strict=True)
        ]
    return tuple(pieces)


def _parts(template: CommandTemplate) -> list[CommandTemplate]:
    """The template word by word; an optional part, which stays or falls as one, together."""
    parts: list[CommandTemplate] = []
    for word in template.words:
        if parts and word.group is not None and parts[-1].words[0].group == word.group:
            parts[-1] = CommandTemplate("", (*parts[-1].words, word))
        else:
            parts.append(CommandTemplate("", (word,)))
    return parts


def _short(value: ParamValue) -> ParamValue:
    if isinstance(value, dict):
        return {key: _short(item) for key, item in value.items()}
    return float(f"{value:.4g}") if isinstance(value, float) else value


# --- Notes and advice ---------------------------------------------------------------------------


def advice_of(draft: Draft, result: Checked) -> list[str]:
    """What the chosen algorithm says of the space and the limits."""
    try:
        space = parse_space(result.doc["search_space"])
        total = int(draft["max_total_trials"].replace(",", ""))
        limits = Limits(total, int(draft["max_concurrent_trials"] or min(total, 1000)))
    except ValueError:
        return []
    if draft["algorithm"] not in ALGORITHMS:
        return []
    sampler = get_sampler(draft["algorithm"])
    warm = kept_of(draft).get("warm_start")
    return sampler.advise(space, limits, len(warm) if isinstance(warm, list) else 0)


def grid_hint(draft: Draft) -> str:
    """Why grid does not fit the rows, "" if it does."""
    rows = [row for row in draft.rows if not row.is_blank and row.type != CONSTANT]
    ranges = [row for row in rows if row.type not in ("choice", "randint")]
    if not ranges:
        return ""
    verb = "is a range" if len(ranges) == 1 else "are ranges"
    return f"Needs every parameter to be a choice; {len(ranges)} of {len(rows)} {verb}."


def command_warnings(draft: Draft, compute: Compute | None) -> list[str]:
    """A program or script that no trial will find, said before it is run."""
    try:
        template = parse_command(draft["command"])
    except InvalidInput:
        return []
    words = template.words
    files = files_of(draft["code"]) if draft["code"] else ()
    found = []
    program = words[0].parts[0] if len(words[0].parts) == 1 else None
    # An environment brings programs of its own, which are there once it is built.
    is_own = bool(draft["environment"]) and "/" not in str(program)
    if isinstance(program, str) and not is_own and not _is_known(program, files, compute):
        found.append(
            f"{shown(program)} was not found on this machine; a trial would fail to start."
        )
    if script := missing_script(template, files):
        found.append(
            f"There is no {script} in the training code."
            if draft["code"]
            else f"The command runs {script}: upload it as training code."
        )
    return found


def _is_known(program: str, files: Sequence[str], compute: Compute | None) -> bool:
    if program in ("python", "python3") or _clean(program) in files:
        return True
    if compute is not None and compute.python:
        beside = Path(compute.python).parent / program
        if "/" not in program and beside.exists():
            return True
    return shutil.which(program) is not None


def _clean(path: str) -> str:
    return path.removeprefix("./")


# --- Summary ------------------------------------------------------------------------------------


def summary_of(draft: Draft) -> list[tuple[str, str]]:
    """What will run, in words."""
    seed = f", seed {draft['seed'].strip()}" if draft["seed"].strip() else ""
    rule = ", Sobol" if draft["algorithm"] == "random" and draft["rule"] == "sobol" else ""
    at_once = draft["max_concurrent_trials"].strip()
    trials = draft["max_total_trials"].strip() or "–"
    metric = draft["primary_metric"].strip()
    lines = [
        ("Algorithm", f"{ALGORITHM_NAMES.get(draft['algorithm'], '–')}{rule}{seed}"),
        ("Objective", f"{draft['goal']} {metric}" if metric else "–"),
        ("Trials", f"{trials}, {at_once} at a time" if at_once else trials),
        ("Environment", in_words(from_text(draft["environment"])) or COMPUTES),
        ("At most", _limit(draft["timeout"], "{}, then running trials stop", "60 days")),
        ("Each trial", _limit(draft["trial_timeout"], "{} at most", "as long as the sweep")),
    ]
    return [(name, value) for name, value in lines if value]


def _limit(text: str, words: str, without: str) -> str:
    if not text.strip():
        return without
    try:
        return words.format(format_duration(parse_duration(text)))
    except ValueError:
        return "–"
