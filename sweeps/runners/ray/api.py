"""Ray's REST API: what we ask of a cluster's dashboard, and what goes wrong.

The address comes from the owner of a workspace. So the paths are ours, no redirect is followed, and
nothing of an answer is passed on but what has the shape of Ray's.
"""

import json
import re
import socket
import time
from collections.abc import Iterable, Mapping
from typing import Any

import httpcore

from sweeps.domain.addresses import tells_secrets
from sweeps.runners.base import ComputeAway, RunnerError
from sweeps.stores.hurried import Hurried

PATIENCE_S = 20.0
# Packages are up to some hundred megabytes.
UPLOAD_S = 300.0
# What a cluster with tens of thousands of jobs on record answers.
_MOST_BYTES = 64 * 2**20
# "ValueError: Job with submission_id … already exists." at the end of a traceback
_ERROR = re.compile(r"^(?:[\w.]*\.)?\w*(?:Error|Exception|Timeout)(?:: (.*))?$")
_HINTS = (
    (r"exceeds the maximum size|larger than|Maximum request body", "Leave large files out of the "
     "code (.amlignore, .gitignore), and name them as inputs."),
    (r"entrypoint_resources|resource", "The nodes' resources stand on the page Computes."),
)  # fmt: skip


class Api:
    """One cluster's dashboard. For any number of threads."""

    def __init__(self, address: str) -> None:
        self.address = address

    def version(self) -> str:
        """Ray's version."""
        found = self._object("GET", "/api/version").get("ray_version")
        if not isinstance(found, str):
            raise self.stranger()
        return fit(found, 40)

    def jobs(self) -> list[dict[str, Any]]:
        """All jobs that it has on record."""
        found = self._json("GET", "/api/jobs/")
        if not isinstance(found, list):
            raise self.stranger()
        return [job for job in found if isinstance(job, dict)]

    def job(self, number: str) -> dict[str, Any] | None:
        """One job; None if there is none of that id."""
        status, body = self._send("GET", f"/api/jobs/{number}")
        if status == 404:
            return None
        self._require(status, body)
        found = self._parsed(body)
        return found if isinstance(found, dict) else None

    def submit(self, job: Mapping[str, Any]) -> None:
        """Hand in a job. Raises ComputeAway, after which it may have been handed in all the same;
        RunnerError, in Ray's words, where it was not."""
        self._object("POST", "/api/jobs/", json.dumps(job).encode())

    def stop(self, number: str) -> None:
        """End a job: SIGTERM to all its processes, SIGKILL three seconds later."""
        self._require(*self._send("POST", f"/api/jobs/{number}/stop"))

    def forget(self, number: str) -> None:
        """Take a job that is over from the record."""
        self._require(*self._send("DELETE", f"/api/jobs/{number}"))

    def last_words(self, number: str) -> str:
        """The last line of a job's log that says something; "" where there is none."""
        logs = str(self._object("GET", f"/api/jobs/{number}/logs").get("logs") or "")
        lines = [line.strip() for line in logs[-8192:].splitlines() if line.strip()]
        return fit(lines[-1], 300) if lines else ""

    def has_package(self, name: str) -> bool:
        """Whether a package is there; if so, it stays for some minutes."""
        status, body = self._send("GET", f"/api/packages/gcs/{name}")
        if status == 404:
            return False
        self._require(status, body)
        return True

    def put_package(self, name: str, data: bytes) -> None:
        """Bring a package there."""
        path = f"/api/packages/gcs/{name}"
        self._require(*self._send("PUT", path, data, kind="application/octet-stream"))

    def nodes(self) -> list[dict[str, Any]]:
        """Its nodes, those that went among them."""
        found = self._object("GET", "/api/v0/nodes?limit=10000")
        try:
            return list(found["data"]["result"]["result"])
        except (KeyError, TypeError) as error:
            raise self.stranger() from error

    def usage(self) -> dict[str, Any]:
        """What of its resources is used, and what is asked for; {} where it does not tell."""
        try:
            found = self._object("GET", "/api/cluster_status")
            return dict(found["data"]["clusterStatus"]["loadMetricsReport"])
        except (KeyError, TypeError):
            return {}

    # --- how ------------------------------------------------------------------------------------
    def _object(self, method: str, path: str, data: bytes = b"") -> dict[str, Any]:
        found = self._json(method, path, data)
        if not isinstance(found, dict):
            raise self.stranger()
        return found

    def _json(self, method: str, path: str, data: bytes = b"") -> Any:
        status, body = self._send(method, path, data)
        self._require(status, body)
        return self._parsed(body)

    def _parsed(self, body: bytes) -> Any:
        try:
            return json.loads(body)
        except (ValueError, RecursionError) as error:
            raise self.stranger() from error

    def _require(self, status: int, body: bytes) -> None:
        """Raise what an answer means that is none of success."""
        if 200 <= status < 300:
            return
        words = fit(_words(body.decode(errors="replace")), 700)
        if status in (401, 403):
            raise RunnerError(
                f"The Ray cluster at {self.address} asks for a token (RAY_AUTH_MODE=token), which "
                "the studio does not send. Reach it by an address that needs none."
            )
        if status >= 500 and "status code 400" not in words:
            raise ComputeAway(f"Ray: {words or f'the dashboard answered {status}'}")
        if not words:
            raise self.stranger()
        hint = next((hint for rule, hint in _HINTS if re.search(rule, words)), "")
        raise RunnerError(f"Ray: {words} {hint}".strip())

    def stranger(self) -> RunnerError:
        """What is said where something else than Ray has answered."""
        return RunnerError(
            f"What answers at {self.address} is not the dashboard of a Ray cluster. `ray start "
            "--head` prints its address for Ray Jobs, most often with port 8265."
        )

    def _send(
        self, method: str, path: str, data: bytes = b"", kind: str = "application/json"
    ) -> tuple[int, bytes]:
        limit = UPLOAD_S if method == "PUT" else PATIENCE_S
        # Not of each step alone: who sends a byte now and then holds up whoever waits.
        backend = Hurried(_NoTellers(), time.monotonic() + limit)
        timeouts = {"connect": PATIENCE_S, "read": limit, "write": limit, "pool": limit}
        headers: dict[bytes | str, bytes | str] = {
            "Content-Type": kind,
            "Content-Length": str(len(data)),
        }
        # Ray refuses what looks like a browser's.
        headers |= {"User-Agent": "sweep-studio", "Accept": "application/json"}
        try:
            with (
                httpcore.ConnectionPool(network_backend=backend) as pool,
                pool.stream(
                    method,
                    f"{self.address}{path}",
                    headers=headers,
                    content=data,
                    extensions={"timeout": timeouts},
                ) as response,
            ):
                return response.status, _bounded(response.iter_stream())
        except _Teller as error:
            raise RunnerError(
                f"{self.address} leads to {error}, where no Ray cluster is."
            ) from error
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError) as error:
            why = str(error) or type(error).__name__
            raise ComputeAway(f"Ray at {self.address} does not answer: {why}") from error
        except (ValueError, TypeError) as error:  # a host that no name may be
            raise RunnerError(f"{self.address} cannot be asked: {fit(str(error), 200)}") from error


