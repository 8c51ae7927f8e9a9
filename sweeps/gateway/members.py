"""What members change with MLflow's own client, as entries of the audit log.

Once the tracking server has done it, for that has a database of its own. What programs log (values,
parameters, tags, files, the runs that they make for it) is no change of what others rely on, comes
a thousand times a minute, and is told by MLflow itself: it leaves no entry.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from studio import audit
from studio.models import Workspace
from sweeps.gateway.identity import MemberCaller
from sweeps.gateway.routes import Kind, Matched

_NOUNS = {Kind.RUN_DELETE: "run", Kind.EXPERIMENT: "experiment"}
_NAMED_BY = ("run_id", "run_uuid", "experiment_id", "name")


def note(caller: MemberCaller, matched: Matched, body: Mapping[str, Any]) -> None:
    """A member has deleted or restored a run, or made or tagged an experiment."""
    noun = _NOUNS.get(matched.route.kind)
    if noun is None or not matched.route.writes:
        return
    name = next((str(body[key]) for key in _NAMED_BY if body.get(key)), "")
    place = Workspace.objects.get(name=caller.workspace)
    with transaction.atomic():
        audit.note(_verb(matched.path), noun, name, workspace=place)


def note_model(workspace: Workspace, name: str, path: str) -> None:
    """A member has changed a registered model in a way that no page tells of."""
    with transaction.atomic():
        audit.note(_verb(path), "model", name, workspace=workspace)


def _verb(path: str) -> str:
    """MLflow's own word: "delete", "set-experiment-tag"."""
    return path.rpartition("/")[2][:32]
