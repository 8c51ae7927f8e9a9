"""Training code in the new-sweep form: keeping it, reading it, filling in what it proposes."""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

from studio.models import Workspace
from sweeps import intake, intake_places
from sweeps.domain.objective import Goal
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown
from sweeps.figures.cache import Shared
from sweeps.forms.draft import Draft, InputRow
from sweeps.forms.rows import FIELDS, Row
from sweeps.models import CodeSnapshot, DataUpload
from sweeps.queries.uploads import is_own
from sweeps.services.room import require_disk
from sweeps.stores import snapshots
from sweeps.stores.inspect_script import ScriptFacts, inspect, pick_entry
from sweeps.stores.propose import Proposal, propose

ARCHIVES = (".zip", ".tar.gz", ".tgz", ".tar")
LINE = 78
# Metrics of which more is better, by a part of their name.
_MORE = re.compile(
    r"(^|[^a-z])(acc|accuracy|auc|f1|r2|precision|recall|score|map|ndcg|iou)([^a-z]|$)"
)


# --- Keeping ------------------------------------------------------------------------------------


def keep_upload(workspace: Workspace, file: UploadedFile) -> CodeSnapshot:
    """The snapshot of an uploaded script or archive.

    Raises InvalidInput for other files, unsafe archives and what is too large.
    """
    require_disk(workspace)
    name = Path((file.name or "").replace("\\", "/")).name
    limit = settings.STUDIO_UPLOAD_CAP_MB * 2**20
    if (file.size or 0) > limit:
        raise InvalidInput.one("", f"{shown(name)} is larger than {limit // 2**20} MiB.")
    if name.lower().endswith(".py"):
        kept = snapshots.snapshot_file(intake.code_root(), file, name)  # type: ignore[arg-type]
    elif name.lower().endswith(ARCHIVES):
        kept = snapshots.snapshot_archive(intake.code_root(), file, name)  # type: ignore[arg-type]
    else:
        raise InvalidInput.one("", f"Upload a .py, .zip or .tar.gz; {shown(name)} is none of them.")
    return intake.keep(workspace, kept, name)


def keep_folder(workspace: Workspace, text: str) -> CodeSnapshot:
    """The snapshot of a folder on this machine.

    Raises InvalidInput when it is not there, too large, or the studio's own.
    """
    if not text.strip():
        raise InvalidInput.one("", "Name a folder on this machine, for example /home/me/train.")
    if not text.strip().startswith(("/", "~")):
        raise InvalidInput.one(
            "", f"Write the whole path, beginning with /, not {shown(text.strip())}."
        )
    return intake.keep_folder(workspace, text.strip())


def keep_data(workspace: Workspace, file: UploadedFile) -> DataUpload:
    """An uploaded input file. Raises InvalidInput when it is too large, or the disk is full."""
    require_disk(workspace)
    return intake.keep_data_file(workspace, file.chunks(), file.name or "")[0]


# --- Reading ------------------------------------------------------------------------------------


@lru_cache(maxsize=64)
def files_of(digest: str) -> tuple[str, ...]:
    """The files of a kept snapshot, by its digest: contents never change under one."""
    return tuple(snapshots.list_files(intake.code_root(), digest))


def scripts_of(digest: str) -> list[str]:
    """The Python files of a snapshot."""
    return [name for name in files_of(digest) if name.endswith(".py")]


def entry_of(digest: str, command: str) -> str:
    """The script that the command runs, else the one that most likely trains, "" if none."""
    scripts = scripts_of(digest)
    words = (word.removeprefix("./") for word in command.split())
    if named := next((word for word in words if word in scripts), ""):
        return named
    return pick_entry(files_of(digest)) or (scripts[0] if len(scripts) == 1 else "")


# By digest and entry, read once for all who ask meanwhile.
_facts: Shared[tuple[ScriptFacts]] = Shared(most=64)


def facts_of(digest: str, entry: str) -> ScriptFacts:
    """What a script of a snapshot says of itself; nothing where there is no such script."""
    if entry not in files_of(digest):
        return ScriptFacts()
    [facts] = _facts.get((digest, entry), lambda: (_read(digest, entry),))
    return facts


def _read(digest: str, entry: str) -> ScriptFacts:
    return inspect(snapshots.read_file(intake.code_root(), digest, entry), entry)


