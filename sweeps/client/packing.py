"""Local code and data on their way to the studio, each once per content."""

import json
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sweeps.client.documents import Draft
from sweeps.client.errors import ResourceNotFoundError, ValidationException
from sweeps.client.transport import Transport
from sweeps.domain.elsewhere import KEPT_CODE
from sweeps.stores.code_files import code_files, walk
from sweeps.stores.digests import combine, file_digest
from sweeps.stores.git import read_git

# Code that is named otherwise than by a folder: kept already, or elsewhere.
_NAMED = (KEPT_CODE, f"azureml:{KEPT_CODE}", "azureml:", "git+", "http://", "https://")
# Properties in which azure-ai-ml tells remote, branch, commit, and whether there are changes.
_GIT = (
    "mlflow.source.git.repoURL", "mlflow.source.git.branch", "mlflow.source.git.commit",
    "azureml.git.dirty",
)  # fmt: skip


def handed_in(draft: Draft, transport: Transport, place: str, *, upload: bool) -> dict[str, Any]:
    """The document with its code uploaded to the workspace at `place` (a REST path), and its
    inputs where the studio finds them.

    With `upload` local files of inputs are sent, otherwise their absolute paths.
    """
    document = dict(draft.document)
    trial = document.get("trial")
    if isinstance(trial, dict) and isinstance(trial.get("code"), str):
        folder = _local(trial["code"], draft.base)
        if isinstance(folder, Path):
            document["properties"] = with_git(document.get("properties"), folder)
            folder = _code(folder, transport, place)
        document["trial"] = trial | {"code": folder}
    send = partial(_uploaded, transport=transport, place=place)
    return with_inputs(document, draft.base, send if upload else str)


def request_of(
    document: dict[str, Any], code: Path | None, transport: Transport, place: str
) -> dict[str, Any]:
    """What `Transport.send` takes to submit the document: JSON, or with `code` a form that names
    what was uploaded."""
    if code is None:
        return {"json": document}
    spec, name = json.dumps(document, ensure_ascii=False), _code(code, transport, place)
    return {"files": {"spec": (None, spec), "code": (None, name)}}


def with_inputs(document: dict[str, Any], base: Path, place: Callable[[Path], str]) -> Any:
    """The document with inputs that are files or folders here, relative to `base`, where `place`
    says; the studio knows all others, finds them in the code, or says what is wrong."""
    inputs = document.get("inputs")
    if not isinstance(inputs, dict):
        return document
    found = {name: _input(value, base, place) for name, value in inputs.items()}
    return {**document, "inputs": found}


def with_git(properties: Any, folder: Path) -> Any:
    """A job's properties with the state of the code's repository, as azure-ai-ml sends it.

    The upload has no repository any more. What the job says already stays.
    """
    said = properties or {}
    if not isinstance(said, dict) or any(name in said for name in _GIT):
        return properties
    state = read_git(folder)
    if state is None:
        return said
    values = (state.remote, state.branch, state.commit, str(state.dirty))
    return said | {name: value for name, value in zip(_GIT, values, strict=True) if value}


def _local(code: str, base: Path) -> Path | str:
    """The folder that `trial.code` names on this machine, or what the studio is to make of it."""
    local = code.removeprefix("azureml:")
    if not code or (code.startswith(_NAMED) and not local.startswith((".", "/"))):
        return code
    folder = base / Path(local).expanduser()
    if folder.is_dir():
        return folder
    if Path(local).is_absolute():
        return local  # perhaps a folder of the studio's machine, which tells if it is none
    raise ValidationException(f"There is no folder {folder}.", field="trial.code")


def _code(folder: Path, transport: Transport, place: str) -> str:
    """What names the folder's content in a job, once the studio has it."""
    names = sorted(code_files(folder))
    if not names:
        raise ValidationException(f"There is no file in {folder}.", field="trial.code")
    digest = _digest(folder, names)
    if not _is_there(transport, f"{place}/code/{digest}"):
        with _zipped(folder, names) as file:
            digest = transport.upload(f"{place}/code", "code", "code.zip", file)["digest"]
    return f"{KEPT_CODE}{digest}"


def _input(value: Any, base: Path, place: Callable[[Path], str]) -> Any:
    path = value.get("path") if isinstance(value, dict) else None
    if not isinstance(path, str) or "://" in path:
        return value
    local = base / Path(path.removeprefix("azureml:")).expanduser()
    return value | {"path": place(local.resolve())} if local.exists() else value


def _uploaded(local: Path, *, transport: Transport, place: str) -> str:
    """Where the studio keeps this file or folder."""
    if local.is_file():
        digest, params = file_digest(local), {"name": local.name}
        found = _found(transport, f"{place}/data/{digest}", **params)
        found = found or transport.upload(f"{place}/data", "file", local.name, local)
        return str(found["path"])
    names = sorted(walk(local))
    found = _found(transport, f"{place}/data/{_digest(local, names)}", name="")
    if found is None:
        with _zipped(local, names) as file:
            found = transport.upload(f"{place}/data", "folder", f"{local.name}.zip", file)
    return str(found["path"])


def _digest(folder: Path, names: Iterable[str]) -> str:
    return combine((name, file_digest(folder / name)) for name in names)


def _is_there(transport: Transport, path: str) -> bool:
    return _found(transport, path) is not None


def _found(transport: Transport, path: str, **params: str) -> Any:
    try:
        return transport.get(path, **params)
    except ResourceNotFoundError:
        return None


@contextmanager
def _zipped(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    """A zip of these files, gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="sweep-studio-") as here:
        file = Path(here) / "files.zip"
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive:
            for name in names:
                archive.write(folder / name, name)
        yield file
