"""kill -9, Ctrl-C and an emptied queue in the middle of a sweep: nothing lost, nothing twice."""

import os
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e import jobs
from tests.e2e.invariants import check
from tests.e2e.processes import Watch, carriers, left_over, wait_none_left
from tests.e2e.studios import Studio, until
from tests.runners.processes import pids, state_and_parent

TRIALS = 10


def done(studio: Studio, name: str, count: int) -> None:
    """Wait until so many trials have completed."""
    until(
        lambda: sum(t["status"] == "Completed" for t in studio.trials(name)) >= count,
        f"{count} completed trials of {name}",
        60,
    )


def started(studio: Studio, name: str) -> list[int]:
    """For each trial, how often its command was started; a claim that came to nothing is none, nor
    is a launch whose starter was killed before there was a guard: that command never ran."""
    rows = studio.rows(
        "SELECT count(CASE WHEN a.reason LIKE ? THEN NULL ELSE a.started_at END) "
        "FROM sweeps_trial t JOIN sweeps_sweep s ON s.id = t.sweep_id "
        "JOIN sweeps_attempt a ON a.trial_id = t.id WHERE s.name = ? GROUP BY t.id",
        "%while it was starting the command, which never ran%",
        name,
    )
    return [row[0] for row in rows]


@pytest.mark.parametrize("part", ["engine", "queue", "web", "tracking"])
def test_killing_a_part_in_the_middle_of_a_sweep_loses_no_trial(studio: Studio, part: str) -> None:
    name = studio.submit(jobs.quick(0.5, trials=TRIALS, at_once=3))
    with Watch(name) as watch:
        done(studio, name, 2)
        studio.kill(part)
        sweep = studio.wait_final(name)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": TRIALS})
    assert watch.samples > 5
    assert 1 <= watch.most <= 3
    check(studio, name, TRIALS, jobs.oracle)
    assert started(studio, name) == [1] * TRIALS, "a living or finished command was run again"
    studio.wait_healthy()


def test_an_emptied_queue_costs_time_only(studio: Studio) -> None:
    name = studio.submit(jobs.quick(0.2, trials=6))
    for count in (1, 2, 3):
        done(studio, name, count)
        with sqlite3.connect(studio.home / "huey.db", timeout=20) as queue:
            queue.execute("DELETE FROM task")
    sweep = studio.wait_final(name)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 6})
    check(studio, name, 6, jobs.oracle)


def test_a_trial_whose_watchers_are_all_killed_is_run_again(studio: Studio) -> None:
    name = studio.submit(jobs.quick(2, trials=1))
    studio.wait_running(name)
    [(command, _)] = until(lambda: list(carriers(f".{name}.").items()), "the command", 20)
    shim = _parent(command)
    for pid in (_parent(shim), shim, command):
        os.kill(pid, signal.SIGKILL)
    sweep = studio.wait_final(name)
    [trial] = studio.trials(name)
    assert (sweep["status"], trial["status"], trial["attempt"]) == ("Completed", "Completed", 2)
    check(studio, name, 1, jobs.oracle)


def _parent(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


@pytest.mark.timeout(300)  # two starts on a busy machine
def test_ctrl_c_puts_trials_back_and_the_next_start_goes_on(
    own_studio: Callable[[], Studio],
) -> None:
    studio = own_studio()
    studio.start()
    go = studio.home / "go"
    name = studio.submit(jobs.patient(go, trials=4))
    studio.wait_running(name, 2)
    assert studio.stop() == 0
    wait_none_left(studio.home)
    running = studio.runs(
        "SELECT r.run_uuid FROM runs r JOIN tags t ON t.run_uuid = r.run_uuid "
        "WHERE t.key = 'mlflow.parentRunId' AND r.status = 'RUNNING'"
    )
    assert running == []
    statuses = studio.rows("SELECT status, losses FROM sweeps_trial")
    assert {tuple(row) for row in statuses} == {("Queued", 0)}

    go.touch()
    studio.start()
    sweep = studio.wait_final(name)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 4})
    check(studio, name, 4, jobs.oracle)