def proposal_of(digest: str, entry: str) -> Proposal | None:
    """What a form can start from for this script."""
    return propose(facts_of(digest, entry), entry) if digest and entry else None


def flag_of(digest: str, entry: str, name: str) -> str:
    """The option by which the script takes a parameter; a guess where it does not say."""
    options = facts_of(digest, entry).options if digest and entry else ()
    found = next((option.flag for option in options if option.name == name and option.flag), "")
    return found or f"--{name.replace('_', '-')}"


# --- Filling in ---------------------------------------------------------------------------------


def fill(draft: Draft, found: Proposal, earlier: Proposal | None) -> tuple[Draft, list[str]]:
    """The draft with a proposal where nothing else was typed, and clauses on what was filled in.

    What an `earlier` proposal had filled in and nobody changed counts as not typed.
    """
    said: list[str] = []
    texts: dict[str, str] = {}
    is_free = _is_free(draft["command"], earlier.command if earlier else "")
    if is_free:
        texts["command"] = broken(found.command)
        said.append("the command is filled in")
    rows = draft.rows
    if _rows_are_free(rows, earlier) and found.rows:
        rows = tuple(
            Row(str(index), row["name"], row["type"], dict(row["typed"]))
            for index, row in enumerate(found.rows)
        )
        many = "options became search-space rows" if len(rows) != 1 else "option became a row"
        said.insert(0, f"{len(rows)} {many}")
    metric = draft["primary_metric"]
    known = earlier.metrics if earlier else ()
    if len(found.metrics) == 1 and (not metric.strip() or metric in known):
        texts |= metric_texts(found.metrics[0])
        said.append(f"the metric is {found.metrics[0]}")
    command = found.command if is_free else draft["command"]
    inputs = _inputs(draft.inputs, found, earlier, command)
    # Other rows have the same keys: what was typed for a first trial is not theirs.
    first = draft.first if rows is draft.rows else {}
    filled = replace(draft.having(**texts), rows=rows, inputs=inputs, first=first)
    return replace(filled, metrics=found.metrics), said


def metric_texts(name: str) -> dict[str, str]:
    """The metric with the goal that its name suggests."""
    goal = Goal.MAXIMIZE if _MORE.search(name.lower()) else Goal.MINIMIZE
    return {"primary_metric": name, "goal": goal.value}


def broken(command: str) -> str:
    """A long command on several lines, broken before options."""
    lines = [""]
    for part in re.split(r" (?=-)", command):
        longer = f"{lines[-1]} {part}" if lines[-1] else part
        if len(longer) > LINE and lines[-1]:
            lines.append(f"  {part}")
        else:
            lines[-1] = longer
    return "\n".join(lines)


def _is_free(text: str, earlier: str) -> bool:
    return not text.strip() or text.split() == earlier.split()


def _rows_are_free(rows: Sequence[Row], earlier: Proposal | None) -> bool:
    typed = [row for row in rows if not row.is_blank]
    if not typed or earlier is None:
        return not typed
    said = [(row.name, row.type, _typed(row)) for row in typed]
    return said == [_said(row) for row in earlier.rows]


def _typed(row: Row) -> dict[str, str]:
    return {name: row.get(name) for name in FIELDS.get(row.type, ()) if row.get(name)}


def _said(row: dict[str, Any]) -> tuple[str, str, dict[str, str]]:
    return row["name"], row["type"], dict(row["typed"])


def _inputs(
    typed: Sequence[InputRow], found: Proposal, earlier: Proposal | None, command: str
) -> tuple[InputRow, ...]:
    """What was typed, and what the script asks for beyond that, as far as the command says it."""
    old = [InputRow(**row) for row in earlier.inputs] if earlier else []
    kept = [row for row in typed if not row.is_blank and row not in old]
    names = {row.name.strip() for row in kept}
    asked = [row for row in found.inputs if f"inputs.{row['name']}" in command]
    return (*kept, *(InputRow(**row) for row in asked if row["name"] not in names))


def stored(workspace: Workspace, path: str) -> tuple[str, int] | None:
    """Name and size of an input that the workspace was handed in, by where it lies; None for any
    other path."""
    place, root = Path(path), intake_places.data_root()
    if not place.is_relative_to(root) or ".." in place.parts:
        return None
    if not is_own(workspace, place.relative_to(root)) or not place.is_file():
        return None
    return place.name, place.stat().st_size