def fit(text: Any, most: int) -> str:
    """Words of the cluster's as a database can keep them: in one line, of `most` characters,
    without NUL and halves of characters."""
    line = " ".join(str(text)[: 4 * most].replace("\0", "").split())
    return line[:most].encode(errors="replace").decode()


def _bounded(pieces: Iterable[bytes]) -> bytes:
    found = b""
    for piece in pieces:
        found += piece
        if len(found) > _MOST_BYTES:
            raise RunnerError("Ray's answer is longer than any list of jobs.")
    return found


def _words(text: str) -> str:
    """The error at the end of Ray's traceback; "" for what is none."""
    if not text.startswith(("Traceback", "Package", "Job ", "No available")):
        return ""
    lines = [line.strip() for line in text.splitlines() if line.strip(" .")]
    found = next((line for line in reversed(lines) if _ERROR.match(line)), "")
    said = _ERROR.match(found)
    refused = " (status code 400)" if "status code 400" in text else ""
    return f"{(said[1] or found) if said else lines[-1]}"[:600] + refused if lines else ""


class _Teller(Exception):
    """A name leads to where clouds tell machines their secrets."""


class _NoTellers(httpcore.SyncBackend):
    """Connects to the address that was looked at, and not to those where no Ray can be."""

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> Any:
        """See httpcore."""
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError(f"{host} is not known: {error}") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for address in addresses:
            _require_possible(address)
        trouble: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in addresses:
            try:
                return super().connect_tcp(address, port, *args, **kwargs)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
        raise trouble


def _require_possible(text: str) -> None:
    if tells_secrets(text):
        raise _Teller(text)
