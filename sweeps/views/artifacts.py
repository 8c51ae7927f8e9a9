"""Looking through what a trial left behind, and taking it away.

What a training script wrote is never a page of ours: files go out as attachments; images, known by
their first bytes, in a sandbox; all else that is shown is text that we wrote into our own page.
"""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from django.http import FileResponse, Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from sweeps.models import Trial
from sweeps.queries.places import newest_artifacts
from sweeps.queries.registry import logged_models, model_root
from sweeps.spec.mlmodel import FILE, ModelFacts, read_mlmodel
from sweeps.stores.artifacts import Listing, Tree, inside, listing, zipped
from sweeps.stores.plain import open_plain
from sweeps.stores.previews import IMAGE_BYTES, Preview, image_type, preview
from sweeps.views.files import safe, zip_response
from sweeps.views.job import sweep_for

_MODEL_FILE_BYTES = 2**18


@dataclass(frozen=True, slots=True)
class Crumb:
    """A folder above: its name and its path."""

    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Model:
    """A model folder: what its file says, and how to load it."""

    facts: ModelFacts
    uri: str
    snippet: str


def _trial(request: HttpRequest, ws: str, name: str, number: int) -> Trial:
    sweep = sweep_for(request, ws, name)
    trial = Trial.objects.filter(sweep=sweep, number=number).first()
    if trial is None:
        raise Http404
    trial.sweep = sweep
    return trial


def _root(request: HttpRequest, trial: Trial) -> Path:
    """Where the artifacts of the trial lie, or those of the `model` that it logged."""
    model = request.GET.get("model", "")
    root = model_root(trial, model) if model else newest_artifacts(trial)
    if root is None:
        raise Http404
    return root


@require_safe
def browse(request: HttpRequest, ws: str, name: str, number: int) -> HttpResponse:
    """A folder of a trial's artifacts, or the preview of a file beside its folder.

    `path` names it, `page` is that of a long folder.
    """
    trial = _trial(request, ws, name, number)
    root, path = _root(request, trial), request.GET.get("path", "").strip("/")
    found = inside(root, path) if path else root
    if found is None or (path and not found.exists()):
        raise Http404
    is_file = found.is_file()
    folder = path.rpartition("/")[0] if is_file else path
    shown = listing(root, folder, _page(request)) or Listing("", (), 0, 1, 1)
    return render(
        request,
        "sweeps/trial/artifacts.html",
        {
            "sweep": trial.sweep,
            "workspace": trial.sweep.workspace,
            "trial": trial,
            "listing": shown,
            "crumbs": _crumbs(folder),
            "file": found.name if is_file else "",
            "path": path,
            "size": found.stat().st_size if is_file else None,
            "preview": _preview(found) if is_file else None,
            "model": _model(request, trial, root, folder),
            "logged": request.GET.get("model", ""),
        },
    )


def _page(request: HttpRequest) -> int:
    text = request.GET.get("page", "")
    return int(text) if text.isdecimal() and len(text) < 9 else 1


def _crumbs(path: str) -> list[Crumb]:
    parts = path.split("/") if path else []
    return [Crumb(part, "/".join(parts[: place + 1])) for place, part in enumerate(parts)]


def _preview(path: Path) -> Preview:
    try:
        return preview(path)
    except OSError as error:
        raise Http404 from error


def _opened(path: Path) -> BinaryIO:
    try:
        return open_plain(path)
    except OSError as error:
        raise Http404 from error


def _model(request: HttpRequest, trial: Trial, root: Path, folder: str) -> Model | None:
    """What a folder's file MLmodel says, if it has one that can be read."""
    found = inside(root, f"{folder}/{FILE}" if folder else FILE)
    if found is None or not found.is_file():
        return None
    with _opened(found) as file:
        facts = read_mlmodel(file.read(_MODEL_FILE_BYTES).decode(errors="replace"))
    if facts is None:
        return None
    logged = request.GET.get("model", "")
    uri = f"models:/{logged}" if logged else f"runs:/{trial.run_id}/{folder}"
    place = trial.sweep.workspace.name
    return Model(facts, uri, load_snippet(request, place, facts.loader, uri))


def load_snippet(request: HttpRequest, workspace: str, loader: str, uri: str) -> str:
    """Python that loads a model through the gateway with a person's token."""
    url = request.build_absolute_uri(f"/tracking/{workspace}")
    module = f"mlflow.{loader}"
    return (
        f"# An API token of yours (Settings): export MLFLOW_TRACKING_TOKEN=...\n"
        f"import mlflow\nimport {module}\n\n"
        f"mlflow.set_tracking_uri({url!r})\nmodel = {module}.load_model({uri!r})\n"
    )


@require_safe
def download(request: HttpRequest, ws: str, name: str, number: int, path: str) -> HttpResponse:
    """One file to save; with `show` an image, in a sandbox, for an <img> of ours."""
    found = inside(_root(request, _trial(request, ws, name, number)), path)
    if found is None or not found.is_file():
        raise Http404
    is_shown = "show" in request.GET
    kind = image_type(found) if is_shown and found.stat().st_size <= IMAGE_BYTES else ""
    response = FileResponse(_opened(found), as_attachment=not kind, filename=found.name)
    response["Content-Type"] = kind or "application/octet-stream"
    return safe(response)  # type: ignore[return-value]


@require_safe
def download_all(request: HttpRequest, ws: str, name: str, number: int) -> StreamingHttpResponse:
    """All files as a zip, or those below `path`."""
    trial, path = _trial(request, ws, name, number), request.GET.get("path", "").strip("/")
    root = _root(request, trial)
    if path and inside(root, path) is None:
        raise Http404
    trees = [Tree(root, path)]
    if not path and not request.GET.get("model"):
        trees += _logged(trial)
    return zip_response(zipped(trees), f"{name}_{number}_artifacts.zip")


def _logged(trial: Trial) -> list[Tree]:
    """The models that it logged, each in a folder of its own."""
    found = [(one, model_root(trial, one.model_id)) for one in logged_models(trial)]
    return [
        Tree(root, prefix=f"models/{PurePosixPath(str(one)).name}-{one.model_id[-8:]}/")
        for one, root in found
        if root
    ]
