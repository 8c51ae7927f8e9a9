"""What a caller may do: read within its workspace; write, a trial, only its own tree of runs.

Fails closed: a write of a kind that no rule here speaks of is refused to trials, a thing nobody
can be named owner of is not there.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from sweeps.gateway import owners
from sweeps.gateway.identity import Caller, TrialCaller
from sweeps.gateway.refusals import forbidden, invalid, missing
from sweeps.gateway.routes import Kind, Matched, Names, artifact_owner, canonical

# Recovery finds runs by these tags, so that nobody else may set them.
_STUDIO_TAGS = "studio."
_TAG_KINDS = (Kind.LOG, Kind.RUN_CREATE, Kind.RUN_WRITE)
_TREE_KINDS = (
    Kind.LOG, Kind.RUN_CREATE, Kind.RUN_WRITE, Kind.RUN_DELETE, Kind.LOGGED_MODEL,
    Kind.ARTIFACT_WRITE,
)  # fmt: skip
# What log_model(registered_model_name=...) sends; anything else changes what others rely on.
_TRIAL_REGISTRY = ("registered-models/create", "model-versions/create")
_LOGGED_MODEL_ID = re.compile(r"m-[0-9a-f]{32}")


def authorize(caller: Caller, matched: Matched, refs: Mapping[Names, tuple[str, ...]]) -> None:
    """Raises Refusal unless everything the request names is there for the caller to use so."""
    for names, values in refs.items():
        for value in values:
            _require_visible(caller, names, value)
    if not matched.route.writes:
        return
    for path in refs.get(Names.ARTIFACT, ()):
        owner = artifact_owner(path)
        if matched.route.method == "PUT" and owner and not owner.rest:
            raise invalid("Name a file below the artifacts, not the artifacts themselves.")
    if not isinstance(caller, TrialCaller):
        if not caller.may_write:
            raise forbidden("This token may only read.")
        return
    _require_allowed_to_trials(caller, matched, refs)
    for names, values in refs.items():
        for value in values:
            if not _is_own(caller, names, value):
                raise forbidden("A trial may only change its own run and the runs below it.")


def _require_allowed_to_trials(
    caller: TrialCaller, matched: Matched, refs: Mapping[Names, tuple[str, ...]]
) -> None:
    kind = matched.route.kind
    if kind is Kind.RUN_DELETE and caller.run_id in refs[Names.RUN]:
        raise forbidden("A trial may not delete or restore its own run.")
    if kind is Kind.REGISTRY and matched.path.endswith(_TRIAL_REGISTRY):
        return
    if kind not in _TREE_KINDS:
        raise forbidden("A trial may not do this; use an API token of a contributor.")


def _require_visible(caller: Caller, names: Names, value: str) -> None:
    try:
        visible = _is_visible(caller, names, value)
    except owners.Unknown:
        visible = False
    if not visible:
        raise missing()


def _is_visible(caller: Caller, names: Names, value: str) -> bool:
    match names:
        case Names.EXPERIMENT:
            return _in_workspace(caller, value)
        case Names.RUN:
            if isinstance(caller, TrialCaller) and value == caller.run_id:
                return True
            return _in_workspace(caller, owners.run(value).experiment_id)
        case Names.MODEL | Names.INPUT_MODEL:
            return _in_workspace(caller, owners.model(value).experiment_id)
        case Names.ARTIFACT:
            return _artifact_is_visible(caller, value)
        case Names.SOURCE:
            return _is_visible(caller, *_source(value))
        case Names.REGISTERED_MODEL:
            return value.startswith(f"{caller.workspace}.")
        case Names.EXPERIMENT_NAME:
            return value.startswith(f"{caller.workspace}/")
        case Names.PATH:
            return not value or canonical("/" + value.removesuffix("/")) is not None


def _in_workspace(caller: Caller, experiment_id: str) -> bool:
    if isinstance(caller, TrialCaller) and experiment_id == caller.experiment_id:
        return True
    return owners.experiment_name(experiment_id).startswith(f"{caller.workspace}/")


def _artifact_is_visible(caller: Caller, path: str) -> bool:
    owner = artifact_owner(path)
    if owner is None or not _in_workspace(caller, owner.experiment_id):
        return False
    if owner.run_id is not None:
        return owners.run(owner.run_id).experiment_id == owner.experiment_id
    return owners.model(owner.model_id or "").experiment_id == owner.experiment_id


def _is_own(caller: TrialCaller, names: Names, value: str) -> bool:
    """True if a thing, known to be visible, is the trial's to change."""
    match names:
        case Names.EXPERIMENT:
            return value == caller.experiment_id
        case Names.RUN:
            return _is_own_run(caller, value)
        case Names.MODEL:
            return _is_own_run(caller, owners.model(value).source_run)
        case Names.ARTIFACT:
            owner = artifact_owner(value)
            if owner is None:
                return False
            if owner.run_id is not None:
                return _is_own_run(caller, owner.run_id)
            return _is_own(caller, Names.MODEL, owner.model_id or "")
        case Names.SOURCE:
            return _is_own(caller, *_source(value))
        case Names.REGISTERED_MODEL:
            return True  # only the two requests in _TRIAL_REGISTRY come this far
        case Names.EXPERIMENT_NAME:
            return False
        case Names.INPUT_MODEL | Names.PATH:
            return True  # to be visible is all that it takes


