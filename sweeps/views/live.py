"""What a live page gets when there is news: fragments by element id, figures by chart id."""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import blake2s
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string

from sweeps.queries.conditions import notices

# How soon a page asks again, in ms; 0 = it shows what is final and asks no more.
ACTIVE_MS = 1000
# The parts of the frame that follow the work.
FRAME = {
    "nav-slots": "_slots.html",
    "nav-running": "_running.html",
    "nav-notices": "_notices.html",
}


def around(now: datetime, *words: str) -> str:
    """A word that changes with what a page shows of the studio around its own rows."""
    known = [*words, *(f"{notice.text}{notice.since}" for notice in notices(now))]
    return blake2s("\0".join(known).encode(), digest_size=6).hexdigest()


def is_known(request: HttpRequest, revision: int, word: Callable[[], str]) -> bool:
    """True if the page that asks shows this revision, and this of what is around, if it says."""
    since, shown = request.GET.get("since", ""), request.GET.get("around")
    if not since.isdecimal() or len(since) >= 18 or revision > int(since):
        return False
    return shown is None or shown == word()


def news(
    request: HttpRequest,
    context: Mapping[str, Any],
    *,
    revision: int,
    around: str,
    final: bool,
    fragments: Mapping[str, str],
    figures: Mapping[str, Any],
    every_ms: int = ACTIVE_MS,
) -> JsonResponse:
    """`fragments` maps element ids to the templates that render what is inside them.

    The page asks again after `every_ms`, and no more once what it shows is `final`.
    """
    return JsonResponse(
        {
            "revision": revision,
            "around": around,
            "retry_ms": 0 if final else every_ms,
            "fragments": {
                key: render_to_string(template, dict(context), request)
                for key, template in {**FRAME, **fragments}.items()
            },
            "figures": figures,
            "standing": context.get("standing"),
        }
    )
