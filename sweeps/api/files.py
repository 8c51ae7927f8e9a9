"""Files of trials: what they stored in MLflow, and all trials of a sweep as CSV."""

import posixpath
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Schema

from sweeps.api.lookup import sweep_of, trial_of
from sweeps.api.operations import router, text_of
from sweeps.api.paging import MAX_LIMIT, page_after
from sweeps.domain.replay import replay_script
from sweeps.domain.wording import shown
from sweeps.models import Trial
from sweeps.queries.export import trials_csv
from sweeps.queries.places import artifacts_at
from sweeps.queries.replay import replayed
from sweeps.stores.artifacts import Entry, after, inside
from sweeps.stores.plain import parts, size_of

TRIAL = "/workspaces/{ws}/sweeps/{name}/trials/{int:number}"
# What a training script wrote is never a page of ours.
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
}


class ArtifactOut(Schema):
    """A file or folder of a trial's run; `size` in bytes, null for a folder."""

    path: str
    is_dir: bool
    size: int | None


class ArtifactsOut(Schema):
    """A page of what stands directly in a folder."""

    items: list[ArtifactOut]
    next_cursor: str | None


def binary(kind: str) -> dict[str, Any]:
    """An answer that is a file, for the schema."""
    schema = {"type": "string"}
    return {"responses": {200: {"description": "OK", "content": {kind: {"schema": schema}}}}}


_EITHER = {
    "responses": {
        200: {
            "description": "A file's bytes, or what stands in a folder",
            "content": {"application/octet-stream": {"schema": {"type": "string"}}},
        }
    }
}


@router.get("/workspaces/{ws}/sweeps/{name}/trials.csv", openapi_extra=binary("text/csv"))
def get_trials_csv(request: HttpRequest, ws: str, name: str) -> Any:
    """All trials as CSV: number, status, objective, `params.<x>`, `metrics.<x>` (last), times."""
    sweep = sweep_of(request, ws, name)
    response = StreamingHttpResponse(trials_csv(sweep), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = _attachment(f"{sweep.name}-trials.csv")
    response["X-Content-Type-Options"] = "nosniff"
    return response


@router.get(f"{TRIAL}/replay.sh", openapi_extra=text_of("text/plain"))
def get_replay(request: HttpRequest, ws: str, name: str, number: int) -> Any:
    """A shell script that fetches the code and runs the trial's command with its values."""
    trial = trial_of(sweep_of(request, ws, name), number)
    script = replay_script(replayed(trial, request.build_absolute_uri("/")))
    return HttpResponse(script, content_type="text/plain; charset=utf-8")


@router.get(f"{TRIAL}/artifacts", response=ArtifactsOut)
def list_artifacts(
    request: HttpRequest, ws: str, name: str, number: int, limit: int = MAX_LIMIT, cursor: str = ""
) -> Any:
    """Files and folders that the trial stored, at the top."""
    trial = trial_of(sweep_of(request, ws, name), number)
    return _listed(_root(trial), "", limit, cursor) or {"items": [], "next_cursor": None}


@router.get(f"{TRIAL}/artifacts/{{path:path}}", response=ArtifactsOut, openapi_extra=_EITHER)
def get_artifact(
    request: HttpRequest,
    ws: str,
    name: str,
    number: int,
    path: str,
    limit: int = MAX_LIMIT,
    cursor: str = "",
) -> Any:
    """A file's bytes; of a folder, what stands in it, in pages."""
    root = _root(trial_of(sweep_of(request, ws, name), number))
    path = path.removesuffix("/")
    found = _listed(root, path, limit, cursor) or _download(root, path)
    if found is None:
        raise Http404(f"The trial has no artifact {shown(path)}.")
    return found


def _root(trial: Trial) -> Path | None:
    """Where the tracking server keeps them. Read from there, nothing leads elsewhere."""
    return artifacts_at(trial.sweep.experiment_id, trial.run_id)


def _listed(root: Path | None, path: str, limit: int, cursor: str) -> dict[str, Any] | None:
    """A page of what stands directly in a folder, by name; None where there is none."""
    if root is None:
        return None
    found = partial(after, root, path)
    scope = f"artifacts {root.parent.name} {path}"
    return page_after(found, lambda one: one.name, _shapes, limit, cursor, scope)


def _shapes(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    return [{"path": one.path, "is_dir": one.is_folder, "size": one.size} for one in entries]


def _download(root: Path | None, path: str) -> StreamingHttpResponse | None:
    place = inside(root, path) if root else None
    try:
        size = size_of(place) if place else None
    except OSError:
        return None
    if place is None or size is None:
        return None
    # Always bytes: what type a script's file has is not for a browser to act on.
    response = StreamingHttpResponse(parts(place), content_type="application/octet-stream")
    response["Content-Length"] = str(size)
    response["Content-Disposition"] = _attachment(posixpath.basename(path))
    for header, value in _SAFE.items():
        response[header] = value
    return response


def zip_answer(parts: Iterator[bytes], name: str) -> StreamingHttpResponse:
    """A zip that is made while it is sent."""
    response = StreamingHttpResponse(parts, content_type="application/zip")
    response["Content-Disposition"] = _attachment(name)
    for header, value in _SAFE.items():
        response[header] = value
    return response


def _attachment(name: str) -> str:
    """A Content-Disposition that saves under `name` whatever is in it (RFC 6266)."""
    plain = "".join(c if c.isascii() and (c.isalnum() or c in " ._-") else "_" for c in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
