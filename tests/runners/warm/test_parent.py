"""The parent itself: what it holds, when it leaves, and that nothing hangs on its life."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from sweeps.runners import local, spool
from sweeps.runners.base import EndedBy, RunAs, Running, Warm
from sweeps.runners.warm import parents
from tests.runners.processes import state_and_parent, wait_for
from tests.runners.warm.scripts import (
    IN_PARENT,
    LASTING,
    QUICK,
    gone,
    importing,
    let_end,
    parent_of,
    started,
    with_lib,
)
from tests.runners.warm.stage import WITHIN_S, Stage


def sockets(pid: int) -> list[str]:
    links = [f"/proc/{pid}/fd/{name}" for name in os.listdir(f"/proc/{pid}/fd")]
    targets = [os.readlink(link) for link in links if os.path.lexists(link)]
    return [target for target in targets if target.startswith("socket:")]


def test_a_parent_has_one_thread_one_socket_no_child_and_a_name_of_its_own(stage: Stage) -> None:
    case = replace(LASTING, imports=("json", "numpy.random", "joblib", "asyncio"))
    handle = started(stage, case)
    pid = stage.pid(parent_of(stage, case))
    assert len(os.listdir(f"/proc/{pid}/task")) == 1
    wait_for(lambda: len(sockets(pid)) == 1, "an end of lines to those who asked")
    assert Path(f"/proc/{pid}/task/{pid}/children").read_text() == ""
    assert Path(f"/proc/{pid}/comm").read_text() == "sweep-warm\n"
    assert Path(f"/proc/{pid}/cmdline").read_text().startswith("sweep-studio: warm parent of")
    for name in (spool.GUARD, spool.SHIM):
        record = spool.read(handle, name)
        assert record is not None
        assert sockets(record["pid"]) == []
    assert let_end(stage, handle) == "up\nend\n"


def test_the_shim_is_the_scripts_parent_and_the_studios_processes_are_not(stage: Stage) -> None:
    handle = started(stage, LASTING)
    event = stage.runner.poll([handle])[0]
    shim = spool.read(handle, spool.SHIM)
    assert isinstance(event, Running)
    assert event.pid is not None
    assert shim is not None
    assert state_and_parent(event.pid)[1] == shim["pid"]
    let_end(stage, handle)


def test_a_parent_leaves_when_nobody_has_asked_for_a_while(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parents, "IDLE_S", 0.4)
    case = replace(LASTING, imports=("json", "colorsys"))
    handle = started(stage, case)
    warm = parent_of(stage, case)
    socket = warm.home / warm.key / "socket"
    wait_for(lambda: not socket.exists(), "its leave", WITHIN_S)
    with pytest.raises(OSError):
        stage.pid(warm)
    assert let_end(stage, handle) == "up\nend\n"
    assert stage.run(replace(QUICK, imports=case.modules), warm=True)[1].warm


def test_one_parent_serves_many_and_those_of_another_process(stage: Stage) -> None:
    warm = parent_of(stage, QUICK)
    stage.run(QUICK, warm=True)
    pid = stage.pid(warm)
    stage.run(QUICK, warm=True)
    assert stage.pid(warm) == pid
    code = (
        "import pathlib, socket; from sweeps.runners.base import Warm\n"
        "from sweeps.runners.warm import line, parents\n"
        f"warm = Warm({warm.key!r}, pathlib.Path({str(warm.home)!r}), {warm.before}, "
        f"{warm.modules!r}, {dict(warm.env)!r})\n"
        f"asker = parents.ready({stage.spec(QUICK, True).argv!r}, warm)\n"
        "asker.send(line.READY); print(line.hear(asker)['pid'])"
    )
    root = Path(__file__).parents[3]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True)
    assert int(run.stdout) == pid


def test_those_who_ask_first_at_the_same_moment_get_one_parent(stage: Stage) -> None:
    case = replace(QUICK, imports=("json", "wave"))
    spec = stage.spec(case, True)
    assert isinstance(spec.warm, Warm)
    warm, found = spec.warm, []

    def ask() -> None:
        with parents.ready(spec.argv, warm):
            found.append(stage.pid(warm))

    askers = [threading.Thread(target=ask) for _ in range(6)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_a_parent_is_another_one_when_a_file_that_it_imported_has_changed(
    stage: Stage, tmp_path: Path
) -> None:
    case = with_lib(tmp_path, "X = 'old'")
    assert stage.run(case, warm=True)[0].out == b"old\n"
    pid = stage.pid(parent_of(stage, case))
    (tmp_path / "lib.py").write_text("X = 'newer'")
    seen, how = stage.run(case, warm=True)
    assert (seen.out, how.warm) == (b"newer\n", True)
    gone(pid)


def test_a_parent_is_another_one_when_a_new_file_hides_what_it_imported(
    stage: Stage, tmp_path: Path
) -> None:
    later = tmp_path / "later"
    later.mkdir()
    case = with_lib(later, "X = 'old'")
    case = replace(case, env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{later}"})
    assert stage.run(case, warm=True)[0].out == b"old\n"
    (tmp_path / "lib.py").write_text("X = 'hides it'")
    assert stage.run(case, warm=True)[0].out == b"hides it\n"


def test_a_parent_that_is_killed_before_it_is_ready_costs_time_only(
    stage: Stage, tmp_path: Path
) -> None:
    case = with_lib(tmp_path, IN_PARENT + f"open('{tmp_path}/on', 'w'); time.sleep(600)")

    def kill() -> None:
        wait_for((tmp_path / "on").exists, "its import", WITHIN_S)
        os.kill(importing(tmp_path), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    seen, how = stage.run(case, warm=True)
    killer.join()
    assert (seen.out, how.reason) == (b"1\n", "Its warm parent ended while importing lib.")


def test_a_parent_that_is_killed_before_the_start_costs_time_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.run(QUICK, warm=True)
    warm = parent_of(stage, QUICK)
    pid, fork = stage.pid(warm), parents.fork

    def kill_and_fork(*arguments: object) -> None:
        os.kill(pid, signal.SIGKILL)
        gone(pid)
        fork(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(parents, "fork", kill_and_fork)
    seen, how = stage.run(QUICK, warm=True)
    assert (seen.out, how.warm) == (b"done\n", False)
    assert how.reason == "Its warm parent ended while it was asked."
    monkeypatch.undo()
    assert stage.run(QUICK, warm=True)[1].warm
    assert stage.pid(warm) != pid


def test_a_parent_that_was_killed_is_followed_by_another(stage: Stage) -> None:
    stage.run(QUICK, warm=True)
    pid = stage.pid(parent_of(stage, QUICK))
    os.kill(pid, signal.SIGKILL)
    gone(pid)
    seen, how = stage.run(QUICK, warm=True)
    assert (seen.out, how.warm) == (b"done\n", True)


def test_a_parent_that_is_killed_harms_nothing_that_runs(stage: Stage) -> None:
    handle = started(stage, LASTING)
    pid = stage.pid(parent_of(stage, LASTING))
    os.kill(pid, signal.SIGKILL)
    gone(pid)
    assert let_end(stage, handle) == "up\nend\n"


def test_a_parent_that_wakes_up_late_starts_nothing_twice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = replace(QUICK, script="open('count', 'a').write('ran.')")
    stage.run(case, warm=True)
    pid, fork = stage.pid(parent_of(stage, case)), parents.fork

    def freeze_and_fork(*arguments: object) -> None:
        os.kill(pid, signal.SIGSTOP)
        fork(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(parents, "fork", freeze_and_fork)
    monkeypatch.setattr(local, "START_TIMEOUT_S", 3.0)
    seen, how = stage.run(case, warm=True)
    os.kill(pid, signal.SIGCONT)
    assert sorted(seen.files.values()) == sorted((b"ran.", case.script.encode()))
    assert not how.warm
    assert stage.pid(parent_of(stage, case)) == pid  # it has turned to what came before
    assert (stage.work / "count").read_text() == "ran."


def test_dismissed_parents_leave_and_what_they_started_runs_on(
    tmp_path: Path, stage: Stage
) -> None:
    own = Stage(tmp_path)
    handle = started(own, LASTING)
    pid = own.pid(parent_of(own, LASTING))
    parents.dismiss(own.home)
    gone(pid)
    assert let_end(own, handle) == "up\nend\n"
    parents.dismiss(tmp_path / "no such home")


def test_a_parent_leaves_with_its_folder(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    case = replace(QUICK, imports=("json", "chunk"))
    stage.run(case, warm=True)
    warm = parent_of(stage, case)
    pid = stage.pid(warm)
    shutil.rmtree(warm.home / warm.key)
    gone(pid)


def test_a_home_with_a_long_name(tmp_path: Path) -> None:
    folder = tmp_path / ("a long name of a home " * 6)
    folder.mkdir()
    own = Stage(folder)
    seen, how = own.run(QUICK, warm=True)
    assert (seen.out, how.warm) == (b"done\n", True)
    parents.dismiss(own.home)


def test_a_command_of_another_user_never_starts_as_a_fork(stage: Stage) -> None:
    spec = replace(stage.spec(QUICK, True), user=RunAs(12345, 12345))
    with local._parent_of(spec) as (line, how):
        assert line is None
        assert how == local.How(False, "A command of another user starts by itself.")


@pytest.mark.parametrize("wrong", ["cwd", "nul"])
def test_what_cannot_be_started_is_told_as_of_a_cold_start(stage: Stage, wrong: str) -> None:
    stage.lay(QUICK)
    told = []
    for warm in (False, True):
        spec = stage.spec(replace(QUICK, args=("nul\0",) if wrong == "nul" else ()), warm)
        if wrong == "cwd":
            spec = replace(spec, cwd=stage.work / "gone")
        result = stage.end(stage.runner.start(spec))
        told.append((result.ended_by, result.exit_code, result.message))
    assert told[0] == told[1]
    assert told[0][0] == EndedBy.NOT_STARTED


def test_leftovers_are_found_however_large_the_environment_is(stage: Stage) -> None:
    case = replace(LASTING, own={f"V{number}": "x" * 60_000 for number in range(4)})
    handle = started(stage, case)
    for name in (spool.GUARD, spool.SHIM):
        record = spool.read(handle, name)
        assert record is not None
        os.kill(record["pid"], signal.SIGSTOP)
    assert stage.runner.kill_leftovers(handle) == 1
    for name in (spool.GUARD, spool.SHIM):
        record = spool.read(handle, name)
        assert record is not None
        os.kill(record["pid"], signal.SIGCONT)
    assert stage.end(handle).signal == signal.SIGKILL


def test_peak_memory_is_the_scripts_own(stage: Stage) -> None:
    case = replace(QUICK, script="x = b'.' * (120 << 20)")
    stage.lay(case)
    result = stage.end(stage.runner.start(stage.spec(case, True)))
    assert result.peak_memory_bytes is not None
    assert 120 << 20 < result.peak_memory_bytes < 220 << 20


def test_a_parent_that_is_stuck_costs_one_wait_and_not_every_trial(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Stage(tmp_path)
    own.run(QUICK, warm=True)
    pid = own.pid(parent_of(own, QUICK))
    os.kill(pid, signal.SIGSTOP)
    try:
        monkeypatch.setattr(parents, "ANSWER_S", 0.5)
        assert own.run(QUICK, warm=True)[1].reason == "Its warm parent did not answer within 0.5 s."
        monkeypatch.setattr(parents, "ANSWER_S", 3600.0)
        assert own.run(QUICK, warm=True)[1].reason == "Its warm parent did not answer within 0.5 s."
    finally:
        os.kill(pid, signal.SIGKILL)
