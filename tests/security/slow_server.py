"""A web process with little patience and few threads, for tests: `python -m … <descriptor>`."""

import sys
from collections.abc import Iterable
from typing import Any

from gunicorn.http.errors import ParseException

from studio.serving import pace, worker
from studio.web import Web, drained

THREADS, WAITING, UNSAID = 2, 4, 20
PATIENCE_S = 2.0
LARGE = 20_000_000


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """`/large` answers with much, `…/read` with how much it was sent, all else at once."""
    path, body, status = environ["PATH_INFO"], b"quick", "200 OK"
    if path.endswith("/read"):
        try:
            # As Django reads an upload: to the end, in blocks.
            blocks = iter(lambda: environ["wsgi.input"].read(4096), b"")
            body = str(sum(map(len, blocks))).encode()
        except (OSError, ParseException):  # as the tracking gateway does
            body, status = b"broken", "400 Bad Request"
    if path == "/large":
        body = b"x" * LARGE
    start_response(status, [("Content-Length", str(len(body)))])
    return [body]


class SlowServer(Web):
    """Ours, with another application."""

    def load_config(self) -> None:
        super().load_config()
        self.cfg.set("threads", THREADS)

    def load(self) -> Any:
        return drained(application)


if __name__ == "__main__":
    pace.SENDING_S = worker.SENDING_S = pace.TAKING_S = PATIENCE_S
    worker.WAITING, worker.UNSAID = WAITING, UNSAID
    SlowServer([int(sys.argv[1])]).run()
