"""/healthz: is the studio up?"""

from django.contrib.auth.decorators import login_not_required
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from sweeps.queries import health
from sweeps.queries.clock import database_now


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """JSON of each part's state; 503 unless all are up. Says no more than up, starting or down."""
    try:
        states = health.parts(database_now())
    except (OperationalError, InterfaceError):
        states = health.without_database()
    status = health.summary(states)
    response = JsonResponse(
        {"status": status, "parts": states}, status=200 if status == "ok" else 503
    )
    # Asked every few seconds, also while the studio starts: a 503 here is no error to log.
    response._has_been_logged = True  # type: ignore[attr-defined]
    return response
