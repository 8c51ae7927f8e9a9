"""Operations on environments: those that a workspace names, and those that sweeps run in."""

import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from ninja import Field, Router, Schema, Status

from studio.models import Role
from sweeps.api import bodies
from sweeps.api.auth import workspace_of
from sweeps.api.intake import read_json
from sweeps.api.lookup import sweep_of
from sweeps.api.operations import LOG, log_answer, text_of
from sweeps.api.paging import DEFAULT_LIMIT, Order, Page, page
from sweeps.api.places import refused
from sweeps.api.shapes import BuildState
from sweeps.domain.computes.kinds import KINDS
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown
from sweeps.environments.conda import read_conda
from sweeps.forms.environment import EnvironmentForm
from sweeps.intake_environments import build_of_each, recipe_of
from sweeps.models import Environment, EnvironmentBuild, EnvironmentKind
from sweeps.queries.clock import database_now
from sweeps.queries.environments import log_folder
from sweeps.services import environments as services
from sweeps.spec.writer import dump

router = Router(tags=["environments"])

ALL = "/workspaces/{ws}/environments"
ONE = f"{ALL}/{{name}}"
OF_SWEEP = "/workspaces/{ws}/sweeps/{name}/environment"

Kind = Annotated[str, Field(json_schema_extra={"enum": EnvironmentKind.values})]


class BuildOut(Schema):
    """How far it is built. `python` is its version, `packages` are name==version, once it is."""

    state: BuildState
    reason: str
    python: str
    packages: list[str]
    notes: list[str]
    started_at: datetime | None
    ended_at: datetime | None


class EnvironmentOut(Schema):
    """What jobs call `azureml:NAME@latest`.

    `source` is a requirements file, a conda file, or the path of a Python, by `kind`; `build` is
    null until somebody needs it, and always for kind python.
    """

    name: str
    description: str
    kind: Kind
    source: str
    created_at: datetime
    build: BuildOut | None


class SweepEnvironmentOut(Schema):
    """The Python of a sweep's trials.

    `name` is "" for that of the compute. `python` is its version once it is built, "" until then,
    and the path of one that is not built, for which `state` is null.
    """

    name: str
    python: str
    state: BuildState | None
    reason: str
    packages: list[str]
    notes: list[str]


def _shown(environments: Sequence[Environment]) -> list[dict[str, Any]]:
    own = [name for name in EnvironmentOut.model_fields if name != "build"]
    builds = build_of_each(environments)
    return [
        {name: getattr(one, name) for name in own} | {"build": _build(builds.get(one.pk))}
        for one in environments
    ]


def _build(build: EnvironmentBuild | None) -> dict[str, Any] | None:
    own = BuildOut.model_fields
    return {name: getattr(build, name) for name in own} if build else None


@router.get(ALL, response=Page[EnvironmentOut])
def list_environments(
    request: HttpRequest, ws: str, limit: int = DEFAULT_LIMIT, cursor: str = ""
) -> Any:
    """Environments of a workspace, by name."""
    rows = Environment.objects.filter(workspace=workspace_of(request, ws))
    rows = rows.select_related("workspace").order_by("name")
    return page(rows, Order("name"), _shown, limit, cursor)


@router.post(ALL, response={201: EnvironmentOut}, openapi_extra=bodies.ENVIRONMENT)
def add_environment(request: HttpRequest, ws: str) -> Any:
    """A new environment: packages as `source`, or Azure's `conda_file`; built once it is needed."""
    workspace = workspace_of(request, ws, Role.CONTRIBUTOR)
    environment = Environment(workspace=workspace, created_at=timezone.now())
    return Status(201, _saved(environment, {"kind": "requirements"} | _read(request)))


@router.get(ONE, response=EnvironmentOut)
def get_environment(request: HttpRequest, ws: str, name: str) -> Any:
    """One environment."""
    return _shown([_environment_of(request, ws, name)])[0]


@router.patch(ONE, response=EnvironmentOut, openapi_extra=bodies.ENVIRONMENT_EDIT)
def edit_environment(request: HttpRequest, ws: str, name: str) -> Any:
    """Change an environment; what is not named stays, and sweeps keep what they were given."""
    environment = _environment_of(request, ws, name, Role.CONTRIBUTOR)
    doc = _read(request)
    present = {key: getattr(environment, key) for key in EnvironmentForm.Meta.fields}
    return _saved(environment, present | doc)


