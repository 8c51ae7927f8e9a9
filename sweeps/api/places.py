"""Operations on workspaces and computes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest
from django.utils import timezone
from ninja import Router, Schema, Status

from studio import services
from studio.forms import WorkspaceForm, WorkspaceTextForm
from studio.models import Compute, Role, Workspace
from sweeps.api import bodies
from sweeps.api.auth import token_of, workspace_of
from sweeps.api.intake import read_json
from sweeps.api.paging import DEFAULT_LIMIT, Order, Page, page
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import shown
from sweeps.forms.compute import APART, ComputeForm
from sweeps.queries.compute_load import slots_used

router = Router(tags=["workspaces"])


class WorkspaceOut(Schema):
    """A workspace; `archived_at` is null while it stands in the lists."""

    name: str
    title: str
    description: str
    created_at: datetime
    archived_at: datetime | None


class ComputeOut(Schema):
    """A compute of a `kind`, with what that can be told in `settings`; `slots_used` trials run on
    it now. `python` is "" for the studio's own; `isolated`
    where trials run as a user of their workspace, not as the studio's; `preload` where they start
    from a process that has imported `preload_modules` ("": what the script imports)."""

    name: str
    kind: str
    settings: dict[str, Any]
    slots: int
    slots_used: int
    is_default: bool
    description: str
    python: str
    isolated: bool
    preload: bool
    preload_modules: str


def _workspace(workspace: Workspace) -> dict[str, Any]:
    return {name: getattr(workspace, name) for name in WorkspaceOut.model_fields}


def _computes(computes: Sequence[Compute]) -> list[dict[str, Any]]:
    own = [name for name in ComputeOut.model_fields if name not in ("slots_used", "isolated")]
    used = slots_used(computes)
    return [
        {name: getattr(compute, name) for name in own}
        | {"slots_used": used.get(compute.pk, 0), "isolated": compute.is_isolated}
        for compute in computes
    ]


@router.get("/workspaces", response=Page[WorkspaceOut])
def list_workspaces(request: HttpRequest, limit: int = DEFAULT_LIMIT, cursor: str = "") -> Any:
    """Workspaces that the token may see: its own."""
    token = token_of(request)
    rows = Workspace.objects.visible_to(token.user).filter(pk=token.workspace_id).order_by("name")
    return page(rows, Order("name"), lambda found: [_workspace(w) for w in found], limit, cursor)


@router.post("/workspaces", response={201: WorkspaceOut}, openapi_extra=bodies.WORKSPACE)
def add_workspace(request: HttpRequest) -> Any:
    """A new workspace, owned by the token's person; takes an owner's token.

    This token is for its own workspace and does not open the new one: make one there, in Settings
    or by `manage.py token`.
    """
    token = token_of(request)
    workspace_of(request, token.workspace.name, Role.OWNER)
    doc = bodies.read_typed(read_json(request), bodies.WORKSPACE_TYPES)
    form = WorkspaceForm(doc)
    if not form.is_valid():
        raise refused(form)
    workspace = form.save(commit=False)
    workspace.created_at = timezone.now()
    try:
        services.create_workspace(workspace, token.user)
    except services.NameTaken as error:
        raise InvalidInput.one("name", str(error)) from error
    return Status(201, _workspace(workspace))


@router.get("/workspaces/{ws}", response=WorkspaceOut)
def get_workspace(request: HttpRequest, ws: str) -> Any:
    """One workspace."""
    return _workspace(workspace_of(request, ws))


@router.patch("/workspaces/{ws}", response=WorkspaceOut, openapi_extra=bodies.WORKSPACE_EDIT)
def edit_workspace(request: HttpRequest, ws: str) -> Any:
    """Change title and description, or archive and restore it; what is not named stays."""
    workspace = workspace_of(request, ws, Role.OWNER)
    doc = bodies.read_typed(read_json(request), bodies.WORKSPACE_EDIT_TYPES)
    archived = doc.pop("archived", None)
    form = WorkspaceTextForm(
        {"title": workspace.title, "description": workspace.description} | doc, instance=workspace
    )
    if not form.is_valid():
        raise refused(form)
    services.save_texts(form.save(commit=False))
    if archived is True:
        services.archive_workspace(workspace, timezone.now())
    elif archived is False:
        services.restore_workspace(workspace)
    workspace.refresh_from_db()
    return _workspace(workspace)


@router.delete("/workspaces/{ws}", response={204: None})
def archive_workspace(request: HttpRequest, ws: str) -> Any:
    """Archive it: it leaves the lists, nothing in it is deleted. PATCH `archived` restores it."""
    services.archive_workspace(workspace_of(request, ws, Role.OWNER), timezone.now())
    return Status(204, None)


@router.get("/workspaces/{ws}/computes", response=Page[ComputeOut])
def list_computes(
    request: HttpRequest, ws: str, limit: int = DEFAULT_LIMIT, cursor: str = ""
) -> Any:
    """Computes of a workspace, the default one first."""
    rows = Compute.objects.filter(workspace=workspace_of(request, ws))
    order = Order("name", "is_default", down=True)
    return page(rows.order_by("-is_default", "name"), order, _computes, limit, cursor)


@router.post("/workspaces/{ws}/computes", response={201: ComputeOut}, openapi_extra=bodies.COMPUTE)
def add_compute(request: HttpRequest, ws: str) -> Any:
    """A new compute: `kind` says where its trials run (by default on this machine), `settings` what
    that kind can be told."""
    workspace = workspace_of(request, ws, Role.OWNER)
    doc = bodies.read_typed(read_json(request), bodies.COMPUTE_TYPES, deep=("settings",))
    compute = Compute(workspace=workspace, created_at=timezone.now())
    return Status(201, _saved(compute, {"slots": 1, "preload": True} | doc))


@router.get("/workspaces/{ws}/computes/{name}", response=ComputeOut)
def get_compute(request: HttpRequest, ws: str, name: str) -> Any:
    """One compute."""
    return _computes([_compute_of(request, ws, name)])[0]


@router.patch(
    "/workspaces/{ws}/computes/{name}", response=ComputeOut, openapi_extra=bodies.COMPUTE_EDIT
)
def edit_compute(request: HttpRequest, ws: str, name: str) -> Any:
    """Change a compute; what is not named stays, and what runs goes on as it was started. Of
    `settings` too: "" takes one away."""
    compute = _compute_of(request, ws, name, Role.OWNER)
    doc = bodies.read_typed(read_json(request), bodies.COMPUTE_TYPES, deep=("settings",))
    present = {key: getattr(compute, key) for key in ComputeForm.Meta.fields}
    return _saved(compute, present | doc)


@router.delete("/workspaces/{ws}/computes/{name}", response={204: None})
def delete_compute(request: HttpRequest, ws: str, name: str) -> Any:
    """Delete a compute that no sweep ran on; another one becomes the default in its place."""
    try:
        services.delete_compute(_compute_of(request, ws, name, Role.OWNER))
    except services.Refused as error:
        raise InvalidInput.conflict(str(error)) from error
    return Status(204, None)


def _compute_of(request: HttpRequest, ws: str, name: str, role: Role = Role.READER) -> Compute:
    rows = Compute.objects.filter(workspace=workspace_of(request, ws, role), name=name)
    compute = rows.select_related("workspace").first()
    if compute is None:
        raise Http404(f"There is no compute {shown(name)}.")
    return compute


def _saved(compute: Compute, doc: dict[str, Any]) -> dict[str, Any]:
    """The compute as the pages' form would save it. Raises InvalidInput."""
    variables = doc.get("environment_variables") or {}
    typed = doc | {"environment_variables": list(variables.items())}
    form = ComputeForm(typed, instance=compute, kind=doc.get("kind"), settings=doc.get("settings"))
    if not form.is_valid():
        raise refused(form)
    try:
        services.save_compute(form.save(commit=False), is_default=form.cleaned_data["is_default"])
    except services.NameTaken as error:
        raise InvalidInput.one("name", str(error)) from error
    return _computes([compute])[0]


def refused(form: Any) -> InvalidInput:
    """What a form of the pages says, as problems of the same fields."""
    told = [
        Problem("" if field == "__all__" else field, item["message"])
        for field, items in form.errors.get_json_data().items()
        for item in items
        if item["code"] != APART
    ]
    return InvalidInput([*told, *getattr(form, "apart", ())])
