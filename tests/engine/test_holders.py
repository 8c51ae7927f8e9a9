"""Rights of processes that have died."""

import os
import subprocess
import threading
from datetime import UTC, datetime

import pytest

from sweeps.engine import holders
from sweeps.runners import proc
from sweeps.services import leases
from tests.runners.processes import state_and_parent, wait_for

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def called(pid: int, start: int | None = None) -> str:
    """How the process is called as a holder."""
    machine, _pid, _start, thread = holders.me().split("/")
    start = proc.identity(pid)["start_time"] if start is None else start
    return f"{machine}/{pid}/{start}/{thread}"


def test_each_thread_is_somebody_of_its_own_and_lives() -> None:
    found = [holders.me()]
    thread = threading.Thread(target=lambda: found.append(holders.me()))
    thread.start()
    thread.join()
    assert len(set(found)) == 2
    assert not any(holders.has_died(holder) for holder in found)
    assert max(map(len, found)) < 120  # the column's width


def test_the_dead_are_known_also_before_they_are_reaped_and_when_their_pid_comes_again() -> None:
    child = subprocess.Popen(["sleep", "60"])
    holder = called(child.pid)
    assert not holders.has_died(holder)
    child.kill()
    wait_for(lambda: state_and_parent(child.pid)[0] == "Z", "its end")
    assert holders.has_died(holder)
    child.wait()
    assert holders.has_died(holder)
    assert holders.has_died(called(os.getpid(), start=1))


@pytest.mark.parametrize("holder", ["", "queue", "elsewhere.1", "another boot:1/2/3/4", "x/1/2"])
def test_of_others_nobody_can_say(holder: str) -> None:
    assert not holders.has_died(holder)


@pytest.mark.django_db
def test_a_lease_is_taken_from_the_dead_alone() -> None:
    living, dead = called(os.getppid()), called(os.getpid(), start=1)
    assert leases.acquire("forward:a", living, NOW, 10)
    assert leases.acquire("forward:b", dead, NOW, 10)
    assert not holders.acquire("forward:a", holders.me(), NOW, 10)
    assert holders.acquire("forward:b", holders.me(), NOW, 10)
    assert leases.holder("forward:a") == living
    assert leases.holder("forward:b") == holders.me()
    assert leases.holder("forward:c") == ""
