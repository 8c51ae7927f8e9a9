"""The web process: gunicorn on sockets that listen already, so that connections wait for it."""

import contextlib
import gc
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication

from studio.memory import bound_memory
from studio.serving.worker import CONNECTIONS, PatientWorker
from studio.supervisor.fork import NAME

THREADS = 16
# How many new objects are worth a look for unreachable circles, and how rarely older ones are
# looked at. A chart of 100,000 trials makes as many objects as trials and hardly a circle: with
# Python's own 700, half of its time went into looking.
GARBAGE = (20_000, 10, 10)
# gunicorn closes a connection rather than throw away more of a body that nobody wanted.
_THROWN_AWAY = 65_536

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def drained(application: Application) -> Application:
    """The application, which answers when what it did not read of a body has come, too.

    Else gunicorn throws it away after the answer, and with it reads the start of the next request
    of the same connection, which then waits in a buffer until the client gives up.
    """

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answered = application(environ, start_response)
        length = str(environ.get("CONTENT_LENGTH") or "0")
        if length.isdecimal() and 0 < int(length[:20]) < _THROWN_AWAY:
            # If it never comes gunicorn finds out, too, and closes the connection.
            with contextlib.suppress(OSError):
                environ["wsgi.input"].read()
        return answered

    return answer


def _bound(_arbiter: Any, _worker: Any) -> None:
    bound_memory(settings.WEB_MEMORY_MB)


class Web(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings; `descriptors` are those of the sockets."""

    def __init__(self, descriptors: Sequence[int]) -> None:
        self._descriptors = descriptors
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's settings."""
        chosen: dict[str, Any] = {
            "bind": [f"fd://{descriptor}" for descriptor in self._descriptors],
            "worker_class": PatientWorker,
            "workers": 1,
            "threads": THREADS,
            "worker_connections": CONNECTIONS,
            "timeout": 120,
            "keepalive": 75,
            "graceful_timeout": 2,
            "control_socket_disable": True,
            "post_fork": _bound,
            # Else whoever is on this machine says what of the address is the path: `/api` before
            # a page's would make it one that no person asks for.
            "forwarder_headers": "",
            "loglevel": "warning",
            "proc_name": NAME,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application."""
        gc.set_threshold(*GARBAGE)
        return drained(get_wsgi_application())
