"""Whom a workspace tells of its sweeps. Addresses and secrets are taken, and not given back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Field, Router, Schema, Status

from studio.models import Role
from sweeps.api import bodies
from sweeps.api.auth import workspace_of
from sweeps.api.intake import read_json
from sweeps.api.paging import DEFAULT_LIMIT, Order, Page, page
from sweeps.api.places import refused
from sweeps.domain.notices import ChannelKind
from sweeps.forms.channel import ChannelForm
from sweeps.models import Channel
from sweeps.queries.clock import database_now
from sweeps.services import channels as services

router = Router(tags=["channels"])
ALL = "/workspaces/{ws}/channels"
# A key of any database fits; what is longer names no channel.
_LONGEST_ID = 2**63 - 1
Kind = Annotated[str, Field(json_schema_extra={"enum": [kind.value for kind in ChannelKind]})]


class ChannelOut(Schema):
    """A channel, and what it is told of. `address` is without what may be a secret in it."""

    id: int
    name: str
    kind: Kind
    address: str
    on_ended: bool
    on_broken: bool
    on_best: bool
    is_on: bool
    created_at: datetime


class NewChannelOut(ChannelOut):
    """A new channel: `secret` signs what a webhook gets ("" for other kinds), and is told this
    once."""

    secret: str


def _shown(rows: Sequence[Channel]) -> list[dict[str, Any]]:
    own = [name for name in ChannelOut.model_fields if name != "address"]
    return [
        {name: getattr(row, name) for name in own} | {"address": row.shown_address} for row in rows
    ]


@router.get(ALL, response=Page[ChannelOut])
def list_channels(
    request: HttpRequest, ws: str, limit: int = DEFAULT_LIMIT, cursor: str = ""
) -> Any:
    """Channels of a workspace, by name; for contributors, as the page."""
    rows = Channel.objects.filter(workspace=workspace_of(request, ws, Role.CONTRIBUTOR))
    return page(rows.order_by("name", "pk"), Order("pk", "name"), _shown, limit, cursor)


@router.post(ALL, response={201: NewChannelOut}, openapi_extra=bodies.CHANNEL)
def add_channel(request: HttpRequest, ws: str) -> Any:
    """A new channel, for owners; told of ends and breaks unless it says otherwise."""
    workspace = workspace_of(request, ws, Role.OWNER)
    doc = bodies.read_typed(read_json(request), bodies.CHANNEL_TYPES)
    channel = Channel(workspace=workspace, created_at=database_now())
    form = ChannelForm({"on_ended": True, "on_broken": True} | doc, instance=channel)
    if not form.is_valid():
        raise refused(form)
    secret = services.create_channel(form.save(commit=False))
    return Status(201, _shown([channel])[0] | {"secret": secret})


@router.delete(f"{ALL}/{{channel_id}}", response={204: None})
def delete_channel(request: HttpRequest, ws: str, channel_id: int) -> Any:
    """Tell it nothing more, what waits neither."""
    workspace = workspace_of(request, ws, Role.OWNER)
    rows = Channel.objects.filter(workspace=workspace)
    found = rows.filter(pk=channel_id).first() if 0 <= channel_id <= _LONGEST_ID else None
    if found is None:
        raise Http404(f"There is no channel {channel_id}.")
    services.delete_channel(found)
    return Status(204, None)
