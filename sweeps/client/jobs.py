"""`ml_client.jobs`: submitting, reading, watching and steering sweeps."""

import re
import sys
import uuid
from collections.abc import Callable, Iterator
from os import PathLike
from pathlib import Path
from typing import Any, TextIO, TypeAlias
from urllib.parse import quote

from sweeps.client.documents import Draft, draft_of
from sweeps.client.downloads import download_trial, log_parts
from sweeps.client.errors import (
    ConflictError,
    JobException,
    JobPaused,
    ResourceNotFoundError,
    StreamInterrupted,
)
from sweeps.client.progress import follow, screen_for
from sweeps.client.records import Job, Trial, job_of, trial_of
from sweeps.client.transport import Transport

_TRIAL = re.compile(r"(.+)_(\d+)")
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
        compute: str | None = None,
        display_name: str | None = None,
        experiment_name: str | None = None,
        description: str | None = None,
        tags: dict[str, str] | None = None,
    ) -> Job:
        """Submit a sweep: our words, an `azure.ai.ml` object, a dict, or a YAML path.

        Local code is uploaded once per content. Sent again after a lost answer, it makes no
        second sweep.
        """
        draft = draft_of(
            job,
            compute=compute,
            display_name=display_name,
            experiment_name=experiment_name,
            description=description,
            tags=tags,
        )
        ticket = uuid.uuid4().hex
        path = f"{self._place}/sweeps"
        return job_of(
            self._transport.post(path, self._document(draft), **{"Idempotency-Key": ticket})
        )

    def validate(self, job: Any) -> list[str]:
        """Check a job without submitting it; what the studio notes about it.

        Raises ValidationException with every problem.
        """
        answer = self._transport.send(
            "POST",
            f"{self._place}/sweeps",
            params={"dry_run": "1"},
            json=self._document(draft_of(job)),
        )
        return list(answer.json()["notes"])

    def get(self, name: str) -> Job | Trial:
        """The sweep of that name, or a trial, `<sweep>_<number>`."""
        try:
            return self._sweep(name)
        except ResourceNotFoundError:
            found = _TRIAL.fullmatch(name)
            if not found:
                raise
            path = f"{self._path(found[1])}/trials/{found[2]}"
            return trial_of(self._transport.get(path), found[1])

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
        try:
            job = follow(lambda: self._sweep(name), screen_for(out or sys.stdout))
        except KeyboardInterrupt:
            text = f"Watching was interrupted; {name} goes on. jobs.cancel(…) ends it."
            raise StreamInterrupted(text) from None
        if job.status == "Paused":
            text = f"{name} has paused itself: {job.reason} Mend the cause, then resume or stop it."
            raise JobPaused(text, job)
        if job.status == "Failed":
            raise JobException(f"{name} has failed: {job.reason}", job)
        return job

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

    def spec(self, name: str) -> str:
        """The sweep as a job file (YAML)."""
        return self._transport.send("GET", f"{self._path(name)}/spec").text

    def logs(self, name: str, number: int, stream: str = "stdout") -> Iterator[str]:
        """What a trial has written to `stdout` or `stderr` so far, piece by piece."""
        path = f"{self._path(name)}/trials/{number}"
        yield from log_parts(self._transport, path, stream)

    def download(
        self,
        name: str,
        *,
        download_path: str | PathLike[str] = ".",
        output_name: str | None = None,
        all: bool = False,  # noqa: A002 - Azure's word
    ) -> Files:
        """Bring what the best trial of a sweep, or the trial `<sweep>_<number>`, has stored.

        `output_name` brings only what stands in the folder of that name, below `named-outputs/`;
        `all` brings the logs too. Returns the files written. Raises ConflictError while there is
        no best trial.
        """
        found = self.get(name)
        if isinstance(found, Trial):
            sweep, number = found.parent_job_name, found.number
        elif found.best_trial is None:
            raise ConflictError(f"{name} has no best trial yet, so there is nothing to bring.")
        else:
            sweep, number = found.name, found.best_trial["number"]
        path = f"{self._path(sweep)}/trials/{number}"
        return download_trial(
            self._transport, path, download_path, output=output_name or "", logs=all
        )

    @property
    def _place(self) -> str:
        return f"/workspaces/{quote(self._workspace(), safe='')}"

    def _path(self, name: str) -> str:
        return f"{self._place}/sweeps/{quote(name, safe='')}"

    def _sweep(self, name: str) -> Job:
        return job_of(self._transport.get(self._path(name)))

    def _steer(self, name: str, verb: str) -> Job:
        return job_of(self._transport.post(f"{self._path(name)}/{verb}"))

    def _document(self, draft: Draft) -> dict[str, Any]:
        # Reading ignore files needs a library whose import takes as long as all else here.
        from sweeps.client.packing import handed_in

        return handed_in(draft, self._transport, self._place, upload=self._upload)


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
