"""The new-sweep form: one page, one form, every button a round trip; htmx only morphs it."""

import hashlib
import json
import random
from dataclasses import replace
from itertools import chain
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from studio.access import signed_in, workspace_for
from studio.models import Compute, Role, Workspace
from sweeps import intake, tasks
from sweeps.domain.job import FailurePolicy, StopRules, SweepJob
from sweeps.domain.limits import Limits
from sweeps.domain.problems import InvalidInput
from sweeps.forms.checked import KEPT, Checked, checked, kept_of
from sweeps.forms.draft import INPUT_KINDS, Draft
from sweeps.forms.from_job import from_job
from sweeps.forms.rows import Row
from sweeps.forms.rules import FAILING, STOPPING
from sweeps.forms.rules import FIELDS as POLICY_FIELDS
from sweeps.models import CodeSnapshot, Sweep
from sweeps.queries.spec_of import job_of
from sweeps.services import control as services
from sweeps.views import new_sweep_code as code_reading
from sweeps.views import new_sweep_page as page_parts
from sweeps.views import new_sweep_rules as rule_parts
from sweeps.views.new_sweep_actions import Page, act, page_of
from sweeps.views.new_sweep_dry_run import dry_run_context
from sweeps.views.new_sweep_rows import row_views

# Sections of the page, and the fields that stand in each.
SECTIONS = (
    ("code", "Code", ("code", "command", "inputs", "variables", "entry")),
    ("space", "Search space", ("rows", "first")),
    ("sampling", "Sampling", ("algorithm", "seed", "rule", "logbase")),
    ("objective", "Objective", ("primary_metric", "goal")),
    ("early", "Early termination", ("early_type", *chain(*POLICY_FIELDS.values()))),
    (
        "limits",
        "Limits",
        ("max_total_trials", "max_concurrent_trials", "timeout", "trial_timeout", "compute"),
    ),
    ("rules", "Stopping", (*STOPPING, *FAILING)),
    ("name", "Name", ("display_name", "name", "description", "experiment_name", "tags")),
)


@require_http_methods(["GET", "POST"])
def new_sweep(request: HttpRequest, ws: str) -> HttpResponse:
    """The form: empty, from a sweep, from the example; or as posted, after one of its buttons."""
    workspace = workspace_for(request, ws, Role.CONTRIBUTOR)
    if request.method != "POST":
        return _respond(request, workspace, Page(_first_draft(request, workspace)))
    page = page_of(request.POST, workspace)
    action = request.POST.get("action", "preview")
    if action in ("submit", "dry_run"):
        return _hand_in(request, workspace, replace(page, shown=True), action == "dry_run")
    if action == "cancel_dry_run":
        _cancel(request, workspace, page.dry_run)
    page = act(page, action, request.POST, request.FILES, workspace)
    return _respond(request, workspace, page, 422 if page.errors else 200)


# --- Where it starts ----------------------------------------------------------------------------


def _first_draft(request: HttpRequest, workspace: Workspace) -> Draft:
    name = request.GET.get("from", "")
    if name:
        rows = Sweep.objects.allowed(signed_in(request)).filter(workspace=workspace)
        sweep = get_object_or_404(rows.select_related("code", "compute"), name=name)
        return _clone(job_of(sweep), sweep.code)
    if request.GET.get("example") == "iris":
        return _clone(*intake.iris(workspace))
    default = workspace.computes.order_by("-is_default", "name").first()
    empty = Draft(rows=(Row("0"),))
    if default is None:
        return empty
    return empty.having(compute=default.name, max_concurrent_trials=str(min(default.slots, 20)))


def _clone(job: SweepJob, code: CodeSnapshot | None) -> Draft:
    """The draft of a job; what the form does not ask for travels along."""
    kept = {
        "outputs": {name: {"type": out.type} for name, out in job.outputs.items()},
        "properties": dict(job.properties),
        "first_trials": [dict(point) for point in job.first_trials[1:]],
    }
    said = {key: kept[key] for key in KEPT if kept[key]}
    draft = from_job(
        job,
        kept=json.dumps(said) if said else "",
        experiment_name="" if job.experiment_name == "Default" else job.experiment_name or "",
    )
    if code is None:
        return draft
    entry = code_reading.entry_of(code.digest)
    facts = code_reading.facts_of(code.digest, entry)
    texts = {"code": code.digest, "code_origin": code.origin, "entry": entry, "entry_read": entry}
    return replace(draft.having(**texts), metrics=facts.metrics)


