"""Drills on the studio's parts: killed, emptied, out of reach, frozen."""

import itertools
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

import httpx

from tests.chaos.servers import Servers
from tests.chaos.victims import parent_of, strike
from tests.e2e import jobs
from tests.e2e.invariants import check
from tests.e2e.processes import Watch, carriers, kinds, too_many
from tests.e2e.studios import Studio, until

# What a database that is killed makes the engine and the queue say.
DATABASE_GONE = (
    "OperationalError", "InterfaceError", "AdminShutdown",
    r"redis\.exceptions", r"queue: (Connection\w+|FileNotFound|BrokenPipe)Error",
)  # fmt: skip


def _ended(studio: Studio, name: str) -> int:
    counts = studio.get(f"sweeps/{name}")["counts"]
    return sum(counts.values()) - sum(counts.get(s, 0) for s in ("Queued", "Starting", "Running"))


def _wait_ended(studio: Studio, name: str, count: int, seconds: float = 90) -> None:
    until(lambda: _ended(studio, name) >= count, f"{count} ended trials of {name}", seconds)


def _moment(value: Any) -> float:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return float(value.timestamp())


def _starts(studio: Studio, name: str) -> list[float]:
    """When commands were started, in order."""
    rows = studio.rows(
        "SELECT a.started_at FROM sweeps_attempt a JOIN sweeps_trial t ON t.id = a.trial_id "
        "JOIN sweeps_sweep s ON s.id = t.sweep_id "
        "WHERE s.name = ? AND a.started_at IS NOT NULL ORDER BY a.started_at",
        name,
    )
    return [_moment(row[0]) for row in rows]


def longest_gap(studio: Studio, name: str) -> float:
    """The longest time without any start, in seconds."""
    starts = _starts(studio, name)
    return max((two - one for one, two in itertools.pairwise(starts)), default=0.0)


def _all_done(studio: Studio, name: str, trials: int, expected: tuple[str, ...] = ()) -> None:
    sweep = studio.wait_final(name, 180)
    assert sweep["counts"] == {"Completed": trials}, (sweep["counts"], sweep["reason"])
    studio.wait_healthy(90)
    check(studio, name, trials, curve=jobs.toy_curve(), expected=expected)


def kill_the_consumer(studio: Studio, _servers: Servers | None) -> str:
    """R2: there is never a second one, and never more trials than may run."""
    name = studio.submit(jobs.toy(40, 4, "--seconds", "0.3"))
    slowest = 0.0
    with Watch(name) as watch:
        for count in (4, 10, 16, 22, 28):
            _wait_ended(studio, name, count)
            began = time.monotonic()
            studio.kill("queue")
            until(lambda: not too_many(studio.home), "one consumer", 60)
            slowest = max(slowest, time.monotonic() - began)
        _all_done(studio, name, 40)
    assert watch.most <= 4, f"I6: {watch.most}"
    return f"5 kills, one consumer again within {slowest:.1f} s, at most {watch.most} of 4 at once"


def lose_the_queue(studio: Studio, servers: Servers | None) -> str:
    """R3: an emptied (and once, a deleted) queue costs time only."""
    name = studio.submit(jobs.toy(40, 4, "--seconds", "0.3"))
    for count in (4, 10, 16, 22, 28):
        _wait_ended(studio, name, count)
        if servers is not None:
            servers.redis.flush()
        elif count < 28:
            with sqlite3.connect(studio.home / "huey.db", timeout=20) as queue:
                queue.execute("DELETE FROM task")
            queue.close()
        else:
            for path in studio.home.glob("huey.db*"):
                path.unlink()
    _all_done(studio, name, 40, ("no such table", "disk I/O", "readonly database"))
    gap = longest_gap(studio, name)
    assert gap <= 30, f"nothing was started for {gap:.0f} s"
    return f"5 losses, longest gap between starts {gap:.1f} s"


