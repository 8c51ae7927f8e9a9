"""Adding a trial at a point that a person picked."""

import hashlib
import math
import secrets
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studio.models import Role
from sweeps import tasks
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.space import ParamValue
from sweeps.domain.space_doc import space_to_doc
from sweeps.domain.states import SweepStatus
from sweeps.forms.draft import Draft
from sweeps.forms.first import middle, texts_of, to_point
from sweeps.forms.rows import Row, from_space_doc
from sweeps.models import Sweep, Trial
from sweeps.queries.clock import database_now
from sweeps.queries.records import best_trial, sampling_of, space_of
from sweeps.services.picks import add_trial
from sweeps.views.job import sweep_for
from sweeps.views.new_sweep_rules import point_fields


@require_http_methods(["GET", "POST"])
def pick(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The form, filled from a trial (?from=3), the best one, or the middle of the space."""
    sweep = sweep_for(request, ws, name, Role.CONTRIBUTOR)
    rows = tuple(from_space_doc(space_to_doc(space_of(sweep))))
    if request.method != "POST":
        origin, params = _start(request, sweep)
        typed = texts_of(rows, space_of(sweep), params, _base(sweep)) if params else {}
        return _page(request, sweep, _draft(sweep, rows, typed), origin)
    fields = {row.key: f"first-{row.key}" for row in rows}
    typed = {key: request.POST[field] for key, field in fields.items() if field in request.POST}
    draft = _draft(sweep, rows, typed)
    if request.POST.get("action") != "add":
        return _page(request, sweep, draft)
    return _add(request, sweep, draft)


def _draft(sweep: Sweep, rows: tuple[Row, ...], typed: Mapping[str, str]) -> Draft:
    """What was typed; where nothing was, the middle of what there may be."""
    base = _base(sweep)
    return Draft(rows=rows, first={**{row.key: middle(row, base) for row in rows}, **typed})


def _base(sweep: Sweep) -> float:
    return sampling_of(sweep).logbase or math.e


def _start(request: HttpRequest, sweep: Sweep) -> tuple[str, Mapping[str, ParamValue]]:
    """Where the form's values come from, in words, and the values."""
    wanted = request.GET.get("from", "")
    found: Trial | None = None
    if wanted.isdecimal() and len(wanted) < 10:
        found = Trial.objects.filter(sweep=sweep, number=int(wanted)).first()
    if found:
        return f"The values of trial {found.number}.", found.params
    if best := best_trial(sweep):
        return f"The values of the best trial so far, #{best.number}.", best.params
    return "The middle of each distribution.", {}


def _add(request: HttpRequest, sweep: Sweep, draft: Draft) -> HttpResponse:
    problems: list[Problem] = []
    params = to_point(draft.rows, draft.first, sampling_of(sweep).logbase, problems)
    if problems:
        return _page(request, sweep, draft, problems=problems)
    ticket = request.POST.get("ticket", "")
    # With the point: whoever goes back and picks another one means another trial.
    key = hashlib.sha256(f"{ticket} {params!r}".encode()).hexdigest() if ticket else ""
    try:
        trial = add_trial(sweep, params, actor=str(request.user), now=database_now(), ticket=key)
    except InvalidInput as error:
        return _page(request, sweep, draft, problems=list(error.problems))
    tasks.advance_sweep(sweep.pk)  # first: it opens a sweep that never began
    tasks.run_trial(trial.pk)
    messages.success(request, f"Trial {trial.number} is queued at your point.")
    target = redirect("trial", ws=sweep.workspace.name, name=sweep.name, number=trial.number)
    if not getattr(request, "htmx", False):
        return target
    response = HttpResponse(status=204)
    response["HX-Redirect"] = target.url
    return response


def _page(
    request: HttpRequest,
    sweep: Sweep,
    draft: Draft,
    origin: str = "",
    problems: list[Problem] | None = None,
) -> HttpResponse:
    by_field: dict[str, list[str]] = {}
    for problem in problems or ():
        by_field.setdefault(problem.field, []).append(problem.message)
    fields = point_fields(draft, by_field)
    shown = {one.key for one in fields}
    elsewhere = [
        one.message for one in problems or () if one.field.removeprefix("first.") not in shown
    ]
    context: dict[str, Any] = {
        "sweep": sweep,
        "workspace": sweep.workspace,
        "fields": fields,
        "hidden": [pair for pair in draft.first.items() if pair[0] not in shown],
        "nested": any(row.parent for row in draft.rows),
        "origin": origin,
        "consequence": _consequence(sweep),
        "refusal": " ".join(elsewhere),
        "ticket": request.POST.get("ticket") or secrets.token_urlsafe(16),
    }
    htmx = getattr(request, "htmx", False)
    template = "sweeps/pick/_form.html" if htmx else "sweeps/pick/pick.html"
    response = render(request, template, context, status=422 if problems else 200)
    response["Vary"] = "HX-Request"
    return response


def _consequence(sweep: Sweep) -> str:
    """What adding the trial does to the sweep, in words."""
    parts = []
    if SweepStatus(sweep.status).is_final:
        parts.append(f"The sweep, which has ended as {sweep.status}, comes back for this trial.")
    if sweep.planned >= sweep.max_total_trials:
        parts.append(f"All its {sweep.max_total_trials:,} trials are used: the total grows by one.")
    else:
        parts.append(f"It counts as one of the sweep's {sweep.max_total_trials:,} trials.")
    return " ".join(parts)
