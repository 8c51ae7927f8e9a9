"""What every page's frame shows of the work: sweeps that run, slots in use, what is amiss."""

from functools import cache
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest

from studio.context import shell
from studio.models import Compute, Workspace
from sweeps.models import Sweep, Trial
from sweeps.queries.clock import database_now
from sweeps.queries.conditions import notices
from sweeps.queries.prepared import Prepared


def frame(request: HttpRequest) -> dict[str, Any]:
    """The studio's frame with its live figures; lazy, so that fragments do not pay for it."""
    context = shell(request)
    if not context:
        return {}
    # Templates call what is callable, so a page without the frame asks for nothing.
    figures = cache(lambda: _figures(context["nav_workspace"]))
    return {
        **context,
        "nav_running": lambda: figures()["running"],
        "nav_slots_used": lambda: figures()["used"],
        "nav_slots_total": lambda: figures()["total"],
        "nav_notices": cache(lambda: notices(database_now())),
    }


def _figures(workspace: Workspace | None) -> dict[str, int]:
    if not workspace:
        return {"running": 0, "used": 0, "total": 0}
    running, used, slots = (read.first(workspace.pk) for read in (_running, _used, _slots))
    return {"running": running or 0, "used": used or 0, "total": slots or 0}


# Every page and every poll with news asks for these.


@Prepared
def _running(workspace: int) -> QuerySet[Sweep, int]:
    rows = Sweep.objects.filter(workspace=workspace).live().real().order_by()
    return rows.values("workspace").annotate(n=Count("pk")).values_list("n", flat=True)


@Prepared
def _used(workspace: int) -> QuerySet[Trial, int]:
    rows = Trial.objects.filter(sweep__workspace=workspace).active().order_by()
    return rows.values("sweep__workspace").annotate(n=Count("pk")).values_list("n", flat=True)


@Prepared
def _slots(workspace: int) -> QuerySet[Compute, int]:
    rows = Compute.objects.filter(workspace=workspace).order_by()
    return rows.values("workspace").annotate(n=Sum("slots")).values_list("n", flat=True)
