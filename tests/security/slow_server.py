"""A web process with little patience and few threads, for tests: `python -m … <descriptor>`."""

import sys
import time
from collections.abc import Iterable
from typing import Any

from gunicorn.http.errors import ParseException

from studio.serving import pace, worker
from studio.web import Web, drained

THREADS, WAITING, UNSAID, QUEUED, CONNECTIONS = 2, 4, 20, 30, 70
PATIENCE_S = 2.0
LARGE = 20_000_000


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """`/slow` is late, `/large` much, `/endless` too much, `…/read` how much was sent, `…/where`
    what was asked for; all else is answered at once."""
    path, body, status = environ["PATH_INFO"], b"quick", "200 OK"
    if path.endswith("/read"):
        try:
            # As Django reads an upload: to the end, in blocks.
            blocks = iter(lambda: environ["wsgi.input"].read(4096), b"")
            body = str(sum(map(len, blocks))).encode()
        except (OSError, ParseException):  # as the tracking gateway does
            body, status = b"broken", "400 Bad Request"
    if path.endswith("/where"):
        body = (environ["SCRIPT_NAME"] + "|" + path).encode()
    if path == "/slow":
        time.sleep(0.2)
    if path == "/endless":
        body = b"x" * (4 * 2**30)
    if path == "/large":
        body = b"x" * LARGE
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]


class SlowServer(Web):
    """Ours, with another application."""

    def load_config(self) -> None:
        super().load_config()
        self.cfg.set("threads", THREADS)
        self.cfg.set("worker_connections", CONNECTIONS)

    def load(self) -> Any:
        return drained(application)


if __name__ == "__main__":
    pace.SENDING_S = worker.SENDING_S = pace.TAKING_S = PATIENCE_S
    worker.WAITING, worker.UNSAID, worker.QUEUED = WAITING, UNSAID, QUEUED
    worker._LINGER_S = 60
    SlowServer([int(sys.argv[1])]).run()
