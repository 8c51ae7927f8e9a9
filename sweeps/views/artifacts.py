"""Downloading what a trial left behind."""

import tempfile
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from sweeps.models import Trial
from sweeps.queries.places import newest_artifacts
from sweeps.stores.artifacts import artifacts, inside, pack
from sweeps.views.job import sweep_for

# More is better fetched file by file: a zip is made on the studio's disk while somebody waits.
MOST_ZIPPED = 2 * 2**30


def _root(request: HttpRequest, ws: str, name: str, number: int) -> Path:
    trial = Trial.objects.filter(sweep=sweep_for(request, ws, name), number=number).first()
    root = newest_artifacts(trial) if trial else None
    if root is None:
        raise Http404
    return root


@require_safe
def download(request: HttpRequest, ws: str, name: str, number: int, path: str) -> FileResponse:
    """One file, never shown in the browser: it is a stranger's."""
    found = inside(_root(request, ws, name, number), path)
    if found is None or not found.is_file():
        raise Http404
    response = FileResponse(found.open("rb"), as_attachment=True, filename=found.name)
    response["Content-Type"] = "application/octet-stream"
    return response


@require_safe
def download_all(
    request: HttpRequest, ws: str, name: str, number: int
) -> FileResponse | HttpResponse:
    """All files as a zip."""
    root = _root(request, ws, name, number)
    files = artifacts(root)
    if sum(one.size for one in files) > MOST_ZIPPED:
        text = "More than 2 GB: download the files one by one, or with MLflow."
        return HttpResponse(text, status=413, content_type="text/plain; charset=utf-8")
    out = tempfile.TemporaryFile(dir=settings.STUDIO_HOME)  # noqa: SIM115 - the response closes it
    pack(root, files, out)
    return FileResponse(out, as_attachment=True, filename=f"{name}_{number}_artifacts.zip")
