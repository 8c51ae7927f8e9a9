"""Huey's storages, made for wake-ups: handed over at once, and never worth a failure."""

import logging
import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from huey import RedisHuey, SqliteHuey
from huey.api import Task
from huey.constants import EmptyData
from huey.storage import RedisStorage, SqliteStorage
from redis.backoff import NoBackoff
from redis.connection import ConnectionPool
from redis.exceptions import RedisError
from redis.retry import Retry

from studio.bell import Bell

log = logging.getLogger(__name__)

# A lost ring costs a wake-up this long.
LOOK_S = 1.0
# Redis answers in less than a millisecond, or after the second for which a worker waits.
CONNECT_S = 2.0
ANSWER_S = 5.0


def _close_to_others(filename: str) -> None:
    """Make the file for its owner alone, and what an earlier studio left of it.

    Any command makes it, before it can set a umask: Huey does with the settings.
    """
    os.close(os.open(filename, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    for name in (filename, f"{filename}-wal", f"{filename}-shm"):
        with suppress(FileNotFoundError, PermissionError):
            os.chmod(name, 0o600)


class RungStorage(SqliteStorage):
    """SQLite without polling: whoever enqueues rings, and a worker waits for that."""

    blocking = True

    def __init__(self, name: str, filename: str, **options: Any) -> None:
        self._bell = Bell(Path(filename).with_suffix(".bell"))
        _close_to_others(filename)
        super().__init__(name, filename=filename, **options)

    def _create_connection(self) -> Any:
        """Without a wait for the disk at each message: wake-ups may be lost with the power."""
        connection = super()._create_connection()
        connection.execute("PRAGMA synchronous = NORMAL")  # in WAL never a damaged file
        return connection

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        super().enqueue(data, priority)
        self._bell.ring()

    def dequeue(self) -> bytes | None:
        """The next message; None after a while without any."""
        data: bytes | None = super().dequeue()
        if data is None and self._bell.wait(LOOK_S):
            data = super().dequeue()
        return data

    def pop_data(self, key: str) -> Any:
        """As Huey's, which takes the write lock for each finished task to find nothing."""
        return super().pop_data(key) if self.has_data_for_key(key) else EmptyData


class _Hints:
    """What is enqueued are hints: the engine finds the work without them, within seconds.

    So a queue that is away or full is worth a line in the log, but no failed request.
    """

    trouble: tuple[type[Exception], ...] = (OSError,)

    def enqueue(self, task: Task) -> Any:
        try:
            return super().enqueue(task)  # type: ignore[misc]
        except self.trouble as error:
            log.warning("the queue did not take the wake-up %s: %s", task.name, error)
            return None


class StudioSqliteHuey(_Hints, SqliteHuey):
    """The queue in STUDIO_HOME."""

    storage_class = RungStorage
    trouble = (OSError, sqlite3.Error)


class PatientRedisStorage(RedisStorage):
    """Redis that says soon when it is away: its client would try for seven seconds."""

    # When a worker came for work last, by the monotonic clock: what shows that workers work.
    came_s = 0.0

    def __init__(self, name: str, url: str, **options: Any) -> None:
        pool = ConnectionPool.from_url(
            url,
            socket_connect_timeout=CONNECT_S,
            socket_timeout=ANSWER_S,
            retry=Retry(NoBackoff(), 1),  # once: the connection may be one that Redis has closed
        )
        super().__init__(name, connection_pool=pool, **options)

    def dequeue(self) -> bytes | None:
        """The next message; None after a second without any."""
        data: bytes | None = super().dequeue()
        self.came_s = time.monotonic()
        return data


class StudioRedisHuey(_Hints, RedisHuey):
    """The queue in Redis."""

    storage_class = PatientRedisStorage
    trouble = (OSError, RedisError)