@pytest.mark.timeout(300)
def test_a_killed_supervisor_and_hangup_leave_trials_to_the_next_start(
    own_studio: Callable[[], Studio],
) -> None:
    studio = own_studio()
    studio.start()
    go = studio.home / "go"
    name = studio.submit(jobs.patient(go))
    studio.wait_running(name, 2)
    assert studio.stop(signal.SIGKILL) == -signal.SIGKILL
    studio.start()
    commands = carriers(f".{name}.")
    assert len(commands) == 2
    assert studio.stop(signal.SIGHUP) == 0
    studio.start()
    assert carriers(f".{name}.") == commands
    go.touch()
    sweep = studio.wait_final(name)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 2})
    assert started(studio, name) == [1, 1]
    check(studio, name, 2, jobs.oracle)


def test_a_killed_queue_leaves_no_second_consumer_and_no_nursery(studio: Studio) -> None:
    """Two would start twice as many trials."""
    name = studio.submit(jobs.quick(0.3, trials=4))
    done(studio, name, 1)
    old = studio.pid_of("queue")
    studio.kill("queue")
    assert state_and_parent(old)[0] in ("gone", "Z")
    studio.wait_final(name)
    consumers = [line for line in left_over(studio.home) if "sweep-studio: queue" in line]
    assert len(consumers) == 1, consumers
    assert studio.process is not None
    adopted = [pid for pid in pids() if state_and_parent(pid)[1] == studio.process.pid]
    assert [pid for pid in adopted if is_nursery(pid)] == []
    check(studio, name, 4, jobs.oracle)


def is_nursery(pid: int) -> bool:
    """Guards are forks of it, and go by a name of their own."""
    folder = Path(f"/proc/{pid}")
    try:
        command, name = (folder / "cmdline").read_bytes(), (folder / "comm").read_text().strip()
    except OSError:
        return False
    return b"launch.py" in command and not name.startswith("sweep-")


@pytest.mark.timeout(300)
def test_everything_is_killed_at_once_and_the_next_start_goes_on(
    own_studio: Callable[[], Studio],
) -> None:
    studio = own_studio()
    studio.start()
    go = studio.home / "go"
    name = studio.submit(jobs.patient(go, trials=4))
    studio.wait_running(name, 2)
    assert studio.process is not None
    parts = [studio.pid_of(part) for part in ("engine", "queue", "web", "tracking")]
    for pid in (studio.process.pid, *parts):
        os.kill(pid, signal.SIGKILL)
    studio.process.wait(timeout=10)
    studio.process = None
    commands = carriers(f".{name}.")
    assert len(commands) == 2, "trials do not hang on the studio"
    studio.start()
    assert carriers(f".{name}.") == commands, "they were adopted"
    go.touch()
    sweep = studio.wait_final(name)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 4})
    assert started(studio, name) == [1] * 4
    check(studio, name, 4, jobs.oracle)


@pytest.mark.timeout(300)
def test_a_copied_home_runs_its_own_trials_and_leaves_the_originals_alone(
    own_studio: Callable[[], Studio],
) -> None:
    studio, copy = own_studio(), own_studio()
    studio.start()
    go = studio.home / "go"
    name = studio.submit(jobs.patient(go))
    studio.wait_running(name, 2)
    assert studio.stop(signal.SIGHUP) == 0
    commands = carriers(f".{name}.")
    shutil.copytree(studio.home, copy.home, ignore=shutil.ignore_patterns("*.bell"))
    copy.token = studio.token
    copy.start()
    until(lambda: started(copy, name) == [2, 2], "attempts of the copy's own", 60)
    assert commands.items() <= carriers(f".{name}.").items()
    studio.start()
    go.touch()
    for one in (studio, copy):
        sweep = one.wait_final(name)
        assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 2})
    assert started(studio, name) == [1, 1]
