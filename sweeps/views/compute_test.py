"""Testing a compute: ask for it, watch it."""

from datetime import datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect

from studio.access import compute_for
from studio.models import Compute, Role
from sweeps import tasks
from sweeps.domain.computes.kinds import KINDS
from sweeps.domain.problems import InvalidInput
from sweeps.services.computes import start_test
from sweeps.views.lists import wants_fragment

# The command itself takes a second and importing MLflow some five; after this nobody is at it. On
# a cluster it may wait for its place, too.
_PATIENCE, _PATIENCE_FAR = timedelta(seconds=90), timedelta(seconds=200)


@require_POST
def compute_test(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """Have the queue run a real command there."""
    compute = compute_for(request, ws, name, Role.OWNER)
    try:
        start_test(compute, timezone.now())
    except InvalidInput as error:
        messages.error(request, error.problems[0].message)
        there = reverse("compute", args=[ws, name])
        return HttpResponseClientRedirect(there) if wants_fragment(request) else redirect(there)
    tasks.test_compute(compute.pk)
    if wants_fragment(request):
        compute.refresh_from_db(fields=["last_test"])
        return _result(request, compute)
    return redirect("compute", ws=ws, name=name)


@require_safe
def compute_test_result(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """What the last test found so far; a fragment."""
    return _result(request, compute_for(request, ws, name, Role.OWNER))


def _result(request: HttpRequest, compute: Compute) -> HttpResponse:
    context = {"compute": compute, "test": compute.last_test, "is_overdue": _overdue(compute)}
    return render(request, "computes/_test.html", context)


def _overdue(compute: Compute) -> bool:
    test = compute.last_test
    if not test or test["ok"] is not None:
        return False
    patience = _PATIENCE if KINDS[compute.kind].is_here else _PATIENCE_FAR
    return timezone.now() - datetime.fromisoformat(test["at"]) > patience
