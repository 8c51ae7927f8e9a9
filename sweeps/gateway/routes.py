"""Which MLflow requests the gateway lets through, and whose things each of them names.

The table was taken from what the MLflow 3.17 client really sends (set_experiment, start_run,
nested runs, autolog, log_*, models, registry, searches, downloads); what is not in it is 404.
`tests/gateway/test_routes.py` lists what is refused on purpose, and fails when the installed
MLflow has a route that is judged nowhere.

Facts the gateway relies on, seen on the wire with MLFLOW_RUN_ID and MLFLOW_EXPERIMENT_ID set:

* `start_run()` (and a bare `log_metric`, and autolog) sends runs/get, runs/update RUNNING,
  runs/get; each end of a run sends runs/update FINISHED and up to two runs/get. Only the first
  start_run takes MLFLOW_RUN_ID; a second one sends experiments/get and runs/create.
* `set_experiment("x")` sends experiments/get-by-name alone; a 200 with the trial's own experiment
  is taken whatever its name is, and the client then uses its id. After a 404 it sends
  experiments/create and experiments/get: answer create with the own id.
* The client sends the run id twice, as `run_id` and as the old `run_uuid`.
* An experiment's artifact_location must be `mlflow-artifacts:/<something>` without a host: the
  client then puts the path of the tracking URI before `/api/2.0/mlflow-artifacts/artifacts/`.
  A bare `mlflow-artifacts:/` would lose that prefix (MlflowArtifactsRepository.resolve_uri).
"""

import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sweeps.domain.wording import kind_of

V2 = "/api/2.0/mlflow/"
ARTIFACTS = "/api/2.0/mlflow-artifacts/artifacts"


class Kind(StrEnum):
    """What the gateway does with a request."""

    LOG = "log"  # stored by us first, forwarded later
    RUN_CREATE = "run create"
    RUN_WRITE = "run write"
    RUN_DELETE = "run delete"  # delete and restore; a trial's own run must refuse it
    RUN_READ = "run read"
    SEARCH = "search"
    EXPERIMENT = "experiment"
    LOGGED_MODEL = "logged model"
    REGISTRY = "registry"
    ARTIFACT_READ = "artifact read"
    ARTIFACT_WRITE = "artifact write"
    SERVER_INFO = "server info"


class Names(StrEnum):
    """What a value in a request is the name of."""

    RUN = "run"
    EXPERIMENT = "experiment"
    EXPERIMENT_NAME = "experiment name"
    MODEL = "logged model"
    INPUT_MODEL = "logged model that is only read"
    REGISTERED_MODEL = "registered model"
    SOURCE = "model source"  # a URI: models:/..., runs:/..., mlflow-artifacts:/...
    ARTIFACT = "artifact"  # a path under the artifact root of the server
    PATH = "path"  # a path below the artifacts of the run or model that the request names


@dataclass(frozen=True)
class Ref:
    """Where a request names something: in the JSON body, in the query or in the path.

    Several `keys` are spellings of one field. With `many` the value is a list of names. With
    `within` the body holds a list of objects by that name, and each may have the keys.
    """

    names: Names
    where: str
    keys: tuple[str, ...]
    required: bool = True
    many: bool = False
    within: str = ""

    @property
    def spellings(self) -> tuple[str, ...]:
        """All keys, as the protobuf parser takes them: `run_id` and `runId`."""
        return self.keys + tuple(_camel(key) for key in self.keys if "_" in key)


@dataclass(frozen=True)
class Route:
    """One allowed request. `pattern` has `{x}` for one segment and `{x...}` for the rest."""

    kind: Kind
    method: str
    pattern: str
    refs: tuple[Ref, ...] = ()
    writes: bool = False


@dataclass(frozen=True)
class Matched:
    """An allowed request: its route, what stood in the pattern's places, and the clean path."""

    route: Route
    captured: Mapping[str, str]
    path: str

    @property
    def upstream_path(self) -> str:
        """The path to ask the tracking server for, percent-encoded once."""
        return urllib.parse.quote(self.path, safe="/")