def _is_own_run(caller: TrialCaller, run_id: str) -> bool:
    if not run_id:
        return False
    if run_id == caller.run_id:
        return True
    if owners.run(run_id).experiment_id != caller.experiment_id:
        return False
    return owners.is_under(run_id, caller.run_id)


def require_own_run(caller: TrialCaller, run_id: str) -> None:
    """Raises Refusal unless the run is the trial's own or nested below it."""
    _require_visible(caller, Names.RUN, run_id)
    if not _is_own_run(caller, run_id):
        raise forbidden("A trial may only change its own run and the runs below it.")


def require_own_models(caller: TrialCaller, model_ids: Iterable[str]) -> None:
    """Raises Refusal unless the logged models, which metrics are tied to, are the trial's own."""
    for model_id in set(model_ids):
        _require_visible(caller, Names.MODEL, model_id)
        if not _is_own(caller, Names.MODEL, model_id):
            raise forbidden("A trial may only log metrics of its own models.")


def _source(uri: str) -> tuple[Names, str]:
    """What the source of a model version names.

    Only things of this tracking server: MLflow itself would read `file:` and `s3:` for anybody.
    """
    scheme, _, path = uri.partition(":/")
    if canonical("/" + path) is None:
        raise invalid(f"The model source is not a path within this workspace: {uri[:200]!r}.")
    head = path.split("/")[0]
    if scheme == "runs":
        return Names.RUN, head
    if scheme == "mlflow-artifacts":
        return Names.ARTIFACT, path
    if scheme == "models" and _LOGGED_MODEL_ID.fullmatch(head):
        return Names.MODEL, head
    if scheme == "models":
        return Names.REGISTERED_MODEL, head.split("@")[0]
    raise invalid("A model source must start with runs:/, models:/ or mlflow-artifacts:/.")


def require_free_tags(caller: Caller, matched: Matched, keys: Iterable[str]) -> None:
    """Raises Refusal when one of the tags to be set or deleted is the studio's to set."""
    route = matched.route
    if route.kind not in _TAG_KINDS:
        return
    for key in keys:
        nests = key == owners.PARENT_RUN_ID and route.kind is not Kind.RUN_CREATE
        if key.startswith(_STUDIO_TAGS) or (nests and isinstance(caller, TrialCaller)):
            raise invalid(f"Tag {key!r} is set by the studio and cannot be changed.")


def tag_keys(matched: Matched, body: Mapping[str, Any]) -> list[str]:
    """Names of the run tags that the request sets or deletes."""
    tags = body.get("tags")
    items = tags if isinstance(tags, list) else []
    keys = [item.get("key") for item in items if isinstance(item, Mapping)]
    if matched.path.endswith(("/set-tag", "/delete-tag")):
        keys.append(body.get("key"))
    return [key for key in keys if isinstance(key, str)]


def parents(body: Mapping[str, Any]) -> list[str]:
    """The runs that a run to be created names as its parent."""
    tags = body.get("tags") or []
    return [str(t.get("value") or "") for t in tags if t.get("key") == owners.PARENT_RUN_ID]
