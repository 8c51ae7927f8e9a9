"""What every response carries, and what happens to htmx when the session is gone."""

import contextlib
import time
from collections.abc import Callable
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import SESSION_KEY, get_user
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseNotFound,
    JsonResponse,
    UnreadablePostError,
)
from django.urls import reverse

from studio import actor
from studio.limits import refusal

Handler = Callable[[HttpRequest], HttpResponse]
# After a form that took longer to come it is asked whether its session is still there.
SLOW_S = 0.5
# A job file of 256 KiB stands in its page's form up to three times.
FORM_TEXT = 2_000_000


def private_pages(get_response: Handler) -> Handler:
    """What is shown to somebody who is signed in is kept by no cache, not even behind Back.

    After the sessions' middleware; an answer that says otherwise (files, by their digests) stays.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        # Asking costs nothing: whoever has not looked at the session has shown nothing of it.
        if request.session.accessed:
            response.setdefault("Cache-Control", "private, no-store")
        return response

    return middleware


def _is_form(request: HttpRequest) -> bool:
    """Whether somebody who is signed in sends a page's form."""
    if request.method != "POST" or request.path_info.startswith(("/api/", "/tracking/", "/relay/")):
        return False
    return SESSION_KEY in request.session


def refuse_long_forms(get_response: Handler) -> Handler:
    """413 for a form whose fields hold more than any page's do, files aside: some are read again
    and again, line by line."""

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(request: HttpRequest, *_view: object) -> HttpResponse | None:
        if not _is_form(request):
            return None
        with contextlib.suppress(UnreadablePostError):  # which the view will meet
            if sum(len(text) for _, texts in request.POST.lists() for text in texts) > FORM_TEXT:
                told = f"The form is too large: its fields may have {FORM_TEXT:,} characters."
                return refusal(request, 413, "too_large", told)
        return None

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


def judge_slow_forms(get_response: Handler) -> Handler:
    """Who sends a form so slowly that their session is ended meanwhile sends it as nobody, and
    whose rights were changed as who they are by then.

    Before the check of CSRF, which is the first to read a form.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        return get_response(request)

    def process_view(request: HttpRequest, *_view: object) -> None:
        if not _is_form(request):
            return
        began = time.monotonic()
        with contextlib.suppress(UnreadablePostError):  # which the view will meet
            request.POST.get("")
        if time.monotonic() - began <= SLOW_S:
            return
        if not request.session.exists(request.session.session_key or ""):
            request.session.flush()
        # Whom a proxy names is looked up as soon as the head is there.
        request.user = get_user(request)

    middleware.process_view = process_view  # type: ignore[attr-defined]
    return middleware


def refuse_nul(get_response: Handler) -> Handler:
    """Answer 404 to a NUL in the address: no name has one, and PostgreSQL refuses to look."""

    def middleware(request: HttpRequest) -> HttpResponse:
        if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
            if request.path_info.startswith("/api/"):
                told = {"code": "not_found", "message": "No address holds a NUL."}
                return JsonResponse({"error": told, "errors": [told]}, status=404)
            return HttpResponseNotFound("Not found.", content_type="text/plain")
        return get_response(request)

    return middleware


def sign_in_over_htmx(get_response: Handler) -> Handler:
    """Send the whole page to sign-in when a fragment's session has ended.

    htmx follows a 302 silently and would swap the sign-in page into a table cell
    (django-htmx#91).
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if getattr(request, "htmx", False) and response.status_code == 302:
            login = reverse(settings.LOGIN_URL)
            if response.headers.get("Location", "").startswith(login):
                here = request.htmx.current_url_abs_path or "/"  # type: ignore[attr-defined]
                response = HttpResponse(status=204)
                response["HX-Redirect"] = f"{login}?{urlencode({'next': here})}"
        return response

    return middleware


def note_who_acts(get_response: Handler) -> Handler:
    """Say for the audit log whose request this is."""

    def middleware(request: HttpRequest) -> HttpResponse:
        with actor.acting(actor.of_request(request)):
            return get_response(request)

    return middleware
