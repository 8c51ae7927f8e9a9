"""What a live page gets when there is news: fragments by element id, figures by chart id."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.template.loader import render_to_string

# How soon a page asks again, in ms; 0 = it shows what is final and asks no more.
ACTIVE_MS = 1000
# The parts of the frame that follow the work.
FRAME = {"nav-slots": "_slots.html", "nav-running": "_running.html"}


def news(
    request: HttpRequest,
    context: Mapping[str, Any],
    *,
    revision: int,
    final: bool,
    fragments: Mapping[str, str],
    figures: Mapping[str, Any],
) -> JsonResponse:
    """`fragments` maps element ids to the templates that render what is inside them."""
    return JsonResponse(
        {
            "revision": revision,
            "retry_ms": 0 if final else ACTIVE_MS,
            "fragments": {
                key: render_to_string(template, dict(context), request)
                for key, template in {**FRAME, **fragments}.items()
            },
            "figures": figures,
        }
    )
