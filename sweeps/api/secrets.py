"""Secrets of a workspace. Values are taken, and never given back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest
from ninja import Router, Schema, Status

from studio.models import Role, Secret
from studio.secret_services import delete_secret, set_secret
from sweeps.api import bodies
from sweeps.api.auth import token_of, workspace_of
from sweeps.api.intake import read_json
from sweeps.api.paging import DEFAULT_LIMIT, Order, Page, page
from sweeps.api.places import refused
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown
from sweeps.forms.secret import SecretForm
from sweeps.queries.clock import database_now

router = Router(tags=["secrets"])
ALL = "/workspaces/{ws}/secrets"


class SecretOut(Schema):
    """A secret without its value; jobs call it `${{secrets.NAME}}`."""

    name: str
    created_at: datetime
    changed_at: datetime
    last_used_at: datetime | None


def _value(doc: Any) -> str:
    """The value of a body. What is wrong is not repeated: it may be the secret."""
    value = doc.get("value") if isinstance(doc, dict) and set(doc) == {"value"} else None
    if not isinstance(value, str):
        raise InvalidInput.one("value", 'Send an object with "value", a text, and nothing else.')
    return value


def _shown(rows: Sequence[Secret]) -> list[dict[str, Any]]:
    return [{name: getattr(row, name) for name in SecretOut.model_fields} for row in rows]


@router.get(ALL, response=Page[SecretOut])
def list_secrets(
    request: HttpRequest, ws: str, limit: int = DEFAULT_LIMIT, cursor: str = ""
) -> Any:
    """Secrets by name; for contributors, who may use them."""
    rows = Secret.objects.filter(workspace=workspace_of(request, ws, Role.CONTRIBUTOR))
    return page(rows.defer("sealed").order_by("name"), Order("name"), _shown, limit, cursor)


@router.put(
    f"{ALL}/{{name}}", response={200: SecretOut, 201: SecretOut}, openapi_extra=bodies.SECRET
)
def put_secret(request: HttpRequest, ws: str, name: str) -> Any:
    """Set a secret, or give it another value (200); for owners."""
    workspace = workspace_of(request, ws, Role.OWNER)
    form = SecretForm({"name": name, "value": _value(read_json(request))}, workspace=workspace)
    if not form.is_valid():
        raise refused(form)
    said = form.cleaned_data
    user, now = token_of(request).user, database_now()
    is_new = set_secret(workspace, said["name"], said["value"], user, now)
    found = Secret.objects.defer("sealed").get(workspace=workspace, name=said["name"])
    return Status(201 if is_new else 200, _shown([found])[0])


@router.delete(f"{ALL}/{{name}}", response={204: None})
def remove_secret(request: HttpRequest, ws: str, name: str) -> Any:
    """Forget it: trials that need it fail from now on, and say so."""
    workspace = workspace_of(request, ws, Role.OWNER)
    found = Secret.objects.filter(workspace=workspace, name=name).first()
    if found is None:
        raise Http404(f"There is no secret {shown(name)}.")
    delete_secret(found)
    return Status(204, None)
