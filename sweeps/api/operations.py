"""Submitting sweeps; reading them and their trials. What changes them is in `steering`."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast, Length
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Query, Router, Status

from studio.models import Role
from sweeps import intake, tasks
from sweeps.api import shapes, trial_shapes, words
from sweeps.api.auth import token_of, workspace_of
from sweeps.api.intake import in_text, read_posted
from sweeps.api.lookup import sweep_of, trial_of
from sweeps.api.once import ticket_of
from sweeps.api.paging import DEFAULT_LIMIT, MAX_LIMIT, Order, Page, page, page_by_rank
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import SweepStatus
from sweeps.domain.wording import shown
from sweeps.models import CodeSnapshot, MetricPoint, Sweep, Trial
from sweeps.models.metrics import from_columns
from sweeps.queries import spec_of, trials
from sweeps.queries.logs import read_log
from sweeps.queries.places import spool_of
from sweeps.spec.writer import job_to_doc, to_yaml

router = Router(tags=["sweeps"])
LOG = "The log; `X-Next-Offset` is where to go on"
NEWEST = Order("pk", "created_at", down=True, tie_down=True)


def text_of(kind: str, description: str = "OK") -> dict[str, Any]:
    """An answer that is a text, for the schema."""
    # YAML is what it says, not its text.
    content = {kind: {"schema": {"type": "object" if "yaml" in kind else "string"}}}
    return {"responses": {200: {"description": description, "content": content}}}


_DRY = {
    "type": "object",
    "properties": {
        "valid": {"const": True},
        "notes": {"type": "array", "items": {"type": "string"}},
        "sweep": {"type": "object", "description": "The job as it was understood"},
    },
    "required": ["valid", "notes", "sweep"],
}
_BODY = {
    "responses": {
        200: {
            "description": "With `dry_run`: the job is valid",
            "content": {"application/json": {"schema": _DRY}},
        }
    },
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": {"type": "object"}},
            "application/yaml": {"schema": {"type": "object"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "spec": {"type": "string", "format": "binary"},
                        "code": {
                            "type": "string",
                            "format": "binary",
                            "description": "A zip or tar.gz, or studio:<digest> of uploaded code; "
                            "in place of the code that the job names.",
                        },
                    },
                    "required": ["spec"],
                }
            },
        },
    },
}


@router.post("/workspaces/{ws}/sweeps", response={201: shapes.SweepOut}, openapi_extra=_BODY)
def submit(request: HttpRequest, ws: str, dry_run: bool = False) -> Any:
    """Submit a sweep job; `dry_run=1` only validates it."""
    workspace = workspace_of(request, ws, Role.CONTRIBUTOR)
    posted = read_posted(request, workspace, keep=not dry_run)
    if dry_run:
        with in_text(posted.text):
            notes = intake.check(workspace, posted.job, posted.code)
        body = {"valid": True, "notes": notes, "sweep": job_to_doc(posted.job)}
        return HttpResponse(shapes.dumps(body), content_type="application/json")
    assert posted.code is None or isinstance(posted.code, CodeSnapshot)
    with in_text(posted.text):
        sweep = intake.submit(
            workspace,
            posted.job,
            code=posted.code,
            user=token_of(request).user,
            now=timezone.now(),
            rng=random.SystemRandom(),
            ticket=ticket_of(request),
        )
    tasks.advance_sweep(sweep.pk)
    return Status(201, shapes.sweep_out(sweep))


@router.get("/workspaces/{ws}/sweeps", response=Page[shapes.SweepOut])
def list_sweeps(
    request: HttpRequest,
    ws: str,
    status: str = "",
    limit: int = DEFAULT_LIMIT,
    cursor: str = "",
) -> Any:
    """Sweeps, newest first."""
    rows = Sweep.objects.filter(workspace=workspace_of(request, ws)).real()
    if status:
        if status not in list(SweepStatus):
            known = ", ".join(SweepStatus)
            raise InvalidInput.one("status", f"{shown(status)} is not a status; there are {known}.")
        rows = rows.filter(status=status)
    rows = rows.select_related("workspace", "compute").with_build_states()
    rows = rows.defer(*shapes.UNUSED).annotate(size=Length(Cast("search_space", TextField())))
    return page(rows, NEWEST, shapes.sweeps_out, limit, cursor, weigh=shapes.weigh)


@router.get("/workspaces/{ws}/sweeps/{name}", response=shapes.SweepOut)
def get_sweep(request: HttpRequest, ws: str, name: str) -> Any:
    """One sweep."""
    return shapes.sweep_out(sweep_of(request, ws, name))


@router.get("/workspaces/{ws}/sweeps/{name}/spec", openapi_extra=text_of("application/yaml"))
def get_spec(request: HttpRequest, ws: str, name: str) -> HttpResponse:
    """The sweep as an Azure ML job file (YAML)."""
    sweep = sweep_of(request, ws, name)
    return HttpResponse(to_yaml(spec_of.exported_job(sweep)), content_type="application/yaml")


@router.get("/workspaces/{ws}/sweeps/{name}/trials", response=Page[shapes.TrialOut])
def list_trials(
    request: HttpRequest,
    ws: str,
    name: str,
    status: list[str] = Query(default=[]),  # noqa: B008 - ninja's way
    order_by: str = "number",
    limit: int = DEFAULT_LIMIT,
    cursor: str = "",
) -> Any:
    """Trials of a sweep."""
    sweep = sweep_of(request, ws, name)
    rows = trials.in_statuses(Trial.objects.filter(sweep=sweep), status)
    what, _, down = trials.order_parts(order_by)
    if what == "params":
        return _by_parameter(sweep, rows, order_by, limit, cursor)
    order = Order("number", "order_key", down=down)
    rows = trials.ordered(rows, order_by)
    if order_by == "number":
        order, rows = Order("number"), rows.order_by("number")
    shape = lambda found: trial_shapes.trials_page(found, sweep)  # noqa: E731
    rows = rows.defer(*trial_shapes.UNUSED)
    return page(rows, order, shape, limit, cursor, scope=order_by, weigh=trial_shapes.weigh)


def _by_parameter(
    sweep: Sweep, rows: QuerySet[Trial], order_by: str, limit: int, cursor: str
) -> Any:
    """Values of parameters may be of several JSON types: databases sort them each in its way."""

    def in_order(some: QuerySet[Trial]) -> list[int]:
        return list(trials.ordered(some, order_by).values_list("number", flat=True))

    def shape(numbers: Sequence[int]) -> list[Any]:
        found = trial_shapes.some(sweep, numbers)
        return trial_shapes.trials_page(found, sweep)

    everyone = in_order(Trial.objects.filter(sweep=sweep))
    rank = {number: index for index, number in enumerate(everyone)}
    kept = set(rows.values_list("number", flat=True))
    numbers = [number for number in everyone if number in kept]
    return page_by_rank(numbers, rank, shape, limit, cursor, scope=order_by)


@router.get("/workspaces/{ws}/sweeps/{name}/trials/{int:number}", response=shapes.TrialOut)
def get_trial(request: HttpRequest, ws: str, name: str, number: int) -> Any:
    """One trial."""
    sweep = sweep_of(request, ws, name)
    return trial_shapes.trials_out([trial_of(sweep, number)], sweep)[0]


@router.get(
    "/workspaces/{ws}/sweeps/{name}/trials/{int:number}/metrics", response=Page[shapes.PointOut]
)
def get_metrics(
    request: HttpRequest,
    ws: str,
    name: str,
    number: int,
    metric: list[str] = Query(default=[], alias="name"),  # noqa: B008
    limit: int = MAX_LIMIT,
    cursor: str = "",
) -> Any:
    """What the trial logged, by name and report; a page of values is large unless asked small."""
    trial = trial_of(sweep_of(request, ws, name), number)
    return page(
        trials.point_rows(trial, metric), Order("report", "name"), _points_out, limit, cursor
    )


def _points_out(points: Sequence[MetricPoint]) -> list[dict[str, Any]]:
    return [
        {
            "name": point.name,
            "step": point.step,
            "value": words.number(from_columns(point.value, point.kind)),
            "time": words.moment(point.timestamp_ms),
        }
        for point in points
    ]


@router.get(
    "/workspaces/{ws}/sweeps/{name}/trials/{int:number}/logs/{stream}",
    openapi_extra=text_of("text/plain", LOG),
)
def get_log(
    request: HttpRequest, ws: str, name: str, number: int, stream: str, offset: int = 0
) -> HttpResponse:
    """What the trial wrote from byte `offset` on; `X-Next-Offset` says where to go on."""
    trial = trial_of(sweep_of(request, ws, name), number)
    if stream not in ("stdout", "stderr"):
        raise Http404("There are the logs stdout and stderr.")
    attempt = trial.attempts.order_by("-number").first()
    return log_answer(spool_of(attempt) if attempt else None, stream, offset)


def log_answer(spool: Path | None, stream: str, offset: int) -> HttpResponse:
    """A piece of a log from byte `offset` on, and where to go on."""
    part = read_log(spool, stream, max(0, offset))
    response = HttpResponse(part.text, content_type="text/plain; charset=utf-8")
    response["X-Next-Offset"] = str(part.next_offset)
    response["X-Content-Type-Options"] = "nosniff"
    return response
