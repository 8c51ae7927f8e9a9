"""The API object, its errors and its URLs."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.http.multipartparser import MultiPartParserError
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt
from ninja import Swagger
from ninja.errors import AuthenticationError, HttpError, ValidationError

from sweeps.api import (
    audit,
    bundles,
    channels,
    environments,
    files,
    marking,
    models,
    places,
    runs,
    secrets,
    steering,
    uploads,
)
from sweeps.api.auth import Limited
from sweeps.api.document import StudioAPI
from sweeps.api.etags import tagged
from sweeps.api.once import View, once
from sweeps.domain.problems import InvalidInput, Problem

api = StudioAPI(
    title="Sweep Studio",
    version="1",
    description="Submit, watch and steer sweeps. Authorization: Bearer TOKEN.",
    auth=Limited(),
    docs_decorator=login_not_required,
    # Swagger UI would ask a validator on the internet about the schema.
    docs=Swagger(settings={"validatorUrl": None}),
)
assert files.router is marking.router is runs.router is steering.router  # all add to it
api.add_router("", steering.router)
api.add_router("", places.router)
api.add_router("", environments.router)
api.add_router("", uploads.router)
api.add_router("", bundles.router)
api.add_router("", models.router)
api.add_router("", channels.router)
api.add_router("", audit.router)
api.add_router("", secrets.router)


def _answer(request: HttpRequest, problems: list[Problem], status: int) -> HttpResponse:
    errors: list[dict[str, Any]] = [
        {
            "code": problem.code,
            "message": problem.message,
            **({"field": problem.field} if problem.field else {}),
            **({"line": problem.line, "column": problem.column} if problem.line else {}),
        }
        for problem in problems
    ]
    return api.create_response(request, {"error": errors[0], "errors": errors}, status=status)


_STATUS = {"conflict": 409, "too_large": 413}
_CODES = {503: "unavailable", 412: "precondition_failed", 429: "rate_limited"}


@api.exception_handler(InvalidInput)
def _invalid(request: HttpRequest, error: InvalidInput) -> HttpResponse:
    [code, *others] = {problem.code for problem in error.problems}
    return _answer(request, list(error.problems), 422 if others else _STATUS.get(code, 422))


@api.exception_handler(ValidationError)
def _malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    problems = [
        Problem(".".join(str(part) for part in item["loc"][1:]), item["msg"])
        for item in error.errors
    ]
    return _answer(request, problems or [Problem("", "The request is malformed.")], 422)


@api.exception_handler(MultiPartParserError)
def _no_form(request: HttpRequest, error: MultiPartParserError) -> HttpResponse:
    return _answer(request, [Problem("", f"The multipart form cannot be read: {error}.")], 422)


@api.exception_handler(BadRequest)
def _not_utf8(request: HttpRequest, error: BadRequest) -> HttpResponse:
    """Django's, of a form in another encoding."""
    return _answer(request, [Problem("", f"{error}")], 422)


@api.exception_handler(SuspiciousOperation)
def _too_much(request: HttpRequest, error: SuspiciousOperation) -> HttpResponse:
    """Django's own limits: fields, parts and bytes of a form."""
    return _answer(request, [Problem("", f"{error}", code="too_large")], 413)


@api.exception_handler(HttpError)
def _said(request: HttpRequest, error: HttpError) -> HttpResponse:
    code = _CODES.get(error.status_code, "invalid")
    response = _answer(request, [Problem("", str(error), code=code)], error.status_code)
    if error.status_code == 503:
        response["Retry-After"] = "5"
    return response


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return _answer(request, [Problem("", str(error) or "Not found.", code="not_found")], 404)


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    text = "Send Authorization: Bearer <token>; Settings or `manage.py token` makes one."
    response = _answer(request, [Problem("", text, code="unauthenticated")], 401)
    response["WWW-Authenticate"] = "Bearer"
    return response


@csrf_exempt
@login_not_required
def _nowhere(request: HttpRequest) -> HttpResponse:
    text = f"There is no {request.path}; /api/v1/docs lists what there is."
    return _answer(request, [Problem("", text, code="not_found")], 404)


def _given(view: View, request: HttpRequest, args: Any, named: Any) -> HttpResponseBase:
    """A view's answer, now or earlier; in our words where it does not know the method."""
    response = once(view, _answer, request, args, named)
    if response.status_code != 405:
        return response
    Limited()(request)  # such a view asks for no token, but this was a request of one
    allowed = response["Allow"].replace("GET", "GET, HEAD")
    text = f"{request.META['REQUEST_METHOD']} is not possible here; {allowed} is."
    refusal = _answer(request, [Problem("", text, code="method_not_allowed")], 405)
    refusal["Allow"] = allowed
    return refusal


def _head(request: HttpRequest, get: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """What GET would be answered. The server leaves out its body; what is long is not read first.

    Source: RFC 9110, 9.3.2.
    """
    request.method = "GET"
    response = get()
    request.method = "HEAD"
    if isinstance(response, StreamingHttpResponse):
        response.streaming_content = ()
    return response


def _for_programs(pattern: URLPattern) -> URLPattern:
    """A route of ninja's without the redirect to sign-in (tokens are checked by `Bearer`), and
    with what all answers have: ETags, rate limits, answers given again, one shape of errors."""
    view = pattern.callback
    assert view is not None

    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method == "HEAD":
            return _head(request, lambda: answer(request, *args, **kwargs))
        try:
            response = _given(view, request, args, kwargs)
        except Exception as error:  # what ninja did not see, for the body was read before it
            response = api.on_exception(request, error)
        response = tagged(request, response)
        if rate := getattr(request, "rate", None):
            for name, value in rate.headers.items():
                response[name] = value
        return response

    pattern.callback = login_not_required(answer)
    return pattern


_patterns, _app, _namespace = api.urls
urls = (
    [
        *(_for_programs(one) for one in _patterns if isinstance(one, URLPattern)),
        re_path("", _nowhere),
    ],
    _app,
    _namespace,
)
