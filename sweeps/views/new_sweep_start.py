"""Where the new-sweep form starts: empty, from the example, from a sweep or from its results."""

from collections.abc import Callable
from dataclasses import replace

from django.contrib import messages
from django.http import HttpRequest
from django.shortcuts import get_object_or_404

from studio.access import signed_in
from studio.models import Workspace
from studio.secrecy import hidden
from sweeps import intake
from sweeps.domain.job import SweepJob
from sweeps.forms.draft import Draft
from sweeps.forms.from_file import kept_of_job
from sweeps.forms.from_job import from_job
from sweeps.forms.rows import Row
from sweeps.models import CodeSnapshot, Sweep
from sweeps.queries.next_sweep import LEARNER, NextSweep, advised, from_best, from_region
from sweeps.queries.spec_of import job_of
from sweeps.views import new_sweep_code as code_reading
from sweeps.views.selection import selection_of

# `?best=` takes so many at most.
MOST_BEST = 1000


def first_draft(request: HttpRequest, workspace: Workspace) -> Draft:
    """`?from=<sweep>` clones one; with `region=1` and a selection, `best=<k>` or `fix=<finding>`
    its search space is changed, and its trials go along."""
    name = request.GET.get("from", "")
    if name:
        rows = Sweep.objects.allowed(signed_in(request)).filter(workspace=workspace)
        sweep = get_object_or_404(rows.select_related("code", "compute"), name=name)
        made = _made(request, sweep)
        if made is None:
            return clone(job_of(sweep), sweep.code).having(former=sweep.name)
        messages.info(request, " ".join(made.notes))
        draft = clone(made.job, sweep.code).having(former=sweep.name)
        if made.learns:
            before = made.job.sampling.algorithm
            draft = draft.having(algorithm=LEARNER, algorithm_before=before)
        return draft
    if request.GET.get("example") == "iris":
        return clone(*intake.iris(workspace))
    default = workspace.computes.order_by("-is_default", "name").first()
    empty = Draft(rows=(Row("0"),))
    if default is None:
        return empty
    return empty.having(compute=default.name, max_concurrent_trials=str(min(default.slots, 20)))


def _made(request: HttpRequest, sweep: Sweep) -> NextSweep | None:
    """What the address asks to make of the sweep; None for a plain clone."""
    best = request.GET.get("best", "")
    ways: tuple[tuple[object, Callable[[], NextSweep]], ...] = (
        (request.GET.get("region"), lambda: from_region(sweep, selection_of(request))),
        (best.isdecimal() and len(best) < 9, lambda: from_best(sweep, min(int(best), MOST_BEST))),
        (request.GET.get("fix"), lambda: advised(sweep, request.GET.getlist("fix"))),
    )
    return next((way() for asked, way in ways if asked), None)


def clone(job: SweepJob, code: CodeSnapshot | None) -> Draft:
    """The draft of a job; what the form does not ask for travels along."""
    draft = from_job(
        replace(job, environment_variables=hidden(job.environment_variables)),
        kept=kept_of_job(replace(job, code=None)),
        experiment_name="" if job.experiment_name == "Default" else job.experiment_name or "",
    )
    if code is None:
        return draft
    entry = code_reading.entry_of(code.digest, job.command)
    facts = code_reading.facts_of(code.digest, entry)
    texts = {"code": code.digest, "code_origin": code.origin, "entry": entry, "entry_read": entry}
    return replace(draft.having(**texts), metrics=facts.metrics)
