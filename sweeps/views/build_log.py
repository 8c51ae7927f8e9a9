"""The log of building a sweep's environment."""

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from sweeps.models import EnvironmentBuild
from sweeps.queries.environments import log_folder
from sweeps.views import log_pieces
from sweeps.views.job import sweep_for


def _build(request: HttpRequest, ws: str, name: str) -> EnvironmentBuild:
    build = sweep_for(request, ws, name).environment_build
    if build is None:
        raise Http404
    return build


@require_safe
def build_log(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """A piece of it from `offset` on (`tail=1`: the end)."""
    build = _build(request, ws, name)
    final = build.state in (EnvironmentBuild.DONE, EnvironmentBuild.FAILED)
    folder = log_folder(build)
    return log_pieces.piece(request, folder, "stdout", attempt=build.tries, final=final)


@require_safe
def download_build_log(request: HttpRequest, ws: str, name: str) -> StreamingHttpResponse:
    """All of it as a file."""
    build = _build(request, ws, name)
    return log_pieces.as_file(log_folder(build), "stdout", f"environment_{build}.log")
