"""Commands on this machine: the contract, and what guard and shim do for each other."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from sweeps.runners import attempts, local, proc, spool, starter
from sweeps.runners.base import Ended, EndedBy, Lost, Runner, RunnerError, Running
from sweeps.runners.local import LocalRunner
from sweeps.runners.registry import get_runner
from tests.runners.contract import (
    ALL_KINDS,
    SignsContract,
    ended,
    launch,
    start_hostile,
    stdout,
)
from tests.runners.processes import pids, pids_with, state_and_parent, wait_for

LAUNCHER = Path(local.__file__).with_name("launch.py")


class TestLocalRunner(SignsContract):
    @pytest.fixture
    def runner(self) -> Runner:
        return LocalRunner()


@pytest.fixture
def runner() -> LocalRunner:
    return LocalRunner()


def watcher(handle: str, name: str) -> int:
    """Return the pid of the guard or the shim of a running attempt."""
    record = spool.read(handle, name)
    assert record is not None
    return int(record["pid"])


def running(runner: Runner, handle: str) -> int:
    """Wait until the command runs and return its pid."""

    def look() -> int | None:
        event = runner.poll([handle])[0]
        assert isinstance(event, Running)
        return event.pid

    return wait_for(look, "the command's start")


@pytest.mark.parametrize(("name", "what"), [(spool.SHIM, "shim"), (spool.GUARD, "guard")])
def test_if_one_of_guard_and_shim_is_killed_the_other_ends_the_tree(
    runner: LocalRunner, tmp_path: Path, name: str, what: str
) -> None:
    handle, token = start_hostile(runner, tmp_path / "a", ALL_KINDS)
    pid = watcher(handle, name)
    os.kill(pid, signal.SIGKILL)
    result = ended(runner, handle)
    assert result.ended_by == EndedBy.LOST
    assert f"because the {what} " in result.message
    assert str(pid) in result.message
    assert pids_with(token) == set()
    assert 0 < result.ended_at - result.started_at < 15


def test_if_guard_and_shim_are_killed_the_attempt_is_lost_and_its_processes_are_ended(
    runner: LocalRunner, tmp_path: Path
) -> None:
    handle, token = start_hostile(runner, tmp_path / "a", ("plain", "setsid", "clean"))
    both = [watcher(handle, name) for name in (spool.SHIM, spool.GUARD)]
    for number in (signal.SIGSTOP, signal.SIGKILL):  # neither may see the other's end
        for pid in both:
            os.kill(pid, number)
    wait_for(lambda: all(state_and_parent(p)[0] in ("gone", "Z") for p in both), "their end")
    event = runner.poll([handle])[0]
    assert isinstance(event, Lost)
    assert "4 processes that it left were ended" in event.reason
    wait_for(lambda: not pids_with(token), "the end of the tree")
    assert isinstance(runner.poll([handle])[0], Lost)
    runner.cleanup(handle)
    assert runner.poll([handle])[0] == Lost(
        handle, event.reason.replace("4 processes", "0 processes")
    )
    assert runner.start(launch(tmp_path / "a", "true")) == handle
    assert isinstance(runner.poll([handle])[0], Lost)


def test_start_returns_while_the_command_runs_and_gives_the_caller_no_child(
    runner: LocalRunner, tmp_path: Path
) -> None:
    began = time.monotonic()
    handle = runner.start(launch(tmp_path / "a", "sleep", "600"))
    assert time.monotonic() - began < 30
    running(runner, handle)
    guard, shim = watcher(handle, spool.GUARD), watcher(handle, spool.SHIM)
    assert state_and_parent(shim)[1] == guard
    assert os.getpid() not in (state_and_parent(guard)[1], state_and_parent(shim)[1])
    assert len({os.getsid(pid) for pid in (0, guard, shim, running(runner, handle))}) == 4
    runner.stop(handle, grace_s=0)
    ended(runner, handle)


def test_a_frozen_shim_and_guard_are_alive(runner: LocalRunner, tmp_path: Path) -> None:
    handle = runner.start(launch(tmp_path / "a", "sleep", "600"))
    running(runner, handle)
    both = [watcher(handle, name) for name in (spool.SHIM, spool.GUARD)]
    for pid in both:
        os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: all(state_and_parent(p)[0] == "T" for p in both), "the freeze")
    assert isinstance(runner.poll([handle])[0], Running)
    runner.stop(handle, grace_s=0)
    for pid in both:
        os.kill(pid, signal.SIGCONT)
    assert ended(runner, handle).ended_by == EndedBy.STOPPED


def test_a_shim_that_is_told_to_terminate_ends_the_tree(
    runner: LocalRunner, tmp_path: Path
) -> None:
    handle, token = start_hostile(runner, tmp_path / "a", ALL_KINDS)
    os.kill(watcher(handle, spool.SHIM), signal.SIGTERM)
    result = ended(runner, handle)
    assert result.ended_by == EndedBy.LOST
    assert "told to terminate" in result.message
    assert pids_with(token) == set()


def test_a_removed_spool_ends_the_tree(runner: LocalRunner, tmp_path: Path) -> None:
    handle, token = start_hostile(runner, tmp_path / "a", ALL_KINDS)
    shutil.rmtree(handle)
    wait_for(lambda: not pids_with(token), "the end of the tree")
    assert isinstance(runner.poll([handle])[0], Lost)


def old_launch(folder: Path, **changes: Any) -> None:
    """Leave a spool as a studio does that died between its launch record and the guard."""
    folder.mkdir()
    record = attempts.record(launch(folder, "touch", "ran", cwd=folder))
    assert spool.claim(str(folder), spool.LAUNCH, {**record, **changes})


def test_a_launch_without_a_guard_is_lost_after_ten_seconds_and_a_late_guard_starts_nothing(
    runner: LocalRunner, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    old_launch(folder, launch=time.monotonic() - 11)
    event = runner.poll([str(folder)])[0]
    assert isinstance(event, Lost)
    assert "which never ran" in event.reason
    # Waits for guard and shim too: they hold our end of the standard error.
    late = subprocess.run([sys.executable, LAUNCHER, folder], capture_output=True)
    assert (late.stdout, late.stderr) == (b"1", b"")
    assert not (folder / "ran").exists()
    assert not (folder / spool.SHIM).exists()


def test_a_fresh_launch_without_a_guard_is_waited_for(runner: LocalRunner, tmp_path: Path) -> None:
    folder = tmp_path / "a"
    old_launch(folder)
    assert runner.poll([str(folder)]) == [Running(str(folder), None, None)]
    subprocess.run([sys.executable, LAUNCHER, folder], stdout=subprocess.DEVNULL, check=True)
    assert ended(runner, str(folder)).exit_code == 0
    assert (folder / "ran").exists()


def test_a_command_from_before_a_restart_of_the_machine_is_lost(
    runner: LocalRunner, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    old_launch(folder, boot_id="of another boot")
    spool.write(str(folder), spool.GUARD, {**proc.identity(os.getpid())})
    event = runner.poll([str(folder)])[0]
    assert event == Lost(str(folder), "The machine was restarted before the command ended.")


def test_a_pid_that_was_given_out_again_is_not_taken_for_the_guard(
    runner: LocalRunner, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    old_launch(folder)
    me = proc.identity(os.getpid())
    spool.write(str(folder), spool.GUARD, me)
    assert isinstance(runner.poll([str(folder)])[0], Running)
    spool.write(str(folder), spool.GUARD, {**me, "start_time": me["start_time"] - 1})
    assert isinstance(runner.poll([str(folder)])[0], Lost)


def test_a_zombie_is_not_alive() -> None:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    who = proc.identity(pid)
    wait_for(lambda: state_and_parent(pid)[0] == "Z", "the zombie")
    assert not proc.is_alive(who, proc.boot_id())
    os.waitpid(pid, 0)


def test_a_stop_that_came_first_keeps_the_command_from_starting(
    runner: LocalRunner, tmp_path: Path
) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    runner.stop(str(folder), reason="canceled")
    handle = runner.start(launch(folder, "touch", "ran", cwd=folder))
    result = ended(runner, handle)
    assert (result.ended_by, result.exit_code) == (EndedBy.STOPPED, None)
    assert result.message == "canceled (before the command was started)"
    assert not (folder / "ran").exists()


def test_another_attempt_in_the_same_spool_is_refused(runner: LocalRunner, tmp_path: Path) -> None:
    ended(runner, runner.start(launch(tmp_path / "a", "true", name="first")))
    with pytest.raises(RunnerError, match="belongs to the attempt 'first'"):
        runner.start(launch(tmp_path / "a", "true", name="second"))


def test_a_spool_that_cannot_be_written_is_an_error(runner: LocalRunner, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunnerError, match=r"Cannot write to the spool .*: Not a directory\."):
        runner.start(launch(tmp_path / "file" / "a", "true"))


def test_a_guard_that_cannot_start_is_an_error_and_a_lost_attempt(
    runner: LocalRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = starter.Starter()
    monkeypatch.setattr(local, "_starter", own)
    for module in (local, starter):
        monkeypatch.setattr(module, "LAUNCHER", str(tmp_path / "missing.py"))
    with pytest.raises(RunnerError, match=r"failed at its start; see .*runner\.log"):
        runner.start(launch(tmp_path / "a", "true"))
    event = runner.poll([str(tmp_path / "a")])[0]
    assert isinstance(event, Lost)
    assert "missing.py" in (tmp_path / "a" / "runner.log").read_text()
    own.close()


def test_guard_and_shim_carry_nothing_of_the_servers_environment_and_few_descriptors(
    runner: LocalRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STUDIO_SECRET", "of the server")
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        handle = runner.start(launch(tmp_path / "a", "sleep", "600"))
    command = running(runner, handle)
    for pid in (command, watcher(handle, spool.SHIM), watcher(handle, spool.GUARD)):
        assert b"STUDIO_SECRET" not in Path(f"/proc/{pid}/environ").read_bytes()
        targets = [os.readlink(link) for link in Path(f"/proc/{pid}/fd").iterdir()]
        assert str(tmp_path / "open") not in targets
    assert len(list(Path(f"/proc/{command}/fd").iterdir())) == 3
    runner.stop(handle, grace_s=0)
    ended(runner, handle)


def test_the_spool_is_for_its_owner_alone(runner: LocalRunner, tmp_path: Path) -> None:
    handle = runner.start(launch(tmp_path / "new" / "a", "true"))
    ended(runner, handle)
    assert Path(handle).stat().st_mode & 0o077 == 0
    assert {p.stat().st_mode & 0o077 for p in Path(handle).iterdir()} == {0}


def test_clean_up_leaves_logs_and_result_and_no_secret(runner: LocalRunner, tmp_path: Path) -> None:
    spec = launch(tmp_path / "a", "echo", "hi", env={"PATH": os.environ["PATH"], "K": "s3cret"})
    handle = runner.start(spec)
    result = ended(runner, handle)
    runner.cleanup(handle)
    left = {p.name for p in Path(handle).iterdir()}
    assert left == {"stdout.log", "stderr.log", "result.json"}
    assert runner.start(spec) == handle
    assert runner.poll([handle]) == [Ended(handle, result)]
    assert stdout(handle) == "hi\n"


def test_the_cookie_of_another_studio_with_the_same_name_is_left_alone(
    runner: LocalRunner, tmp_path: Path
) -> None:
    one = runner.start(launch(tmp_path / "one", "sleep", "600", name="default.iris.3.1"))
    two = runner.start(launch(tmp_path / "two", "sleep", "600", name="default.iris.3.1"))
    running(runner, one)
    running(runner, two)
    assert runner.kill_leftovers(one) == 1
    result = ended(runner, one)
    assert (result.ended_by, result.signal) == (EndedBy.SIGNAL, 9)
    assert isinstance(runner.poll([two])[0], Running)
    runner.stop(two, grace_s=0)
    ended(runner, two)
    assert runner.kill_leftovers(two) == 0


def test_guard_and_shim_leave_when_the_result_is_there(runner: LocalRunner, tmp_path: Path) -> None:
    handle = runner.start(launch(tmp_path / "a", "true"))
    ended(runner, handle)
    who = [spool.read(handle, name) for name in (spool.SHIM, spool.GUARD)]
    boot = proc.boot_id()
    wait_for(lambda: not any(proc.is_alive(w, boot) for w in who if w), "their leave")
    assert (Path(handle) / "runner.log").read_text() == ""


def test_guard_and_shim_cost_next_to_nothing_while_the_command_is_quiet(
    runner: LocalRunner, tmp_path: Path
) -> None:
    handle = runner.start(launch(tmp_path / "a", "sleep", "600"))
    running(runner, handle)
    both = [watcher(handle, name) for name in (spool.SHIM, spool.GUARD)]

    def waits() -> int:
        """How often they have waited for something: the load of the machine does not change it."""
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in both]
        return sum(int(text.rpartition("nonvoluntary")[0].split()[-1]) for text in texts)

    def spent_ns() -> int:
        return sum(int(Path(f"/proc/{p}/schedstat").read_text().split()[0]) for p in both)

    before, spent, began = waits(), spent_ns(), time.monotonic()
    time.sleep(2.0)  # the span that is measured
    span = time.monotonic() - began
    woken, share = (waits() - before) / span, (spent_ns() - spent) / span / 1e9
    runner.stop(handle, grace_s=0)
    ended(runner, handle)
    assert 0 < woken < 12
    assert share < 0.05, "one of them is spinning"


def test_no_process_of_these_tests_is_left_behind() -> None:
    ours = [p for p in pids() if state_and_parent(p) == ("Z", os.getpid())]
    assert ours == []


def test_the_registry_gives_the_runner_of_a_kind_and_names_the_kinds_there_are() -> None:
    assert isinstance(get_runner("local"), LocalRunner)
    assert get_runner("local") is get_runner("local")
    with pytest.raises(RunnerError, match=r"kind 'lsf'\. Use one of: local, ray, slurm\."):
        get_runner("lsf")
