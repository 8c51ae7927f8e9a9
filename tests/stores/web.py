"""A small web server whose answers a test decides."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Handler = Callable[["Web", BaseHTTPRequestHandler], None]


class Web:
    """Serves `files` with ETags and ranges; `special` overrides paths; `asked` notes requests."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.files: dict[str, bytes] = {}
        self.special: dict[str, Handler] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        headers = {key.lower(): value for key, value in request.headers.items()}
        self.asked.append((request.path, headers))
        path = request.path.partition("?")[0]
        if path in self.special:
            self.special[path](self, request)
        elif path in self.files:
            self.serve(request, self.files[path], headers)
        else:
            reply(request, 404, b"no")

    def serve(self, request: BaseHTTPRequestHandler, body: bytes, headers: dict[str, str]) -> None:
        etag = f'"{hashlib.md5(body).hexdigest()}"'
        if headers.get("if-none-match") == etag:
            return reply(request, 304, b"", ETag=etag)
        if headers.get("if-range") == etag:
            start = int(headers["range"].removeprefix("bytes=").rstrip("-"))
            what = f"bytes {start}-{len(body) - 1}/{len(body)}"
            return reply(request, 206, body[start:], **{"ETag": etag, "Content-Range": what})
        return reply(request, 200, body, ETag=etag)


def reply(
    request: BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    length: int | None = None,
    **more: str,
) -> None:
    """One answer; with a `length` that is too large the connection breaks off."""
    request.send_response(status)
    for key, value in more.items():
        request.send_header(key.replace("_", "-"), value)
    request.send_header("Content-Length", str(len(body) if length is None else length))
    request.end_headers()
    request.wfile.write(body)


@contextmanager
def serving() -> Iterator[Web]:
    """A server for the time of a block."""
    web: list[Web] = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            web[0].answer(self)

        def do_POST(self) -> None:
            web[0].answer(self)

        def log_message(self, *_: object) -> None:
            """Nothing: tests look at what was asked."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    web.append(Web(server.server_address[1]))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield web[0]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
