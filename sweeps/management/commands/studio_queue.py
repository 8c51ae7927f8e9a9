"""The queue process; `manage.py studio` runs it."""

import logging
import os
import threading
import time
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import close_old_connections
from huey.api import Task
from huey.contrib.djhuey import HUEY
from huey.signals import SIGNAL_COMPLETE, SIGNAL_ERROR, SIGNAL_EXECUTING

from studio.hosts import own
from sweeps.domain.samplers.registry import warm_up
from sweeps.engine.trouble import TROUBLE
from sweeps.queries.clock import database_now
from sweeps.services import leases
from sweeps.tasks import QUEUE_BEAT, QUEUE_BEAT_S  # registers the tasks, too

log = logging.getLogger(__name__)

# How often a queue among several shows that it works; workers come for more every second or so.
SHOW_S, IDLE_S = 3.0, 10.0
# A worker that is busy for longer than this holds up what waits behind it.
LONG_S = 1.0
# What takes long by its nature, and is told of while it goes on.
MAY_TAKE_LONG = frozenset({"test_compute"})

_began = threading.local()


class Command(BaseCommand):
    """Huey's consumer with our settings."""

    help = "Run the queue (started by `manage.py studio`)."

    def prepare(self) -> None:
        """Import what the tasks need, which takes seconds, and keep no connection open."""
        # A thread per core would not survive the fork, and small matrices need none.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        warm_up()
        HUEY.storage.close()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until SIGINT (finish first) or SIGTERM."""
        if settings.STUDIO_NODE:
            threading.Thread(target=show, name="show", daemon=True).start()
        HUEY.signal(SIGNAL_EXECUTING, SIGNAL_COMPLETE, SIGNAL_ERROR)(tell_of_long)
        HUEY.create_consumer(**settings.HUEY["consumer"]).run()


def show() -> None:
    """Say, for as long as this process lives, that this host's queue works, while it does.

    Of several hosts each takes what it finds, so that nobody can send this one a beat.
    """
    while True:
        if time.monotonic() - HUEY.storage.came_s < IDLE_S:
            try:
                leases.acquire(own(QUEUE_BEAT), "queue", database_now(), QUEUE_BEAT_S)
            except TROUBLE as error:
                log.warning("the queue tries again: %s", error)
                close_old_connections()
        time.sleep(SHOW_S)


def tell_of_long(signal: str, task: Task, *_: object) -> None:
    """Warn of a task that took longer than `LONG_S`."""
    if signal == SIGNAL_EXECUTING:
        _began.at = time.monotonic()
        return
    took = time.monotonic() - _began.at
    if took > LONG_S and task.name not in MAY_TAKE_LONG:
        log.warning("the task %s took %.1f s", task.name, took)
