"""A sweep as a file or as source: what people take with them."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from sweeps.queries.spec_of import job_of
from sweeps.spec.python_writer import write_python
from sweeps.spec.writer import to_yaml
from sweeps.views.job import sweep_for

_PLAIN = "text/plain; charset=utf-8"


@require_safe
def job_file(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The job file, to keep; it reads back as the same sweep."""
    sweep = sweep_for(request, ws, name)
    response = HttpResponse(to_yaml(job_of(sweep)), content_type="application/yaml")
    response["Content-Disposition"] = f'attachment; filename="{sweep.name}.yml"'
    return response


@require_safe
def azure_yaml(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The job file for Azure ML alone, without what only this studio knows."""
    sweep = sweep_for(request, ws, name)
    return HttpResponse(to_yaml(job_of(sweep), studio=False), content_type=_PLAIN)


@require_safe
def python(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Python that submits the same sweep, in azure-ai-ml's words."""
    sweep = sweep_for(request, ws, name)
    studio_url = request.build_absolute_uri("/").rstrip("/")
    return HttpResponse(write_python(job_of(sweep), studio_url, ws), content_type=_PLAIN)
