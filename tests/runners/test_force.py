"""Nothing outlasts a stop: no frozen tree, no watchers that are stuck. And a copy kills nobody."""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps.runners import force, spool
from sweeps.runners.base import Ended, EndedBy, Lost, Running
from sweeps.runners.local import LocalRunner
from tests.runners.contract import ALL_KINDS, LATE_S, alive_pid, ended, launch, start_hostile
from tests.runners.processes import pids_with, state_and_parent, wait_for


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> LocalRunner:
    monkeypatch.setattr(force, "STEP_S", 0.4)
    return LocalRunner()


def watchers(handle: str, *names: str) -> list[int]:
    return [int((spool.read(handle, name) or {})["pid"]) for name in names]


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Callable[[list[int]], None]:
    """Makes processes that nothing but SIGKILL moves, in the likeness of frozen ones."""

    def stick(pids: list[int]) -> None:
        monkeypatch.setattr(force, "wake", lambda *_: None)
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: all(state_and_parent(p)[0] == "T" for p in pids), "the freeze")

    return stick


def gone(token: str) -> Callable[[], bool]:
    return lambda: pids_with(token) == set()


def test_stop_thaws_guard_shim_and_tree(runner: LocalRunner, tmp_path: Path) -> None:
    handle, token = start_hostile(runner, tmp_path / "a", ("plain", "setsid"))
    both = watchers(handle, spool.SHIM, spool.GUARD)
    for pid in [*both, *pids_with(token)]:
        os.kill(pid, signal.SIGSTOP)
    asked = time.monotonic()
    runner.stop(handle, grace_s=0.3)
    assert ended(runner, handle).ended_by == EndedBy.STOPPED
    assert time.monotonic() - asked < 0.3 + LATE_S
    assert pids_with(token) == set()
    wait_for(lambda: {state_and_parent(p)[0] for p in both} <= {"gone", "Z"}, "their end")


def test_what_was_frozen_after_the_stop_is_thawed_by_whoever_polls(
    runner: LocalRunner, tmp_path: Path
) -> None:
    handle, token = start_hostile(runner, tmp_path / "a", ("plain",))
    runner.stop(handle, grace_s=0.3)
    for pid in watchers(handle, spool.SHIM, spool.GUARD):
        os.kill(pid, signal.SIGSTOP)
    assert ended(runner, handle).ended_by == EndedBy.STOPPED
    assert pids_with(token) == set()


def test_what_was_killed_for_a_frozen_shim_that_was_told_to_stop_was_stopped(
    runner: LocalRunner, tmp_path: Path
) -> None:
    handle, token = start_hostile(runner, tmp_path / "a", ("plain",))
    both = watchers(handle, spool.SHIM, spool.GUARD)
    for pid in both:
        os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: all(state_and_parent(p)[0] == "T" for p in both), "the freeze")
    runner.stop(handle, grace_s=60)
    for pid in both:
        os.kill(pid, signal.SIGSTOP)  # the stop has thawed them
    wait_for(lambda: all(state_and_parent(p)[0] == "T" for p in both), "the freeze")
    for pid in pids_with(token):
        os.kill(pid, signal.SIGKILL)
    for pid in both:
        os.kill(pid, signal.SIGCONT)
    assert ended(runner, handle).ended_by == EndedBy.STOPPED


def test_a_stuck_shim_is_killed_and_the_guard_tells_the_end(
    runner: LocalRunner, tmp_path: Path, stuck: Callable[[list[int]], None]
) -> None:
    handle, token = start_hostile(runner, tmp_path / "a", ALL_KINDS)
    stuck(watchers(handle, spool.SHIM))
    runner.stop(handle, grace_s=0.2, reason="canceled by ada")
    result = ended(runner, handle)
    assert result.ended_by == EndedBy.LOST
    assert "the shim next to it" in result.message
    assert pids_with(token) == set()


def test_stuck_watchers_are_killed_with_all_they_watch(
    runner: LocalRunner, tmp_path: Path, stuck: Callable[[list[int]], None]
) -> None:
    handle, token = start_hostile(runner, tmp_path / "a", ("plain", "setsid"))

    def over() -> Ended | Lost | None:
        event = runner.poll([handle])[0]
        return None if isinstance(event, Running) else event

    stuck(watchers(handle, spool.SHIM, spool.GUARD))
    runner.stop(handle, grace_s=0.2)
    event = wait_for(over, "the end")
    assert isinstance(event, Lost)
    wait_for(gone(token), "the end of the tree")


def test_nobody_is_pressed_before_the_grace_is_over(
    runner: LocalRunner, tmp_path: Path, stuck: Callable[[list[int]], None]
) -> None:
    script = "trap '' TERM; echo up; while :; do sleep 0.05; done"
    handle = runner.start(launch(tmp_path / "a", "sh", "-c", script))
    pid = wait_for(lambda: alive_pid(runner, handle), "the command")
    stuck(watchers(handle, spool.SHIM))
    runner.stop(handle, grace_s=600)
    for _ in range(60):
        assert isinstance(runner.poll([handle])[0], Running)
        time.sleep(0.02)
    assert state_and_parent(pid)[0] != "gone"
    runner.stop(handle, grace_s=0)
    ended(runner, handle)


def test_a_copy_of_the_home_leaves_the_originals_commands_alone(
    runner: LocalRunner, tmp_path: Path
) -> None:
    handle, token = start_hostile(runner, tmp_path / "home" / "a", ("plain",))
    before = pids_with(token)
    shutil.copytree(tmp_path / "home", tmp_path / "copy")
    copy = str(tmp_path / "copy" / "a")
    event = runner.poll([copy])[0]
    assert isinstance(event, Lost)
    assert "home was copied or moved" in event.reason
    assert handle in event.reason
    runner.stop(copy, grace_s=0)
    assert runner.kill_leftovers(copy) == 0
    runner.cleanup(copy)
    assert runner.poll([copy]) == [Lost(copy, event.reason)]
    assert isinstance(runner.poll([handle])[0], Running)
    assert pids_with(token) == before
    runner.stop(handle, grace_s=0)
    assert ended(runner, handle).ended_by == EndedBy.STOPPED


def test_a_copy_keeps_results_that_were_there(runner: LocalRunner, tmp_path: Path) -> None:
    handle = runner.start(launch(tmp_path / "home" / "a", "true"))
    result = ended(runner, handle)
    shutil.copytree(tmp_path / "home", tmp_path / "copy")
    copy = str(tmp_path / "copy" / "a")
    assert runner.poll([copy]) == [Ended(copy, result)]


def test_commands_of_a_home_that_moved_away_end(runner: LocalRunner, tmp_path: Path) -> None:
    handle, token = start_hostile(runner, tmp_path / "home" / "a", ALL_KINDS)
    (tmp_path / "home").rename(tmp_path / "moved")
    assert isinstance(runner.poll([str(tmp_path / "moved" / "a")])[0], Lost)
    wait_for(gone(token), "the end of the tree")
    assert isinstance(runner.poll([handle])[0], Lost)


def test_a_home_behind_a_link_is_the_same_home(runner: LocalRunner, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    handle = runner.start(launch(tmp_path / "link" / "a", "sleep", "600"))
    real = str(tmp_path / "real" / "a")
    assert isinstance(runner.poll([real])[0], Running)
    runner.stop(real, grace_s=0)
    assert ended(runner, handle).ended_by == EndedBy.STOPPED
