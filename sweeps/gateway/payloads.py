"""The bodies of MLflow's four log calls: read as MLflow's server reads them, and merged again.

The gateway answers such a call before MLflow has seen it, so it must refuse here whatever MLflow
would refuse later. Rules and messages: `mlflow/utils/validation.py` and `server/handlers.py` of
3.17. Stricter only where MLflow stores something else than was sent: a field of a wrong type
inside a batch or a bare NaN (MLflow drops the rest of the body without a word), and text that a
database cannot hold.
"""

import json
import math
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sweeps.domain.wording import kind_of, why_not_json
from sweeps.gateway import json_body

MAX_NAME = 250
MAX_RUN_ID = 256
MAX_PARAM_VALUE = 6000
MAX_TAG_VALUE = 8000
MAX_METRICS = 1000
MAX_PARAMS = 100
MAX_TAGS = 100
MAX_ENTITIES = 1000
# Characters of what ties a metric to a logged model and a data set.
LINKS = {"model_id": 64, "dataset_name": 500, "dataset_digest": 64}

_RUN_ID = re.compile(r"[a-zA-Z0-9][\w\-]{0,255}")
_NAME = re.compile(r"[/\w.\- :]*")
_NAME_RULE = (
    "Names may only contain alphanumerics, underscores (_), dashes (-), periods (.),"
    " spaces ( ), colon(:) and slashes (/)."
)
_INT64 = range(-(2**63), 2**63)


class BadPayload(Exception):
    """A body MLflow would answer with 400. `as_json()` is the answer in MLflow's own shape."""

    def __init__(self, message: str, error_code: str = "INVALID_PARAMETER_VALUE") -> None:
        super().__init__(message)
        self.error_code = error_code
        self.message = message

    def as_json(self) -> dict[str, str]:
        return {"error_code": self.error_code, "message": self.message}


@dataclass(frozen=True)
class Metric:
    """One logged value. `timestamp_ms` is Unix time; the last three tie it to a logged model."""

    name: str
    value: float
    step: int
    timestamp_ms: int
    model_id: str = ""
    dataset_name: str = ""
    dataset_digest: str = ""


@dataclass(frozen=True)
class LogCall:
    """What one log call asks to store for one run, in the order it was given."""

    run_id: str
    metrics: tuple[Metric, ...] = ()
    params: tuple[tuple[str, str], ...] = ()
    tags: tuple[tuple[str, str], ...] = ()


def parse(call: str, body: bytes, most_values: int = 20_000) -> LogCall:
    """Read the body of `call`: log-metric, log-parameter, set-tag or log-batch.

    Raises `BadPayload` for a body MLflow would refuse, `json_body.TooManyValues` beyond
    `most_values`, KeyError for another call.
    """
    return _PARSERS[call](_json_object(body, most_values))


def to_log_batch(calls: Iterable[LogCall]) -> list[dict[str, Any]]:
    """As few `runs/log-batch` bodies as store all `calls` of one run, in order.

    Metrics, params and tags go in bodies of their own, metrics first: MLflow refuses a whole body
    for one param that has another value already, and no metric may be lost by that. Of several
    values for one tag the last is sent; a param's second value goes in a body of its own, so that
    MLflow keeps the first and refuses the second. A refused params body may hold innocent params
    of other calls: then send the bodies of each call by itself. Raises ValueError for calls of
    several runs.
    """
    calls = list(calls)
    run_ids = {call.run_id for call in calls}
    if len(run_ids) > 1:
        raise ValueError(f"The calls of one run are merged at a time, but got {len(run_ids)} runs.")
    metrics = [_metric_json(metric) for call in calls for metric in call.metrics]
    tags = {key: value for call in calls for key, value in call.tags}
    bodies = [{"metrics": chunk} for chunk in _chunks(metrics, MAX_METRICS)]
    bodies += [{"params": _pairs(group)} for group in _param_groups(calls)]
    bodies += [{"tags": chunk} for chunk in _chunks(_pairs(tags), MAX_TAGS)]
    return [{"run_id": calls[0].run_id} | body for body in bodies]


def _json_object(body: bytes, most_values: int) -> Mapping[str, Any]:
    try:
        value = json_body.read(body, most_values)
    except (ValueError, RecursionError) as error:
        raise BadPayload(f"The request body is not JSON: {why_not_json(error)}.") from error
    if not isinstance(value, dict):
        raise BadPayload(f"The request body must be an object, but got {kind_of(value)}.")
    return value


