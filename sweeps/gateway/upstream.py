"""The gateway's line to the tracking server: one pool of connections for the process."""

import logging
import threading
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

import httpx

from sweeps.engine.tracking import TrackingUnavailable, address

log = logging.getLogger(__name__)

JSON_TIMEOUT = httpx.Timeout(60.0, connect=5.0, pool=10.0)
# A model of many GB may take the disk a while between two blocks.
ARTIFACT_TIMEOUT = httpx.Timeout(600.0, connect=5.0, pool=10.0)


class Unfinished(TrackingUnavailable):
    """The tracking server has not answered in time, and may still be at it."""


Query = Iterable[tuple[str, str]]


_first = threading.Lock()


@cache
def client() -> httpx.Client:
    url, headers = address()
    limits = httpx.Limits(max_connections=64, max_keepalive_connections=32)
    # trust_env=False: a proxy of the user's shell must not see loopback traffic.
    return httpx.Client(
        base_url=url, headers=headers, limits=limits, timeout=JSON_TIMEOUT, trust_env=False
    )


def send(
    method: str,
    path: str,
    query: Query = (),
    *,
    stream: bool = False,
    **content: Any,
) -> httpx.Response:
    """The tracking server's answer, whatever it says; close it if `stream` is set.

    Raises TrackingUnavailable when there is none, or when it does not know our secret; Unfinished
    when it takes too long.
    """
    with _first:  # two threads would make one each, and forget one
        line = client()
    request = line.build_request(method, path, params=list(query), **content)
    try:
        answer = line.send(request, stream=stream)
    except httpx.ReadTimeout as error:
        raise Unfinished(f"{method} {path}: no answer in time") from error
    except httpx.HTTPError as error:
        raise TrackingUnavailable(f"{method} {path}: {error!r}") from error
    if answer.status_code == 401:
        answer.close()
        log.error("the tracking server does not know the studio's secret")
        raise TrackingUnavailable(f"{method} {path}: 401")
    return answer


def look_up(path: str, query: Mapping[str, str]) -> dict[str, Any] | None:
    """The JSON object at `path`, None when the tracking server has no such thing.

    Raises TrackingUnavailable.
    """
    answer = send("GET", path, query.items())
    if answer.status_code >= 500 or answer.status_code == 429:
        raise TrackingUnavailable(f"GET {path}: {answer.status_code}")
    found = answer.json() if answer.is_success else None
    return found if isinstance(found, dict) else None
