"""Models of trials, and versions of them in MLflow's registry."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from studio.models import Role
from sweeps import tasks
from sweeps.api import bodies
from sweeps.api.auth import token_of, workspace_of
from sweeps.api.files import TRIAL
from sweeps.api.intake import read_json
from sweeps.api.lookup import sweep_of, trial_of
from sweeps.api.once import ticket_of
from sweeps.api.paging import DEFAULT_LIMIT, Order, Page, page
from sweeps.api.shapes import Number, number
from sweeps.domain.registry import Wanted, full_name, load_uri
from sweeps.models import ModelVersion
from sweeps.queries.clock import database_now
from sweeps.queries.registry import versions_in
from sweeps.services.registry import request_version
from sweeps.views.register import chosen, models_of

router = Router(tags=["models"])
NEWEST = Order("pk", down=True)
State = Annotated[str, Field(json_schema_extra={"enum": list(ModelVersion.STATES)})]


class ModelVersionOut(Schema):
    """A version of a registered model. `registered_name` is what MLflow calls the model, `uri`
    what `load_model` takes, "" until it is registered; `sweep` and `trial` are where it is from,
    "" and null for a version that a program registered of a run of no trial."""

    name: str
    registered_name: str
    version: str
    alias: str
    description: str
    state: State
    error: str
    uri: str
    source: str
    run_id: str
    sweep: str
    trial: int | None
    primary_metric: str
    objective: Number
    requested_by: str
    created_at: datetime


class LoggableOut(Schema):
    """A model of a trial; `model` names it when it is to be registered."""

    model: str
    name: str
    source: str


class TrialModelsOut(Schema):
    """The models of a trial, and which versions of them were asked for."""

    models: list[LoggableOut]
    versions: list[ModelVersionOut]


def _out(rows: Any) -> list[dict[str, Any]]:
    return [_version(row) for row in rows]


def _version(row: ModelVersion) -> dict[str, Any]:
    place, is_there = row.workspace.name, row.state == ModelVersion.REGISTERED
    same = ("name", "version", "alias", "description", "state", "error", "source", "run_id")
    return {
        **{field: getattr(row, field) for field in (*same, "requested_by", "created_at")},
        "registered_name": full_name(place, row.name),
        "uri": load_uri(place, row.name, row.alias, row.version) if is_there else "",
        "sweep": row.sweep_name,
        "trial": row.number,
        "primary_metric": row.metric,
        "objective": number(row.objective),
    }


@router.get("/workspaces/{ws}/models", response=Page[ModelVersionOut])
def list_models(request: HttpRequest, ws: str, limit: int = DEFAULT_LIMIT, cursor: str = "") -> Any:
    """Versions that were registered in this workspace, here and by programs, newest first."""
    rows = versions_in(workspace_of(request, ws)).order_by("-pk")
    return page(rows, NEWEST, _out, limit, cursor)


@router.get(f"{TRIAL}/models", response=TrialModelsOut)
def list_trial_models(request: HttpRequest, ws: str, name: str, number: int) -> Any:
    """The models that the trial has logged, and what was registered of them."""
    trial = trial_of(sweep_of(request, ws, name), number)
    found = [{"model": m.key, "name": m.name, "source": m.source} for m in models_of(trial)]
    rows = ModelVersion.objects.filter(trial=trial).select_related("workspace", "trial")
    return {"models": found, "versions": _out(rows)}


@router.post(f"{TRIAL}/register", response={202: ModelVersionOut}, openapi_extra=bodies.REGISTER)
def register(request: HttpRequest, ws: str, name: str, number: int) -> Any:
    """Register a model of the trial in MLflow's registry; `GET …/models` tells when it is there.

    `model` may be left out where the trial has one.
    """
    trial = trial_of(sweep_of(request, ws, name, Role.CONTRIBUTOR), number)
    given = bodies.read_texts(read_json(request), ("name", "alias", "description", "model"))
    wanted = Wanted(
        given.get("name") or "", given.get("alias") or "", given.get("description") or ""
    )
    row = request_version(
        trial,
        chosen(models_of(trial), given.get("model") or ""),
        wanted,
        actor=str(token_of(request).user),
        now=database_now(),
        ticket=ticket_of(request),
    )
    tasks.register_model(row.pk)
    return Status(202, _version(row))
