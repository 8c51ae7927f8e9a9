"""What people note on a trial: a pin, tags, a note."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest

from studio.models import Role
from sweeps.api import bodies, shapes, trial_shapes
from sweeps.api.intake import read_json
from sweeps.api.lookup import sweep_of, trial_of
from sweeps.api.operations import router
from sweeps.domain.problems import InvalidInput
from sweeps.domain.wording import shown
from sweeps.services.marks import mark_trial
from sweeps.spec import checks
from sweeps.spec.keys import Reading

_FIELDS = ("pinned", "tags", "note")
_NOTHING: Mapping[str, Any] = {"tags": [], "note": ""}


@router.patch(
    "/workspaces/{ws}/sweeps/{name}/trials/{int:number}",
    response=shapes.TrialOut,
    openapi_extra=bodies.MARK,
)
def mark(request: HttpRequest, ws: str, name: str, number: int) -> Any:
    """Pin a trial, give it tags and a note; what is not named stays, null removes tags or note."""
    sweep = sweep_of(request, ws, name, Role.CONTRIBUTOR)
    trial = trial_of(sweep, number)
    mark_trial(trial, **_read(read_json(request)))
    sweep.refresh_from_db()
    return trial_shapes.trials_out([trial], sweep)[0]


def _read(doc: Any) -> dict[str, Any]:
    """The fields of the body that are given. Raises InvalidInput with every problem found."""
    reading = Reading()
    if not isinstance(doc, Mapping):
        raise InvalidInput.one("", f"Send a JSON object, not {shown(doc)}.")
    reading.known(doc, "", _FIELDS)
    checks.storable(doc, reading, _FIELDS)
    found = {
        name: _NOTHING.get(name) if doc[name] is None else doc[name]
        for name in _FIELDS
        if name in doc
    }
    if not isinstance(found.get("pinned", False), bool):
        reading.problem("pinned", f"Must be true or false, but got {shown(found['pinned'])}.")
    tags = found.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        reading.problem("tags", f"Must be a list of texts, but got {shown(tags)}.")
    if not isinstance(found.get("note", ""), str):
        reading.problem("note", f"Must be a text, but got {shown(found['note'])}.")
    if reading.problems:
        raise InvalidInput(reading.problems)
    return found
