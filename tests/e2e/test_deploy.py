"""Each part as a process of its own, started as the compose file says."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from studio.supervisor.home import free_port
from tests.e2e import jobs
from tests.e2e.deployed import as_process
from tests.e2e.processes import wait_none_left
from tests.e2e.studios import Studio, manage
from tests.run import postgresql, redis

NAMES = ("tracking", "web1", "queue1", "engine1")


@pytest.mark.postgresql
@pytest.mark.timeout(400)
def test_a_sweep_completes_on_parts_that_are_started_as_in_the_compose_file(
    tmp_path: Path,
) -> None:
    home, mlflow = tmp_path / "home", free_port()
    started: list[Studio] = []
    with postgresql() as database, redis() as queue:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("CREATE DATABASE mlflow")
        here = {
            "DATABASE_URL": database,
            "REDIS_URL": queue,
            "STUDIO_TRACKING_STORE": database.replace("/postgres?", "/mlflow?"),
            "STUDIO_TRACKING_URL": f"http://127.0.0.1:{mlflow}",
            "STUDIO_TRACKING_LISTEN": f"127.0.0.1:{mlflow}",
            "STUDIO_URL": "",
            "STUDIO_GATEWAY_URL": "",
        }
        try:
            for name in NAMES:
                host, words = as_process(name, home, here)
                host.token = "" if name == "web1" else "made there"
                host.start(*words)
                started.append(host)
                if name == "web1":
                    here |= {"STUDIO_URL": host.url, "STUDIO_GATEWAY_URL": host.url}
            web = started[1]
            sweep = web.submit(jobs.quick(0.2, trials=4))
            ended = web.wait_final(sweep, 90)
            assert (ended["status"], ended["counts"]) == ("Completed", {"Completed": 4})
        finally:
            for host in reversed(started):
                host.close()
            wait_none_left(home)


@pytest.mark.postgresql
@pytest.mark.timeout(120)
def test_hosts_that_start_at_once_make_the_tables_once(tmp_path: Path) -> None:
    with postgresql() as database, ThreadPoolExecutor(3) as at_once:

        def check(_: int) -> str:
            words = ("shell", "--command", "from studio import bootstrap; bootstrap.migrate()")
            done = manage(tmp_path, 1, *words, DATABASE_URL=database)
            return done.stderr if done.returncode or "Error" in done.stderr else ""

        assert list(at_once.map(check, range(3))) == [""] * 3
