"""The tracking gateway: MLflow's REST API for one workspace, to those who may.

A trial's own values are stored here, in one transaction, before the answer; everything else is
authorized and asked of the tracking server.
"""

import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import datetime
from typing import Any

import httpx
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.db import connection
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    UnreadablePostError,
)
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from studio import wrong_tokens
from sweeps.domain.wording import kind_of, why_not_json
from sweeps.engine.tracking import TrackingUnavailable
from sweeps.gateway import (
    bounds,
    json_body,
    members,
    payloads,
    policy,
    proxy,
    registry,
    searches,
    stored_files,
    weights,
)
from sweeps.gateway.adapt import Asked, adapt
from sweeps.gateway.drained import drain
from sweeps.gateway.identity import Caller, MemberCaller, TrialCaller, identify, identify_logger
from sweeps.gateway.page_sizes import in_pages
from sweeps.gateway.places import require_plain
from sweeps.gateway.refusals import Refusal, invalid, too_often, unauthenticated, unavailable
from sweeps.gateway.routes import (
    ARTIFACTS,
    V2,
    BadReference,
    Kind,
    Matched,
    Names,
    match,
    references,
)
from sweeps.gateway.turn import Together, turn
from sweeps.gateway.under_way import UnderWay
from sweeps.gateway.upstream import Unfinished
from sweeps.queries.records import objective_of
from sweeps.services import metrics, room
from sweeps.services.registry import note_logged

log = logging.getLogger(__name__)

_DRAINED = (Kind.RUN_READ, Kind.RUN_WRITE, Kind.SEARCH)
# Who takes longer to send a body is judged again once it is there.
_SLOW_S = 0.5
_recorder: Together[metrics.Call, metrics.Superseded | list[str]] = Together(
    lambda calls: metrics.record_all(calls),
    owner=lambda call: call.attempt.pk,
    weight=lambda call: 1 + len(call.values),
)
# Calls that log of one trial, and all others of one workspace, that may take threads at once: what
# MLflow logs asynchronously comes from ten threads, beside the script's own.
_logging, _asking = UnderWay(12), UnderWay(8, Unfinished, after_s=120.0)
# Of these, the searches: each may tell `page_sizes.MOST_TEXT`.
_searching = UnderWay(4, Unfinished, after_s=120.0)
# Listings of artifacts: a folder that a script filled by itself may tell 100,000 files at once.
_listing = UnderWay(4)
# MLflow refuses one of two requests that add the same data set to an experiment at once (as
# autolog's trials do); of workspaces each has its own.
_inputs: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)


@csrf_exempt
@login_not_required
def gateway(request: HttpRequest, ws: str, rest: str) -> HttpResponseBase:
    """Answer one request of MLflow's client. Refusals have MLflow's shape of an error."""
    try:
        return _answer(request, ws, f"/{rest}")
    except Refusal as refusal:
        return _refused(refusal)
    except payloads.BadPayload as bad:
        return JsonResponse(bad.as_json(), status=400)
    except (BadReference, json_body.TooManyValues) as bad:
        return _refused(invalid(str(bad)))
    except UnreadablePostError:
        return _refused(invalid("The request's body breaks off, or is not what its head says."))
    except RequestDataTooBig:
        return _refused(Refusal(413, "INVALID_PARAMETER_VALUE", "The request is too large."))
    except TrackingUnavailable as error:
        log.warning("no answer from tracking: %s", error)
        return _refused(unavailable())


def _refused(refusal: Refusal) -> JsonResponse:
    headers = {"WWW-Authenticate": "Bearer"} if refusal.status == 401 else {}
    if refusal.retry_s:
        headers["Retry-After"] = str(refusal.retry_s)
    return JsonResponse(refusal.as_json(), status=refusal.status, headers=headers)


def _answer(request: HttpRequest, ws: str, path: str) -> HttpResponseBase:
    matched = match(request.method or "", path)
    logs = matched is not None and matched.route.kind is Kind.LOG
    caller = _caller(request, ws, identify_logger if logs else identify)
    if matched is None:
        log.info("no such route: %s %r", request.method, path)
        raise Refusal(404, "ENDPOINT_NOT_FOUND", f"There is no {request.method} {path} here.")
    match matched.route.kind:
        case Kind.LOG if isinstance(caller, TrialCaller):
            return _log(request, caller, matched)
        case Kind.ARTIFACT_READ:
            asked = Asked(_query(request), None)
            _authorize(caller, matched, asked)
            listing = _listing.one_of(caller.workspace) if _is_listing(matched) else nullcontext()
            with listing:
                return proxy.download(matched, asked)
        case Kind.ARTIFACT_WRITE:
            refs = _authorize(caller, matched, Asked((), None))
            if matched.route.method == "PUT":
                for place in refs.get(Names.ARTIFACT, ()):
                    stored_files.require_room(place)
            return _store(request, caller, matched)
        case _:
            began = time.monotonic()
            asked = _asked(request, matched)
            if time.monotonic() - began > _SLOW_S:  # Much may have changed meanwhile.
                caller = _caller(request, ws, identify)
            return _ask(caller, matched, asked)


