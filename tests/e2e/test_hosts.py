"""A studio over three "hosts" of this machine: each its own supervisor, one home, one database."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest

from studio.supervisor.home import free_port
from sweeps.runners import spool
from tests.e2e import jobs, stores
from tests.e2e.processes import carriers, folders, state_of, wait_none_left
from tests.e2e.studios import Studio, until
from tests.run import postgresql, redis

TRIALS = 16
TAKE_OVER_S = 15.0


class Hosts:
    """`first` and `second` have web, queue and engine; `third` MLflow's server, for the second."""

    def __init__(self, home: Path, database: str, queue: str) -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("CREATE DATABASE mlflow")
        self.store = database.replace("/postgres?", "/mlflow?")
        shared = {
            "DATABASE_URL": database, "REDIS_URL": queue, "STUDIO_TRACKING_STORE": self.store,
        }  # fmt: skip
        port = free_port()
        elsewhere = {"STUDIO_TRACKING_URL": f"http://127.0.0.1:{port}"}
        listen = {"STUDIO_TRACKING_LISTEN": f"127.0.0.1:{port}", "STUDIO_PARTS": "tracking"}
        self.third = Studio(home, STUDIO_NODE="third", **shared, **listen)
        self.first = Studio(home, STUDIO_NODE="first", **shared)
        self.second = Studio(home, STUDIO_NODE="second", **shared, **elsewhere)
        self.all = (self.third, self.first, self.second)

    def start(self) -> None:
        self.third.token = "made by another"
        self.third.start()
        self.first.start()
        self.second.token = self.first.token
        self.second.start("--parts", "web,queue,engine")

    def close(self) -> None:
        for host in self.all:
            host.close()

    def leader(self) -> int:
        """The pid of the engine whose lead has not run out; 0 for none."""
        query = "SELECT owner FROM sweeps_enginelease WHERE name = 'engine' AND expires_at > now()"
        found = stores.read(self.first.database, query)
        return int(found[0]["owner"].split("/")[1]) if found else 0

    def taken_over(self, pid: int) -> float:
        """The seconds until the engine `pid` leads."""
        began = time.monotonic()
        until(lambda: self.leader() == pid, "another leader", 30)
        return time.monotonic() - began

    def kill_first(self) -> list[str]:
        """End all that runs on it as a power cut would; returns the spools of its commands."""
        assert self.first.process
        supervisor = psutil.Process(self.first.process.pid)
        supervisor.suspend()  # else it would start its parts again meanwhile
        # With the process that forks guards: its environment tells nothing of the host.
        parts = supervisor.children(recursive=True)
        mark = b"STUDIO_NODE=first\0"
        marked = {int(at.name) for at in folders() if mark in _environment(at)}
        _kill({supervisor.pid, *(part.pid for part in parts), *marked})
        self.first.process.wait()
        self.first.process = None
        # A guard that was forked in the last moment is on record a moment later.
        commands: dict[str, bool] = {}
        until(lambda: self._kill_commands(commands), "the end of all commands", 30)
        return list(commands)

    def _kill_commands(self, seen: dict[str, bool]) -> bool:
        """End what is known of its commands; True once each has a guard, or never will."""
        for record in self.first.home.glob("trials/*/*/launch.json"):
            folder = str(record.parent)
            launch = spool.read(folder, spool.LAUNCH) or {}
            if launch.get("node") != "first" or spool.read_result(folder):
                continue
            guards = [spool.read(folder, name) or {} for name in (spool.GUARD, spool.SHIM)]
            pids = {int(guard.get("pid", 0)) for guard in guards} | {*carriers(launch["cookie"])}
            is_late = time.time() - launch["launched_at"] > 5
            seen[folder] = not _kill(pids) and (bool(guards[0]) or is_late)
        return all(seen.values())


def _kill(pids: set[int]) -> bool:
    """End these processes; True if one of them was alive."""
    alive = {pid for pid in pids - {0} if state_of(Path("/proc") / str(pid)) not in "ZX"}
    for pid in alive:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return bool(alive)


def _environment(folder: Path) -> bytes:
    try:
        return (folder / "environ").read_bytes()
    except OSError:
        return b""


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    with postgresql() as database, redis() as queue:
        made = Hosts(tmp_path / "home", database, queue)
        try:
            made.start()
            yield made
        finally:
            made.close()
            wait_none_left(made.first.home)


def health(host: Studio) -> Any:
    return httpx.get(f"{host.url}/healthz", timeout=10).json()


@pytest.mark.postgresql
@pytest.mark.timeout(400)
def test_another_engine_takes_over_and_a_sweep_outlives_its_host(hosts: Hosts) -> None:
    first, second = hosts.first, hosts.second
    up = dict.fromkeys(("web", "queue", "engine"), "up")
    assert health(second) == {"status": "ok", "parts": up}
    assert health(first)["parts"] == up | {"tracking": "up"}
    assert health(hosts.third)["parts"] == {"health": "up", "tracking": "up"}
    leader, heir = first.pid_of("engine"), second.pid_of("engine")
    assert hosts.leader() == leader, "who came first does not lead"
    name = second.submit(jobs.quick(1.5, trials=TRIALS, at_once=4))
    second.wait_running(name)

    # A leader that stands still loses the lead, and finds that out before it does anything.
    os.kill(leader, signal.SIGSTOP)
    assert hosts.taken_over(heir) < TAKE_OVER_S
    os.kill(leader, signal.SIGCONT)
    until(lambda: health(first)["parts"] == up | {"tracking": "up"}, "the first to stand by", 20)
    assert hosts.leader() == heir

    # A killed one has an heir at once, on this machine; elsewhere when its lease runs out.
    os.kill(heir, signal.SIGKILL)
    until(lambda: hosts.leader() not in (0, heir), "another leader", TAKE_OVER_S)

    second.wait_running(name)
    until(lambda: _on(first, name), "a trial on the first host", 60)
    assert hosts.kill_first(), "nothing ran there"
    assert hosts.taken_over(second.pid_of("engine")) < TAKE_OVER_S
    sweep = second.wait_final(name, 150)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": TRIALS})
    _check(hosts, name)


def _on(host: Studio, name: str) -> bool:
    """Whether a command of the sweep runs there."""
    for record in host.home.glob("trials/*/*/launch.json"):
        launch = spool.read(str(record.parent), spool.LAUNCH) or {}
        is_there = launch.get("node") == host.own.name and f".{name}." in launch["cookie"]
        if is_there and not spool.read_result(str(record.parent)):
            return True
    return False


def _check(hosts: Hosts, name: str) -> None:
    """Nothing was lost for good, counted twice, or left open in MLflow."""
    query = (
        "SELECT t.number, count(*) FILTER (WHERE a.accepted) AS accepted, count(*) AS tries "
        "FROM sweeps_trial t JOIN sweeps_attempt a ON a.trial_id = t.id "
        "JOIN sweeps_sweep s ON s.id = t.sweep_id WHERE s.name = ? GROUP BY t.number"
    )
    rows = hosts.second.rows(query, name)
    assert sorted(row["number"] for row in rows) == list(range(TRIALS))
    assert {row["accepted"] for row in rows} == {1}
    assert any(row["tries"] > 1 for row in rows), "no trial of the dead host was tried again"
    for trial in hosts.second.trials(name):
        assert abs(trial["objective"] - jobs.oracle(trial["params"])) < 1e-9
    runs = stores.read(hosts.store, "SELECT status FROM runs")
    assert {row["status"] for row in runs} <= {"FINISHED", "KILLED", "FAILED"}
