"""Asking the health page without waiting for it."""

import json
import socket
from urllib.parse import urlsplit

ANSWER_S = 3.0


class Probe:
    """One question at a time to the health page at `url`."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._request = f"GET {parts.path or '/'} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode()
        self._socket: socket.socket | None = None
        self._is_sent = False
        self._answer, self._until = b"", 0.0

    @property
    def is_open(self) -> bool:
        """True while an answer is awaited."""
        return self._socket is not None

    def waits_for(self) -> tuple[list[int], list[int]]:
        """The descriptors to wait for, until they can be read and until they can be written."""
        if self._socket is None:
            return [], []
        mine = [self._socket.fileno()]
        return (mine, []) if self._is_sent else ([], mine)

    def ask(self, now: float) -> None:
        """Begin to ask; `step` gives the answer."""
        family = socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._socket.connect_ex(self._address)
        self._is_sent, self._answer, self._until = False, b"", now + ANSWER_S

    def step(self, now: float) -> dict[str, str] | None:
        """The states of the parts, empty if nobody answered with sense; None if it is too soon."""
        if self._socket is None:
            return None
        try:
            if not self._is_sent:
                self._socket.sendall(self._request)
                self._is_sent = True
            while chunk := self._socket.recv(65536):
                self._answer += chunk
            return self._close(_states(self._answer))
        except BlockingIOError:
            return None if now < self._until else self._close({})
        except OSError:
            return self._close({})

    def _close(self, states: dict[str, str]) -> dict[str, str]:
        assert self._socket is not None
        self._socket.close()
        self._socket = None
        return states


def _states(answer: bytes) -> dict[str, str]:
    """What the body says; an answer that something is down has the status 503."""
    try:
        body = json.loads(answer.partition(b"\r\n\r\n")[2])
    except ValueError:
        return {}
    parts = body.get("parts") if isinstance(body, dict) else None
    return parts if isinstance(parts, dict) else {}
