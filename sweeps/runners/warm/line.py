"""What the studio and a warm parent say to each other, by a socket that keeps messages apart."""

import json
import socket
from typing import Any

READY, START, LEAVE = b"ready?", b"start ", b"leave"
LONGEST = 64 * 1024
# Files of a parent's folder.
SOCKET, LOCK, REFUSED, IMPORTING, LOG, CWD = (
    "socket", "lock", "refused.json", "importing", "parent.log", "cwd",
)  # fmt: skip


def say(line: socket.socket, **answer: Any) -> None:
    """Answer with a record."""
    line.send(json.dumps(answer).encode())


def hear(line: socket.socket) -> dict[str, Any] | None:
    """The other side's record, None when it is gone. Raises TimeoutError."""
    try:
        data = line.recv(LONGEST)
    except ConnectionError:
        return None
    return json.loads(data) if data else None
