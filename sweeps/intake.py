"""From what people hand in (a job, code, files) to a saved sweep: for forms, REST and commands."""

import random
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import IO

from django.conf import settings

from studio.models import Compute, User, Workspace
from sweeps.domain.command import parse_command
from sweeps.domain.elsewhere import KEPT_CODE
from sweeps.domain.environments import THE_COMPUTES, Chosen
from sweeps.domain.job import DataInput, SweepJob
from sweeps.domain.limits import Limits
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.scripts import missing_script
from sweeps.domain.web_inputs import (
    asset_problem,
    is_address,
    parse_web_input,
    private_problem,
    type_problem,
)
from sweeps.domain.wording import cut, shown
from sweeps.intake_environments import choose, within
from sweeps.intake_places import IRIS, data_root, existing, existing_folder, missing
from sweeps.models import CodeSnapshot, DataUpload, Sweep
from sweeps.queries.computes import resolve_compute
from sweeps.queries.isolation import is_anything_isolated
from sweeps.queries.secrets import problems_of
from sweeps.queries.uploads import foreign
from sweeps.services.code import remember_data, remember_snapshot
from sweeps.services.sweeps import create_sweep
from sweeps.spec.reader import read_job
from sweeps.stores import snapshots, trash
from sweeps.stores.git import as_document, read_git
from sweeps.stores.uploads import place_of, save_upload

DIFF_NAME = "changes.diff"


def code_root() -> Path:
    """Where code snapshots are kept."""
    return Path(settings.STUDIO_HOME) / "code"


def keep(
    workspace: Workspace,
    snapshot: snapshots.Snapshot,
    origin: str,
    *,
    folder: Path | None = None,
) -> CodeSnapshot:
    """The row of a snapshot in a workspace, with the state of the repository it comes from."""
    return remember_snapshot(
        workspace,
        digest=snapshot.digest,
        origin=origin,
        file_count=snapshot.files,
        size=snapshot.size,
        git=_git(folder) if folder else {},
    )


def kept_code(workspace: Workspace, digest: str) -> CodeSnapshot | None:
    """The code that was handed in to the workspace under this digest, if it is still there."""
    row = CodeSnapshot.objects.filter(workspace=workspace, digest=digest).first()
    return row if row and (code_root() / row.digest).is_dir() else None


def named_code(workspace: Workspace, reference: str) -> CodeSnapshot:
    """The code that a job names as `studio:<digest>`.

    Raises InvalidInput when the workspace has no such code.
    """
    found = kept_code(workspace, reference.removeprefix(KEPT_CODE))
    if found is None:
        text = f"This workspace has no code {shown(reference)}: upload it first."
        raise InvalidInput.one("", text)
    return found


def kept_data(workspace: Workspace, digest: str, name: str | None = None) -> DataUpload | None:
    """The data of this digest (and name) that the workspace was handed in last, if still there."""
    rows = DataUpload.objects.filter(workspace=workspace, digest=digest)
    rows = rows if name is None else rows.filter(name=name)
    there = (row for row in rows.order_by("-pk") if data_place(row).exists())
    return next(there, None)


def data_place(row: DataUpload) -> Path:
    """Where uploaded data lies: what a job names as the path of an input."""
    return data_root() / row.path


def keep_data_file(
    workspace: Workspace, chunks: Iterable[bytes], filename: str
) -> tuple[DataUpload, bool]:
    """The row of an uploaded input file, and whether it is new to the workspace.

    Raises InvalidInput when it is too large.
    """
    limit = settings.STUDIO_UPLOAD_CAP_MB * 2**20
    kept = save_upload(data_root(), chunks, filename, limit)
    return remember_data(
        workspace,
        digest=kept.digest,
        name=kept.name,
        path=str(kept.path.relative_to(data_root())),
        file_count=1,
        size=kept.size,
    )


def keep_data_folder(
    workspace: Workspace, archive: IO[bytes], filename: str
) -> tuple[DataUpload, bool]:
    """The row of an input folder that came packed, and whether it is new to the workspace.

    Raises InvalidInput for an archive that is unsafe or cannot be read.
    """
    kept = snapshots.snapshot_archive(data_root(), archive, filename, unwrap=False)
    return remember_data(
        workspace,
        digest=kept.digest,
        name="",
        path=kept.digest,
        file_count=kept.files,
        size=kept.size,
    )


