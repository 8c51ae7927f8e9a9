"""The nursery: guards without a fresh interpreter each, and nothing that hangs on it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.runners import local, spool
from sweeps.runners.base import EndedBy, Running
from sweeps.runners.local import LocalRunner
from sweeps.runners.starter import Starter
from tests.runners.contract import CommandContract, ended, launch
from tests.runners.processes import state_and_parent, wait_for, zombie_children


@pytest.fixture
def starter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Starter]:
    own = Starter()
    monkeypatch.setattr(local, "_starter", own)
    yield own
    own.close()
    assert zombie_children() == []


@pytest.fixture
def runner(starter: Starter) -> LocalRunner:
    return LocalRunner()


class TestWithoutNursery(CommandContract):
    """All that holds for commands holds as well where each guard starts by itself."""

    @pytest.fixture
    def runner(self, monkeypatch: pytest.MonkeyPatch) -> LocalRunner:
        monkeypatch.setattr(local._starter, "guard", lambda *_: b"")
        return LocalRunner()


def test_guards_come_from_one_nursery_and_belong_to_nobody(
    runner: LocalRunner, starter: Starter, tmp_path: Path
) -> None:
    handles = [runner.start(launch(tmp_path / str(n), "sleep", "600")) for n in range(2)]
    nursery = starter._pid
    assert state_and_parent(nursery)[1] == os.getpid()
    for handle in handles:
        guard = spool.read(handle, spool.GUARD)
        assert guard is not None
        assert state_and_parent(guard["pid"])[1] not in (nursery, os.getpid())
        runner.stop(handle, grace_s=0)
        ended(runner, handle)
    assert starter._pid == nursery


def test_commands_outlive_the_nursery_and_the_next_start_makes_another(
    runner: LocalRunner, starter: Starter, tmp_path: Path
) -> None:
    handle = runner.start(launch(tmp_path / "a", "sleep", "600"))
    old = starter._pid
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: state_and_parent(old)[0] == "Z", "its end")
    assert isinstance(runner.poll([handle])[0], Running)
    assert ended(runner, runner.start(launch(tmp_path / "b", "true"))).exit_code == 0
    assert starter._pid != old
    runner.stop(handle, grace_s=0)
    assert ended(runner, handle).ended_by == EndedBy.STOPPED


def test_a_nursery_that_cannot_start_costs_time_only(
    runner: LocalRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sweeps.runners.starter.LAUNCHER", str(tmp_path / "missing.py"))
    assert ended(runner, runner.start(launch(tmp_path / "a", "true"))).exit_code == 0


def test_the_nursery_ends_with_its_owner(tmp_path: Path) -> None:
    code = (
        "import os, pathlib; from sweeps.runners import local\n"
        "from sweeps.runners.base import LaunchSpec\n"
        f"folder = pathlib.Path({str(tmp_path / 'a')!r})\n"
        "local.LocalRunner().start(LaunchSpec('x', folder, ('true',), folder.parent, {}))\n"
        "print(local._starter._pid, flush=True); os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True)
    pid = int(done.stdout)
    wait_for(lambda: state_and_parent(pid)[0] in ("gone", "Z"), "its end")


def test_a_start_is_quick(runner: LocalRunner, tmp_path: Path) -> None:
    ended(runner, runner.start(launch(tmp_path / "first", "true")))
    took = []
    for number in range(9):
        began = time.time()
        result = ended(runner, runner.start(launch(tmp_path / str(number), "true")))
        took.append(result.started_at - began)
    assert min(took) < 0.06, took  # 12 ms on an idle machine, 90 with an interpreter each
