"""From an address to the row behind it; what is foreign, forbidden or missing is a 404."""

from django.http import Http404, HttpRequest

from studio.models import Role
from sweeps.api.auth import workspace_of
from sweeps.domain.wording import shown
from sweeps.models import Sweep, Trial


def sweep_of(request: HttpRequest, ws: str, name: str, role: Role = Role.READER) -> Sweep:
    """The sweep, if the token may do there what `role` may."""
    rows = Sweep.objects.kept().filter(workspace=workspace_of(request, ws, role), name=name)
    sweep = rows.select_related("workspace", "compute", "code").first()
    if sweep is None:
        raise Http404(f"There is no sweep {shown(name)}.")
    request.revision = sweep.revision  # type: ignore[attr-defined]
    return sweep


def trial_of(sweep: Sweep, number: int) -> Trial:
    """A trial of the sweep by its number."""
    trial = Trial.objects.filter(sweep=sweep, number=number).select_related("sweep").first()
    if trial is None:
        raise Http404(f"The sweep has no trial {number}.")
    return trial
