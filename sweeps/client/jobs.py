"""`ml_client.jobs`: submitting, reading, watching and steering sweeps."""

import re
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TextIO, TypeAlias
from urllib.parse import quote, urlencode

from sweeps.client.documents import Draft, draft_of
from sweeps.client.downloads import RestSource, download_trial, log_parts
from sweeps.client.errors import ConflictError, ResourceNotFoundError, ValidationException
from sweeps.client.progress import watch
from sweeps.client.records import Job, Rerun, Trial, job_of, trial_of
from sweeps.client.transport import Transport

TRIAL_NAME = re.compile(r"(.+)_(\d+)")
RUN_ID = re.compile(r"[0-9a-f]{32}")
Files: TypeAlias = list[Path]  # within the class below `list` is a method


class JobOperations:
    """Sweeps of one workspace. Every call raises StudioError, of the kind that fits."""

    def __init__(
        self, transport: Transport, workspace: Callable[[], str], *, upload_inputs: bool
    ) -> None:
        self._transport, self._workspace = transport, workspace
        self._upload = upload_inputs

    def create_or_update(
        self,
        job: Any,
        *,
        code: str | PathLike[str] | None = None,
        compute: str | None = None,
        display_name: str | None = None,
        experiment_name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> Job:
        """Submit a sweep: our words, an `azure.ai.ml` object, a dict, or a YAML path.

        Local code is uploaded once per content; `code` is a folder of code for a job that names
        none, and stands above the one that it names. Sent again after a lost answer, it makes no
        second sweep.
        """
        draft = draft_of(
            job,
            code=code,
            compute=compute,
            display_name=display_name,
            experiment_name=experiment_name,
            description=description,
            tags=tags,
        )
        return job_of(self._sent(draft, headers={"Idempotency-Key": uuid.uuid4().hex}))

    def validate(self, job: Any) -> list[str]:
        """Check a job without submitting it; what the studio notes about it.

        Raises ValidationException with every problem.
        """
        return list(self._sent(draft_of(job), params={"dry_run": "1"})["notes"])

    def get(self, name: str) -> Job | Trial:
        """The sweep of that name, or a trial: `<sweep>_<number>`, or the id of its MLflow run."""
        try:
            return self._sweep(name)
        except ResourceNotFoundError:
            if RUN_ID.fullmatch(name):
                run = self._transport.get(f"{self._place}/runs/{name}")
                if run["trial"] is None:
                    return self._sweep(run["sweep"])
                return self._trial(run["sweep"], run["trial"])
            found = TRIAL_NAME.fullmatch(name)
            if not found:
                raise
            return self._trial(found[1], int(found[2]))

    def list(
        self, *, parent_job_name: str | None = None, status: str | None = None
    ) -> Iterator[Any]:
        """All sweeps, newest first; with `parent_job_name` the trials of that sweep, by number."""
        given = {"status": status} if status else {}
        if parent_job_name is None:
            for item in self._transport.items(f"{self._place}/sweeps", **given):
                yield job_of(item)
        else:
            path = f"{self._path(parent_job_name)}/trials"
            for item in self._transport.items(path, **given):
                yield trial_of(item, parent_job_name)

    def stream(self, name: str, *, out: TextIO | None = None) -> Job:
        """Show the sweep's progress until it ends; the sweep as it ended.

        Raises JobException if it has failed, JobPaused if it has paused itself after failures,
        StreamInterrupted after Ctrl-C, which leaves the sweep running.
        """
        return watch(name, lambda: self._sweep(name), out or sys.stdout)

    def pause(self, name: str) -> Job:
        """Let running trials finish and start none until it is resumed."""
        return self._steer(name, "pause")

    def resume(self, name: str) -> Job:
        """Go on after a pause."""
        return self._steer(name, "resume")

    def stop(self, name: str) -> Job:
        """Let running trials finish, start no more, then end with what there is."""
        return self._steer(name, "stop")

    def cancel(self, name: str) -> Job:
        """Kill running trials now and start no more."""
        return self._steer(name, "cancel")

    def begin_cancel(self, name: str) -> "Poller":
        """As `cancel`, called as Azure's client is."""
        return Poller(self.cancel(name))

    def rerun_failed(self, name: str) -> Rerun:
        """Run all failed, lost and timed-out trials again: their numbers, and the sweep."""
        answer = self._transport.post(f"{self._path(name)}/trials/rerun")
        return Rerun(answer["rerun"], job_of(answer["sweep"]), answer)

    def failures(self, name: str) -> Iterator[dict[str, Any]]:
        """Failed trials by what they have in common, the largest group first."""
        yield from self._transport.items(f"{self._path(name)}/failures")

    def spec(self, name: str) -> str:
        """The sweep as a job file (YAML)."""
        return self._transport.send("GET", f"{self._path(name)}/spec").text

    def logs(self, name: str, number: int, stream: str = "stdout") -> Iterator[str]:
        """What a trial has written to `stdout` or `stderr` so far, piece by piece."""
        path = f"{self._path(name)}/trials/{number}"
        yield from log_parts(self._transport, path, stream)

    def bundle(self, name: str, target: Path, *, points: bool = False) -> None:
        """Write a sweep as one file: job, code, packages, trials; with `points` all values."""
        query = "?points=1" if points else ""
        self._transport.download(f"{self._path(name)}/bundle.zip{query}", target)

    def import_bundle(
        self, file: Path, *, replay: bool = False, secrets: Sequence[str] = ()
    ) -> Job:
        """Bring a bundle in as an ended sweep, or have its points run again (`replay`), for which
        its program gets `secrets` of the workspace, by name."""
        told = [*([("replay", "1")] if replay else []), *(("secret", name) for name in secrets)]
        path = f"{self._place}/bundles{'?' if told else ''}{urlencode(told)}"
        key = {"Idempotency-Key": uuid.uuid4().hex}
        sent = {"file": ("bundle", file.name, file), "headers": key}
        return job_of(self._transport.send("POST", path, **sent).json())

    def download(
        self,
        name: str,
        *,
        download_path: str | PathLike[str] = ".",
        output_name: str | None = None,
        all: bool = False,  # noqa: A002 - Azure's word
    ) -> Files:
        """Bring what the best trial of a sweep, or a trial named as in `get`, has stored.

        `output_name` brings only what stands in the folder of that name, below `named-outputs/`;
        `all` brings the logs too. Returns the files written. Raises ConflictError while there is
        no best trial.
        """
        sweep, number = best_or_own(self.get(name))
        source = RestSource(self._transport, f"{self._path(sweep)}/trials/{number}")
        return download_trial(source, download_path, output=output_name or "", logs=all)

    @property
    def _place(self) -> str:
        return f"/workspaces/{quote(self._workspace(), safe='')}"

    def _path(self, name: str) -> str:
        return f"{self._place}/sweeps/{quote(name, safe='')}"

    def _sweep(self, name: str) -> Job:
        return job_of(self._transport.get(self._path(name)))

    def _trial(self, sweep: str, number: int) -> Trial:
        return trial_of(self._transport.get(f"{self._path(sweep)}/trials/{number}"), sweep)

    def _steer(self, name: str, verb: str) -> Job:
        return job_of(self._transport.post(f"{self._path(name)}/{verb}"))

    def _sent(self, draft: Draft, **more: Any) -> Any:
        # Reading ignore files needs a library whose import takes as long as all else here.
        from sweeps.client.packing import handed_in, request_of

        try:
            body = handed_in(draft, self._transport, self._place, upload=self._upload)
            sent = request_of(body, draft.code, self._transport, self._place)
            return self._transport.send("POST", f"{self._place}/sweeps", **sent, **more).json()
        except ValidationException as error:
            raise (draft.located(error) if error.status in (0, 422) else error) from error


def best_or_own(found: Job | Trial) -> tuple[str, int]:
    """Sweep and number of a trial, or of a sweep's best. Raises ConflictError without one."""
    if isinstance(found, Trial):
        return found.parent_job_name, found.number
    if found.best_trial is None:
        if found.done:
            text = f"None of {found.name}'s trials has a value; name one, such as {found.name}_0."
            raise ConflictError(text)
        raise ConflictError(f"{found.name} has no best trial yet.")
    return found.name, found.best_trial["number"]


class Poller:
    """What `begin_…` returns in Azure's client; here it is done when it is returned."""

    def __init__(self, job: Job) -> None:
        self._job = job

    def result(self, timeout: float | None = None) -> Job:
        """The sweep after the request."""
        return self._job

    def wait(self, timeout: float | None = None) -> None:
        """Nothing is left to wait for."""

    def done(self) -> bool:
        """True."""
        return True
