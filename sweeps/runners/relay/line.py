"""A carrier's line to the studio: HTTP by the standard library, as the machine has it."""

import errno
import http.client
import json
import os
import secrets
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from typing import Any

# So long a job waits for a studio that it has never reached; nothing runs yet.
CLAIM_S = 120.0
TIMEOUT_S = 30.0
# Answers that may be others a moment later.
_PASSING = (408, 425, 429, 500, 502, 503, 504)
# Errors of this machine's disk, which no later request mends.
_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENAMETOOLONG)
_MOST_WORDS = 300


class Refusal(Exception):
    """The studio refuses: the attempt is over, or not this job's."""


class CutOff(Exception):
    """The studio was out of reach for too long."""


class _Stays(urllib.request.HTTPRedirectHandler):
    """Secrets are sent to the studio's address and to no other."""

    def redirect_request(self, *_: Any) -> None:
        return None


class Line:
    """Requests of one attempt. `lease_s` is how long the studio may be away."""

    def __init__(self, url: str, key: str) -> None:
        self._base = f"{url.rstrip('/')}/{key}"
        self._opener = urllib.request.build_opener(_Stays)
        self._bearer = ""
        self.lease_s = CLAIM_S
        self._heard = time.monotonic()

    def claim(self, ticket: str) -> dict[str, Any]:
        """Take the attempt. Raises Refusal, CutOff."""
        self._bearer, secret = ticket, secrets.token_urlsafe(32)
        told = self.ask("claim", {"secret": secret, "host": socket.gethostname()})
        self._bearer, self.lease_s = secret, float(told["relay"]["lease_s"])
        return told

    def try_once(self, verb: str, doc: Mapping[str, Any]) -> dict[str, Any] | None:
        """One request; None where the studio is out of reach now. Raises Refusal, and CutOff once
        that has been so for longer than the lease."""
        return self._tried(lambda: self._send(verb, json.dumps(doc).encode()))

    def ask(self, verb: str, doc: Mapping[str, Any]) -> dict[str, Any]:
        """A request that is made until it is answered. Raises Refusal, CutOff."""
        return self._until_answered(lambda: self.try_once(verb, doc))

    def send(self, verb: str, data: bytes) -> dict[str, Any]:
        """Bytes that are sent until they are taken. Raises Refusal, CutOff."""
        kind = "application/octet-stream"
        return self._until_answered(lambda: self._tried(lambda: self._send(verb, data, kind)))

    def end(self, result: Mapping[str, Any]) -> None:
        """Tell how the command ended. Raises Refusal, CutOff."""
        self.ask("end", {"result": result})

    def fetch(self, number: int, name: str, path: str) -> None:
        """Write a file that the studio lends. Raises Refusal, CutOff, OSError."""

        doc = json.dumps({"number": number, "name": name}).encode()

        def get() -> dict[str, Any]:
            with self._open("lent", doc) as response, open(path, "wb") as file:
                length = int(response.headers["Content-Length"])
                while data := response.read(2**20):
                    file.write(data)
                if file.tell() != length:
                    raise http.client.HTTPException("the file broke off")
            return {}

        os.makedirs(os.path.dirname(path), exist_ok=True)
        self._until_answered(lambda: self._tried(get))

    def _tried(self, request: Callable[[], dict[str, Any]]) -> dict[str, Any] | None:
        try:
            answer = request()
        except (http.client.HTTPException, OSError) as error:  # URLError is an OSError
            if isinstance(error, OSError) and error.errno in _DISK:
                raise
            if time.monotonic() - self._heard > self.lease_s:
                why = str(error) or type(error).__name__
                text = f"The studio at {self._base} was not reached: {why}"
                raise CutOff(text) from error
            return None
        self._heard = time.monotonic()
        return answer

    def _until_answered(self, once: Callable[[], dict[str, Any] | None]) -> dict[str, Any]:
        pause = 0.2
        while (answer := once()) is None:
            time.sleep(pause)
            pause = min(pause * 2, 5.0)
        return dict(answer)

    def _send(self, verb: str, data: bytes, kind: str = "application/json") -> dict[str, Any]:
        with self._open(verb, data, kind) as response:
            answer = json.loads(response.read())
        return dict(answer)

    def _open(self, verb: str, data: bytes, kind: str = "application/json") -> Any:
        headers = {"Authorization": f"Bearer {self._bearer}", "Content-Type": kind}
        request = urllib.request.Request(  # noqa: S310 - the studio's address, of the job
            f"{self._base}/{verb}", data, headers, method="POST"
        )
        try:
            return self._opener.open(request, timeout=TIMEOUT_S)
        except urllib.error.HTTPError as error:
            with error:
                words = error.read(_MOST_WORDS).decode(errors="replace")
            if error.code in _PASSING:
                raise http.client.HTTPException(f"{error.code} {words}") from None
            raise Refusal(words or f"HTTP {error.code}") from None
