"""The sweeps of this machine's studio, as `MLClient.jobs` has those of any: no token, no server."""

import json
import os
import random
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from ninja import Schema
from ninja.responses import NinjaJSONEncoder

from studio.models import User, Workspace
from sweeps import intake, tasks
from sweeps.api import shapes, trial_shapes
from sweeps.client.documents import Draft, draft_of
from sweeps.client.downloads import download_trial
from sweeps.client.errors import (
    ConflictError,
    ResourceNotFoundError,
    StudioError,
    ValidationException,
)
from sweeps.client.jobs import TRIAL_NAME, best_or_own
from sweeps.client.packing import with_inputs
from sweeps.client.progress import watch
from sweeps.client.records import Job, Rerun, job_of, trial_of
from sweeps.client.records import Trial as TrialAnswer
from sweeps.domain.elsewhere import is_far_code
from sweeps.domain.problems import InvalidInput, said_of
from sweeps.domain.wording import shown
from sweeps.intake_bundles import bundled, import_bundle
from sweeps.models import CodeSnapshot, Sweep, Trial
from sweeps.queries import failure_groups, spec_of
from sweeps.queries.clock import database_now
from sweeps.queries.logs import read_log
from sweeps.queries.of_run import of_run
from sweeps.queries.places import newest_artifacts, spool_of
from sweeps.services import control, trials
from sweeps.spec.reader import read_job
from sweeps.spec.writer import to_yaml
from sweeps.stores import artifacts

_AT_ONCE = 500


def operator() -> User | None:
    """Who acts: whoever may run commands on this machine is its first administrator."""
    return User.objects.filter(is_active=True).order_by("-is_superuser", "pk").first()


def told(error: InvalidInput) -> StudioError:
    """The client's error for what a service refuses."""
    errors = [{"code": p.code, "message": p.message, "field": p.field} for p in error.problems]
    is_conflict = all(problem.code == "conflict" for problem in error.problems)
    return (ConflictError if is_conflict else ValidationException)("", errors=errors)