def _caller(request: HttpRequest, ws: str, who: Callable[[str, str, datetime], Caller]) -> Caller:
    try:
        return who(request.headers.get("Authorization", ""), ws, timezone.now())
    except Refusal as refusal:
        if refusal.status == 401 and (left := wrong_tokens.counted(request)) and left.retry_s:
            raise too_often(wrong_tokens.said(left), left.retry_s) from refusal
        raise


def _store(request: HttpRequest, caller: Caller, matched: Matched) -> HttpResponse:
    """An artifact goes on its way, if the workspace has room for it."""
    if matched.route.method == "PUT":
        if problem := room.disk_problem(caller.workspace):
            raise Refusal(413, "RESOURCE_EXHAUSTED", problem)
        length = request.META.get("CONTENT_LENGTH") or ""
        room.note_stored(caller.workspace, int(length[:20]) if length.isdecimal() else 0)

    def judge() -> None:
        _authorize(_caller(request, caller.workspace, identify), matched, Asked((), None))

    return proxy.upload(request, matched, judge)


def _query(request: HttpRequest) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, values in request.GET.lists() for value in values)


def _asked(request: HttpRequest, matched: Matched) -> Asked:
    """What the request carries, no more of it than MLflow is to read. Raises Refusal."""
    if matched.route.method == "GET":
        asked = Asked(_query(request), None)
    else:
        asked = Asked((), _json_object(_body(request, matched), bounds.most_values(matched)))
    bounds.require_bounded(matched, asked)
    return asked


def _body(request: HttpRequest, matched: Matched) -> bytes:
    told = request.META.get("CONTENT_LENGTH") or ""
    bounds.require_small(matched, int(told[:20]) if told.isdecimal() else 0)
    bounds.require_small(matched, len(request.body))
    return request.body


def _json_object(text: bytes, most_values: int) -> Mapping[str, Any]:
    """The body as MLflow reads it: an object, or (old clients) an object encoded twice."""
    try:
        value = json_body.read(text, most_values) if text.strip() else {}
    except (ValueError, RecursionError) as error:
        raise invalid(f"The request body is not JSON: {why_not_json(error)}.") from error
    if not isinstance(value, dict):
        raise invalid(f"The request body must be an object, but got {kind_of(value)}.")
    try:
        # What cannot be written again cannot be passed on: NaN, 1e400, lone surrogates.
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        words = "The request body holds what JSON cannot: NaN, an infinity or half a character."
        raise invalid(words) from error
    return value


def _authorize(caller: Caller, matched: Matched, asked: Asked) -> dict[Names, tuple[str, ...]]:
    refs = references(matched, asked.query, asked.body)
    policy.authorize(caller, matched, refs)
    require_plain(refs)
    return refs


def _log(request: HttpRequest, caller: TrialCaller, matched: Matched) -> HttpResponse:
    """Keep a logging call of the trial's own run; pass on one of a run below it."""
    name, most = matched.path.rpartition("/")[2], bounds.most_values(matched)
    call = payloads.parse(name, _body(request, matched), most)
    if call.run_id != caller.run_id:
        auth = request.headers.get("Authorization", "")
        fresh = identify(auth, caller.workspace, timezone.now())
        return _ask(fresh, matched, _asked(request, matched))
    policy.require_free_tags(caller, matched, [key for key, _value in call.tags])
    policy.require_own_models(caller, [m.model_id for m in call.metrics if m.model_id])
    with weights.adding_to_own(caller, call) as call:
        kept = _keep(caller, call)
    if isinstance(kept, metrics.Superseded):
        raise unauthenticated("The attempt has ended; its token is no longer good.")
    weights.note_names(caller, kept)
    return HttpResponse(b"{}", content_type="application/json")


