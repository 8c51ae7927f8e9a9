"""What is done with several sweeps that were ticked in a list."""

from collections.abc import Sequence
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import NoReverseMatch, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from studio.access import workspace_for
from studio.models import Role, Workspace
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown
from sweeps.models import Sweep
from sweeps.queries.clock import database_now
from sweeps.queries.lists import PAGE_SIZE, sweeps_of
from sweeps.services.deletion import delete_sweep

# Deleting takes away what others have made, and there is no way back.
_ROLES = {"clone": Role.CONTRIBUTOR, "delete": Role.OWNER}


@require_POST
def selected(request: HttpRequest, ws: str) -> HttpResponse:
    """`do` is compare, clone or delete, `s` the names; then back to where it was asked, or on."""
    act = request.POST.get("do")
    workspace = workspace_for(request, ws, _ROLES.get(act or "", Role.READER))
    sweeps = _sweeps(workspace, request.POST.getlist("s"))
    if not sweeps:
        messages.warning(request, "No sweep was selected, or it is no longer there.")
    elif act == "compare" and (url := _comparison(ws, sweeps)):
        return redirect(url)
    elif act == "clone":
        return redirect(f"{reverse('sweep_new', args=[ws])}?{urlencode({'from': sweeps[0].name})}")
    elif act == "delete":
        _delete(request, sweeps)
    return redirect(_back(request, ws))


def _sweeps(workspace: Workspace, names: Sequence[str]) -> list[Sweep]:
    """In the order given; no more than a page has."""
    wanted = [name for name in names if "\0" not in name][:PAGE_SIZE]
    found = {sweep.name: sweep for sweep in sweeps_of([workspace]).filter(name__in=wanted)}
    return [found[name] for name in dict.fromkeys(wanted) if name in found]


def _comparison(ws: str, sweeps: Sequence[Sweep]) -> str:
    """The page that compares sweeps, "" while there is none."""
    try:
        url = reverse("compare_sweeps", args=[ws])
    except NoReverseMatch:
        return ""
    return f"{url}?{urlencode({'s': ','.join(sweep.name for sweep in sweeps)}, safe=',')}"


def _delete(request: HttpRequest, sweeps: Sequence[Sweep]) -> None:
    """Delete those that have ended; say of the others why they stay."""
    gone = 0
    for sweep in sweeps:
        try:
            delete_sweep(sweep, database_now())
            gone += 1
        except InvalidInput as error:
            text = f"{shown(str(sweep))} stays. {error.problems[0].message}"
            messages.warning(request, text)
    if gone:
        words = "1 sweep is" if gone == 1 else f"{gone} sweeps are"
        messages.success(request, f"{words} deleted. Their runs in MLflow stay.")


def _back(request: HttpRequest, ws: str) -> str:
    """The list as it was filtered."""
    home = reverse("sweep_list", args=[ws])
    query = request.POST.get("back", "")
    if query.startswith("?") and url_has_allowed_host_and_scheme(home + query, None):
        return home + query
    return home
