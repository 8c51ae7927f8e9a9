"""What a live page gets when there is news: fragments by element id, figures by chart id."""

from collections.abc import Callable, Mapping
from datetime import datetime
from hashlib import blake2s
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string

from sweeps.context import frame
from sweeps.queries.conditions import notices

# How soon a page asks again, in ms; 0 = it shows what is final and asks no more.
ACTIVE_MS = 800
# Stands for the page's token against forgery (static/js/live.js).
TOKEN = "__token_of_the_page__"  # noqa: S105 - a stand-in
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


def since_of(request: HttpRequest) -> int | None:
    """The revision that the page shows; None where it wants everything anew."""
    since = request.GET.get("since", "")
    return int(since) if since.isdecimal() and len(since) < 18 else None


def is_known(request: HttpRequest, revision: int, word: Callable[[], str]) -> bool:
    """True if the page that asks shows this revision, and this of what is around, if it says."""
    since, shown = since_of(request), request.GET.get("around")
    if since is None or revision > since:
        return False
    return shown is None or shown == word()


def told(
    request: HttpRequest,
    context: Mapping[str, Any],
    *,
    revision: int,
    around: str,
    final: bool,
    fragments: Mapping[str, str],
    every_ms: int = ACTIVE_MS,
) -> dict[str, Any]:
    """What a page is told: `fragments` maps element ids to the templates of what is inside them.

    The page asks again after `every_ms`, and no more once what it shows is `final`. The words are
    the same for everybody with the same rights: forms in them carry `TOKEN` where the page puts
    its own token against forgery.
    """
    # The frame's figures are read once, not for each fragment.
    shared = {**frame(request), **context, "csrf_token": TOKEN}
    return {
        "revision": revision,
        "around": around,
        "retry_ms": 0 if final else every_ms,
        "fragments": {
            key: render_to_string(template, dict(shared), request)
            for key, template in {**FRAME, **fragments}.items()
        },
        "standing": context.get("standing"),
    }


def news(
    request: HttpRequest,
    context: Mapping[str, Any],
    *,
    figures: Mapping[str, Any],
    **given: Any,
) -> JsonResponse:
    """`told` and `figures`, by chart id, as an answer."""
    return JsonResponse({**told(request, context, **given), "figures": figures})


def place_news(
    request: HttpRequest, context: Mapping[str, Any], fragments: Mapping[str, str]
) -> HttpResponse:
    """News of a page that is of no single sweep: `around` and `live_ms` of its context say whether
    there are any, and how soon it asks again; 204 for none."""
    if is_known(request, 0, lambda: context["around"]):
        return HttpResponse(status=204)
    return news(
        request,
        context,
        revision=0,
        around=context["around"],
        final=False,
        fragments=fragments,
        figures={},
        every_ms=context["live_ms"],
    )
