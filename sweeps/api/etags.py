"""ETags: weak, from the sweep's revision and what the answer says beyond it.

Why something waits may change without a new revision, so a digest of the body stands behind it.
"""

import hashlib
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response
from django.utils.http import parse_etags
from ninja.errors import HttpError

from sweeps.models import Sweep


def tagged(request: HttpRequest, response: Any) -> Any:
    """A JSON answer to a GET with its ETag, or 304 to who has it already."""
    kind = response.headers.get("Content-Type", "")
    fits = request.method == "GET" and response.status_code == 200 and not response.streaming
    if not fits or not kind.startswith("application/json"):
        return response
    response["ETag"] = _etag(getattr(request, "revision", 0), response)
    response["Cache-Control"] = "private, no-cache"
    # If-Match guards changes only.
    request.META.pop("HTTP_IF_MATCH", None)
    return get_conditional_response(request, etag=response["ETag"], response=response)


def _etag(revision: int, response: HttpResponse) -> str:
    digest = hashlib.blake2s(response.content, digest_size=8).hexdigest()
    return f'W/"{revision}-{digest}"'


def check_match(request: HttpRequest, sweep: Sweep) -> None:
    """Refuse a change whose If-Match names no ETag of the sweep's present revision.

    Compared is the revision alone. Call with the sweep locked. Raises HttpError 412.
    """
    wanted = request.headers.get("If-Match")
    if wanted is None or wanted.strip() == "*":
        return
    rows: QuerySet[Sweep, int] = Sweep.objects.filter(pk=sweep.pk).values_list(
        "revision", flat=True
    )
    present = rows.get()
    tags = [tag.removeprefix("W/").strip('"') for tag in parse_etags(wanted)]
    if not any(tag.partition("-")[0] == str(present) for tag in tags):
        raise HttpError(412, f"The sweep has changed since (revision {present}); read it again.")
