"""`Idempotency-Key`: a request that is sent again is answered again, not carried out again.

Source: draft-ietf-httpapi-idempotency-key-header. Kept for a day are answers that carry it out
(2xx) and those that refuse what it says (422); after any other the same key may be tried again.
"""

import hashlib
from collections.abc import Callable
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase

from sweeps.api.auth import Limited
from sweeps.api.intake import check_length
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.wording import shown
from sweeps.models import ApiRequest
from sweeps.queries.clock import database_now
from sweeps.services.requests import claim_request, keep_answer, release_request

HEADER, MAX_KEY = "Idempotency-Key", 64
View = Callable[..., HttpResponseBase]
Refuse = Callable[[HttpRequest, list[Problem], int], HttpResponse]


def ticket_of(request: HttpRequest) -> str:
    """What the request is called where it makes something, "" without a key."""
    return str(getattr(request, "ticket", ""))


def once(view: View, refuse: Refuse, request: HttpRequest, args: Any, named: Any) -> Any:
    """The view's answer; for a request that was answered before, that answer.

    Raises HttpError 429: answering again counts, too.
    """
    key = request.headers.get(HEADER, "")
    token = Limited()(request) if key and request.method == "POST" else None
    if token is None:  # without a key, or without a token, which the view answers with 401
        return view(request, *args, **named)
    if len(key) > MAX_KEY or not key.isprintable():
        text = f"Has {MAX_KEY} printable characters at most, but got {shown(key)}."
        return refuse(request, [Problem(HEADER, text)], 422)
    try:
        fingerprint = _fingerprint(request)
    except RequestDataTooBig:  # the view says so
        return view(request, *args, **named)
    except InvalidInput as error:
        return refuse(request, list(error.problems), 413)
    claimed = claim_request(token, key, fingerprint, database_now())
    if not claimed.is_ours:
        return _again(claimed.row, fingerprint, refuse, request)
    request.ticket = f"api-{claimed.row.pk}"  # type: ignore[attr-defined]
    return _carried_out(claimed.row, lambda: view(request, *args, **named))


def _carried_out(row: ApiRequest, act: Callable[[], Any]) -> Any:
    try:
        response = act()
    except BaseException:
        release_request(row)
        raise
    if response.status_code in (200, 201, 204, 422):
        keep_answer(row, response.status_code, response.content.decode())
    else:
        release_request(row)
    return response


def _again(row: ApiRequest, fingerprint: str, refuse: Refuse, request: HttpRequest) -> HttpResponse:
    if row.fingerprint != fingerprint:
        text = "This key was another request's. Use a fresh one for each request."
        return refuse(request, [Problem(HEADER, text)], 422)
    if row.status is None:
        text = "The same request is being carried out; ask again in a moment."
        response = refuse(request, [Problem("", text, code="conflict")], 409)
        response["Retry-After"] = "1"
        return response
    response = HttpResponse(row.answer, status=row.status, content_type="application/json")
    response["Idempotency-Replayed"] = "true"
    return response


def _fingerprint(request: HttpRequest) -> str:
    """SHA-256 of what is asked: method, address, and the body, whatever separates its parts."""
    found = hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode())
    if request.content_type != "multipart/form-data":
        found.update(f"{request.content_type}\n".encode() + request.body)
        return found.hexdigest()
    check_length(request)
    for name, values in sorted(request.POST.lists()):
        found.update(repr((name, values)).encode())
    for name, files in sorted(request.FILES.lists()):
        for file in files:
            part = hashlib.sha256()
            for chunk in file.chunks():
                part.update(chunk)
            file.seek(0)
            found.update(repr((name, file.name, part.hexdigest())).encode())
    return found.hexdigest()
