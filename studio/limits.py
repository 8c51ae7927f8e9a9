"""What a request may cost before anybody looks at what it wants: bytes of its body, and how often.

Both answer before a byte of the body is read. REST counts per token (`sweeps/api/auth.py`); the
tracking gateway streams what trials store, and has limits of its own.
"""

import re
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.template import loader

from studio.local_users import counted_for
from studio.rates import Buckets

Handler = Callable[[HttpRequest], HttpResponse]

# What takes files: as large as an upload may be, and what a form needs around it.
UPLOADS = re.compile(
    r"/w/[^/]+/sweeps/(?P<page>new|import)|/api/v1/workspaces/[^/]+/(sweeps|code|data|bundles)"
)
FORM_BYTES = 2**20
# What takes long to make, or is long: of these a fiftieth, for nobody reads them by the second.
HEAVY = re.compile(
    r"/(bundle\.zip|report\.html|trials\.(csv|json)|artifacts\.zip|code\.zip"
    r"|charts/[^/]+\.csv|charts/[^/]+/|audit\.csv|download/[^/]+\.log|logs/environment\.log"
    r"|builds/[^/]+/log)$"
)
HEAVY_SHARE, STRANGERS_SHARE = 50, 10
_FREE = ("/api/", "/tracking/", "/relay/", "/static/", "/healthz")

buckets = Buckets()


def refuse_large_bodies(get_response: Handler) -> Handler:
    """413 for a body that is larger than what is asked may have.

    A form with files is written to the disk before a view sees it, by whomever it is: so without
    having signed in nobody sends more than a form without files needs.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        told = request.META.get("CONTENT_LENGTH") or "0"
        if request.path_info.startswith("/tracking/"):
            return get_response(request)
        if not (told.isascii() and told.isdecimal()):
            return refusal(request, 400, "invalid", "The request's Content-Length is no number.")
        most = _most(request)
        if int(told[:20]) > most:
            text = f"The request is too large: {most / 2**20:,.0f} MiB at most can be sent here."
            return refusal(request, 413, "too_large", text)
        return get_response(request)

    return middleware


def refuse_broken_bodies(get_response: Handler) -> Handler:
    """400 for a body that breaks off, or comes too slowly: nothing of the studio has failed."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_exception(request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, UnreadablePostError):
            return refusal(request, 400, "invalid", "The request's body breaks off.")
        return None

    middleware.process_exception = process_exception  # type: ignore[attr-defined]
    return middleware


def _most(request: HttpRequest) -> int:
    """Bytes that the body may have."""
    small = int(settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0)
    length = request.META.get("CONTENT_LENGTH") or "0"
    upload = UPLOADS.fullmatch(request.path_info)
    if upload is None or int(length[:20]) <= small:
        return small
    if upload["page"] and SESSION_KEY not in request.session:
        return small
    return int(settings.STUDIO_UPLOAD_CAP_MB * 2**20 + FORM_BYTES)


def slow_down(get_response: Handler) -> Handler:
    """429 for whoever asks for pages faster than any number of tabs does.

    Counted by person, or by address before signing in.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        limit = settings.STUDIO_PAGE_RATE
        if limit and not request.path_info.startswith(_FREE):
            wait = _wait(request, limit)
            if wait:
                text = f"That was too fast: go on in {wait} s."
                response = refusal(request, 429, "rate_limited", text)
                response["Retry-After"] = str(wait)
                return response
        return get_response(request)

    return middleware


def _wait(request: HttpRequest, limit: int) -> int:
    """Seconds until the person may ask for this; 0: now."""
    person = request.session.get(SESSION_KEY)
    if person is None:
        limit = max(1, limit // STRANGERS_SHARE)
        person = counted_for(request)
    waits = [buckets.take(person, limit).retry_s]
    if HEAVY.search(request.path_info):
        waits.append(buckets.take((person, "heavy"), max(1, limit // HEAVY_SHARE)).retry_s)
    return max(waits)


def refusal(request: HttpRequest, status: int, code: str, text: str) -> HttpResponse:
    """In the form that the asker understands. Touches no database."""
    if request.path_info.startswith("/api/"):
        told = {"code": code, "message": text}
        return JsonResponse({"error": told, "errors": [told]}, status=status)
    page = loader.get_template("refused.html").render({"text": text})
    return HttpResponse(page, status=status)
