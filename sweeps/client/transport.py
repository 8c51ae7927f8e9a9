"""Requests to the studio's REST API: sent again where that is safe, errors typed."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sweeps.client.errors import StudioUnavailable, from_answer

if TYPE_CHECKING:
    import httpx

BASE = "/api/v1"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# A studio whose part was killed is back within a second; one that restarts within a few.
PATIENCE_S = 10.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 2.0
_AWAY = frozenset({429, 502, 503, 504})
_PAGE = 200


def is_here(url: str) -> bool:
    """True if the studio listens on this machine's loopback: it reads the same files."""
    return urlsplit(url).hostname in _LOOPBACK


class Transport:
    """One studio and one token.

    Every request here may be sent twice: reads, uploads by content, steering that is the same
    when repeated, and submissions with an Idempotency-Key. `sleep` and `clock` in seconds.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        http: "httpx.Client | None" = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        # Its import takes as long as all else here; whoever only builds jobs need not wait for it.
        import httpx

        self.url = url.rstrip("/")
        self._sleep, self._clock = sleep, clock
        self._lost: type[Exception] = httpx.TransportError
        self._http = http or httpx.Client(base_url=self.url, timeout=60)
        self._headers = {"Authorization": f"Bearer {token}"}

    def close(self) -> None:
        """Let go of the connections."""
        self._http.close()

    def get(self, path: str, **params: Any) -> Any:
        """The JSON behind a path below /api/v1."""
        return self.send("GET", path, params=params).json()

    def items(self, path: str, **params: Any) -> Iterator[dict[str, Any]]:
        """All items of a list, page by page."""
        cursor: str | None = ""
        while cursor is not None:
            page = self.get(path, limit=_PAGE, cursor=cursor, **params)
            yield from page["items"]
            cursor = page["next_cursor"]

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        """Send JSON; the JSON of the answer."""
        return self.send("POST", path, json=body or {}, headers=headers).json()

    def upload(self, path: str, part: str, name: str, file: Path) -> Any:
        """Send a file as a part of a form; the JSON of the answer."""
        return self.send("POST", path, file=(part, name, file)).json()

    def download(self, path: str, target: Path) -> None:
        """Write the answer's body to a file, piece by piece as it comes."""
        self.send("GET", path, into=target)

    def send(self, method: str, path: str, **more: Any) -> "httpx.Response":
        """One request, again while the studio is away, for `PATIENCE_S` at most.

        Where it is asked too often it is asked again when it says, if that is within these.
        Raises StudioError, of the kind that the answer asks for.
        """
        until, pause = self._clock() + PATIENCE_S, FIRST_PAUSE_S
        while True:
            answer, why = self._once(method, path, **more)
            if answer is not None and answer.status_code not in _AWAY:
                break
            wait = max(pause, _wanted_pause(answer))
            if self._clock() + wait > until:
                break
            self._sleep(wait)
            pause = min(2 * pause, LONGEST_PAUSE_S)
        if answer is None:
            text = f"The studio at {self.url} does not answer ({why}). Is it running?"
            raise StudioUnavailable(text)
        if answer.is_success:
            return answer
        raise from_answer(answer.status_code, _json(answer), answer.text)

    def _once(self, method: str, path: str, **more: Any) -> "tuple[httpx.Response | None, str]":
        headers = self._headers | more.pop("headers", {})
        file, into = more.pop("file", None), more.pop("into", None)
        with ExitStack() as opened:
            if file is not None:
                part, name, source = file
                more["files"] = {part: (name, opened.enter_context(source.open("rb")))}
            try:
                if into is not None:
                    return self._streamed(method, BASE + path, into, headers), ""
                return self._http.request(method, BASE + path, headers=headers, **more), ""
            except self._lost as error:
                return None, str(error) or type(error).__name__

    def _streamed(
        self, method: str, url: str, into: Path, headers: dict[str, str]
    ) -> "httpx.Response":
        with self._http.stream(method, url, headers=headers) as answer:
            if not answer.is_success:
                answer.read()  # the studio's words
                return answer
            with into.open("wb") as file:
                for block in answer.iter_bytes():
                    file.write(block)
            return answer


def _wanted_pause(answer: "httpx.Response | None") -> float:
    """Seconds until a studio that is asked too often may be asked again.

    What else is away is often back sooner than the answer can know.
    """
    if answer is None or answer.status_code != 429:
        return 0
    said = answer.headers.get("Retry-After", "")
    return float(said) if said.isdecimal() else 0


def _json(answer: "httpx.Response") -> Any:
    try:
        return answer.json()
    except ValueError:
        return None