def _log_metric(body: Mapping[str, Any]) -> LogCall:
    return LogCall(_run_id(body), metrics=(_metric(body, ""),))


def _log_parameter(body: Mapping[str, Any]) -> LogCall:
    return LogCall(_run_id(body), params=(_param(body, ""),))


def _set_tag(body: Mapping[str, Any]) -> LogCall:
    return LogCall(_run_id(body), tags=(_tag(body, ""),))


def _log_batch(body: Mapping[str, Any]) -> LogCall:
    run_id = _run_id(body)
    metrics, params, tags = (_items(body, name) for name in ("metrics", "params", "tags"))
    for what, limit, length in (
        ("metrics", MAX_METRICS, len(metrics)),
        ("params", MAX_PARAMS, len(params)),
        ("tags", MAX_TAGS, len(tags)),
        ("metrics, params, and tags", MAX_ENTITIES, len(metrics) + len(params) + len(tags)),
    ):
        if length > limit:
            raise BadPayload(
                f"A batch logging request can contain at most {limit} {what}. Got {length} {what}."
                f" Please split up {what} across multiple requests and try again."
            )
    call = LogCall(
        run_id,
        tuple(_metric(item, f"metrics[{i}].") for i, item in enumerate(metrics)),
        tuple(_param(item, f"params[{i}].") for i, item in enumerate(params)),
        tuple(_tag(item, f"tags[{i}].") for i, item in enumerate(tags)),
    )
    _require_distinct([key for key, _value in call.params])
    return call


_PARSERS = {
    "log-metric": _log_metric,
    "log-parameter": _log_parameter,
    "set-tag": _set_tag,
    "log-batch": _log_batch,
}


def _metric(item: Mapping[str, Any], at: str) -> Metric:
    name = _name(item, at, "Metric name")
    value = _required(item, "value", at)
    timestamp = _int64(_required(item, "timestamp", at), f"{at}timestamp")
    if timestamp < 0:
        raise BadPayload(
            f"{_invalid(f'{at}timestamp', timestamp)}: metric '{name}'. "
            "Timestamp must be a nonnegative long (64-bit integer) "
        )
    step = _get(item, "step")
    return Metric(
        name,
        _double(value, f"{at}value"),
        0 if step is None else _int64(step, f"{at}step"),
        timestamp,
        _short(item, "model_id", at),
        _short(item, "dataset_name", at),
        _short(item, "dataset_digest", at),
    )


def _short(item: Mapping[str, Any], name: str, at: str) -> str:
    text, most = _text(item, name, at), LINKS[name]
    if len(text) > most:
        raise BadPayload(f"{at}{name} has {len(text):,} characters, and may have {most}.")
    return text


def _param(item: Mapping[str, Any], at: str) -> tuple[str, str]:
    return _name(item, at, "Param key"), _text(item, "value", at)[:MAX_PARAM_VALUE]


def _tag(item: Mapping[str, Any], at: str) -> tuple[str, str]:
    return _name(item, at, f"{at}key"), _text(item, "value", at)[:MAX_TAG_VALUE]


def _run_id(body: Mapping[str, Any]) -> str:
    run_id = _text(body, "run_id", "") or _text(body, "run_uuid", "")
    other = _text(body, "run_uuid", "")
    if not run_id:
        raise BadPayload("Missing value for required parameter 'run_id'.")
    if other and other != run_id:
        raise BadPayload("Request specifies 'run_id' and 'run_uuid' with different values.")
    if not _RUN_ID.fullmatch(run_id):
        raise BadPayload(f"{_invalid('run_id', run_id)}.")
    return run_id


