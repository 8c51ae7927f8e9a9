"""What the supervisor keeps in STUDIO_HOME: its lock, and which processes it started."""

import errno
import fcntl
import json
import os
import socket
import time
from dataclasses import asdict
from pathlib import Path
from typing import TextIO

from django.core.exceptions import ImproperlyConfigured

from studio.supervisor.processes import Identity, end, is_alive


def share(home: Path) -> TextIO:
    """Keep a studio that is alone from this home, as long as the returned file is open; other
    hosts of ours share it. Raises ImproperlyConfigured while one runs."""
    file = _locked(home, fcntl.LOCK_SH)
    if file.read().strip():  # what is left there is of one that has ended
        file.truncate(0)
    return file


def lock(home: Path, url: str) -> TextIO:
    """Hold the home for this process; keep the returned file open.

    Raises ImproperlyConfigured when another studio holds it.
    """
    file = _locked(home, fcntl.LOCK_EX)
    file.truncate(0)
    file.write(f"pid {os.getpid()}, {url}")
    file.flush()
    return file


def _locked(home: Path, how: int) -> TextIO:
    file = (home / "studio.lock").open("a+")
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        other = file.read().strip() or "over several hosts, or another process"
        file.close()
        raise ImproperlyConfigured(
            f"A studio runs on {home} already ({other}). "
            "Stop it first, or set STUDIO_HOME and STUDIO_PORT for a second one."
        ) from error
    file.seek(0)
    return file


# gunicorn's worker notices within a second that its master was killed, and lets go of the port.
ORPHAN_S = 5.0
# Connections that wait while the web process is being started again.
BACKLOG = 1024


def listen(host: str, port: int, patience_s: float = 0.0) -> socket.socket:
    """A socket that listens on the port; who serves it may come, go and come again.

    Raises ImproperlyConfigured when somebody else listens there, still after `patience_s`.
    """
    give_up = time.monotonic() + patience_s
    while True:
        try:
            return _listening(host, port)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() >= give_up:
                raise ImproperlyConfigured(
                    f"Port {port} on {host} cannot be used ({error.strerror}). "
                    "Stop what uses it, or set STUDIO_PORT to another port."
                ) from error
        time.sleep(0.1)


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError:
        listener.close()
        raise
    return listener


def free_port() -> int:
    """A loopback port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _record(home: Path) -> Path:
    return home / "processes.json"


def remember(home: Path, parts: dict[str, Identity]) -> None:
    """Write down what runs, for the next start after a crash."""
    path = _record(home)
    temporary = path.with_suffix(".tmp")
    temporary.write_text(json.dumps({name: asdict(part) for name, part in parts.items()}))
    temporary.replace(path)


def was_killed(home: Path) -> bool:
    """True if the last supervisor left without an orderly stop: its parts may still be ending."""
    try:
        return bool(json.loads(_record(home).read_text()))
    except (FileNotFoundError, ValueError):
        return False


def end_leftovers(home: Path) -> list[str]:
    """Kill what an earlier supervisor left behind; returns the names of what was still alive.

    An orderly stop would have the engine stop running trials; killed, it leaves them to the next.
    """
    try:
        recorded = json.loads(_record(home).read_text())
    except (FileNotFoundError, ValueError):
        return []
    ended = []
    for name, fields in recorded.items():
        identity = Identity(**fields)
        if is_alive(identity):
            end(identity, grace_s=0.0)
            ended.append(name)
    return ended
