"""One POST of JSON: to the very address that was checked, without redirects, within a time."""

import time
from collections.abc import Mapping

import httpcore

from sweeps.notify.base import NotSent
from sweeps.stores.guarded import PrivateAddress, PublicOnly
from sweeps.stores.hurried import Hurried

# All of it: looking up, connecting, sending, and the answer's head.
WITHIN_S = 15.0
# So much of an answer's body is shown where it refuses.
_SHOWN = 200
_GONE = 410


def post(url: str, headers: Mapping[str, str], body: bytes, *, private: bool) -> str:
    """Send it; what was answered, as "200 in 0.12 s". Raises NotSent."""
    began = time.monotonic()
    backend = Hurried(httpcore.SyncBackend() if private else PublicOnly(), began + WITHIN_S)
    said = [("Content-Type", "application/json"), ("User-Agent", "Sweep-Studio"), *headers.items()]
    try:
        with (
            httpcore.ConnectionPool(network_backend=backend) as pool,
            pool.stream(
                "POST", url, headers=said, content=body, extensions=_timeouts()
            ) as response,
        ):
            took = time.monotonic() - began
            if 200 <= response.status < 300:
                return f"{response.status} in {took:.2f} s"
            raise _refused(response)
    except PrivateAddress as error:
        text = f"{error}, which is within the studio's own network; notices do not reach there"
        raise NotSent(f"{text} (STUDIO_NOTIFY_PRIVATE).", again=False) from error
    except httpcore.TimeoutException as error:
        raise NotSent(f"No answer within {WITHIN_S:.0f} s.") from error
    except (httpcore.NetworkError, httpcore.ProtocolError) as error:
        raise NotSent(f"No answer: {error or type(error).__name__}.") from error
    except (httpcore.UnsupportedProtocol, ValueError, TypeError) as error:
        raise NotSent(f"The address cannot be used: {error}.", again=False) from error


def _timeouts() -> dict[str, object]:
    return {"timeout": dict.fromkeys(("connect", "read", "write", "pool"), WITHIN_S)}


def _refused(response: httpcore.Response) -> NotSent:
    status = response.status
    if 300 <= status < 400:
        return NotSent(f"It answered {status}: redirects are not followed, write where it leads.")
    text = f"It answered {status}{_words(response)}."
    if status == _GONE:
        return NotSent(text, again=False)
    return NotSent(text, asked_s=_asked(response))


def _words(response: httpcore.Response) -> str:
    """The beginning of the body, which often says what was wrong."""
    found = b""
    try:
        for piece in response.iter_stream():
            found += piece
            if len(found) >= _SHOWN:
                break
    except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError):
        pass  # then without
    text = found[:_SHOWN].decode(errors="replace")
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f": {line}" if line else ""


def _asked(response: httpcore.Response) -> float | None:
    """Seconds of Retry-After; dates are not worth it."""
    found = [value for name, value in response.headers if name.lower() == b"retry-after"]
    text = found[0].decode(errors="replace").strip() if found else ""
    return float(text) if text.isdecimal() and len(text) < 9 else None
