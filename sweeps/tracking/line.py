"""HTTP to one server on this machine, by the standard library: a third of httpx's processor time.

That counts: every trial takes three requests.
"""

import http.client
import json
import select
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

# Well before the server closes an idle connection (sweeps.tracking.server.KEEP_ALIVE_S), so that
# no request is written into one that is just being closed.
_IDLE_S = 15.0


class LineBroken(Exception):
    """No answer came, or no HTTP."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said; `retry_after` is its header of that name."""

    status: int
    text: str
    retry_after: str = ""


class _Connection(http.client.HTTPConnection):
    """Closed with the thread that kept it, or with the line."""

    def __del__(self) -> None:
        self.close()


class Line:
    """Requests to `base_url`, over one kept connection per thread."""

    def __init__(self, base_url: str, headers: Mapping[str, str], timeout_s: float) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"The server's address must be http://host:port, but is {base_url!r}.")
        self._host, self._port, self._prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self._headers, self._timeout_s = dict(headers), timeout_s
        self._kept = threading.local()

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """One request and its answer. Raises LineBroken."""
        headers, data = self._headers, None
        if body is not None:
            data = json.dumps(body, allow_nan=False).encode()
            headers = {**headers, "Content-Type": "application/json"}
        target = f"{self._prefix}{path}" + (f"?{urlencode(query)}" if query else "")
        connection = self._connection()
        try:
            connection.request(method, target, body=data, headers=headers)
            answer = connection.getresponse()
            text = answer.read().decode(errors="replace")
            retry_after = answer.getheader("Retry-After", "")
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise LineBroken(repr(error)) from error
        self._kept.used = time.monotonic()
        return Answer(answer.status, text, retry_after)

    def stands(self) -> bool:
        """True if this thread has a connection that the server has not closed. Sends nothing."""
        kept: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        return kept is not None and not _is_closed(kept)

    def close(self) -> None:
        """Close this thread's connection; the next request opens another."""
        connection: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        if connection is not None:
            connection.close()
            self._kept.connection = None

    def _connection(self) -> http.client.HTTPConnection:
        kept: http.client.HTTPConnection | None = getattr(self._kept, "connection", None)
        fresh = kept is not None and time.monotonic() - self._kept.used < _IDLE_S
        if kept is not None and fresh and not _is_closed(kept):
            return kept
        self.close()
        made = _Connection(self._host, self._port, timeout=self._timeout_s)
        self._kept.connection, self._kept.used = made, time.monotonic()
        return made


def _is_closed(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has gone: nobody asked, so all there can be to read is the end."""
    if connection.sock is None:
        return True
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))
