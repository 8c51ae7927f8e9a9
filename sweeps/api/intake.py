"""Reading a posted sweep: JSON, YAML, or both parts of a multipart form."""

import json
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest

from studio.models import Workspace
from sweeps import intake
from sweeps.domain.job import SweepJob
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown, why_not_json
from sweeps.models import CodeSnapshot
from sweeps.spec.reader import read_job
from sweeps.stores import snapshots

MAX_SPEC_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Posted:
    """A job and the code that came with it."""

    job: SweepJob
    code: CodeSnapshot | None


def read_posted(request: HttpRequest, workspace: Workspace) -> Posted:
    """The job of a request.

    Raises InvalidInput with every problem found.
    """
    kind = (request.content_type or "").lower()
    if kind == "multipart/form-data":
        return _multipart(request, workspace)
    if kind == "application/json":
        job = read_job(read_json(request))
    elif "yaml" in kind:
        job = read_job(_text(_body(request)))
    else:
        raise InvalidInput.one(
            "",
            f"Send application/json, application/yaml or multipart/form-data, not {shown(kind)}.",
        )
    return Posted(job, _folder(job, workspace))


def read_json(request: HttpRequest, *, optional: bool = False) -> Any:
    """The body of a request as JSON; {} for an empty one where the body is optional.

    Raises InvalidInput for what is none.
    """
    body = _body(request)
    return {} if optional and not body.strip() else _json(body)


def _multipart(request: HttpRequest, workspace: Workspace) -> Posted:
    spec = request.FILES.get("spec")
    text = _text(spec.read()) if spec else str(request.POST.get("spec", ""))
    if not text:
        raise InvalidInput.one("spec", "Send the job file as the part “spec”.")
    job = read_job(text)
    upload = request.FILES.get("code")
    if upload is None:
        return Posted(job, _folder(job, workspace))
    name = upload.name or "code.zip"
    snapshot = snapshots.snapshot_archive(intake.code_root(), upload, name)
    return Posted(job, intake.keep(workspace, snapshot, name))


def _folder(job: SweepJob, workspace: Workspace) -> CodeSnapshot | None:
    """Code that the job names as a folder of this machine."""
    if not job.code:
        return None
    if not job.code.startswith(("/", "~")):
        raise InvalidInput.one(
            "trial.code",
            f"{shown(job.code)} is relative to your machine: send the code with the job "
            "(multipart part “code”, a zip), or give an absolute folder of this machine.",
        )
    try:
        return intake.keep_folder(workspace, job.code)
    except InvalidInput as error:
        raise InvalidInput(problem.under("trial.code") for problem in error.problems) from error


def _body(request: HttpRequest) -> bytes:
    try:
        return request.body
    except RequestDataTooBig as error:
        raise _too_big() from error


def _json(body: bytes) -> Any:
    _check_size(body)
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidInput.one("", f"The body is not JSON: {why_not_json(error)}.") from error


def _text(body: bytes) -> str:
    _check_size(body)
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput.one("", "The job file is not UTF-8 text.") from error


def _check_size(body: bytes) -> None:
    if len(body) > MAX_SPEC_BYTES:
        raise _too_big()


def _too_big() -> InvalidInput:
    return InvalidInput.one("", f"A job may have {MAX_SPEC_BYTES // 1024} KiB at most.")