@router.delete(ONE, response={204: None})
def delete_environment(request: HttpRequest, ws: str, name: str) -> Any:
    """Delete it: jobs cannot name it any more, sweeps that run in it go on."""
    services.delete_environment(_environment_of(request, ws, name, Role.CONTRIBUTOR))
    return Status(204, None)


@router.post(f"{ONE}/build", response=EnvironmentOut)
def build_environment(request: HttpRequest, ws: str, name: str) -> Any:
    """Build it before a sweep needs it, or again if that has failed."""
    environment = _environment_of(request, ws, name, Role.CONTRIBUTOR)
    recipe = recipe_of(environment)
    if recipe is None:
        text = f"{shown(environment.name)} is a Python of this machine: nothing is to be built."
        raise InvalidInput.conflict(text)
    build = services.build_of(recipe, database_now())
    services.ask_for(build.digest, environment.workspace, environment)
    return _shown([environment])[0]


@router.delete(f"{ONE}/build", response=EnvironmentOut)
def cancel_build(request: HttpRequest, ws: str, name: str) -> Any:
    """Do not build it for itself any more; it goes on while a sweep waits for it."""
    environment = _environment_of(request, ws, name, Role.CONTRIBUTOR)
    if build := build_of_each([environment]).get(environment.pk):
        services.withdraw(build, environment.workspace, environment)
    return _shown([environment])[0]


@router.get(f"{ONE}/log", openapi_extra=text_of("text/plain", LOG))
def get_environment_log(request: HttpRequest, ws: str, name: str, offset: int = 0) -> HttpResponse:
    """What its newest build wrote from byte `offset` on; `X-Next-Offset` says where to go on."""
    environment = _environment_of(request, ws, name)
    return _log(build_of_each([environment]).get(environment.pk), offset)


@router.get(OF_SWEEP, response=SweepEnvironmentOut)
def get_sweep_environment(request: HttpRequest, ws: str, name: str) -> Any:
    """The Python that a sweep's trials run in, and how far it is built."""
    sweep = sweep_of(request, ws, name)
    build = sweep.environment_build
    found = {"name": sweep.environment_name, "state": None, "reason": ""}
    if build is None:
        usual = sys.executable if KINDS[sweep.compute.kind].shares_files else "python"
        python = sweep.interpreter or ("" if sweep.packages else sweep.compute.python) or usual
        return found | {"python": python, "packages": sweep.packages, "notes": []}
    own = ("python", "state", "reason", "packages", "notes")
    return found | {key: getattr(build, key) for key in own}


@router.get(f"{OF_SWEEP}/log", openapi_extra=text_of("text/plain", LOG))
def get_sweep_environment_log(
    request: HttpRequest, ws: str, name: str, offset: int = 0
) -> HttpResponse:
    """What the newest build of a sweep's environment wrote, as the logs of trials are read."""
    return _log(sweep_of(request, ws, name).environment_build, offset)


def _log(build: EnvironmentBuild | None, offset: int) -> HttpResponse:
    return log_answer(log_folder(build) if build else None, "stdout", offset)


def _environment_of(
    request: HttpRequest, ws: str, name: str, role: Role = Role.READER
) -> Environment:
    rows = Environment.objects.filter(workspace=workspace_of(request, ws, role), name=name)
    environment = rows.select_related("workspace").first()
    if environment is None:
        raise Http404(f"There is no environment {shown(name)}.")
    return environment


def _read(request: HttpRequest) -> dict[str, Any]:
    """The posted fields in our words. Raises InvalidInput."""
    doc = bodies.read_typed(read_json(request), bodies.ENVIRONMENT_TYPES, deep=("conda_file",))
    conda = doc.pop("conda_file", None)
    if conda is None:
        return doc
    if "source" in doc or doc.get("kind", EnvironmentKind.CONDA) != EnvironmentKind.CONDA:
        raise InvalidInput.one("conda_file", "Send it alone: it is both kind and source.")
    read_conda(conda, "conda_file")
    return doc | {"kind": EnvironmentKind.CONDA.value, "source": dump(conda)}


def _saved(environment: Environment, doc: dict[str, Any]) -> dict[str, Any]:
    """The environment as the pages' form would save it. Raises InvalidInput."""
    form = EnvironmentForm(doc, instance=environment)
    if not form.is_valid():
        raise refused(form)
    recipe_of(form.instance)  # says what of its source cannot be read
    services.save_environment(form.save(commit=False))
    return _shown([environment])[0]