def diff_root() -> Path:
    """Where the text of what was changed since a commit is kept, by content."""
    return Path(settings.STUDIO_HOME) / "diffs"


def _git(folder: Path) -> dict[str, object]:
    # The text of its changes may be of files that not every user may read.
    state = None if is_anything_isolated() else read_git(folder)
    if state is None:
        return {}
    digest = ""
    if state.diff:
        text = state.diff.encode(errors="replace")
        digest = save_upload(diff_root(), [text], DIFF_NAME, 2 * len(text)).digest
    return as_document(state, digest)


def diff_of(digest: str) -> str:
    """The text of a kept diff, "" where there is none (any more)."""
    if not digest.isalnum():
        return ""
    # The second is where they once lay.
    for place in (place_of(diff_root(), digest, DIFF_NAME), diff_root() / digest / DIFF_NAME):
        with suppress(OSError):
            return place.read_text()
    return ""


def keep_folder(workspace: Workspace, path: str) -> CodeSnapshot:
    """The snapshot of a folder of this machine.

    Raises InvalidInput when it is not there, too large, not readable, or the studio's own.
    """
    folder = existing_folder(workspace, path)
    try:
        snapshot = keep_files(code_root(), folder)
    except OSError as error:
        raise InvalidInput.one("", f"{folder} cannot be read: {error.strerror}.") from error
    return keep(workspace, snapshot, str(folder), folder=folder)


def keep_files(root: Path, folder: Path) -> snapshots.Snapshot:
    """The snapshot of a folder of this machine, as far as whoever names it might read it.

    Raises InvalidInput, OSError.
    """
    public = folder != IRIS.resolve() and is_anything_isolated()
    if public and folder.is_relative_to(Path(settings.STUDIO_HOME)):
        text = "Uploaded data is no code where computes are isolated: upload it as code."
        raise InvalidInput.one("", text)
    return snapshots.snapshot_folder(root, folder, public=public)


def forget_trials(sweep: Sweep) -> None:
    """Throw away the folders of a deleted sweep's trials; the engine removes them soon."""
    trials = Path(settings.STUDIO_HOME) / "trials"
    with suppress(OSError):
        trash.throw_away(trials, trials / sweep.uid)


def check_inputs(job: SweepJob, files: Collection[str]) -> list[Problem]:
    """Data inputs that no trial could find; `files` are the names of those in the code."""
    problems = []
    for name, value in job.inputs.items():
        if isinstance(value, DataInput):
            problem = _input_problem(value, files)
            if problem:
                problems.append(Problem(f"inputs.{name}.path", problem))
    return problems


def _foreign_data(workspace: Workspace, job: SweepJob) -> list[Problem]:
    """Paths of uploads that are of other workspaces, as if they were not there."""
    paths = {n: v.path for n, v in job.inputs.items() if isinstance(v, DataInput)}
    found = foreign(workspace, paths, data_root())
    return [Problem(f"inputs.{n}.path", missing(paths[n])) for n in found]


def _input_problem(value: DataInput, files: Collection[str]) -> str | None:
    path = value.path
    if is_address(path):
        try:
            source = parse_web_input(path)
        except InvalidInput as error:
            return error.problems[0].message
        private = None if settings.STUDIO_DOWNLOAD_PRIVATE else private_problem(source)
        return private or type_problem(value.type)
    if Path(path).is_absolute():
        try:
            existing(path)
        except InvalidInput as error:
            return error.problems[0].message
        return None
    clean = path.removeprefix("./").rstrip("/")
    inside = clean in files or any(name.startswith(f"{clean}/") for name in files)
    if inside or clean in ("", "."):
        return None
    return asset_problem(path) or f"There is no {cut(path, 200)} in the code."


_NO_SCRIPT = "The command runs {}, but there is no such file in the {}: its trials would fail."
Code = CodeSnapshot | snapshots.Snapshot | None


