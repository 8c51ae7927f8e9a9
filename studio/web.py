"""The web process: gunicorn on sockets that listen already, so that connections wait for it."""

import gc
from collections.abc import Sequence
from typing import Any

from django.core.wsgi import get_wsgi_application
from gunicorn.app.base import BaseApplication

from studio.supervisor.fork import NAME

THREADS = 16
# How many new objects are worth a look for unreachable circles, and how rarely older ones are
# looked at. A chart of 100,000 trials makes as many objects as trials and hardly a circle: with
# Python's own 700, half of its time went into looking.
GARBAGE = (20_000, 10, 10)


class Web(BaseApplication):  # type: ignore[misc]
    """gunicorn with our settings; `descriptors` are those of the sockets."""

    def __init__(self, descriptors: Sequence[int]) -> None:
        self._descriptors = descriptors
        super().__init__()

    def load_config(self) -> None:
        """gunicorn's settings."""
        chosen: dict[str, Any] = {
            "bind": [f"fd://{descriptor}" for descriptor in self._descriptors],
            "worker_class": "gthread",
            "workers": 1,
            "threads": THREADS,
            "timeout": 120,
            "keepalive": 75,
            "graceful_timeout": 2,
            "control_socket_disable": True,
            "loglevel": "warning",
            "proc_name": NAME,
        }
        for name, value in chosen.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application."""
        gc.set_threshold(*GARBAGE)
        return get_wsgi_application()
