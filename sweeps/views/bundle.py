"""Taking a sweep away as one file, and bringing such a file in."""

import hashlib
import random
import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from studio.access import signed_in, workspace_for
from studio.models import Role, Workspace
from sweeps import tasks
from sweeps.api.intake import check_length
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.intake_bundles import bundled, import_bundle
from sweeps.models import Sweep
from sweeps.queries.clock import database_now
from sweeps.queries.secrets import secret_names
from sweeps.views.files import zip_response
from sweeps.views.job import sweep_for

_MOST_TOLD = 20


@require_safe
def bundle(request: HttpRequest, ws: str, name: str) -> HttpResponseBase:
    """The sweep as one file; `points=1` with all logged values."""
    sweep = sweep_for(request, ws, name)
    origin = request.build_absolute_uri(sweep.get_absolute_url())
    parts = bundled(sweep, origin, database_now(), points=request.GET.get("points") == "1")
    return zip_response(parts, f"{sweep.name}.zip")


@require_http_methods(["GET", "HEAD", "POST"])
def bring_in(request: HttpRequest, ws: str) -> HttpResponse:
    """The form that takes a bundle."""
    workspace = workspace_for(request, ws, Role.CONTRIBUTOR)
    context: dict[str, Any] = {"workspace": workspace, "replay": False, "problems": []}
    context |= {"secrets": secret_names(workspace), "granted": request.POST.getlist("secrets")}
    if request.method == "POST":
        try:
            sweep = _imported(request, workspace)
        except InvalidInput as error:
            context |= {
                "problems": error.problems[:_MOST_TOLD],
                "replay": request.POST.get("mode") == "replay",
            }
        else:
            return redirect(sweep)
    context["ticket"] = secrets.token_urlsafe(16)
    status = 422 if context["problems"] else 200
    return render(request, "sweeps/import.html", context, status=status)


def _imported(request: HttpRequest, workspace: Workspace) -> Sweep:
    check_length(request)
    file = request.FILES.get("bundle")
    if file is None:
        raise InvalidInput([Problem("", "Choose a bundle: the .zip that a sweep’s page gives.")])
    replay = request.POST.get("mode") == "replay"
    sweep = import_bundle(
        workspace,
        file,  # type: ignore[arg-type]
        file.name or "bundle.zip",
        replay=replay,
        user=signed_in(request),
        now=database_now(),
        rng=random.SystemRandom(),
        granted=request.POST.getlist("secrets"),
        ticket=_ticket(request),
    )
    if replay:
        tasks.advance_sweep(sweep.pk)
    else:
        for note in sweep.notes[1:]:  # behind where it is from: what running it would give it
            messages.warning(request, note)
    return sweep


def _ticket(request: HttpRequest) -> str:
    """The same for the same form of the same person. Hashed, it is none that REST gives out."""
    ticket = request.POST.get("ticket", "")
    text = f"import {request.user.pk} {ticket}"
    return hashlib.sha256(text.encode(errors="replace")).hexdigest() if ticket else ""
