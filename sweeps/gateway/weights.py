"""How heavy a workspace's runs and models get: what each may hold, and the heaviest of them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from sweeps.engine.tracking import TrackingUnavailable
from sweeps.gateway import holdings
from sweeps.gateway.adapt import Asked
from sweeps.gateway.drained import drain
from sweeps.gateway.holdings import LIGHT, MOST, Holdings, Thing
from sweeps.gateway.identity import Caller, TrialCaller
from sweeps.gateway.payloads import LogCall
from sweeps.gateway.refusals import Refusal, invalid
from sweeps.gateway.routes import V2, Kind, Matched, Names
from sweeps.gateway.upstream import send
from sweeps.services import room

# Of a metric, beside its name: where a run is told, and where a logged model is.
_METRIC, _LINKED = 100, 400
_LINKS = ("model_id", "modelId", "dataset_name", "datasetName", "dataset_digest", "datasetDigest")


def _measure(thing: Thing) -> int:
    """Raises TrackingUnavailable."""
    if thing.is_run:
        drain([value for _key, value in thing.query])
    size = len(_told(thing.path, thing.query))
    return size + _versions(thing.query[0][1]) if thing.is_registered else size


def _versions(name: str) -> int:
    """Characters of all versions of a registered model; of very many, of more than it may have.

    Raises Refusal (400) for a name that MLflow cannot be asked about.
    """
    quote = "'" if "'" not in name else '"'
    query = {"filter": f"name = {quote}{name}{quote}", "max_results": "1000"}
    size = 0
    while size <= MOST:
        told = _told(V2 + "model-versions/search", tuple(query.items()))
        answer = json.loads(told)
        if "error_code" in answer:
            raise invalid("A registered model's name cannot have both kinds of quotes.")
        size += len(told)
        if not answer.get("next_page_token"):
            break
        query["page_token"] = answer["next_page_token"]
    return size


def _told(path: str, query: Iterable[tuple[str, str]]) -> bytes:
    got = send("GET", path, query)
    if got.status_code >= 500 or got.status_code == 429:
        raise TrackingUnavailable(f"GET {path}: {got.status_code}")
    return got.content


_holdings = Holdings(_measure)
# By workspace: what stands in the database as the most, or more of it.
_noted: dict[str, int] = {}


@contextmanager
def adding(
    caller: Caller, matched: Matched, refs: Mapping[Names, tuple[str, ...]], asked: Asked
) -> Iterator[Asked]:
    """While MLflow does what is asked, which may add to a run or a model; gives what to ask.

    Raises Refusal (413) for more than it may hold in all, and TrackingUnavailable.
    """
    if not matched.route.writes or matched.route.kind is Kind.ARTIFACT_WRITE:
        yield asked
        return
    asked = _with_links_that_fit(caller, asked) if matched.route.kind is Kind.LOG else asked
    more = _size(asked.body)
    thing = _thing(matched, refs)
    if thing is None:
        _note(caller.workspace, more)
        yield asked
    else:
        with _holdings.adding(thing, more) as size:
            _note(caller.workspace, size)
            yield asked


def _thing(matched: Matched, refs: Mapping[Names, tuple[str, ...]]) -> Thing | None:
    """What a writing request adds to; None if it makes something new, or adds nothing."""
    kind = matched.route.kind
    if kind in (Kind.LOG, Kind.RUN_WRITE):
        return holdings.run(refs[Names.RUN][0])
    if kind is Kind.EXPERIMENT and refs.get(Names.EXPERIMENT):
        return holdings.experiment(refs[Names.EXPERIMENT][0])
    if kind is Kind.LOGGED_MODEL and "model_id" in matched.captured:
        return holdings.logged_model(matched.captured["model_id"])
    if kind is Kind.REGISTRY:
        return holdings.registered_model(refs[Names.REGISTERED_MODEL][0])
    return None


@contextmanager
def adding_to_own(caller: TrialCaller, call: LogCall) -> Iterator[LogCall]:
    """The same while a call of the trial's own run is kept; gives what to keep of it."""
    own = holdings.run(caller.run_id)
    full = _full_models(caller, ((m.model_id, m.name) for m in call.metrics))
    if full:
        kept = [replace(m, model_id="") if m.model_id in full else m for m in call.metrics]
        call = replace(call, metrics=tuple(kept))
    more = sum(_size(pair) for pair in (*call.params, *call.tags))
    with ExitStack() as stack:
        if more:
            _note(caller.workspace, stack.enter_context(_holdings.adding(own, more)))
        yield call


def takes_names(caller: TrialCaller) -> bool:
    """True if the trial's own run may get metrics of further names."""
    return not _holdings.is_full(holdings.run(caller.run_id))


def note_names(caller: TrialCaller, names: Iterable[str]) -> None:
    """Count metrics that its run did not have before, whose number is bounded elsewhere."""
    more = sum(_size(name) + _METRIC for name in names)
    if more:
        _note(caller.workspace, _holdings.count(holdings.run(caller.run_id), more))


def _with_links_that_fit(caller: Caller, asked: Asked) -> Asked:
    body = dict(asked.body or {})
    given = body.get("metrics")
    metrics = [m for m in given if isinstance(m, dict)] if isinstance(given, list) else []
    full = _full_models(caller, ((_model_of(m), str(m.get("key"))) for m in (body, *metrics)))
    if not full:
        return asked
    if metrics:
        body["metrics"] = [_without(full, metric) for metric in metrics]
    return replace(asked, body=_without(full, body))


def _model_of(metric: Mapping[str, Any]) -> str:
    return str(metric.get("model_id") or metric.get("modelId") or "")


def _without(full: set[str], metric: dict[str, Any]) -> dict[str, Any]:
    """A metric, without what ties it to a model that is full."""
    if _model_of(metric) not in full:
        return metric
    return {key: value for key, value in metric.items() if key not in _LINKS}


def _full_models(caller: Caller, linked: Iterable[tuple[str, str]]) -> set[str]:
    """Of logged models to which metrics of these names are tied those that take no more.

    Of a model's values MLflow tells all, not the last of each name, so that a long training would
    fill any: values that come later are kept with their run alone.
    """
    sizes: Counter[str] = Counter()
    for model_id, name in linked:
        if model_id:
            sizes[model_id] += _LINKED + _size(name)
    return {model_id for model_id, more in sizes.items() if not _takes(caller, model_id, more)}


def _takes(caller: Caller, model_id: str, more: int) -> bool:
    try:
        with _holdings.adding(holdings.logged_model(model_id), more) as size:
            _note(caller.workspace, size)
    except Refusal:
        return False
    except TrackingUnavailable:
        return True  # values are taken while MLflow is away, and nobody loads a model meanwhile
    return True


def _size(value: Any) -> int:
    """Characters in MLflow's answers, where a letter beyond ASCII has six or twelve."""
    return len(json.dumps(value))


def _note(workspace: str, size: int) -> None:
    """Keep how heavy the heaviest may be, in powers of two: it seldom changes."""
    if size > max(LIGHT, _noted.get(workspace, 0)):
        _noted[workspace] = 1 << (size - 1).bit_length()
        room.note_heaviest(workspace, _noted[workspace])
