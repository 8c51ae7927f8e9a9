"""Handing in code and data once per content: ask by digest whether it is there, else upload it."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest
from ninja import Router, Schema, Status

from studio.models import Role, Workspace
from sweeps import intake
from sweeps.api.auth import workspace_of
from sweeps.api.bodies import multipart
from sweeps.api.files import binary, zip_answer
from sweeps.api.intake import files_of
from sweeps.domain.problems import InvalidInput, said_of
from sweeps.domain.wording import shown
from sweeps.models import CodeSnapshot, DataUpload
from sweeps.services.room import require_disk
from sweeps.stores import snapshots
from sweeps.stores.artifacts import Tree, zipped

router = Router(tags=["uploads"])


class CodeOut(Schema):
    """Code that is there; a job names it as `trial.code: studio:<digest>`. `size` is in bytes."""

    digest: str
    file_count: int
    size: int


class DataOut(Schema):
    """Data that is there; a job names it as `inputs.<x>.path`. `size` is in bytes.

    `name` is that of the file, "" for a folder.
    """

    digest: str
    name: str
    path: str
    file_count: int
    size: int


def _code(row: CodeSnapshot) -> dict[str, Any]:
    return {name: getattr(row, name) for name in CodeOut.model_fields}


def _data(row: DataUpload) -> dict[str, Any]:
    own = {name: getattr(row, name) for name in DataOut.model_fields if name != "path"}
    return own | {"path": str(intake.data_place(row))}


@router.get("/workspaces/{ws}/code/{digest}", response=CodeOut)
def get_code(request: HttpRequest, ws: str, digest: str) -> Any:
    """Whether code with this digest has been uploaded.

    The digest of a folder: SHA-256, in hex, over one line per file, sorted by name (by code
    points): the length of the relative name in UTF-8 bytes, `:`, the name with `/` between its
    parts, `:`, the SHA-256 of the contents in hex, and a line feed. Left out are links, `.pyc`
    files, what lies below `.git`, `__pycache__`, `.venv`, `venv`, `node_modules`,
    `.ipynb_checkpoints` and `mlruns`, and what `.amlignore`, else `.gitignore`, at its top names.
    """
    row = intake.kept_code(workspace_of(request, ws), digest)
    if row is None:
        raise Http404(f"There is no code {shown(digest)} in this workspace.")
    return _code(row)


@router.get("/workspaces/{ws}/code/{digest}/code.zip", openapi_extra=binary("application/zip"))
def download_code(request: HttpRequest, ws: str, digest: str) -> Any:
    """The files of code that is there, as a zip."""
    row = intake.kept_code(workspace_of(request, ws), digest)
    if row is None:
        raise Http404(f"There is no code {shown(digest)} in this workspace.")
    return zip_answer(
        zipped([Tree(intake.code_root() / row.digest, is_whole=True)]), f"{row.digest[:12]}.zip"
    )


@router.post(
    "/workspaces/{ws}/code",
    response={200: CodeOut, 201: CodeOut},
    openapi_extra=multipart({"code": "A zip or tar.gz of the folder's contents."}, ["code"]),
)
def add_code(request: HttpRequest, ws: str) -> Any:
    """Upload code; 200 where it was there already."""
    workspace = workspace_of(request, ws, Role.CONTRIBUTOR)
    file = _part(request, "code")
    if file is None:
        raise InvalidInput.one("code", "Send the code as the part “code”, a zip or tar.gz.")
    require_disk(workspace)
    name = file.name or "code.zip"
    kept = said_of("code", snapshots.snapshot_archive, intake.code_root(), file, name, unwrap=False)
    known = intake.kept_code(workspace, kept.digest) is not None
    return Status(200 if known else 201, _code(intake.keep(workspace, kept, name)))


@router.get("/workspaces/{ws}/data/{digest}", response=DataOut)
def get_data(request: HttpRequest, ws: str, digest: str, name: str | None = None) -> Any:
    """Whether data with this digest has been uploaded (under this name, if one is given).

    The digest of a file is the SHA-256 of its bytes in hex, that of a folder as for code, but
    that no ignore file counts.
    """
    row = intake.kept_data(workspace_of(request, ws), digest, name)
    if row is None:
        raise Http404(f"There is no data {shown(digest)} in this workspace.")
    return _data(row)


@router.post(
    "/workspaces/{ws}/data",
    response={200: DataOut, 201: DataOut},
    openapi_extra=multipart(
        {
            "file": "One file.",
            "folder": "Instead of a file: a zip or tar.gz of a folder's contents.",
        }
    ),
)
def add_data(request: HttpRequest, ws: str) -> Any:
    """Upload a file, or a folder packed as zip or tar.gz, for an input; 200 where it was there."""
    workspace = workspace_of(request, ws, Role.CONTRIBUTOR)
    file, folder = _part(request, "file"), _part(request, "folder")
    if (file is None) == (folder is None):
        raise InvalidInput.one("file", "Send one file as the part “file”, or a packed “folder”.")
    require_disk(workspace)
    row, is_new = _kept(workspace, file, folder)
    return Status(201 if is_new else 200, _data(row))


def _kept(
    workspace: Workspace, file: UploadedFile | None, folder: UploadedFile | None
) -> tuple[DataUpload, bool]:
    if file is not None:
        found = said_of(
            "file", intake.keep_data_file, workspace, file.chunks(), file.name or "data"
        )
    else:
        assert folder is not None
        name = folder.name or "folder.zip"
        found = said_of("folder", intake.keep_data_folder, workspace, folder, name)
    return found


def _part(request: HttpRequest, name: str) -> UploadedFile | None:
    return files_of(request).get(name)