# --- Handing in ---------------------------------------------------------------------------------


def _hand_in(request: HttpRequest, workspace: Workspace, page: Page, dry: bool) -> HttpResponse:
    """Submit, or dry-run one trial; what is wrong comes back at its field."""
    page = act(page, "preview", request.POST, request.FILES, workspace)
    code = page_parts.code_of(workspace, page.draft)
    result = page_parts.check_all(workspace, page.draft, code)
    if result.job is None or page.errors:
        return _respond(request, workspace, page, 422)
    if dry:
        _cancel(request, workspace, page.dry_run)  # one at a time
    try:
        sweep = intake.submit(
            workspace,
            _dry(result.job) if dry else result.job,
            code=code,
            user=signed_in(request),
            now=timezone.now(),
            rng=random.SystemRandom(),
            is_dry_run=dry,
            ticket="" if dry else _ticket(page, result),
        )
    except InvalidInput as error:
        late = checked(page.draft, None, error.problems, result.places, result.doc)
        return _respond(request, workspace, replace(page, errors=late.errors), 422)
    tasks.advance_sweep(sweep.pk)
    if dry:
        return _respond(request, workspace, replace(page, dry_run=sweep.name))
    if _is_htmx(request):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = sweep.get_absolute_url()
        return response
    return redirect(sweep)


def _ticket(page: Page, result: Checked) -> str:
    """The same for the same form with the same content: a double click, or Back and again."""
    if not page.ticket:
        return ""
    content = f"{page.ticket} {page.draft['code']} {result.doc!r}"
    return hashlib.sha256(content.encode()).hexdigest()


def _dry(job: SweepJob) -> SweepJob:
    """The same job with a single trial that runs once, under a name of its own."""
    return replace(
        job,
        limits=Limits(1, 1, job.limits.timeout, job.limits.trial_timeout),
        name=None,
        early_termination=None,
        stop_rules=StopRules(),
        failure_policy=FailurePolicy(max_consecutive_failures=0, infrastructure_retries=0),
    )


def _cancel(request: HttpRequest, workspace: Workspace, name: str) -> None:
    sweep = Sweep.objects.filter(workspace=workspace, name=name, is_dry_run=True).first()
    if sweep is None:
        return
    try:
        services.cancel_sweep(sweep, actor=str(request.user), now=timezone.now())
    except InvalidInput:
        return  # it has ended meanwhile, which the panel says
    tasks.advance_sweep(sweep.pk)


# --- Showing ------------------------------------------------------------------------------------


def _is_htmx(request: HttpRequest) -> bool:
    return bool(getattr(request, "htmx", False))


def _respond(
    request: HttpRequest, workspace: Workspace, page: Page, status: int = 200
) -> HttpResponse:
    code = page_parts.code_of(workspace, page.draft)
    context = _context(workspace, page, code)
    template = "sweeps/new/_form.html" if _is_htmx(request) else "sweeps/new/new.html"
    response = render(request, template, context, status=status)
    response["Vary"] = "HX-Request"
    return response