def _keep(caller: TrialCaller, call: payloads.LogCall) -> metrics.Superseded | list[str]:
    """Store a call of the trial's own run, with others that wait; the names that are new."""
    attempt = caller.attempt
    given = metrics.Call(
        attempt,
        objective_of(attempt.trial.sweep),
        [metrics.Value(m.name, m.value, m.step, m.timestamp_ms) for m in call.metrics],
        payloads.to_log_batch([call]),
        timezone.now(),
        weights.takes_names(caller),
    )
    # Where sweeps do not exclude each other, calls of several do not go together.
    key = None if connection.vendor == "sqlite" else attempt.trial.sweep_id
    try:
        with _logging.one_of(attempt.pk):
            return _recorder.do(given, key)
    except metrics.TooManyNames as error:
        raise invalid(
            f"A trial logs under at most {metrics.MOST_NAMES:,} names of metrics, and fewer where "
            "they are long; it has as many. Values under those names are still taken."
        ) from error


def _ask(caller: Caller, matched: Matched, asked: Asked) -> HttpResponse:
    searching = _searching.one_of(caller.workspace) if _is_search(matched) else nullcontext()
    listing = _listing.one_of(caller.workspace) if _is_listing(matched) else nullcontext()
    with _asking.one_of(caller.workspace), searching, listing:
        return _answered(caller, matched, asked)


def _is_search(matched: Matched) -> bool:
    return matched.path.endswith("/search")


def _is_listing(matched: Matched) -> bool:
    return matched.path.endswith(("artifacts/list", "artifacts/directories", ARTIFACTS))


def _answered(caller: Caller, matched: Matched, asked: Asked) -> HttpResponse:
    if isinstance(caller, TrialCaller) and matched.route.kind is Kind.EXPERIMENT:
        own = _own_experiment(caller, matched)
        if own is not None:
            return own
    asked, refs = _judged(caller, matched, asked)
    if matched.route.kind in _DRAINED:
        drain(refs.get(Names.RUN, ()), refs.get(Names.EXPERIMENT, ()))
    if searches.is_loose(caller, matched):
        return searches.search(caller, matched, asked)
    adds_inputs = matched.path.endswith("runs/log-inputs")
    alone = _inputs[caller.workspace] if adds_inputs else nullcontext()
    with weights.adding(caller, matched, refs, asked) as asked, alone:
        got = proxy.exchange(matched, asked)
    if isinstance(caller, TrialCaller) and matched.path == V2 + "logged-models":
        _note_model(caller, got)
    if matched.route.kind is Kind.REGISTRY and matched.route.writes and got.is_success:
        registry.note(caller, matched, asked.body or {}, got.json())
    elif isinstance(caller, MemberCaller) and got.is_success:
        members.note(caller, matched, asked.body or {})
    return proxy.answer(caller, matched, got)


def _judged(
    caller: Caller, matched: Matched, asked: Asked
) -> tuple[Asked, dict[Names, tuple[str, ...]]]:
    """The request as it may go on, and what it names. Raises Refusal."""
    heaviest = room.heaviest_of(caller.workspace) if _is_search(matched) else 0
    asked = in_pages(matched, adapt(caller, matched, asked), heaviest)
    refs = _authorize(caller, matched, asked)
    policy.require_free_tags(caller, matched, policy.tag_keys(matched, asked.body or {}))
    if isinstance(caller, TrialCaller) and matched.route.kind is Kind.RUN_CREATE:
        for parent in policy.parents(asked.body or {}):
            policy.require_own_run(caller, parent)
    return asked, refs


def _note_model(caller: TrialCaller, got: httpx.Response) -> None:
    """Remember which model a trial has made: pages do not ask MLflow."""
    if got.is_success:
        info = got.json()["model"]["info"]
        with turn():
            note_logged(caller.attempt, info["model_id"], info.get("name", ""))


def _own_experiment(caller: TrialCaller, matched: Matched) -> HttpResponse | None:
    """To a trial every experiment name means its own, so that `set_experiment("x")` does no harm.

    (MLflow's client would otherwise change the experiment and then refuse to log to the run.)
    """
    if matched.path == V2 + "experiments/create":
        return JsonResponse({"experiment_id": caller.experiment_id})
    if matched.path == V2 + "experiments/get-by-name":
        get = match("GET", V2 + "experiments/get")
        assert get is not None
        query = (("experiment_id", caller.experiment_id),)
        return proxy.answer(caller, get, proxy.exchange(get, Asked(query, None)))
    return None
