"""Operations on workspaces and computes."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router, Schema

from studio.models import Compute, Workspace
from sweeps.api.auth import token_of, workspace_of
from sweeps.api.paging import DEFAULT_LIMIT, Page, page
from sweeps.domain.wording import shown
from sweeps.queries.records import slots_used

router = Router(tags=["workspaces"])


class WorkspaceOut(Schema):
    """A workspace."""

    name: str
    title: str
    description: str
    created_at: datetime


class ComputeOut(Schema):
    """A compute; `slots_used` trials run on it now."""

    name: str
    kind: str
    slots: int
    slots_used: int
    is_default: bool
    description: str


def _workspace(workspace: Workspace) -> dict[str, Any]:
    return {name: getattr(workspace, name) for name in WorkspaceOut.model_fields}


def _compute(compute: Compute) -> dict[str, Any]:
    own = [name for name in ComputeOut.model_fields if name != "slots_used"]
    return {name: getattr(compute, name) for name in own} | {"slots_used": slots_used(compute)}


@router.get("/workspaces", response=Page[WorkspaceOut])
def list_workspaces(request: HttpRequest, limit: int = DEFAULT_LIMIT, cursor: str = "") -> Any:
    """Workspaces that the token may see: its own."""
    token = token_of(request)
    rows = Workspace.objects.visible_to(token.user).filter(pk=token.workspace_id)
    return page(rows, lambda found: [_workspace(w) for w in found], limit, cursor)


@router.get("/workspaces/{ws}", response=WorkspaceOut)
def get_workspace(request: HttpRequest, ws: str) -> Any:
    """One workspace."""
    return _workspace(workspace_of(request, ws))


@router.get("/workspaces/{ws}/computes", response=Page[ComputeOut])
def list_computes(
    request: HttpRequest, ws: str, limit: int = DEFAULT_LIMIT, cursor: str = ""
) -> Any:
    """Computes of a workspace."""
    rows = Compute.objects.filter(workspace=workspace_of(request, ws))
    return page(rows, lambda found: [_compute(c) for c in found], limit, cursor)


@router.get("/workspaces/{ws}/computes/{name}", response=ComputeOut)
def get_compute(request: HttpRequest, ws: str, name: str) -> Any:
    """One compute."""
    compute = Compute.objects.filter(workspace=workspace_of(request, ws), name=name).first()
    if compute is None:
        raise Http404(f"There is no compute {shown(name)}.")
    return _compute(compute)