def _context(workspace: Workspace, page: Page, code: CodeSnapshot | None) -> dict[str, Any]:
    draft = page.draft
    result = page_parts.check_all(workspace, draft, code)
    errors = page_parts.told(page, result.errors)
    by_field: dict[str, list[str]] = {}
    for error in errors:
        by_field.setdefault(error.field, []).append(error.message)
    computes = list(workspace.computes.all())
    compute = next((one for one in computes if one.name == draft["compute"]), None)
    advice = page_parts.advice_of(draft, result)
    return {
        "workspace": workspace,
        "page": page,
        "draft": draft,
        "texts": draft.texts,
        "errors": by_field,
        "error_list": errors,
        "notes": [note for note in result.notes if note not in advice],
        "warnings": page_parts.command_warnings(draft, compute),
        "advice": advice,
        "computes": computes,
        "compute": compute,
        "slots_warning": _slots_warning(draft, compute),
        "grid_hint": page_parts.grid_hint(draft),
        "rows": row_views(draft.rows, draft["command"], by_field, page_parts.seed_of(draft)),
        "row_count": sum(not row.is_blank for row in draft.rows),
        "conditional": sum(not row.is_blank and bool(row.parent) for row in draft.rows),
        "inputs": _input_views(draft, by_field),
        "variables": [
            (index, row, by_field.get(f"variables.{index}.name", []))
            for index, row in enumerate(draft.variables)
        ],
        "input_kinds": INPUT_KINDS.items(),
        "example": page_parts.example_of(draft, result, page.example),
        "summary": page_parts.summary_of(draft) + rule_parts.rule_lines(draft, result),
        **rule_parts.early_context(draft, result),
        **rule_parts.first_context(draft, by_field),
        "steps": _steps(result, set(by_field)),
        "recent": Sweep.objects.real().filter(workspace=workspace)[:8],
        **_code_context(draft, code),
        **dry_run_context(workspace, page.dry_run),
    }


def _code_context(draft: Draft, code: CodeSnapshot | None) -> dict[str, Any]:
    if code is None:
        return {"code": None, "scripts": [], "facts": None, "kept": _kept(draft)}
    entry = draft["entry"]
    proposal = code_reading.proposal_of(code.digest, entry)
    return {
        "code": code,
        "scripts": code_reading.scripts_of(code.digest),
        "facts": code_reading.facts_of(code.digest, entry),
        "read_notes": proposal.notes if proposal else (),
        "kept": _kept(draft),
    }


def _kept(draft: Draft) -> str:
    """What a cloned sweep brings along, in words."""
    return ", ".join(name for name in kept_of(draft) if name != "first_trials")


def _input_views(draft: Draft, by_field: dict[str, list[str]]) -> list[dict[str, Any]]:
    """Each input with its errors; an uploaded file by its name and size."""
    views = []
    for index, row in enumerate(draft.inputs):
        stored = code_reading.stored(row.value) if row.kind != "value" else None
        views.append(
            {
                "index": index,
                "row": row,
                "stored": stored,
                "name_errors": by_field.get(f"inputs.{index}.name", []),
                "value_errors": by_field.get(f"inputs.{index}.value", []),
            }
        )
    return views


def _slots_warning(draft: Draft, compute: Compute | None) -> str:
    text = draft["max_concurrent_trials"].strip()
    number = int(text) if text.isdecimal() and len(text) < 19 else 0
    if compute is None or number <= compute.slots:
        return ""
    slots = "1 slot" if compute.slots == 1 else f"{compute.slots} slots"
    return f"{compute.name} has {slots}"


def _steps(result: Checked, shown: set[str]) -> list[dict[str, str]]:
    """The sections with their state: wrong, done, or still empty."""
    wrong = {name.partition(".")[0] for name in shown}
    open_ = {error.field.partition(".")[0] for error in result.errors}
    steps = []
    for key, title, fields in SECTIONS:
        state = "done"
        if wrong & set(fields):
            state = "wrong"
        elif open_ & set(fields):
            state = "open"
        steps.append({"key": key, "title": title, "state": state})
    return steps


@require_safe
def dry_run(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The panel of a dry run, or a page with it for browsers without JavaScript."""
    workspace = workspace_for(request, ws, Role.CONTRIBUTOR)
    sweep = get_object_or_404(Sweep, workspace=workspace, name=name, is_dry_run=True)
    template = "sweeps/new/_dry_run.html" if _is_htmx(request) else "sweeps/new/dry_run.html"
    context = dry_run_context(workspace, sweep.name) | {
        "workspace": workspace,
        "form_url": reverse("sweep_new", args=[workspace.name]),
    }
    response = render(request, template, context)
    response["Vary"] = "HX-Request"
    return response
