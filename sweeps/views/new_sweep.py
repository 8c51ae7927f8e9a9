"""The new-sweep form: one page, one form, every button a round trip; htmx only morphs it."""

import hashlib
import random
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from studio.access import signed_in, workspace_for
from studio.models import Compute, Role, Workspace
from studio.secrecy import reference
from sweeps import intake, tasks
from sweeps.domain.job import FailurePolicy, StopRules, SweepJob
from sweeps.domain.limits import Limits
from sweeps.domain.problems import InvalidInput
from sweeps.forms.checked import Checked, checked, kept_of
from sweeps.forms.draft import INPUT_KINDS, Draft
from sweeps.forms.rules import FAILING, STOPPING
from sweeps.forms.rules import FIELDS as POLICY_FIELDS
from sweeps.models import CodeSnapshot, Sweep
from sweeps.queries.secrets import secret_names, with_kept_values
from sweeps.services import control as services
from sweeps.spec.reader import tool_of
from sweeps.spec.yaml_text import MAX_BYTES
from sweeps.views import new_sweep_code as code_reading
from sweeps.views import new_sweep_file as file_side
from sweeps.views import new_sweep_page as page_parts
from sweeps.views import new_sweep_rules as rule_parts
from sweeps.views.new_sweep_actions import YAML, Page, act, page_of
from sweeps.views.new_sweep_dry_run import dry_run_context
from sweeps.views.new_sweep_environment import context_of
from sweeps.views.new_sweep_rows import row_views
from sweeps.views.new_sweep_start import first_draft

# Sections of the page, and the fields that stand in each.
SECTIONS = (
    ("code", "Code", ("code", "command", "environment", "inputs", "variables", "entry")),
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
        return _respond(request, workspace, Page(first_draft(request, workspace)))
    page = page_of(request.POST, workspace)
    action = request.POST.get("action", "preview")
    if action == "open_file":
        return _open_file(request, workspace)
    if action in ("submit", "dry_run"):
        return _hand_in(request, workspace, replace(page, shown=True), action == "dry_run")
    if action == "cancel_dry_run":
        _cancel(request, workspace, page.dry_run)
    page = act(page, action, request.POST, request.FILES, workspace)
    page = file_side.switched(page, action, workspace)
    return _respond(request, workspace, page, 422 if page.errors else 200)


# --- Where it starts ----------------------------------------------------------------------------


def _open_file(request: HttpRequest, workspace: Workspace) -> HttpResponse:
    """A job file from the person's machine, in the form if that can show it."""
    page = Page(first_draft(request, workspace))
    try:
        text = file_side.text_of(request.FILES.get("job_file"))
    except InvalidInput as error:
        return _respond(request, workspace, page.with_error("job_file", error), 422)
    page = file_side.opened(replace(page, file=text), workspace)
    return _respond(request, workspace, page, 422 if page.errors else 200)


# --- Handing in ---------------------------------------------------------------------------------


def _hand_in(request: HttpRequest, workspace: Workspace, page: Page, dry: bool) -> HttpResponse:
    """Submit, or dry-run one trial; what is wrong comes back at its field."""
    page = act(page, "preview", request.POST, request.FILES, workspace)
    page, handed = _handed(workspace, page)
    if handed is None or page.errors:
        return _respond(request, workspace, page, 422)
    if dry:
        _cancel(request, workspace, page.dry_run)  # one at a time
    job = with_kept_values(handed.job, workspace, page.draft["former"])
    try:
        sweep = intake.submit(
            workspace,
            _dry(job) if dry else job,
            code=handed.code,
            user=signed_in(request),
            now=timezone.now(),
            rng=random.SystemRandom(),
            is_dry_run=dry,
            ticket="" if dry else _ticket(page, handed.content),
        )
    except InvalidInput as error:
        late = checked(page.draft, None, error.problems, handed.places, {})
        return _respond(request, workspace, replace(page, errors=late.errors), 422)
    tasks.advance_sweep(sweep.pk)
    if dry:
        return _respond(request, workspace, replace(page, dry_run=sweep.name))
    if _is_htmx(request):
        response = HttpResponse(status=204)
        response["HX-Redirect"] = sweep.get_absolute_url()
        return response
    return redirect(sweep)


@dataclass(frozen=True, slots=True)
class _Handed:
    """A job to submit; `content` is what it was read from, `places` where its parts stand."""

    job: SweepJob
    code: CodeSnapshot | None
    content: str
    places: Mapping[str, str] = field(default_factory=dict)


def _handed(workspace: Workspace, page: Page) -> tuple[Page, _Handed | None]:
    """The job of the form or of the file, None if there is something to mend."""
    if page.side == YAML:
        page = file_side.with_named_code(page, workspace)
    code = page_parts.code_of(workspace, page.draft)
    if page.side == YAML:
        found = file_side.check_file(workspace, page, code)
        return page, _Handed(found.job, code, page.file) if found.job else None
    result = page_parts.check_all(workspace, page.draft, code)
    if result.job is None:
        return page, None
    return page, _Handed(result.job, code, repr(result.doc), result.places)


def _ticket(page: Page, content: str) -> str:
    """The same for the same form with the same content: a double click, or Back and again."""
    if not page.ticket:
        return ""
    content = f"{page.ticket} {page.draft['code']} {content}"
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
    if page.side == YAML:
        return _file_context(workspace, page, code)
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
        **context_of(workspace, draft),
        "slots_warning": _slots_warning(draft, compute),
        "grid_hint": page_parts.grid_hint(draft),
        "rows": row_views(draft.rows, draft["command"], by_field, page_parts.seed_of(draft)),
        "row_count": sum(not row.is_blank for row in draft.rows),
        "conditional": sum(not row.is_blank and bool(row.parent) for row in draft.rows),
        "inputs": _input_views(workspace, draft, by_field),
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
        **file_side.foreign_notes(page.file, result.notes),
        **_shared_context(workspace, draft, code, page),
    }