@dataclass(frozen=True, slots=True)
class _Resolved:
    """What a job means here: its compute, its trials' Python, and what was replaced."""

    compute: Compute
    chosen: Chosen
    notes: tuple[str, ...]


def _resolve(workspace: Workspace, job: SweepJob, code: Code) -> _Resolved:
    compute, note = resolve_compute(workspace, job.compute, settings.STUDIO_COMPUTE_ALIAS)
    problems, chosen = check_inputs(job, _files(code)), THE_COMPUTES
    told = {problem.field for problem in problems}
    problems += [one for one in _foreign_data(workspace, job) if one.field not in told]
    problems += problems_of(workspace, job.environment_variables)
    try:
        chosen = choose(workspace, job.environment, compute, lambda path: _text_in(code, path))
    except InvalidInput as error:
        problems += error.problems
    if problems:
        raise InvalidInput(problems)
    notes = [note] if note else []
    if script := missing_script(parse_command(job.command), _files(code)):
        notes.append(_NO_SCRIPT.format(script, "code" if code else "job, which names no code"))
    if job.limits.max_concurrent_trials > compute.slots:
        notes.append(
            f"{job.limits.max_concurrent_trials} trials may run at once, but “{compute.name}” has "
            f"{compute.slots} slots: the others wait."
        )
    return _Resolved(compute, chosen, tuple(notes))


def check(workspace: Workspace, job: SweepJob, code: Code) -> list[str]:
    """Everything that `submit` would note, without saving; raises as it does."""
    found = _resolve(workspace, job, code)
    return [*job.notes, *found.notes, *found.chosen.notes]


def _files(code: Code) -> frozenset[str]:
    if isinstance(code, CodeSnapshot):
        return frozenset(snapshots.list_files(code_root(), code.digest))
    return frozenset(code.names) if code else frozenset()


def _text_in(code: Code, path: str) -> str | None:
    """The text of a file of the code, None where there is none."""
    name = within(path)
    if code is None or name is None:
        return None
    if isinstance(code, snapshots.Snapshot):
        return code.texts.get(name)
    try:
        return snapshots.read_file(code_root(), code.digest, name)
    except KeyError:
        return None


def submit(
    workspace: Workspace,
    job: SweepJob,
    *,
    code: CodeSnapshot | None,
    user: User | None,
    now: datetime,
    rng: random.Random,
    is_dry_run: bool = False,
    ticket: str = "",
) -> Sweep:
    """Save a job as a sweep of the workspace; the caller wakes the queue.

    A request that comes twice (a double click) carries the same `ticket`, and makes one sweep.

    Raises InvalidInput with every problem found.
    """
    found = _resolve(workspace, job, code)
    return create_sweep(
        workspace,
        job,
        compute=found.compute,
        code=code,
        user=user,
        now=now,
        rng=rng,
        chosen=found.chosen,
        notes=found.notes,
        is_dry_run=is_dry_run,
        ticket=ticket,
    )


def iris(workspace: Workspace) -> tuple[SweepJob, CodeSnapshot]:
    """The Azure tutorial's sweep and its code, as they run here."""
    job = read_job((IRIS / "job-sweep.yml").read_text())
    compute, _ = resolve_compute(workspace, None, {})
    limits = Limits(
        job.limits.max_total_trials,
        min(job.limits.max_concurrent_trials, compute.slots),
        job.limits.timeout,
    )
    snapshot = snapshots.snapshot_folder(code_root(), IRIS)
    code = keep(workspace, snapshot, "examples/iris_lightgbm")
    fitting = replace(
        job,
        compute=compute.name,
        limits=limits,
        environment=None,
        display_name="lightgbm-iris",
        inputs={"iris_csv": DataInput("iris.csv", "uri_file")},
        notes=(),
    )
    return fitting, code


def submit_iris(
    workspace: Workspace, *, user: User | None, now: datetime, rng: random.Random
) -> Sweep:
    """The Azure tutorial's sweep on the example that comes with the studio."""
    job, code = iris(workspace)
    return submit(workspace, job, code=code, user=user, now=now, rng=rng)
