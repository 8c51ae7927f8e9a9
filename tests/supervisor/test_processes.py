"""Telling processes apart beyond their pid."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studio.supervisor import home
from studio.supervisor import part as part_module
from studio.supervisor.part import BACKOFF_S, Part, describe
from studio.supervisor.processes import end, identify, is_alive
from tests.runners.processes import state_and_parent, wait_for


def test_another_process_with_the_same_pid_is_not_taken_for_it() -> None:
    me = identify(os.getpid())
    assert me is not None
    assert is_alive(me)
    assert not is_alive(replace(me, start_ticks=me.start_ticks - 1))
    assert not is_alive(replace(me, boot_id="another boot"))


def test_leftovers_on_record_that_are_somebody_else_by_now_are_left_alone(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], start_new_session=True) as stranger:
        identity = identify(stranger.pid)
        assert identity is not None
        home.remember(tmp_path, {"engine": replace(identity, start_ticks=1)})
        assert home.end_leftovers(tmp_path) == []
        assert stranger.poll() is None
        home.remember(tmp_path, {"engine": identity})
        assert home.end_leftovers(tmp_path) == ["engine"]
        assert stranger.wait() == -9 or stranger.returncode == -15


@pytest.mark.parametrize("record", [None, "", "{not json"])
def test_a_missing_or_torn_record_means_no_leftovers(tmp_path: Path, record: str | None) -> None:
    if record is not None:
        (tmp_path / "processes.json").write_text(record)
    assert home.end_leftovers(tmp_path) == []


@pytest.mark.parametrize("who", ["leader and child", "child alone"])
def test_whoever_ignores_sigterm_is_killed_with_the_group(who: str) -> None:
    ignore = "signal.signal(15, signal.SIG_IGN); "
    code = (
        "import os, signal, time; "
        + (ignore + "os.fork(); " if who == "leader and child" else "")
        + (f"exec('if os.fork() == 0: {ignore}'); " if who == "child alone" else "")
        + r"os.write(1, b'%d\n' % os.getpid()); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], start_new_session=True, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        pids = {int(process.stdout.readline()) for _ in range(2)}
        assert process.pid in pids
        identity = identify(process.pid)
        assert identity is not None
        end(identity, grace_s=0.1)
        assert process.wait() == (-9 if who == "leader and child" else -15)
    wait_for(lambda: all(state_and_parent(p)[0] in ("gone", "Z") for p in pids), "the group's end")


def test_a_part_that_ends_while_it_is_being_started_still_counts_as_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = part_module.fork

    def fork_and_wait(*args: Any) -> tuple[int, int]:
        pid, output = real(*args)
        wait_for(lambda: state_and_parent(pid)[0] == "Z", "its end")
        return pid, output

    monkeypatch.setattr(part_module, "fork", fork_and_wait)
    part = Part("web", lambda: None)
    os.close(part.start(now=0.0))
    assert part.pid is not None
    ended, status = os.waitpid(part.pid, 0)
    assert (ended, describe(status)) == (part.pid, "exit code 0")


def test_the_waits_before_a_start_grow_and_begin_anew_after_a_good_life() -> None:
    part = Part("web", lambda: None)
    waits = [part.fell(0, now=0.1) for _ in range(8)]
    assert waits == [*BACKOFF_S, BACKOFF_S[-1], BACKOFF_S[-1]]
    assert max(BACKOFF_S) < 10  # whoever falls again and again is tried at least this often
    part.started = 10.0
    assert part.fell(0, now=10.0 + part.stable_s + 0.1) == 0.0
    assert part.restart_at == 10.0 + part.stable_s + 0.1


def test_what_a_part_left_that_ended_by_itself_is_killed_with_it_before_it_is_reaped(
    tmp_path: Path,
) -> None:
    def work() -> None:
        if os.fork() == 0:
            (tmp_path / "worker.new").write_text(str(os.getpid()))
            (tmp_path / "worker.new").rename(tmp_path / "worker")
            signal.pause()

    part = Part("web", work)
    os.close(part.start(now=0.0))
    path, leader = tmp_path / "worker", part.pid
    assert leader is not None
    worker = int(wait_for(lambda: path.exists() and path.read_text(), "the worker"))
    wait_for(lambda: state_and_parent(leader)[0] == "Z", "the leader's end")
    part.kill()
    wait_for(lambda: state_and_parent(worker)[0] in ("gone", "Z"), "the worker's end")
    assert os.waitpid(leader, 0)[0] == leader
