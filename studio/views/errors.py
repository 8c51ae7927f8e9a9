"""What is answered when something broke: 503 while the database is away, else 500."""

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.views import defaults

RETRY_S = 5
_TEXT = "The database does not answer at the moment; the same request may work soon."


def server_error(request: HttpRequest) -> HttpResponse:
    """Django calls this while it handles an exception that nobody caught."""
    error = sys.exc_info()[1]
    if not isinstance(error, OperationalError | InterfaceError):
        return defaults.server_error(request)
    response = _unavailable(request.path)
    response["Retry-After"] = str(RETRY_S)
    return response


def _unavailable(path: str) -> HttpResponse:
    """In the form that the asker understands. Touches no database: that is what is broken."""
    if path.startswith("/tracking/"):
        # MLflow's client tries again by itself.
        body = {"error_code": "TEMPORARILY_UNAVAILABLE", "message": _TEXT}
        return JsonResponse(body, status=503)
    if path.startswith("/api/"):
        told = {"code": "unavailable", "message": _TEXT}
        return JsonResponse({"error": told, "errors": [told]}, status=503)
    return HttpResponse(loader.get_template("503.html").render(), status=503)
