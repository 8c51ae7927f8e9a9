"""A sweep as a file or as source: what people take with them."""

from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.views.decorators.http import require_safe

from sweeps.intake import code_root, kept_code
from sweeps.queries.spec_of import exported_job
from sweeps.spec.python_writer import write_python
from sweeps.spec.writer import to_yaml
from sweeps.stores.artifacts import Tree, zipped
from sweeps.views.files import zip_response
from sweeps.views.job import sweep_for

_PLAIN = "text/plain; charset=utf-8"


@require_safe
def job_file(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The job file, to keep; submitted again it makes the same sweep once more."""
    sweep = sweep_for(request, ws, name)
    response = HttpResponse(to_yaml(exported_job(sweep)), content_type="application/yaml")
    response["Content-Disposition"] = f'attachment; filename="{sweep.name}.yml"'
    return response


@require_safe
def azure_yaml(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The job file for Azure ML alone, without what only this studio knows."""
    sweep = sweep_for(request, ws, name)
    return HttpResponse(to_yaml(exported_job(sweep), studio=False), content_type=_PLAIN)


@require_safe
def python(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Python that submits the same sweep, in azure-ai-ml's words."""
    sweep = sweep_for(request, ws, name)
    studio_url = request.build_absolute_uri("/").rstrip("/")
    job = replace(exported_job(sweep), name=None)  # Run, it makes another sweep.
    return HttpResponse(write_python(job, studio_url, ws), content_type=_PLAIN)


@require_safe
def code(request: HttpRequest, ws: str, name: str) -> StreamingHttpResponse:
    """The code that its trials run, as a zip."""
    sweep = sweep_for(request, ws, name)
    if sweep.code is None or kept_code(sweep.workspace, sweep.code.digest) is None:
        raise Http404
    code = Tree(code_root() / sweep.code.digest, is_whole=True)
    return zip_response(zipped([code]), f"{sweep.name}_code.zip")
