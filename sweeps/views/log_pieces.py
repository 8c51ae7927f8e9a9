"""Logs as pages get them: piece by piece while they grow, or whole as a file."""

from collections.abc import Iterable
from itertools import chain
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, JsonResponse, StreamingHttpResponse

from sweeps.queries.logs import log_bytes, log_size, read_log

# What a page shows of a log at first; the rest is a download.
LOG_TAIL = 128 * 1024


def piece(
    request: HttpRequest, spool: Path | None, stream: str, *, attempt: int, final: bool
) -> JsonResponse:
    """A piece of a log from `offset` on (`tail=1`: the end)."""
    offset = request.GET.get("offset", "0")
    start = int(offset) if offset.isdecimal() and len(offset) < 16 else 0
    if "tail" in request.GET:
        start = max(0, log_size(spool, stream) - LOG_TAIL)
    part = read_log(spool, stream, start)
    body = {
        "text": part.text,
        "offset": part.next_offset,
        "start": start,
        # An unfinished character at the end is no reason to ask again at once.
        "more": bool(part.text) and part.next_offset < log_size(spool, stream),
        "attempt": attempt,
        "final": final,
    }
    return JsonResponse(body)


def as_file(spool: Path | None, stream: str, filename: str) -> StreamingHttpResponse:
    """A whole log to save."""
    response = whole(spool, [stream])
    response["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


def whole(spool: Path | None, streams: Iterable[str]) -> StreamingHttpResponse:
    """Whole logs, one after the other, as they are: never held, and never read as anything but
    text."""
    limit = settings.STUDIO_LOG_CAP_MB * 2**20 + 4096
    pieces = chain.from_iterable(log_bytes(spool, stream, limit) for stream in streams)
    response = StreamingHttpResponse(pieces, content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    return response