def _items(body: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    items = _get(body, name)
    if items is None:
        return []
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise BadPayload(f"'{name}' must be an array of objects.")
    return items


def _get(item: Mapping[str, Any], name: str) -> Any:
    """The field under its name or its JSON spelling (`runId`), None when absent or null."""
    head, *tail = name.split("_")
    camel = head + "".join(part.title() for part in tail)
    if camel != name and name in item and camel in item:
        raise BadPayload(
            f"Request specifies both '{name}' and '{camel}'; provide only one of them."
        )
    return item.get(name, item.get(camel))


def _required(item: Mapping[str, Any], name: str, at: str) -> Any:
    value = _get(item, name)
    if value is None or value == "":
        raise BadPayload(f"Missing value for required parameter '{at}{name}'.")
    return value


def _text(item: Mapping[str, Any], name: str, at: str) -> str:
    value = _get(item, name)
    if value is None:
        return ""
    if not isinstance(value, str):
        kind = type(value).__name__
        raise BadPayload(f"{_invalid(at + name, value)}. Hint: Value was of type '{kind}'.")
    if "\x00" in value or any("\ud800" <= c <= "\udfff" for c in value):
        raise BadPayload(f"'{at}{name}' holds a character that is no text (NUL or a surrogate).")
    return value


def _name(item: Mapping[str, Any], at: str, what: str) -> str:
    _required(item, "key", at)
    name = _text(item, "key", at)
    if not _NAME.fullmatch(name):
        raise BadPayload(f"{_invalid(at + 'key', name)}: {_NAME_RULE}")
    norm = posixpath.normpath(name)
    if norm != name or norm == "." or norm.startswith(("..", "/")):
        raise BadPayload(
            f"{_invalid(at + 'key', name)}: Names may be treated as files in certain cases, and "
            "must not resolve to other names when treated as such. This name would resolve to "
            f"{norm!r}"
        )
    if len(name) > MAX_NAME:
        raise BadPayload(f"'{what}' exceeds the maximum length of {MAX_NAME} characters")
    return name


def _double(value: Any, path: str) -> float:
    """A protobuf double: a number, or text such as "0.5", "NaN", "Infinity", "-Infinity"."""
    if isinstance(value, float) and not math.isfinite(value):
        raise BadPayload(
            f"{_invalid(path, str(value))}: JSON has no such number; "
            'send it as the text "NaN", "Infinity" or "-Infinity".'
        )
    number = None
    if isinstance(value, (int, float, str)) and value != "nan":
        try:
            number = float(value)
        except (ValueError, OverflowError):
            number = None
    if number is not None:
        return number
    raise BadPayload(
        f"{_invalid(path, value)}: Please specify value as a valid double (64-bit floating point)"
    )


def _int64(value: Any, path: str) -> int:
    """A protobuf int64: a whole number, or the text of one."""
    whole: int | None = None
    if isinstance(value, int) and not isinstance(value, bool):
        whole = value
    elif isinstance(value, (float, str)) and " " not in str(value):
        try:
            whole = int(value) if isinstance(value, str) else None
        except ValueError:
            whole = None
        if whole is None:
            whole = _whole_float(value)
    if whole is None or whole not in _INT64:
        raise BadPayload(f"{_invalid(path, value)}: it must be a valid long (64-bit integer).")
    return whole


def _whole_float(value: float | str) -> int | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return int(number) if number.is_integer() else None


def _require_distinct(keys: Sequence[str]) -> None:
    repeated = sorted({key for key in keys if keys.count(key) > 1})
    if repeated:
        raise BadPayload(
            f"Duplicate parameter keys have been submitted: {repeated}. Please ensure "
            "the request contains only one param value per param key."
        )


def _invalid(path: str, value: Any) -> str:
    return f"Invalid value {json.dumps(value)[:300]} for parameter '{path}' supplied"


def _metric_json(metric: Metric) -> dict[str, Any]:
    links = {name: getattr(metric, name) for name in ("model_id", "dataset_name", "dataset_digest")}
    return {
        "key": metric.name,
        "value": _number(metric.value),
        "timestamp": metric.timestamp_ms,
        "step": metric.step,
    } | {name: value for name, value in links.items() if value}


def _number(value: float) -> float | str:
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _param_groups(calls: Sequence[LogCall]) -> Iterator[dict[str, str]]:
    """Params in order, at most 100 at a time; each value that contradicts an earlier one alone."""
    first: dict[str, str] = {}
    later: dict[tuple[str, str], None] = {}
    for key, value in (pair for call in calls for pair in call.params):
        if first.setdefault(key, value) != value:
            later[key, value] = None
    names = list(first)
    for start in range(0, len(names), MAX_PARAMS):
        yield {name: first[name] for name in names[start : start + MAX_PARAMS]}
    yield from ({key: value} for key, value in later)


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]


def _chunks(items: list[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