def _file_context(workspace: Workspace, page: Page, code: CodeSnapshot | None) -> dict[str, Any]:
    """The page while the job file is shown: the code, the file, and the review."""
    found = file_side.check_file(workspace, page, code)
    draft, result = file_side.rail_of(found, page)
    by_field: dict[str, list[str]] = {}
    for error in page.errors:
        by_field.setdefault(error.field, []).append(error.message)
    compute = workspace.computes.filter(name=draft["compute"]).first()
    is_read, tool = found.job is not None, tool_of(page.file)
    is_known = found.job is not None and not file_side.is_new_code(found.job, page.draft)
    of_file = found.job.notes if tool and found.job else ()
    rules = rule_parts.rule_lines(draft, result)
    return {
        "page": page,
        "texts": page.draft.texts,
        "draft": page.draft,
        "errors": by_field,
        "error_list": page.errors,
        "file_problems": found.with_lines,
        "file_tool": tool,
        "file_notes": of_file,
        "notes": [note for note in found.notes if note not in of_file],
        "warnings": page_parts.command_warnings(draft, compute) if is_known else [],
        "example": page_parts.example_of(draft, result, page.example) if is_read else None,
        "summary": page_parts.summary_of(draft) + rules if is_read else [],
        "steps": [
            {"key": "code", "title": "Code", "state": "done" if code else "open"},
            {"key": "file", "title": "Job file", "state": "done" if is_read else "wrong"},
        ],
        **_shared_context(workspace, page.draft, code, page),
    }


def _shared_context(
    workspace: Workspace, draft: Draft, code: CodeSnapshot | None, page: Page
) -> dict[str, Any]:
    return {
        "workspace": workspace,
        "secrets": [reference(name) for name in secret_names(workspace)],
        "most_bytes": MAX_BYTES,
        "code_wanted": file_side.code_wanted(draft) if page.side != YAML else "",
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
    found = kept_of(draft)
    names = [name for name in found if name in ("outputs", "properties")]
    names += ["types and modes of inputs"] if "inputs" in found else []
    for part in (found.get("trial"), found.get("top")):
        names += [str(name) for name in part] if isinstance(part, dict) else []
    return ", ".join(names)


def _input_views(
    workspace: Workspace, draft: Draft, by_field: dict[str, list[str]]
) -> list[dict[str, Any]]:
    """Each input with its errors; an uploaded file by its name and size."""
    views = []
    for index, row in enumerate(draft.inputs):
        stored = code_reading.stored(workspace, row.value) if row.kind != "value" else None
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
