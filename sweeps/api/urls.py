"""The API object, its errors and its URLs."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, ValidationError

from sweeps.api import operations, places
from sweeps.api.auth import Bearer
from sweeps.domain.problems import InvalidInput, Problem

api = NinjaAPI(
    title="Sweep Studio",
    version="1",
    description="Submit, watch and steer sweeps. Authorization: Bearer <token>.",
    auth=Bearer(),
    docs_decorator=login_not_required,
)
api.add_router("", operations.router)
api.add_router("", places.router)


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


@api.exception_handler(InvalidInput)
def _invalid(request: HttpRequest, error: InvalidInput) -> HttpResponse:
    conflict = all(problem.code == "conflict" for problem in error.problems)
    return _answer(request, list(error.problems), 409 if conflict else 422)


@api.exception_handler(ValidationError)
def _malformed(request: HttpRequest, error: ValidationError) -> HttpResponse:
    problems = [
        Problem(".".join(str(part) for part in item["loc"][1:]), item["msg"])
        for item in error.errors
    ]
    return _answer(request, problems or [Problem("", "The request is malformed.")], 422)


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return _answer(request, [Problem("", str(error) or "Not found.", code="not_found")], 404)


@api.exception_handler(AuthenticationError)
def _unknown(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
    text = "Send Authorization: Bearer <token>; Settings or `manage.py token` makes one."
    return _answer(request, [Problem("", text, code="unauthenticated")], 401)


urls = api.urls