class Visitor:
    """Somebody who reloads pages all the time: statuses, and the slowest answer."""

    def __init__(self, studio: Studio, path: str) -> None:
        self.statuses: dict[int, int] = {}
        self.slowest = 0.0
        self._url = f"{studio.url}/api/v1/workspaces/default/{path}"
        self._headers = {"Authorization": f"Bearer {studio.token}"}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        while not self._over.wait(0.2):
            began = time.monotonic()
            with suppress(httpx.TransportError):
                status = httpx.get(self._url, headers=self._headers, timeout=30).status_code
                self.statuses[status] = self.statuses.get(status, 0) + 1
                self.slowest = max(self.slowest, time.monotonic() - began)

    def __enter__(self) -> "Visitor":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=40)


def hurt_the_databases(studio: Studio, servers: Servers | None) -> str:
    """R4: Redis dies by kill -9, PostgreSQL by an immediate stop; nobody sees a 500."""
    if servers is None:
        return "SQLite has no server to kill"
    name = studio.submit(jobs.toy(60, 4, "--seconds", "0.3"))
    with Visitor(studio, f"sweeps/{name}") as visitor:
        for count in (3, 8, 13, 18, 23, 28, 33, 38, 43, 48):
            _wait_ended(studio, name, count)
            servers.redis.kill()
            if count % 2:
                servers.postgresql.stop_immediately()
                time.sleep(1)  # the span for which it is down
                servers.postgresql.start()
            servers.redis.start()
        _all_done(studio, name, 60, DATABASE_GONE)
    assert 500 not in visitor.statuses, visitor.statuses
    gap = longest_gap(studio, name)
    return f"10 and 5 deaths, answers {visitor.statuses}, longest gap {gap:.1f} s"


@contextmanager
def tracking_down(studio: Studio) -> Iterator[None]:
    """MLflow's server is killed as often as it comes back."""
    over = threading.Event()

    def keep_down() -> None:
        while not over.wait(0.3):
            for pid in kinds(studio.home).get("tracking", []):
                strike(pid)

    thread = threading.Thread(target=keep_down, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def without_tracking(seconds: float) -> Callable[[Studio, Servers | None], str]:
    """R5: MLflow is down for so long; no trial fails by it, and pages answer."""

    def drill(studio: Studio, _servers: Servers | None) -> str:
        name = studio.submit(jobs.toy(12, 4, "--seconds", "2", "--reports", "1"))
        studio.wait_running(name, 4)
        with Visitor(studio, f"sweeps/{name}") as visitor:
            with tracking_down(studio):
                time.sleep(seconds)  # the span for which it is down
            _all_done(studio, name, 12)
        assert set(visitor.statuses) <= {200}, visitor.statuses
        assert visitor.slowest <= 1.0, f"a page took {visitor.slowest:.1f} s"
        return f"slowest of {sum(visitor.statuses.values())} answers {visitor.slowest:.2f} s"

    return drill


def freeze(studio: Studio, _servers: Servers | None) -> str:
    """R6: a tree that stands still for three leases is alive, not lost; so is a frozen queue's."""
    go = studio.home / "go-on"
    go.unlink(missing_ok=True)
    name = studio.submit(jobs.patient(go))
    studio.wait_running(name, 2)
    commands = until(
        lambda: len(found := list(carriers(f".{name}."))) == 2 and found, "both commands", 10
    )
    tree = {pid for command in commands for pid in (command, parent_of(command))}
    tree |= {parent_of(pid) for pid in tree - set(commands)}
    _freeze(tree, 31)
    _freeze(set(kinds(studio.home)["queue"]), 31)
    go.touch()
    sweep = studio.wait_final(name, 60)
    attempts = [trial["attempt"] for trial in studio.trials(name)]
    assert (sweep["counts"], attempts) == ({"Completed": 2}, [1, 1])
    studio.wait_healthy(90)
    check(studio, name, 2, jobs.oracle)
    return f"{len(tree)} processes, then the queue, stood still for 31 s: one attempt each"


def _freeze(pids: set[int], seconds: float) -> None:
    for pid in pids:
        strike(pid, signal.SIGSTOP)
    time.sleep(seconds)  # the span for which they stand still
    for pid in pids:
        strike(pid, signal.SIGCONT)
