"""Reading a posted sweep: JSON, YAML, or both parts of a multipart form."""

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest
from django.utils.datastructures import MultiValueDict

from studio.limits import FORM_BYTES
from studio.models import Workspace
from sweeps import intake, intake_places
from sweeps.api.auth import require_still
from sweeps.domain.elsewhere import is_far_code
from sweeps.domain.job import SweepJob
from sweeps.domain.problems import InvalidInput, Problem, said_of
from sweeps.domain.wording import shown, why_not_json
from sweeps.models import CodeSnapshot
from sweeps.spec import reader, yaml_text
from sweeps.spec.reader import read_job
from sweeps.stores import snapshots

MAX_SPEC_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Posted:
    """A job and its code: kept as a row, or only looked at for a dry run.

    `text` is what the job was read from, "" where that was JSON.
    """

    job: SweepJob
    code: CodeSnapshot | snapshots.Snapshot | None
    text: str = ""


# Takes a snapshot below a folder that it is given.
_Take = Callable[[Path], snapshots.Snapshot]


def read_posted(request: HttpRequest, workspace: Workspace, *, keep: bool = True) -> Posted:
    """The job of a request; without `keep` nothing of it stays.

    Raises InvalidInput with every problem found.
    """
    kind = (request.content_type or "").lower()
    if kind == "multipart/form-data":
        return _multipart(request, workspace, keep)
    if kind == "application/json":
        return _with_named(read_job(read_json(request)), "", workspace, keep)
    if "yaml" in kind:
        text = _text(_body(request))
        return _with_named(read_job(text), text, workspace, keep)
    raise InvalidInput.one(
        "",
        f"Send application/json, application/yaml or multipart/form-data, not {shown(kind)}.",
    )


@contextmanager
def in_text(text: str) -> Iterator[None]:
    """Problems that are found in a job after it was read get their lines in its text."""
    try:
        yield
    except InvalidInput as error:
        if not text:
            raise
        raise InvalidInput(reader.placed(error.problems, text)) from error


def read_json(request: HttpRequest, *, optional: bool = False) -> Any:
    """The body of a request as JSON; {} for an empty one where the body is optional.

    Raises InvalidInput for what is none.
    """
    body = _body(request)
    return {} if optional and not body else _json(body)


def _multipart(request: HttpRequest, workspace: Workspace, keep: bool) -> Posted:
    files = files_of(request)
    spec = files.get("spec")
    text = _text(spec.read()) if spec else str(request.POST.get("spec", ""))
    if not text:
        raise InvalidInput.one("spec", "Send the job file as the part “spec”.")
    job = read_job(text)
    upload = files.get("code")
    if upload is None:
        job = replace(job, code=_uploaded_code(request) or job.code)
        return _with_named(job, text, workspace, keep)
    name = upload.name or "code.zip"
    take: _Take = lambda root: snapshots.snapshot_archive(root, upload, name)  # noqa: E731
    return Posted(job, _snapshot(take, workspace, name, keep, "code"), text)


def _uploaded_code(request: HttpRequest) -> str:
    """The part “code” where it names uploaded code, for job files that have no key for it."""
    code = str(request.POST.get("code", ""))
    if code and not re.fullmatch(rf"{intake.KEPT_CODE}[0-9a-f]{{64}}", code):
        text = f"Must be a zip, a tar.gz, or studio:<digest> of uploaded code, not {shown(code)}."
        raise InvalidInput.one("code", text)
    return code


def _with_named(job: SweepJob, text: str, workspace: Workspace, keep: bool) -> Posted:
    with in_text(text):
        return Posted(job, _named(job, workspace, keep), text)


def _named(job: SweepJob, workspace: Workspace, keep: bool) -> Any:
    """Code that the job names: uploaded before, or a folder of this machine."""
    if not job.code:
        return None
    if job.code.startswith(intake.KEPT_CODE):
        return said_of("trial.code", intake.named_code, workspace, job.code)
    if not job.code.startswith(("/", "~")):
        why = "not fetched from here" if is_far_code(job.code) else "relative to your machine"
        raise InvalidInput.one(
            "trial.code",
            f"{shown(job.code)} is {why}: send the code with the job "
            "(multipart part “code”, a zip), upload it before and name it as studio:<digest>, "
            "or give an absolute folder of this machine.",
        )
    folder = said_of("trial.code", intake_places.existing_folder, workspace, job.code)
    return _snapshot(
        lambda root: intake.keep_files(root, folder),
        workspace, str(folder), keep, "trial.code", folder,
    )  # fmt: skip


def _snapshot(
    take: _Take,
    workspace: Workspace,
    origin: str,
    keep: bool,
    field: str,
    folder: Path | None = None,
) -> Any:
    """The row of kept code, with the git state of the folder it is of; or what would be kept."""
    if keep:
        snapshot = said_of(field, take, intake.code_root())
        return intake.keep(workspace, snapshot, origin, folder=folder)
    with tempfile.TemporaryDirectory(prefix=".dry-run-", dir=settings.STUDIO_HOME) as root:
        return snapshots.with_texts(Path(root), said_of(field, take, Path(root)))


def check_length(request: HttpRequest) -> None:
    """Refuse a form that is larger than the largest upload before a byte of it is read.

    Raises InvalidInput, code "too_large".
    """
    length, most = request.META.get("CONTENT_LENGTH") or "0", settings.STUDIO_UPLOAD_CAP_MB
    if not length.isdecimal() or int(length) > most * 2**20 + FORM_BYTES:
        raise too_large(f"An upload may have {most:,} MiB at most (STUDIO_UPLOAD_CAP_MB).")


def files_of(request: HttpRequest) -> MultiValueDict[str, UploadedFile]:
    """The files of a form, once all of it has come, from a token that is still good then.

    Raises InvalidInput (as `check_length`) and HttpError 401.
    """
    check_length(request)
    files: MultiValueDict[str, UploadedFile] = request.FILES
    require_still(request)
    return files


def too_large(message: str) -> InvalidInput:
    """More than is taken; 413."""
    return InvalidInput([Problem("", message, code="too_large")])


def _body(request: HttpRequest) -> bytes:
    if request.content_type == "multipart/form-data":  # read as a form already by `once`
        raise InvalidInput.one("", "Send application/json, not a form.")
    try:
        body = request.body
    except RequestDataTooBig as error:
        raise _too_big() from error
    require_still(request)
    return body


def _json(body: bytes) -> Any:
    _check_size(body)
    try:
        return json.loads(body, object_pairs_hook=_object)
    except InvalidInput:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidInput.one("", f"The body is not JSON: {why_not_json(error)}.") from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are there once each, as in YAML: of two values none is meant."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise InvalidInput.one("", f"{shown(key)} is there twice in one object.")
        found[key] = value
    return found


def _text(body: bytes) -> str:
    _check_size(body)
    return yaml_text.decoded(body)


def _check_size(body: bytes) -> None:
    if len(body) > MAX_SPEC_BYTES:
        raise _too_big()


def _too_big() -> InvalidInput:
    return too_large(f"A job may have {MAX_SPEC_BYTES // 1024} KiB at most.")
