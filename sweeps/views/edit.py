"""Editing a sweep that runs, and extending one that has ended: one form."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from studio.models import Role
from sweeps import tasks
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.states import SweepStatus
from sweeps.forms import rules
from sweeps.forms.checked import LABELS, Checked
from sweeps.forms.edit_sweep import (
    FIELDS,
    WAS,
    Edit,
    by_field,
    caught_up,
    from_post,
    overtaken,
    texts_of,
    to_doc,
)
from sweeps.models import Sweep
from sweeps.queries.clock import database_now
from sweeps.queries.spec_of import job_of
from sweeps.services import edits
from sweeps.spec.edits import read_edit
from sweeps.views.job import sweep_for
from sweeps.views.new_sweep_rules import early_context


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The form with what the sweep has now; posted, the edit."""
    sweep = sweep_for(request, ws, name, Role.CONTRIBUTOR)
    present = texts_of(job_of(sweep))
    if request.method != "POST":
        return _page(request, sweep, Edit(present, present))
    posted = from_post(request.POST.dict(), present)
    if request.POST.get("action") == "preview":
        return _page(request, sweep, posted)
    problems = overtaken(posted, present)
    posted = caught_up(posted, present)
    problems += _save(request, sweep, posted, problems)
    if problems:
        return _page(request, sweep, posted, problems)
    tasks.advance_sweep(sweep.pk)
    return redirect(sweep)


def _save(
    request: HttpRequest, sweep: Sweep, posted: Edit, known: Sequence[Problem]
) -> list[Problem]:
    """Write the edit unless something is wrong with it; what is."""
    problems: list[Problem] = []
    doc = to_doc(posted, problems)
    try:
        if known or problems:
            read_edit(doc, edits.current(sweep))  # for what else is wrong
            return problems
        revision = edits.merge_into(
            sweep,
            lambda present: read_edit(doc, present),
            actor=str(request.user),
            now=database_now(),
        )
    except InvalidInput as error:
        return problems + list(error.problems)
    if revision is None:
        messages.info(request, "Nothing was changed.")
    else:
        messages.success(request, f"Saved: {revision.text}.")
    return []


def _page(
    request: HttpRequest, sweep: Sweep, shown: Edit, problems: Sequence[Problem] = ()
) -> HttpResponse:
    errors = by_field(problems)
    draft = shown.draft.having(goal=sweep.goal, primary_metric=sweep.primary_metric)
    policy = rules.early_doc(draft, [])
    context: dict[str, Any] = {
        "sweep": sweep,
        "workspace": sweep.workspace,
        "is_final": SweepStatus(sweep.status).is_final,
        "texts": draft.texts,
        "was": [(f"{WAS}{name}", shown.was[name]) for name in FIELDS],
        "errors": errors,
        "error_list": _told(errors),
        **early_context(draft, Checked(None, doc={"early_termination": policy} if policy else {})),
    }
    return render(request, "sweeps/edit.html", context, status=422 if problems else 200)


def _told(errors: Mapping[str, Sequence[str]]) -> list[tuple[str, str, str]]:
    """Anchor, label and message of each error."""
    return [
        (f"f-{name}", LABELS.get(name, name), message)
        for name, found in errors.items()
        for message in found
    ]