class BadReference(Exception):
    """The request names a thing wrongly: not at all, not as text, or as two different things."""


def _ref(names: Names, where: str, *keys: str, required: bool = True, many: bool = False) -> Ref:
    return Ref(names, where, keys, required, many)


def _each(names: Names, within: str, key: str) -> Ref:
    return Ref(names, "body", (key,), required=False, many=True, within=within)


_RUN_BODY = _ref(Names.RUN, "body", "run_id", "run_uuid")
_RUN_QUERY = _ref(Names.RUN, "query", "run_id", "run_uuid")
_RUNS_QUERY = _ref(Names.RUN, "query", "run_ids", many=True)
_EXPERIMENT_BODY = _ref(Names.EXPERIMENT, "body", "experiment_id")
_EXPERIMENT_QUERY = _ref(Names.EXPERIMENT, "query", "experiment_id")
_EXPERIMENTS_BODY = _ref(Names.EXPERIMENT, "body", "experiment_ids", many=True)
_MODEL_PATH = _ref(Names.MODEL, "path", "model_id")
# The server finalizes the model named in the body, whatever the path says.
_MODEL_BODY = _ref(Names.MODEL, "body", "model_id", required=False)
_SOURCE_RUN = _ref(Names.RUN, "body", "source_run_id", required=False)
_NAME_BODY = _ref(Names.REGISTERED_MODEL, "body", "name")
_NAME_QUERY = _ref(Names.REGISTERED_MODEL, "query", "name")
_NEW_NAME = _ref(Names.REGISTERED_MODEL, "body", "new_name")
_VERSION_REFS = (
    _NAME_BODY,
    _ref(Names.SOURCE, "body", "source"),
    _ref(Names.RUN, "body", "run_id", required=False),
    _MODEL_BODY,
)
_BY_NAME = _ref(Names.EXPERIMENT_NAME, "query", "experiment_name")
_NEW_EXPERIMENT = _ref(Names.EXPERIMENT_NAME, "body", "name")
_ARTIFACT_PATH = _ref(Names.ARTIFACT, "path", "path")
_ARTIFACT_QUERY = _ref(Names.ARTIFACT, "query", "path")
_FOLDER = _ref(Names.PATH, "query", "path", required=False)
_MODEL_FOLDER = _ref(Names.PATH, "query", "artifact_directory_path", required=False)
_METRIC_REFS = (_each(Names.MODEL, "metrics", "model_id"), _each(Names.RUN, "metrics", "run_id"))
_INPUT_MODELS = _each(Names.INPUT_MODEL, "models", "model_id")
_OUTPUT_MODELS = _each(Names.MODEL, "models", "model_id")


def _reads(kind: Kind, method: str, path: str, *refs: Ref) -> Route:
    return Route(kind, method, path if path.startswith("/") else V2 + path, refs)


def _writes(kind: Kind, method: str, path: str, *refs: Ref) -> Route:
    return Route(kind, method, path if path.startswith("/") else V2 + path, refs, writes=True)


