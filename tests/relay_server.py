"""The relay without a studio around it, for tests of runners: the desk behind plain HTTP."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from sweeps.runners.relay import asked, keys
from sweeps.runners.relay.desk import Refused


class Relay(ThreadingHTTPServer):
    """Answers carriers whose keys lie in a folder. While it is `away` it answers nobody."""

    daemon_threads = True
    request_queue_size = 50

    def __init__(self, folder: Path, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.folder, self.away = folder, False
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/relay"


class _Handler(BaseHTTPRequestHandler):
    server: Relay

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.away:
            self.close_connection = True
            return
        path, _, query = self.path.partition("?")
        _, _, key, verb = path.split("/")
        self.server.requests.append(verb)
        secret = self.headers["Authorization"].removeprefix("Bearer ")
        at = int(query.partition("=")[2] or 0)
        spool = keys.spool_of(str(self.server.folder), key)
        try:
            answer = asked.answer(spool, verb, secret, body, at)
            data = Path(answer).read_bytes() if isinstance(answer, str) else _json(answer)
            status = 200
        except Refused as refused:
            status, data = refused.status, str(refused).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


def _json(answer: object) -> bytes:
    return json.dumps(answer).encode()


@contextmanager
def relay(folder: Path) -> Iterator[Relay]:
    """A relay for the time of a block."""
    with Relay(folder) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
