"""From MLflow runs to the sweeps and trials that they belong to."""

from typing import Any

from django.http import Http404, HttpRequest
from ninja import Schema

from sweeps.api.auth import workspace_of
from sweeps.api.operations import router
from sweeps.domain.wording import shown
from sweeps.queries.of_run import of_run


class RunOut(Schema):
    """What an MLflow run belongs to; `trial` is null for the parent run of a sweep."""

    sweep: str
    trial: int | None


@router.get("/workspaces/{ws}/runs/{run_id}", response=RunOut)
def get_run(request: HttpRequest, ws: str, run_id: str) -> Any:
    """The sweep and trial of an MLflow run, such as a sweep's best_child_run_id."""
    found = of_run(workspace_of(request, ws), run_id)
    if found is None:
        raise Http404(f"No sweep or trial here has the run {shown(run_id)}.")
    return {"sweep": found[0], "trial": found[1]}
