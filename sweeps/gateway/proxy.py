"""Answers of the tracking server, handed on: whole for JSON, block by block for artifacts."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from gunicorn.http.errors import ParseException

from sweeps.engine.tracking import TrackingUnavailable
from sweeps.gateway.adapt import Asked, items_of, visible
from sweeps.gateway.identity import Caller
from sweeps.gateway.refusals import Refusal, invalid
from sweeps.gateway.routes import ARTIFACTS, Matched, judged_first
from sweeps.gateway.upstream import ARTIFACT_TIMEOUT, Unfinished, send

_BLOCK = 1 << 18
_BROKEN = "The request's body breaks off, or is not what its head says."
# Bytes of an answer in JSON.
MOST_ANSWER = 64 * 2**20
_NO_CONNECTION = b"QueuePool limit"
# An upload that takes longer is judged twice, in seconds.
LONG_S = 1.0
# An artifact is what a training script wrote: never a page of ours.
_ARTIFACT_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Disposition": "attachment",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "Cache-Control": "private, no-store",
}
_ARTIFACT_KEPT = ("Content-Length", "Last-Modified", "ETag")


def exchange(matched: Matched, asked: Asked) -> httpx.Response:
    """Ask the tracking server; nothing of the caller's headers goes with it.

    MLflow reads the query of a GET only, and the body of every other method only. Raises Refusal
    for an answer that is too large to be held whole.
    """
    if matched.route.method == "GET":
        return _whole(send("GET", matched.upstream_path, asked.query, stream=True))
    body = judged_first(matched, asked.body or {})
    return _whole(send(matched.route.method, matched.upstream_path, json=body, stream=True))


def _whole(got: httpx.Response) -> httpx.Response:
    blocks, size = [], 0
    try:
        for block in got.iter_bytes(_BLOCK):
            blocks.append(block)
            size += len(block)
            if size > MOST_ANSWER:
                text = f"The answer has more than {MOST_ANSWER / 2**20:,.0f} MiB: ask for less."
                raise Refusal(413, "RESOURCE_EXHAUSTED", text)
    except httpx.ReadTimeout as error:
        raise Unfinished("the rest of an answer does not come") from error
    except httpx.HTTPError as error:
        raise TrackingUnavailable(f"an answer broke off: {error!r}") from error
    finally:
        got.close()
    content = b"".join(blocks)
    if got.status_code == 400 and _NO_CONNECTION in content:
        # To its client a 400 is final.
        raise TrackingUnavailable("all of its connections to the database are in use")
    kept = {name: got.headers[name] for name in ("Content-Type",) if name in got.headers}
    return httpx.Response(got.status_code, headers=kept, content=content)


def answer(caller: Caller, matched: Matched, got: httpx.Response) -> HttpResponse:
    """The tracking server's answer for the caller's eyes."""
    content = got.content
    if got.is_success and items_of(matched):
        content = json.dumps(visible(caller, matched, got.json())).encode()
    kind = got.headers.get("Content-Type", "application/json")
    return HttpResponse(content, status=got.status_code, content_type=kind)


class Blocks:
    """The body of a streamed answer; closes the connection also when it was never read."""

    def __init__(self, got: httpx.Response) -> None:
        self._got = got

    def __iter__(self) -> Iterator[bytes]:
        return self._got.iter_raw(_BLOCK)

    def close(self) -> None:
        self._got.close()


def download(matched: Matched, asked: Asked) -> HttpResponseBase:
    """An artifact, or the list of a folder."""
    query = asked.query if matched.path == ARTIFACTS else ()  # a file is named by its path alone
    got = send(
        "GET",
        matched.upstream_path,
        query,
        stream=True,
        headers={"Accept-Encoding": "identity"},
        timeout=ARTIFACT_TIMEOUT,
    )
    kind = got.headers.get("Content-Type", "application/octet-stream")
    response = StreamingHttpResponse(Blocks(got), status=got.status_code, content_type=kind)
    for name in _ARTIFACT_KEPT:
        if name in got.headers:
            response[name] = got.headers[name]
    for name, value in _ARTIFACT_HEADERS.items():
        response[name] = value
    return response


def upload(request: HttpRequest, matched: Matched, judge: Callable[[], object]) -> HttpResponse:
    """Store an artifact (PUT), or take one away (DELETE).

    `judge` raises Refusal if the caller may no longer: it is asked before the last block goes, for
    what takes an hour to come may come from somebody whose token was revoked meanwhile.
    """
    headers = {"Content-Type": "application/octet-stream"}
    content: dict[str, Any] = {}
    if matched.route.method == "PUT":
        length = request.META.get("CONTENT_LENGTH")
        if length:
            if not length.isdecimal():
                raise Refusal(400, "INVALID_PARAMETER_VALUE", "The length is no number.")
            headers["Content-Length"] = length
        content["content"] = _judged(_blocks(request, bool(length)), judge)
    got = send(
        matched.route.method,
        matched.upstream_path,
        headers=headers,
        timeout=ARTIFACT_TIMEOUT,
        **content,
    )
    kind = got.headers.get("Content-Type", "application/json")
    return HttpResponse(got.content, status=got.status_code, content_type=kind)


def _judged(blocks: Iterator[bytes], judge: Callable[[], object]) -> Iterator[bytes]:
    """The blocks; the last one only if the caller still may, where they took long to come.

    MLflow keeps nothing of an upload that breaks off.
    """
    began, last = time.monotonic(), b""
    for block in blocks:
        if last:
            yield last
        last = block
    if time.monotonic() - began > LONG_S:
        judge()
    if last:
        yield last


def _blocks(request: HttpRequest, has_length: bool) -> Iterator[bytes]:
    """The request's body. Django reads only as far as the announced length, so a chunked body is
    read from the server itself, which must be one that tells where it ends (gunicorn does)."""
    source: Any = request
    if not has_length and request.META.get("HTTP_TRANSFER_ENCODING"):
        if not request.META.get("wsgi.input_terminated"):
            raise Refusal(411, "INVALID_PARAMETER_VALUE", "Send the artifact's length.")
        source = request.META["wsgi.input"]
    missing = int(request.META["CONTENT_LENGTH"]) if has_length else 0
    while block := _read(source):
        missing -= len(block)
        yield block
    if missing > 0:
        raise invalid(_BROKEN)


def _read(source: Any) -> bytes:
    """The next block. Raises Refusal for a body that breaks off, or whose chunks are none."""
    try:
        block: bytes = source.read(_BLOCK)
    except (OSError, ParseException) as error:
        raise invalid(_BROKEN) from error
    return block
