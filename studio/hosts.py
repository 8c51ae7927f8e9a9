"""A studio over several hosts: what this one is called, which parts it has, what is its own.

All hosts share PostgreSQL, Redis and STUDIO_HOME. What only means something on one host (locks,
pids, pipes, sockets) lies in a folder of that host.
"""

import re
import socket
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from studio.env import url_host

# In the order in which they are stopped.
PARTS = ("engine", "queue", "web", "tracking")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def parts_from(words: Sequence[str]) -> tuple[str, ...]:
    """The parts that STUDIO_PARTS names; all of them if it names none.

    Raises ImproperlyConfigured.
    """
    for word in words:
        if word not in PARTS:
            names = ", ".join(PARTS)
            raise ImproperlyConfigured(f"STUDIO_PARTS names “{word}”; the parts are {names}.")
    return tuple(part for part in PARTS if part in words) or PARTS


def node_from(name: str, parts: Sequence[str]) -> str:
    """What this host is called among those of the studio; "" for a studio on one host.

    Who has only some of the parts is one of several. Raises ImproperlyConfigured.
    """
    if not name and len(parts) < len(PARTS):
        name = socket.gethostname()
    if name and not _NAME.fullmatch(name):
        raise ImproperlyConfigured(
            f"STUDIO_NODE must be letters, digits, “.”, “_” and “-”, not “{name}”."
        )
    return name


def check(
    *, node: str, parts: Sequence[str], database: str, redis: str, store: str, tracking: str
) -> None:
    """What one of several hosts cannot do without. Raises ImproperlyConfigured."""
    if tracking and urlsplit(tracking).scheme not in ("http", "https"):
        raise ImproperlyConfigured(
            f"STUDIO_TRACKING_URL must begin with http:// or https://, not “{tracking}”."
        )
    if not node:
        return
    missing = [
        name
        for name, value in (
            ("DATABASE_URL", database),
            ("REDIS_URL", redis),
            ("STUDIO_TRACKING_STORE", store and not store.startswith("sqlite")),
        )
        if not value
    ]
    if missing:
        raise ImproperlyConfigured(
            f"A studio over several hosts (this one is “{node}”) needs {', '.join(missing)}: "
            "SQLite and its queue are for one host. For a studio on this host alone unset "
            "STUDIO_NODE and STUDIO_PARTS."
        )
    if not tracking and "tracking" not in parts and {"web", "queue"} & {*parts}:
        raise ImproperlyConfigured(
            "Web and queue need MLflow's server: add “tracking” to STUDIO_PARTS, or set "
            "STUDIO_TRACKING_URL to where another host has it."
        )


def address_from(listen: str) -> tuple[str, int]:
    """Host and port of STUDIO_TRACKING_LISTEN; ("", 0) for a free port of loopback.

    Raises ImproperlyConfigured.
    """
    if not listen:
        return "", 0
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ImproperlyConfigured(
            f"STUDIO_TRACKING_LISTEN must be ADDRESS:PORT, as 0.0.0.0:5000, not “{listen}”."
        )
    return host.strip("[]"), int(port)


def own_folder() -> Path:
    """What means nothing on other hosts lies here: STUDIO_HOME itself where there are none."""
    home = Path(settings.STUDIO_HOME)
    if not settings.STUDIO_NODE:
        return home
    folder = home / "hosts" / settings.STUDIO_NODE
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def own(name: str) -> str:
    """The name of a lease that each host holds for itself."""
    return f"{name}@{settings.STUDIO_NODE}" if settings.STUDIO_NODE else name


def tracking_url() -> str:
    """Where this host reaches MLflow's server."""
    if settings.TRACKING_URL and "tracking" not in settings.STUDIO_PARTS:
        return str(settings.TRACKING_URL)
    host = settings.TRACKING_LISTEN[0] or "127.0.0.1"
    return f"http://{url_host(host)}:{settings.TRACKING_PORT}"