ROUTES: tuple[Route, ...] = (
    _writes(Kind.LOG, "POST", "runs/log-metric", _RUN_BODY, _MODEL_BODY),
    _writes(Kind.LOG, "POST", "runs/log-parameter", _RUN_BODY),
    _writes(Kind.LOG, "POST", "runs/set-tag", _RUN_BODY),
    _writes(Kind.LOG, "POST", "runs/log-batch", _RUN_BODY, *_METRIC_REFS),
    _writes(Kind.RUN_CREATE, "POST", "runs/create", _EXPERIMENT_BODY),
    _writes(Kind.RUN_WRITE, "POST", "runs/update", _RUN_BODY),
    _writes(Kind.RUN_WRITE, "POST", "runs/delete-tag", _RUN_BODY),
    _writes(Kind.RUN_WRITE, "POST", "runs/log-inputs", _RUN_BODY, _INPUT_MODELS),
    _writes(Kind.RUN_WRITE, "POST", "runs/outputs", _RUN_BODY, _OUTPUT_MODELS),
    _writes(Kind.RUN_WRITE, "POST", "runs/log-model", _RUN_BODY),
    _writes(Kind.RUN_DELETE, "POST", "runs/delete", _RUN_BODY),
    _writes(Kind.RUN_DELETE, "POST", "runs/restore", _RUN_BODY),
    _reads(Kind.RUN_READ, "GET", "runs/get", _RUN_QUERY),
    _reads(Kind.RUN_READ, "GET", "metrics/get-history", _RUN_QUERY),
    _reads(Kind.RUN_READ, "GET", "metrics/get-history-bulk-interval", _RUNS_QUERY),
    _reads(Kind.RUN_READ, "GET", "artifacts/list", _RUN_QUERY, _FOLDER),
    _reads(Kind.SEARCH, "POST", "runs/search", _EXPERIMENTS_BODY),
    _reads(Kind.SEARCH, "POST", "experiments/search"),
    _reads(Kind.SEARCH, "GET", "experiments/search"),
    _reads(Kind.EXPERIMENT, "GET", "experiments/get", _EXPERIMENT_QUERY),
    _reads(Kind.EXPERIMENT, "GET", "experiments/get-by-name", _BY_NAME),
    _writes(Kind.EXPERIMENT, "POST", "experiments/create", _NEW_EXPERIMENT),
    _writes(Kind.EXPERIMENT, "POST", "experiments/set-experiment-tag", _EXPERIMENT_BODY),
    _writes(Kind.EXPERIMENT, "POST", "experiments/delete-experiment-tag", _EXPERIMENT_BODY),
    _writes(Kind.LOGGED_MODEL, "POST", "logged-models", _EXPERIMENT_BODY, _SOURCE_RUN),
    _reads(Kind.SEARCH, "POST", "logged-models/search", _EXPERIMENTS_BODY),
    _reads(Kind.LOGGED_MODEL, "GET", "logged-models/{model_id}", _MODEL_PATH),
    _writes(Kind.LOGGED_MODEL, "PATCH", "logged-models/{model_id}", _MODEL_PATH, _MODEL_BODY),
    _writes(Kind.LOGGED_MODEL, "DELETE", "logged-models/{model_id}", _MODEL_PATH),
    _writes(Kind.LOGGED_MODEL, "POST", "logged-models/{model_id}/params", _MODEL_PATH, _MODEL_BODY),
    _writes(Kind.LOGGED_MODEL, "PATCH", "logged-models/{model_id}/tags", _MODEL_PATH, _MODEL_BODY),
    _writes(Kind.LOGGED_MODEL, "DELETE", "logged-models/{model_id}/tags/{key}", _MODEL_PATH),
    _reads(
        Kind.LOGGED_MODEL,
        "GET",
        "logged-models/{model_id}/artifacts/directories",
        _MODEL_PATH,
        _MODEL_FOLDER,
    ),
    _writes(Kind.REGISTRY, "POST", "registered-models/create", _NAME_BODY),
    _writes(Kind.REGISTRY, "POST", "registered-models/rename", _NAME_BODY, _NEW_NAME),
    _writes(Kind.REGISTRY, "PATCH", "registered-models/update", _NAME_BODY),
    _writes(Kind.REGISTRY, "DELETE", "registered-models/delete", _NAME_BODY),
    _writes(Kind.REGISTRY, "POST", "registered-models/set-tag", _NAME_BODY),
    _writes(Kind.REGISTRY, "DELETE", "registered-models/delete-tag", _NAME_BODY),
    _writes(Kind.REGISTRY, "POST", "registered-models/alias", _NAME_BODY),
    _writes(Kind.REGISTRY, "DELETE", "registered-models/alias", _NAME_BODY),
    _reads(Kind.REGISTRY, "GET", "registered-models/alias", _NAME_QUERY),
    _reads(Kind.REGISTRY, "GET", "registered-models/get", _NAME_QUERY),
    _reads(Kind.REGISTRY, "GET", "registered-models/get-latest-versions", _NAME_QUERY),
    _reads(Kind.REGISTRY, "POST", "registered-models/get-latest-versions", _NAME_BODY),
    _reads(Kind.REGISTRY, "GET", "registered-models/search"),
    _writes(Kind.REGISTRY, "POST", "model-versions/create", *_VERSION_REFS),
    _writes(Kind.REGISTRY, "PATCH", "model-versions/update", _NAME_BODY),
    _writes(Kind.REGISTRY, "DELETE", "model-versions/delete", _NAME_BODY),
    _writes(Kind.REGISTRY, "POST", "model-versions/set-tag", _NAME_BODY),
    _writes(Kind.REGISTRY, "DELETE", "model-versions/delete-tag", _NAME_BODY),
    _writes(Kind.REGISTRY, "POST", "model-versions/transition-stage", _NAME_BODY),
    _reads(Kind.REGISTRY, "GET", "model-versions/get", _NAME_QUERY),
    _reads(Kind.REGISTRY, "GET", "model-versions/get-download-uri", _NAME_QUERY),
    _reads(Kind.REGISTRY, "GET", "model-versions/search"),
    _reads(Kind.ARTIFACT_READ, "GET", ARTIFACTS, _ARTIFACT_QUERY),
    _reads(Kind.ARTIFACT_READ, "GET", ARTIFACTS + "/{path...}", _ARTIFACT_PATH),
    _writes(Kind.ARTIFACT_WRITE, "PUT", ARTIFACTS + "/{path...}", _ARTIFACT_PATH),
    _writes(Kind.ARTIFACT_WRITE, "DELETE", ARTIFACTS + "/{path...}", _ARTIFACT_PATH),
    _reads(Kind.SERVER_INFO, "GET", "/api/3.0/mlflow/server-info"),
    _reads(Kind.SERVER_INFO, "GET", "/version"),
    _reads(Kind.SERVER_INFO, "GET", "/health"),
)

