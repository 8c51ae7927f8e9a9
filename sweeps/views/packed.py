"""JSON that is kept compressed, because many ask for the same."""

import gzip

from django.http import HttpRequest, HttpResponse


def packed(request: HttpRequest, answer: bytes) -> HttpResponse:
    """JSON that lies here compressed, as the browser takes it."""
    accepts = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(answer if accepts else gzip.decompress(answer))
    response["Content-Type"] = "application/json"
    response["Cache-Control"] = "no-store"
    response["Vary"] = "Accept-Encoding, Cookie"
    if accepts:
        response["Content-Encoding"] = "gzip"
    return response