class LocalJobs:
    """Sweeps of one workspace, through the services; the queue of a running studio is woken."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def create_or_update(self, job: Any, *, code: str | None = None) -> Job:
        """Submit a job file with the folder `code`, or the code that it names."""
        os.umask(0o077)
        draft = draft_of(job, code=code)
        try:
            sweep = self._submitted(draft)
        except InvalidInput as error:
            found = told(error)
            located = isinstance(found, ValidationException)
            raise (draft.located(found) if located else found) from error  # type: ignore[arg-type]
        tasks.advance_sweep(sweep.pk)
        return _job(sweep)

    def _submitted(self, draft: Draft) -> Sweep:
        job = read_job(with_inputs(draft.document, draft.base, str))
        return intake.submit(
            self.workspace,
            job,
            code=self._code(str(draft.code or job.code or ""), draft.base),
            user=operator(),
            now=timezone.now(),
            rng=random.SystemRandom(),
        )

    def _code(self, code: str, base: Path) -> CodeSnapshot | None:
        """The code that a job names; relative to its file, as Azure's command line has it."""
        if not code:
            return None
        if code.startswith(intake.KEPT_CODE):
            return said_of("trial.code", intake.named_code, self.workspace, code)
        if is_far_code(code):
            text = f"{shown(code)} is not fetched from here: name the folder that has it."
            raise InvalidInput.one("trial.code", text)
        folder = base / Path(code).expanduser()
        if not folder.is_dir():
            raise InvalidInput.one("trial.code", f"There is no folder {folder}.")
        return said_of("trial.code", intake.keep_folder, self.workspace, str(folder))

    def get(self, name: str) -> Job | TrialAnswer:
        """The sweep of that name, or a trial: `<sweep>_<number>`, or the id of its MLflow run."""
        try:
            return _job(self._sweep(name))
        except ResourceNotFoundError:
            found = TRIAL_NAME.fullmatch(name)
            named = (found[1], int(found[2])) if found else of_run(self.workspace, name)
            if named is None:
                raise
        sweep, number = self._sweep(named[0]), named[1]
        if number is None:
            return _job(sweep)
        return next(_answers([self._trial(sweep, number)], sweep))

    def sweep(self, name: str) -> Job:
        """The sweep of that name."""
        return _job(self._sweep(name))

    def list(
        self, *, parent_job_name: str | None = None, status: str | None = None
    ) -> Iterator[Any]:
        """Sweeps, newest first; with `parent_job_name` the trials of that sweep, by number."""
        given = {"status": status} if status else {}
        if parent_job_name is None:
            rows = Sweep.objects.filter(workspace=self.workspace, **given).real()
            rows = rows.select_related("workspace", "compute").order_by("-created_at", "-pk")
            for part in _parts(rows):
                yield from (_shaped_job(found) for found in shapes.sweeps_out(part))
        else:
            sweep = self._sweep(parent_job_name)
            for part in _parts(sweep.trials.filter(**given).order_by("number")):
                yield from _answers(part, sweep)

    def stream(self, name: str, *, out: TextIO | None = None) -> Job:
        """Show the sweep's progress until it ends; raises as the client's does."""
        return watch(name, lambda: self.sweep(name), out or sys.stdout)

    def pause(self, name: str) -> Job:
        """Let running trials finish and start none until it is resumed."""
        return self._steer(name, control.pause_sweep)

    def resume(self, name: str) -> Job:
        """Go on after a pause."""
        return self._steer(name, control.resume_sweep)

    def stop(self, name: str) -> Job:
        """Let running trials finish, start no more, then end with what there is."""
        return self._steer(name, control.stop_sweep)

    def cancel(self, name: str) -> Job:
        """Kill running trials now and start no more."""
        return self._steer(name, control.cancel_sweep)

    def rerun_failed(self, name: str) -> Rerun:
        """Run all failed, lost and timed-out trials again."""
        sweep, found = self._acted(name, trials.rerun_failed)
        numbers = sweep.trials.filter(pk__in=found).order_by("number")
        body = {
            "rerun": list(numbers.values_list("number", flat=True)),
            "sweep": shapes.sweep_out(sweep),
        }
        raw = shaped(shapes.RerunOut, body)
        return Rerun(raw["rerun"], job_of(raw["sweep"]), raw)

    def failures(self, name: str) -> Iterator[dict[str, Any]]:
        """Failed trials by what they have in common, the largest group first."""
        for group in shapes.failures_out(failure_groups.groups(self._sweep(name))):
            yield shaped(shapes.FailureOut, group)

    def spec(self, name: str) -> str:
        """The sweep as a job file (YAML)."""
        return to_yaml(spec_of.exported_job(self._sweep(name)))

    def logs(self, name: str, number: int, stream: str = "stdout") -> Iterator[str]:
        """What a trial has written to `stdout` or `stderr` so far, piece by piece."""
        return _log(self._trial(self._sweep(name), number), stream)

    def bundle(self, name: str, target: Path, *, points: bool = False) -> None:
        """Write a sweep as one file: job, code, packages, trials; with `points` all values."""
        sweep = self._sweep(name)
        origin = f"{settings.STUDIO_URL}{sweep.get_absolute_url()}"
        with target.open("wb") as out:
            out.writelines(bundled(sweep, origin, database_now(), points=points))

    def import_bundle(
        self, file: Path, *, replay: bool = False, secrets: Sequence[str] = ()
    ) -> Job:
        """Bring a bundle in as an ended sweep, or have its points run again (`replay`), for which
        its program gets `secrets` of the workspace, by name."""
        os.umask(0o077)
        try:
            with file.open("rb") as packed:
                sweep = import_bundle(
                    self.workspace, packed, file.name, replay=replay, user=operator(),
                    now=database_now(), rng=random.SystemRandom(), granted=secrets,
                )  # fmt: skip
        except InvalidInput as error:
            raise told(error) from error
        if replay:
            tasks.advance_sweep(sweep.pk)
        return _job(sweep)

    def download(
        self,
        name: str,
        *,
        download_path: Any = ".",
        output_name: str | None = None,
        all: bool = False,  # noqa: A002 - Azure's word
    ) -> Any:
        """Bring what the best trial, or the trial `<sweep>_<number>`, has stored."""
        sweep, number = best_or_own(self.get(name))
        source = _Files(self._trial(self._sweep(sweep), number))
        return download_trial(source, download_path, output=output_name or "", logs=all)

    def _sweep(self, name: str) -> Sweep:
        rows = Sweep.objects.kept().filter(workspace=self.workspace, name=name)
        sweep = rows.select_related("workspace", "compute", "code").first()
        if sweep is None:
            raise ResourceNotFoundError(f"There is no sweep {shown(name)}.")
        return sweep

    def _trial(self, sweep: Sweep, number: int) -> Trial:
        trial = sweep.trials.filter(number=number).first()
        if trial is None:
            raise ResourceNotFoundError(f"The sweep has no trial {number}.")
        return trial

    def _steer(self, name: str, act: Callable[..., Any]) -> Job:
        return _job(self._acted(name, act)[0])

    def _acted(self, name: str, act: Callable[..., Any]) -> tuple[Sweep, Any]:
        """The sweep after something was done with it, and what that gave."""
        sweep, actor = self._sweep(name), str(operator() or "command line")
        try:
            found = act(sweep, actor=actor, now=database_now())
        except InvalidInput as error:
            raise told(error) from error
        tasks.advance_sweep(sweep.pk)
        sweep.refresh_from_db()
        return sweep, found


class _Files:
    """A trial's files on this disk (`client.downloads.Source`)."""

    def __init__(self, trial: Trial) -> None:
        self._trial, self._root = trial, newest_artifacts(trial)

    def paths(self) -> Iterator[str]:
        """Paths of all artifacts."""
        found = artifacts.artifacts(self._root, most=sys.maxsize) if self._root else []
        return (one.path for one in found)

    def fetch(self, path: str, target: Path) -> None:
        """Copy an artifact."""
        assert self._root is not None
        shutil.copyfile(self._root / path, target)

    def log(self, stream: str) -> Iterator[str]:
        """What the trial has written."""
        return _log(self._trial, stream)


def _log(trial: Trial, stream: str) -> Iterator[str]:
    attempt = trial.attempts.order_by("-number").first()
    spool, offset = spool_of(attempt) if attempt else None, 0
    while True:
        part = read_log(spool, stream, offset)
        if part.next_offset == offset:
            return
        yield part.text
        offset = part.next_offset


def _parts(rows: QuerySet[Any]) -> Iterator[list[Any]]:
    """A long list in pieces, for each of which more is read."""
    start = 0
    while part := list(rows[start : start + _AT_ONCE]):
        yield part
        start += _AT_ONCE


def _job(sweep: Sweep) -> Job:
    return _shaped_job(shapes.sweep_out(sweep))


def _shaped_job(found: dict[str, Any]) -> Job:
    return job_of(shaped(shapes.SweepOut, found))


def _answers(part: list[Trial], sweep: Sweep) -> Iterator[TrialAnswer]:
    for found in trial_shapes.trials_out(part, sweep):
        yield trial_of(shaped(shapes.TrialOut, found), sweep.name)


def shaped(schema: type[Schema], found: Any) -> Any:
    """What the REST API would answer, read back from its JSON."""
    answer = schema.model_validate(found).model_dump()
    return json.loads(json.dumps(answer, cls=NinjaJSONEncoder))