_EXACT = {(r.method, r.pattern): r for r in ROUTES if "{" not in r.pattern}
_PATTERNS = tuple((r, tuple(r.pattern.split("/"))) for r in ROUTES if "{" in r.pattern)

# `%` after the one decoding means a second one was hoped for; the rest end a path early in one
# of the parsers behind us (each was a path traversal in MLflow once) or are no text.
_FORBIDDEN = frozenset("%\\#;?\x7f") | {chr(code) for code in range(32)}


def canonical(path: str) -> str | None:
    """`path` if it is safe to forward, else None. It must have been percent-decoded once."""
    if not path.startswith("/") or any(c in _FORBIDDEN or "\ud800" <= c <= "\udfff" for c in path):
        return None
    segments = path.split("/")[1:]
    return None if any(segment in ("", ".", "..") for segment in segments) else path


def match(method: str, path: str) -> Matched | None:
    """The allowed request this is, None when there is no such route (answer 404).

    `path` is what follows `/tracking/<workspace>`, percent-decoded once (as in PATH_INFO).
    """
    clean = canonical(path)
    if clean is None:
        return None
    exact = _EXACT.get((method, clean))
    if exact is not None:
        return Matched(exact, {}, clean)
    segments = clean.split("/")
    for route, pattern in _PATTERNS:
        captured = _capture(pattern, segments) if route.method == method else None
        if captured is not None:
            return Matched(route, captured, clean)
    return None


def _capture(pattern: tuple[str, ...], segments: list[str]) -> dict[str, str] | None:
    takes_rest = pattern[-1].endswith("...}")
    if len(segments) < len(pattern) or (len(segments) > len(pattern) and not takes_rest):
        return None
    captured = {}
    for index, expected in enumerate(pattern):
        if expected.endswith("...}"):
            captured[expected[1:-4]] = "/".join(segments[index:])
        elif expected.startswith("{"):
            captured[expected[1:-1]] = segments[index]
        elif expected != segments[index]:
            return None
    return captured


