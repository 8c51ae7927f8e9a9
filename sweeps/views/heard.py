"""What open pages ask, where somebody wants to be told by the browser."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from studio.access import signed_in
from sweeps.notify.words import headline, lines
from sweeps.queries.heard import Heard, heard, newest_change
from sweeps.queries.notice_payload import payload_of


@never_cache
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """JSON: `cursor` to ask from the next time, and what happened after that of this time.

    `sweep=workspace/name` is one whose events are told whoever submitted it.
    """
    upto, after = newest_change(), request.GET.get("after", "")
    found: list[Heard] = []
    if after.isdecimal() and len(after) < 18 and int(after) < upto:
        workspace, _, name = request.GET.get("sweep", "").partition("/")
        also = (workspace, name) if workspace and name else None
        found = heard(signed_in(request), int(after), upto, also)
    return JsonResponse({"cursor": str(upto), "notices": [_notice(one) for one in found]})


def _notice(one: Heard) -> dict[str, Any]:
    """Bests of one sweep have one tag: the browser puts the latest in the place of earlier ones."""
    payload = payload_of(one.sweep, one.event, timezone.now())
    *body, _ = lines(payload)
    place = one.sweep.get_absolute_url()
    return {
        "key": one.key,
        "tag": f"{one.event}:{place}",
        "title": headline(payload),
        "body": "\n".join(body),
        "url": place,
    }
