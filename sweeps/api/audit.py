"""The audit log of a workspace, for its owners."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from studio.models import AuditEntry, Role
from studio.trail import entries, wanted_of
from sweeps.api.auth import workspace_of
from sweeps.api.paging import DEFAULT_LIMIT, Order, Page, page
from sweeps.domain.problems import InvalidInput, Problem

router = Router(tags=["audit"])


class AuditEntryOut(Schema):
    """One change. `changes` is {field: [before, after]}, null where there was or is nothing;
    `token` is how the token begins by which it was made, "" without one; `origin` is browser,
    REST, tracking or command line."""

    id: int
    at: datetime
    who: str
    token: str
    verb: str
    noun: str
    name: str
    changes: dict[str, list[Any]]
    origin: str
    address: str
    request_id: str


@router.get("/workspaces/{ws}/audit", response=Page[AuditEntryOut])
def list_audit(
    request: HttpRequest,
    ws: str,
    person: str = "",
    noun: str = "",
    since: str = "",
    until: str = "",
    limit: int = DEFAULT_LIMIT,
    cursor: str = "",
) -> Any:
    """What people changed, newest first, for owners: by a part of a person's name, by noun, from
    day `since` to day `until` (2026-03-31, UTC)."""
    workspace = workspace_of(request, ws, Role.OWNER)
    asked = {"person": person, "noun": noun, "since": since, "until": until}
    wanted = wanted_of(asked)
    if wanted.problems:
        raise InvalidInput(Problem(field, text) for field, text in wanted.problems)
    return page(
        entries(workspace, wanted),
        Order("pk", down=True, tie_down=True),
        _out,
        limit,
        cursor,
        scope=repr(asked),
    )


def _out(rows: Sequence[AuditEntry]) -> list[dict[str, Any]]:
    own = [name for name in AuditEntryOut.model_fields if name != "token"]
    return [{name: getattr(row, name) for name in own} | {"token": row.token_hint} for row in rows]