def references(
    matched: Matched, query: Iterable[tuple[str, str]], body: Any
) -> dict[Names, tuple[str, ...]]:
    """Everything the request names, so that the caller can ask whose each thing is.

    `query` holds all pairs in order (a repeated key is seen each time: MLflow takes the first
    where Django gives the last); `body` is the parsed JSON, None for none. MLflow's protobuf
    parser takes `runId` for `run_id`, so both spellings are read. Raises `BadReference`.
    """
    pairs = list(query)
    found: dict[Names, tuple[str, ...]] = {}
    for ref in matched.route.refs:
        values = tuple(dict.fromkeys(_values(ref, matched, pairs, body)))
        if not values and ref.required:
            raise BadReference(f"Missing value for required parameter '{ref.keys[0]}'.")
        if len(values) > 1 and not ref.many:
            raise BadReference(f"The request gives '{ref.keys[0]}' two different values.")
        found[ref.names] = tuple(dict.fromkeys(found.get(ref.names, ()) + values))
    return found


def _values(ref: Ref, matched: Matched, query: list[tuple[str, str]], body: Any) -> Iterator[str]:
    if ref.where == "path":
        yield matched.captured[ref.keys[0]]
    elif ref.where == "query":
        for key, value in query:
            if key in ref.spellings:
                if not value and ref.names is not Names.PATH:
                    # MLflow takes the first of several values: an empty one would go unseen here.
                    raise BadReference(f"'{key}' must not be empty.")
                yield value
    elif isinstance(body, Mapping):
        for item in _objects(ref, body):
            for key in ref.spellings:
                yield from _texts(ref, key, item.get(key))


def _objects(ref: Ref, body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Where the keys of a reference stand: in the body itself, or in each object of a list."""
    if not ref.within:
        return [body]
    items = body.get(ref.within)
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(item, Mapping) for item in items):
        raise BadReference(f"'{ref.within}' must be an array of objects.")
    return items


def _texts(ref: Ref, key: str, value: Any) -> Iterator[str]:
    items = value if ref.many and not ref.within and isinstance(value, list) else [value]
    for item in items:
        if isinstance(item, str):
            if item:
                yield item
        elif item is not None:
            raise BadReference(f"'{key}' must be text, but got {kind_of(item)}.")


def judged_first(matched: Matched, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with what was judged at its head.

    MLflow's parser stops at a field that it cannot read, and the server may go on with what came
    before it: a search without the filter that was asked for, a write without the run.
    """
    judged = {"filter"}
    for ref in matched.route.refs:
        judged |= {ref.within} if ref.within else set(ref.spellings)
    return dict(sorted(body.items(), key=lambda pair: pair[0] not in judged))


def _camel(key: str) -> str:
    head, *tail = key.split("_")
    return head + "".join(part.title() for part in tail)


@dataclass(frozen=True)
class ArtifactOwner:
    """Whose artifact a path is: a run's or a logged model's, in an experiment."""

    experiment_id: str
    run_id: str | None
    model_id: str | None
    rest: str


def artifact_owner(path: str) -> ArtifactOwner | None:
    """Read `<experiment>/<run>/artifacts/...` or `<experiment>/models/<model>/artifacts/...`.

    None for any other path, and for an unsafe one: nobody owns it, so nobody may have it.
    """
    path = path.removesuffix("/")
    if canonical("/" + path) is None:
        return None
    parts = path.split("/")
    if len(parts) >= 4 and parts[1] == "models" and parts[3] == "artifacts":
        return ArtifactOwner(parts[0], None, parts[2], "/".join(parts[4:]))
    if len(parts) >= 3 and parts[1] not in ("models", "traces") and parts[2] == "artifacts":
        return ArtifactOwner(parts[0], parts[1], None, "/".join(parts[3:]))
    return None
