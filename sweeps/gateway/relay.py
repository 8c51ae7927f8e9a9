"""Where carriers of trials on other machines come to: `/relay/<key>/<verb>`."""

import os
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from sweeps.engine.relay import Refused, answered


@csrf_exempt
@login_not_required
@require_POST
def relay(request: HttpRequest, key: str, verb: str) -> HttpResponseBase:
    """Answer one request of a carrier."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    bearer = secret if kind == "Bearer" else ""
    at = request.GET.get("at", "")
    place = int(at[:15]) if at.isascii() and at.isdecimal() else 0
    try:
        told = answered(key, verb, bearer, request.body, place)
    except Refused as refused:
        return HttpResponse(str(refused), status=refused.status, content_type="text/plain")
    return _file(told) if isinstance(told, str) else _document(told)


def _file(path: str) -> FileResponse:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    return FileResponse(os.fdopen(descriptor, "rb"), content_type="application/octet-stream")


def _document(told: dict[str, Any]) -> JsonResponse:
    return JsonResponse(told)
