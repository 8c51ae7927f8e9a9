"""Writing the audit log. Services call `note` in the transaction of the change itself.

Without an actor (the engine, the queue, scripts of trials) nothing is noted. Values are cut, and
secrets never come here: `hidden` says of a mapping which names differ, not what they hold.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime
from typing import Any

from django.db import connection
from django.utils import timezone

from studio import actor as actors
from studio.actor import Actor, Origin
from studio.models import AuditEntry, Workspace

NOUNS = (
    "account", "channel", "code", "compute", "data", "environment", "experiment", "invitation",
    "member", "model", "password", "run", "secret", "session", "settings", "sweep", "token",
    "trial", "workspace",
)  # fmt: skip
MAX_VALUE, MAX_FIELDS, MAX_NAME = 300, 40, 300
HIDDEN = "(hidden)"
NOT_SAID = "(unknown)"

Changes = Mapping[str, tuple[Any, Any]]
_quiet: ContextVar[bool] = ContextVar("audit_quiet", default=False)


class NotInTransaction(Exception):
    """An entry must be written together with what it tells of."""


def is_wanted() -> bool:
    """False where `note` would write nothing: what costs a read to tell may be left out."""
    return actors.current() is not None and not _quiet.get()


def note(
    verb: str,
    noun: str,
    name: str,
    *,
    workspace: Workspace | int | None = None,
    changes: Changes | None = None,
    who: Any = None,
) -> None:
    """Write down what whoever acts is changing; `workspace` is a row or its id.

    `changes` is (before, after) by field, None for what was not or is not; those that are equal
    are left out. `who` is the account where the actor does not know it yet (signing in). Raises
    NotInTransaction outside of one.
    """
    actor = actors.current()
    if actor is None or not is_wanted():
        return
    if not connection.in_atomic_block:
        raise NotInTransaction(f"{verb} {noun}")
    assert noun in NOUNS, noun
    user = who or actor.person()
    AuditEntry(
        at=timezone.now(),
        workspace_id=workspace.pk if isinstance(workspace, Workspace) else workspace,
        user_id=user.pk if user else None,
        who=_who(actor, user),
        token_hint=actor.token_hint,
        verb=verb,
        noun=noun,
        name=_cut(name, MAX_NAME),
        changes=_plain(changes or {}),
        origin=actor.origin.value,
        address=actor.address(),
        request_id=actor.request_id,
    ).save()


@contextmanager
def quietly() -> Iterator[None]:
    """Within, nothing is noted: one entry for all of it comes afterwards."""
    token = _quiet.set(True)
    try:
        yield
    finally:
        _quiet.reset(token)


def _who(actor: Actor, user: Any) -> str:
    if user:
        return str(user)[:150]
    return Origin.COMMAND.value if actor.origin is Origin.COMMAND else NOT_SAID


def of(row: Any, *fields: str) -> dict[str, Any]:
    """Columns of a row, for `differing`."""
    return {field: getattr(row, field) for field in fields}


def made(**values: Any) -> Changes:
    """What something new was given."""
    return {name: (None, value) for name, value in values.items()}


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Pairs of those that differ."""
    names = [*before, *(name for name in after if name not in before)]
    pairs = {name: (before.get(name), after.get(name)) for name in names}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def hidden(field: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Changes:
    """Which entries of a mapping differ, without what they hold: they may be secrets."""
    return {
        f"{field}.{name}": (
            HIDDEN if name in before else None,
            f"{HIDDEN} changed" if name in before and name in after
            else HIDDEN if name in after else None,
        )
        for name in differing(before, after)
    }  # fmt: skip


def _plain(changes: Changes) -> dict[str, list[Any]]:
    """As JSON, without what is equal, cut to a size that pages can show."""
    pairs = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
    found = {
        _cut(name, 100): [_value(value) for value in pair]
        for name, pair in list(pairs.items())[:MAX_FIELDS]
    }
    if len(pairs) > MAX_FIELDS:
        found["…"] = [None, f"{len(pairs) - MAX_FIELDS} more"]
    return found


def _value(value: Any) -> Any:
    if value is None or isinstance(value, bool | int):
        return value if not isinstance(value, int) or abs(value) < 2**53 else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, str):
        return _cut(value, MAX_VALUE)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return _cut(text, MAX_VALUE)


def _cut(text: str, most: int) -> str:
    """Storable in either database: no NUL, no half characters, so long at most."""
    clean = text.replace("\0", "").encode(errors="replace").decode()
    return clean if len(clean) <= most else f"{clean[: most - 1]}…"
