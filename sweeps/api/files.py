"""Files of trials: what they stored in MLflow, and all trials of a sweep as CSV."""

import posixpath
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from ninja import Schema
from ninja.errors import HttpError

from sweeps.api.lookup import sweep_of, trial_of
from sweeps.api.operations import router, text_of
from sweeps.domain.replay import replay_script
from sweeps.domain.wording import shown
from sweeps.engine.tracking import TrackingUnavailable
from sweeps.gateway.proxy import Blocks
from sweeps.gateway.upstream import ARTIFACT_TIMEOUT, look_up, send
from sweeps.models import Sweep, Trial
from sweeps.queries.export import trials_csv
from sweeps.queries.replay import replayed

TRIAL = "/workspaces/{ws}/sweeps/{name}/trials/{int:number}"
_AWAY = "The tracking server, which keeps the artifacts, does not answer; try again soon."
# What a training script wrote is never a page of ours.
_SAFE = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-cache",
}


class ArtifactOut(Schema):
    """A file or folder of a trial's run; `size` in bytes, null for a folder."""

    path: str
    is_dir: bool
    size: int | None


class ArtifactsOut(Schema):
    """What stands directly in a folder."""

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
def list_artifacts(request: HttpRequest, ws: str, name: str, number: int) -> Any:
    """Files and folders that the trial stored, at the top."""
    sweep = sweep_of(request, ws, name)
    return _listed(trial_of(sweep, number), "")


@router.get(f"{TRIAL}/artifacts/{{path:path}}", response=ArtifactsOut, openapi_extra=_EITHER)
def get_artifact(request: HttpRequest, ws: str, name: str, number: int, path: str) -> Any:
    """A file's bytes; of a folder, what stands in it."""
    sweep = sweep_of(request, ws, name)
    trial = trial_of(sweep, number)
    path = path.removesuffix("/")
    if posixpath.normpath(path) != path:
        raise Http404(f"The trial has no artifact {shown(path)}.")
    # Only what its folder lists is asked for: no other path reaches the store.
    found = [item for item in _entries(trial, posixpath.dirname(path)) if item["path"] == path]
    if not found:
        raise Http404(f"The trial has no artifact {shown(path)}.")
    return _listed(trial, path) if found[0]["is_dir"] else _download(sweep, trial, path)


def _listed(trial: Trial, path: str) -> dict[str, Any]:
    return {"items": _entries(trial, path), "next_cursor": None}


def _entries(trial: Trial, path: str) -> list[dict[str, Any]]:
    """What stands directly under `path`. Raises Http404, HttpError."""
    if path and (posixpath.normpath(path) != path or path.startswith(("/", ".."))):
        raise Http404(f"The trial has no artifact {shown(path)}.")
    if not trial.run_id:
        return []
    query = {"run_id": trial.run_id} | ({"path": path} if path else {})
    try:
        found = look_up("/api/2.0/mlflow/artifacts/list", query)
    except TrackingUnavailable as error:
        raise HttpError(503, _AWAY) from error
    return [
        {
            "path": item["path"],
            "is_dir": bool(item.get("is_dir")),
            "size": None if item.get("is_dir") else int(item.get("file_size", 0)),
        }
        for item in (found or {}).get("files", [])
    ]


def _download(sweep: Sweep, trial: Trial, path: str) -> StreamingHttpResponse:
    place = quote(f"{sweep.experiment_id}/{trial.run_id}/artifacts/{path}")
    try:
        got = send(
            "GET",
            f"/api/2.0/mlflow-artifacts/artifacts/{place}",
            stream=True,
            headers={"Accept-Encoding": "identity"},
            timeout=ARTIFACT_TIMEOUT,
        )
    except TrackingUnavailable as error:
        raise HttpError(503, _AWAY) from error
    if not got.is_success:
        got.close()
        if got.status_code >= 500:
            raise HttpError(503, _AWAY)
        raise Http404(f"The trial has no artifact {shown(path)}.")
    # Always bytes: what type a script's file has is not for a browser to act on.
    response = StreamingHttpResponse(Blocks(got), content_type="application/octet-stream")
    if length := got.headers.get("Content-Length"):
        response["Content-Length"] = length
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
