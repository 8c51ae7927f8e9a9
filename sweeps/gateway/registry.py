"""What the registry of a workspace's models has taken, noted for the pages.

Facts this relies on, seen on the wire: `mlflow.register_model` and `log_model(...,
registered_model_name=...)`, which autolog calls too, send registered-models/create and
model-versions/create; the answer to the latter has the version as `model_version`, with the
`run_id` it was given, "" or absent where the source is a logged model and nothing was said.
"""

from collections.abc import Mapping
from typing import Any

from django.utils import timezone

from studio.models import Workspace
from sweeps.engine.tracking import TrackingUnavailable
from sweeps.gateway import members, owners
from sweeps.gateway.identity import Caller, TrialCaller
from sweeps.gateway.routes import Matched
from sweeps.gateway.turn import turn
from sweeps.models import Trial
from sweeps.queries.of_run import trial_of_run
from sweeps.services import registered
from sweeps.services.registered import Made

BY_SCRIPT, BY_CLIENT = "its script", "MLflow’s client"
# Deeper nesting than anyone's.
_DEPTH = 20


def note(caller: Caller, matched: Matched, body: Mapping[str, Any], answer: Any) -> None:
    """The tracking server has done this: remember it. `body` has names with their prefix."""
    place = Workspace.objects.get(name=caller.workspace)
    prefix = f"{caller.workspace}."
    path = "/".join([matched.route.method, *matched.path.split("/")[-2:]])
    if path == "POST/model-versions/create":
        _created(caller, place, prefix, answer["model_version"])
        return
    with turn():
        _changed(place, prefix, path, body)


def _changed(place: Workspace, prefix: str, path: str, body: Mapping[str, Any]) -> None:
    """What members may do to versions that there are."""
    name = _text(body, "name").removeprefix(prefix)
    version, alias = _text(body, "version"), _text(body, "alias")
    match path:
        case "POST/registered-models/alias":
            registered.note_alias(place, name, alias, version)
        case "DELETE/registered-models/alias":
            registered.note_alias(place, name, alias, "")
        case "PATCH/model-versions/update":
            registered.note_description(place, name, version, _text(body, "description"))
        case "POST/registered-models/rename":
            new_name = _text(body, "new_name").removeprefix(prefix)
            registered.note_renamed(place, name, new_name)
        case "DELETE/model-versions/delete":
            registered.note_deleted(place, name, version)
        case "DELETE/registered-models/delete":
            registered.note_deleted(place, name)
        case _:
            members.note_model(place, name, path)


def _created(caller: Caller, place: Workspace, prefix: str, told: Mapping[str, Any]) -> None:
    source, run_id = _text(told, "source"), _text(told, "run_id")
    model_id = _text(told, "model_id") or _model_of(source)
    run_id = run_id or _run_of(source, model_id)
    made = Made(
        name=_text(told, "name").removeprefix(prefix),
        version=_text(told, "version"),
        source=source,
        run_id=run_id,
        model_id=model_id,
        description=_text(told, "description"),
    )
    trial, actor = _trial(place, run_id), BY_CLIENT
    if isinstance(caller, TrialCaller):
        trial, actor = _whole(caller.attempt.trial_id), BY_SCRIPT
    with turn():
        registered.note_version(place, trial, made, actor=actor, now=timezone.now())


def _whole(trial_id: int) -> Trial:
    return Trial.objects.select_related("sweep").get(pk=trial_id)


def _trial(place: Workspace, run_id: str) -> Trial | None:
    """The trial of the workspace whose run this is, or stands above it."""
    for _ in range(_DEPTH):
        if not run_id:
            return None
        if found := trial_of_run(place, run_id):
            return found
        try:
            run_id = owners.run(run_id).parent
        except (owners.Unknown, TrackingUnavailable):
            return None  # nobody can be asked about that run: a version without a trial
    return None


def _model_of(source: str) -> str:
    scheme, _, rest = source.partition(":/")
    head = rest.split("/")[0]
    return head if scheme == "models" and head.startswith("m-") else ""


def _run_of(source: str, model_id: str) -> str:
    scheme, _, rest = source.partition(":/")
    if scheme == "runs":
        return rest.split("/")[0]
    try:
        return owners.model(model_id).source_run if model_id else ""
    except (owners.Unknown, TrackingUnavailable):
        return ""


def _text(given: Mapping[str, Any], key: str) -> str:
    """Without NUL, which MLflow may keep where our database does not."""
    value = given.get(key)
    return "" if value is None else str(value).replace("\0", "")
