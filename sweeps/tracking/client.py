"""A light client of the tracking server: MLflow's REST API 2.0 over HTTP, no mlflow import.

The queue and the engine keep one `Tracking` each; it may be used from several threads.
Reference: https://mlflow.org/docs/latest/rest-api.html
"""

import json
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from sweeps.tracking import tags as tag_names
from sweeps.tracking.line import Answer, Line, LineBroken

GATE_HEADER = "X-Studio-Secret"
METRICS_PER_BATCH = 1000
PARAMS_PER_BATCH = 100
TAGS_PER_BATCH = 100
TERMINAL_STATUSES = ("FINISHED", "FAILED", "KILLED")
# How long a refusal for too many requests holds that says nothing of it, and at most.
RETRY_S, RETRY_MOST_S = 3.0, 300.0
OPEN_STATUSES = ("RUNNING", "SCHEDULED")

T = TypeVar("T")


class TrackingUnavailable(Exception):
    """The tracking server did not answer, or not with sense; the same call may work later.

    `answered` is True if somebody is there and only this request failed, `retry_s` the wait that
    was asked for.
    """

    def __init__(
        self, message: str, *, answered: bool = False, retry_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.answered, self.retry_s = answered, retry_s


class TrackingRejected(Exception):
    """The tracking server refused the request (4xx); repeating it would not help.

    `code` is MLflow's error code, such as `RESOURCE_DOES_NOT_EXIST`.
    """

    def __init__(self, code: str, message: str, status: int) -> None:
        super().__init__(f"{code} ({status}): {message}")
        self.code = code
        self.message = message
        self.status = status


class MetricPoint(Protocol):
    """One logged value, as the outbox or the gateway holds it. Times are Unix milliseconds."""

    @property
    def name(self) -> str: ...
    @property
    def value(self) -> float: ...
    @property
    def step(self) -> int: ...
    @property
    def timestamp_ms(self) -> int: ...


@dataclass(frozen=True)
class Point:
    """The plain `MetricPoint`; the last three fields tie it to a logged model or data set."""

    name: str
    value: float
    step: int
    timestamp_ms: int
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


@dataclass(frozen=True)
class Run:
    """A run as MLflow holds it. `metrics` are the latest values; times are Unix milliseconds."""

    run_id: str
    experiment_id: str
    run_name: str
    status: str
    lifecycle_stage: str
    artifact_uri: str
    start_ms: int | None
    end_ms: int | None
    params: dict[str, str]
    metrics: dict[str, float]
    tags: dict[str, str]


@dataclass(frozen=True)
class ArtifactEntry:
    """A file or folder under a run's artifact root; `size` is in bytes, None for a folder."""

    path: str
    is_dir: bool
    size: int | None


class Tracking:
    """The tracking server at `base_url` (`http://127.0.0.1:<port>`).

    Every method raises `TrackingUnavailable` on a failed connection, a timeout, a 429 or a 5xx
    answer, and `TrackingRejected` on any other answer but success.
    """

    def __init__(self, base_url: str, secret: str, timeout_s: float = 5) -> None:
        self._line = Line(base_url, {GATE_HEADER: secret}, timeout_s)

    def close(self) -> None:
        """Close the calling thread's connection."""
        self._line.close()

    def healthy(self) -> bool:
        """Whether the server answers us; False too when it does not know our secret."""
        try:
            return self._line.ask("GET", "/health").status == 200
        except LineBroken:
            return False

    def connected(self) -> bool:
        """Whether the calling thread's connection still stands. Sends nothing."""
        return self._line.stands()

    def takes_writes(self) -> bool:
        """Whether the server does what every start needs: write into its store."""
        mark = {"experiment_id": "0", "key": tag_names.ASKED, "value": str(time.time_ns())}
        try:
            self._post("experiments/set-experiment-tag", mark)
        except TrackingUnavailable:
            return False
        except TrackingRejected:
            return True  # A person deleted that experiment. Its store has been read, which must do.
        return True

    def get_or_create_experiment(self, name: str, tags: Mapping[str, str]) -> str:
        """Id of the experiment `name`, made with `tags` when absent, restored when deleted."""
        found = self._experiment_by_name(name)
        if found is None:
            try:
                body = {"name": name, "tags": _pairs(tags)}
                return str(self._post("experiments/create", body)["experiment_id"])
            except TrackingRejected as refusal:
                if refusal.code != "RESOURCE_ALREADY_EXISTS":
                    raise
            found = self._experiment_by_name(name)
            if found is None:
                raise TrackingUnavailable(f"Experiment {name!r} appeared and went; try again.")
        experiment_id = str(found["experiment_id"])
        if found.get("lifecycle_stage") == "deleted":
            self._post("experiments/restore", {"experiment_id": experiment_id})
        return experiment_id

    def create_run(
        self,
        experiment_id: str,
        run_name: str,
        tags: Mapping[str, str],
        parent_run_id: str | None = None,
        start_ms: int | None = None,
    ) -> str:
        """Id of a new run in status RUNNING. `start_ms` is the present time by default."""
        all_tags = dict(tags) | {tag_names.RUN_NAME: run_name}
        if parent_run_id:
            all_tags[tag_names.PARENT_RUN_ID] = parent_run_id
        body = {
            "experiment_id": experiment_id,
            "run_name": run_name,
            "start_time": int(time.time() * 1000) if start_ms is None else start_ms,
            "tags": _pairs(all_tags),
        }
        return str(self._post("runs/create", body)["run"]["info"]["run_id"])

    def find_run(self, experiment_id: str, tags: Mapping[str, str]) -> str | None:
        """Id of the oldest live run that carries all of `tags`, None when there is none.

        Recovery calls this before `create_run`: a crash between the creation of a run and our
        note of its id must not leave a twin.
        """
        body = {
            "experiment_ids": [experiment_id],
            "filter": " and ".join(_tag_equals(k, v) for k, v in sorted(tags.items())),
            "run_view_type": "ACTIVE_ONLY",
            "order_by": ["attributes.start_time ASC"],
            "max_results": 1,
        }
        runs = self._post("runs/search", body).get("runs", [])
        return str(runs[0]["info"]["run_id"]) if runs else None

    def get_run(self, run_id: str) -> Run:
        return _run(self._get("runs/get", {"run_id": run_id})["run"])

    def set_terminated(self, run_id: str, status: str, end_ms: int) -> None:
        """End the run as FINISHED, FAILED or KILLED."""
        _require_one_of("status", status, TERMINAL_STATUSES)
        self._post("runs/update", {"run_id": run_id, "status": status, "end_time": end_ms})

    def set_status(self, run_id: str, status: str) -> None:
        """Set RUNNING or SCHEDULED. MLflow keeps an end time once set; it cannot be cleared."""
        _require_one_of("status", status, OPEN_STATUSES)
        self._post("runs/update", {"run_id": run_id, "status": status})

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[MetricPoint] = (),
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Log everything given, in order, in as many requests as MLflow's limits ask for.

        Metrics, params and tags go in requests of their own: MLflow refuses a whole request when
        one param of it was logged before with another value, and metrics must not be lost so.
        """
        for points in _chunks(metrics, METRICS_PER_BATCH):
            self.send_batch({"run_id": run_id, "metrics": [_metric(p) for p in points]})
        for pairs in _chunks(_pairs(params or {}), PARAMS_PER_BATCH):
            self.send_batch({"run_id": run_id, "params": pairs})
        for pairs in _chunks(_pairs(tags or {}), TAGS_PER_BATCH):
            self.send_batch({"run_id": run_id, "tags": pairs})

    def send_batch(self, body: Mapping[str, Any]) -> None:
        """Post one ready-made `runs/log-batch` body, as the gateway's payloads module makes it."""
        self._post("runs/log-batch", body)

    def log_params_missing(self, run_id: str, params: Mapping[str, str]) -> None:
        """Log those of `params` whose name the run does not have yet, whatever its value there."""
        try:
            # Most scripts log none, or the very same: then this is all, and nothing changes.
            self.log_batch(run_id, params=params)
        except TrackingRejected:
            logged = self.get_run(run_id).params
            self.log_batch(run_id, params={k: v for k, v in params.items() if k not in logged})

    def set_tags(self, run_id: str, tags: Mapping[str, str]) -> None:
        self.log_batch(run_id, tags=tags)

    def delete_run(self, run_id: str) -> None:
        """Move the run to MLflow's deleted stage; its data stays until `mlflow gc`."""
        self._post("runs/delete", {"run_id": run_id})

    def artifact_list(self, run_id: str, path: str = "") -> list[ArtifactEntry]:
        """What stands directly under `path` (the artifact root by default) of the run."""
        query = {"run_id": run_id} | ({"path": path} if path else {})
        files = self._get("artifacts/list", query).get("files", [])
        return [
            ArtifactEntry(
                path=f["path"],
                is_dir=bool(f.get("is_dir", False)),
                size=None if f.get("is_dir") else int(f.get("file_size", 0)),
            )
            for f in files
        ]

    def delete_artifacts(self, path: str) -> None:
        """Delete a file or folder below the root of all artifacts, if it is there."""
        where = f"/api/2.0/mlflow-artifacts/artifacts/{path}"
        try:
            _checked(self._line.ask("DELETE", where), f"DELETE {where}")
        except LineBroken as error:
            raise TrackingUnavailable(f"DELETE {where}: {error}") from error

    def _experiment_by_name(self, name: str) -> dict[str, Any] | None:
        try:
            answer = self._get("experiments/get-by-name", {"experiment_name": name})
        except TrackingRejected as refusal:
            if refusal.code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        experiment: dict[str, Any] = answer["experiment"]
        return experiment

    def ask(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        """One request to the API, with a `query` or a `body`; see `tracking.registry`."""
        return self._call(method, path, **arguments)

    def _get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        return self._call("GET", path, query=query)

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._call("POST", path, body=body)

    def _call(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer = self._line.ask(method, f"/api/2.0/mlflow/{path}", **arguments)
        except LineBroken as error:
            raise TrackingUnavailable(f"{method} {path}: {error}") from error
        return _checked(answer, f"{method} {path}")


def _checked(answer: Answer, what: str) -> dict[str, Any]:
    """The JSON object of a good answer; our two exceptions for all others."""
    if answer.status >= 500 or answer.status == 429:
        text = f"{what}: {answer.status} {answer.text[:300]}"
        retry_s = _retry_s(answer.retry_after) if answer.status == 429 else None
        raise TrackingUnavailable(text, answered=answer.status != 503, retry_s=retry_s)
    try:
        body = json.loads(answer.text)
    except ValueError:
        body = None
    good = 200 <= answer.status < 300
    if good and isinstance(body, dict):
        return body
    if good:
        text = f"{what}: the answer is not JSON: {answer.text[:300]!r}"
        raise TrackingUnavailable(text, answered=True)
    error = body if isinstance(body, dict) else {}
    code = str(error.get("error_code") or "")
    if not code or answer.status == 401:
        # Not MLflow's own refusal: somebody else answers on its port, or the secret is being
        # changed. What was to be said must wait, not be dropped.
        raise TrackingUnavailable(f"{what}: {answer.status} {answer.text[:300]}", answered=True)
    raise TrackingRejected(code, str(error.get("message") or answer.text[:300]), answer.status)


def _retry_s(header: str) -> float:
    """The seconds that the server asks to wait, within reason; a date is not understood."""
    asked = float(header) if header.isascii() and header.isdigit() else RETRY_S
    return min(asked, RETRY_MOST_S)


def _require_one_of(name: str, value: str, allowed: Sequence[str]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, but got {value!r}.")


def _tag_equals(name: str, value: str) -> str:
    """One condition of MLflow's search grammar, which knows no escape for a quote."""
    if "`" in name or '"' in value or "\\" in value:
        raise ValueError(f"Cannot search for tag {name!r} = {value!r}: it holds a quote.")
    return f'tags.`{name}` = "{value}"'


def batch(params: Mapping[str, str], tags: Mapping[str, str]) -> dict[str, Any]:
    """Params and tags as a `runs/log-batch` body holds them."""
    return {"params": _pairs(params), "tags": _pairs(tags)}


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _number(value: float) -> float | str:
    """JSON has no non-finite numbers; protobuf's JSON form writes them as these strings."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _metric(point: MetricPoint) -> dict[str, Any]:
    links = ("model_id", "dataset_name", "dataset_digest")
    return {
        "key": point.name,
        "value": _number(point.value),
        "timestamp": point.timestamp_ms,
        "step": point.step,
    } | {name: getattr(point, name) for name in links if getattr(point, name, "")}


def _run(run: Mapping[str, Any]) -> Run:
    info, data = run["info"], run.get("data", {})
    return Run(
        run_id=info["run_id"],
        experiment_id=info["experiment_id"],
        run_name=info.get("run_name", ""),
        status=info["status"],
        lifecycle_stage=info["lifecycle_stage"],
        artifact_uri=info["artifact_uri"],
        start_ms=_milliseconds(info.get("start_time")),
        end_ms=_milliseconds(info.get("end_time")),
        params=_by_key(data.get("params", [])),
        metrics={k: float(v) for k, v in _by_key(data.get("metrics", [])).items()},
        tags=_by_key(data.get("tags", [])),
    )


def _milliseconds(value: Any) -> int | None:
    return None if value is None else int(value)


def _by_key(items: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    return {item["key"]: item.get("value", "") for item in items}
