"""Commands as a user of their own: the contract, and what that user is left with."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.runners import leftovers, outcomes, probe, proc, run_as, spool
from sweeps.runners.base import EndedBy, Lost, RunAs, Runner
from sweeps.runners.local import LocalRunner
from tests.isolated import IS_ROOT, UID, open_folder, open_python
from tests.runners.contract import (
    ALL_KINDS,
    SignsContract,
    alive_pid,
    ended,
    launch,
    start_hostile,
    stdout,
)
from tests.runners.isolated import IsolatedRunner
from tests.runners.processes import pids, pids_with, state_and_parent, wait_for

if IS_ROOT:

    class TestIsolatedRunner(SignsContract):
        @pytest.fixture
        def runner(self) -> Runner:
            return IsolatedRunner()


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    with open_folder() as folder:
        yield folder


@pytest.fixture
def runner() -> Runner:
    return IsolatedRunner()


# A user of its own, for the limit counts all processes of a user.
BOMBER = UID + 10_000
# Says who it is, in JSON.
ME = """
import json, os, resource
status = dict(line.split(":", 1) for line in open("/proc/self/status").read().splitlines())
print(json.dumps({
    "uid": os.getresuid(), "gid": os.getresgid(), "groups": os.getgroups(),
    "caps": [status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")],
    "no_new_privs": status["NoNewPrivs"].strip(), "umask": status["Umask"].strip(),
    "nproc": resource.getrlimit(resource.RLIMIT_NPROC),
    "core": resource.getrlimit(resource.RLIMIT_CORE),
    "fds": sorted(int(name) for name in os.listdir("/proc/self/fd")),
}))
"""

ROOT = Path(__file__).resolve().parents[2]
IN_GROUPS = """
import encodings.ascii, os, sys  # which that user may not be able to read any more
from sweeps.runners.run_as import RunAs, become
os.setgroups([4, 27])
print(str(os.getgroups()).replace(" ", ""))
become(RunAs(int(sys.argv[1]), int(sys.argv[1])))
print(os.getgroups())
"""

if IS_ROOT:

    def test_the_command_is_that_user_and_nothing_is_left_of_the_studio(
        runner: Runner, tmp_path: Path
    ) -> None:
        handle = runner.start(launch(tmp_path / "a", open_python(), "-I", "-S", "-c", ME))
        assert ended(runner, handle).exit_code == 0
        me = json.loads(stdout(handle))
        assert (me["uid"], me["gid"], me["groups"]) == ([UID] * 3, [UID] * 3, [])
        assert me["caps"] == ["0" * 16] * 4
        assert (me["no_new_privs"], me["umask"]) == ("1", "0077")
        assert (me["nproc"], me["core"]) == ([4096, 4096], [0, 0])
        assert me["fds"] == [0, 1, 2, 3]  # the last is that of the look itself

    def test_groups_that_the_studio_is_in_are_left_too() -> None:
        words = [sys.executable, "-c", IN_GROUPS, str(UID)]
        done = subprocess.run(words, cwd=ROOT, check=True, capture_output=True, text=True)
        assert done.stdout.split() == ["[4,27]", "[]"]

    def test_shared_memory_goes_with_the_last_command_of_the_user(
        runner: Runner, tmp_path: Path
    ) -> None:
        own, others = (Path(f"/dev/shm/isolated-{UID}-{name}") for name in ("own", "others"))
        more = [Path(f"{own}.{kind}") for kind in ("folder", "link", "pipe")]
        others.mkdir()
        (others / "x").write_text("of somebody else")
        make = (
            f"umask; echo x > {own}; mkdir -p {own}.folder/a/b; echo x > {own}.folder/a/b/x; "
            f"ln -s {others} {own}.folder/a/link; ln -s {others} {own}.link; mkfifo {own}.pipe"
        )
        try:
            other = runner.start(launch(tmp_path / "b", "sleep", "600"))
            wait_for(lambda: alive_pid(runner, other), "the other command")
            handle = runner.start(launch(tmp_path / "a", "sh", "-c", make))
            assert ended(runner, handle).exit_code == 0
            assert own.stat().st_mode & 0o777 == 0o600
            assert all(path.is_symlink() or path.exists() for path in more)
            runner.stop(other, grace_s=0)
            ended(runner, other)
            assert not own.exists()
            assert not any(path.is_symlink() or path.exists() for path in more)
            assert (others / "x").exists()
        finally:
            shutil.rmtree(others)
            for path in (own, *more):
                subprocess.run(["rm", "-rf", path], check=True)

    def test_what_is_too_much_to_remove_at_once_goes_with_the_next_command(tmp_path: Path) -> None:
        for number in range(3):
            (tmp_path / f"{number}" / "deep").mkdir(parents=True)
            os.chown(tmp_path / f"{number}", UID, UID)
        (tmp_path / "others").mkdir()
        parts = 1
        while leftovers.clear(UID, str(tmp_path), 0.0) or len(os.listdir(tmp_path)) > 1:
            parts += 1
            assert parts < 50
        assert parts > 2
        assert [path.name for path in tmp_path.iterdir()] == ["others"]

    def test_a_fork_bomb_is_held_to_its_number_and_ends_when_it_is_told(tmp_path: Path) -> None:
        code = (
            "import os, signal\nsignal.signal(15, signal.SIG_IGN)\n"
            "while True:\n try: os.fork()\n except BlockingIOError: print('full', flush=True)"
        )
        real, user = LocalRunner(), RunAs(BOMBER, BOMBER, processes=40)
        argv = (open_python(), "-I", "-S", "-c", code)
        handle = real.start(launch(tmp_path / "a", *argv, user=user, log_cap_bytes=1000))
        wait_for(lambda: "full" in stdout(handle), "the limit")
        count = sum(1 for pid in pids() if proc._owner(pid) == BOMBER)
        real.stop(handle, grace_s=0)
        assert ended(real, handle).ended_by == EndedBy.STOPPED
        assert 1 < count <= 40
        assert not proc.runs_anything(BOMBER)

    def test_it_can_open_its_own_output_anew(runner: Runner, tmp_path: Path) -> None:
        script = "echo one > /dev/stdout; echo two > /dev/stderr"
        handle = runner.start(launch(tmp_path / "a", "sh", "-c", script))
        assert ended(runner, handle).exit_code == 0
        assert stdout(handle) == "one\n"

    def test_it_cannot_end_who_watches_over_it_nor_write_its_records(
        runner: Runner, tmp_path: Path
    ) -> None:
        folder = tmp_path / "a"
        script = f"kill -9 $PPID; echo forged > {folder}/result.json; rm {folder}/heartbeat; exit 7"
        handle = runner.start(launch(folder, "sh", "-c", script))
        result = ended(runner, handle)
        assert (result.ended_by, result.exit_code) == (EndedBy.EXIT, 7)
        said = (folder / "stderr.log").read_text()
        assert said.count("Operation not permitted") == 1
        assert said.count("Permission denied") == 2

    def test_what_outlives_both_watchers_is_found_by_its_user(
        runner: Runner, tmp_path: Path
    ) -> None:
        """Even without a cookie or a parent; what runs under another watcher is left alone."""
        other = runner.start(launch(tmp_path / "b", "sleep", "600"))
        handle, token = start_hostile(runner, tmp_path / "a", ALL_KINDS)
        both = []
        for name in (spool.SHIM, spool.GUARD):
            record = spool.read(handle, name)
            assert record is not None
            both.append(record["pid"])
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in both:
                os.kill(pid, number)
        wait_for(
            lambda: all(state_and_parent(pid)[0] in ("gone", "Z") for pid in both), "their end"
        )
        assert isinstance(runner.poll([handle])[0], Lost)
        wait_for(lambda: not pids_with(token), "the end of the tree")
        assert not isinstance(runner.poll([other])[0], Lost)
        runner.stop(other, grace_s=0)
        assert ended(runner, other).ended_by == EndedBy.STOPPED


# Makes a capability ambient, as systemd does for a service.
AMBIENT = """
import ctypes, struct
libc = ctypes.CDLL(None)
libc.syscall({capset}, struct.pack("Ii", 0x20080522, 0), struct.pack("6I", *[1 << 5] * 3, 0, 0, 0))
assert libc.prctl(47, 2, 5, 0, 0) == 0
from sweeps.runners import run_as
assert run_as.has_ambient()
run_as.start_without()
assert not run_as.has_ambient()
print(open("/proc/self/status").read())
"""

if IS_ROOT:

    def test_a_command_of_the_studios_user_inherits_no_capability_of_the_service() -> None:
        capset = run_as._CALLS[os.uname().machine][0]
        done = subprocess.run(
            [sys.executable, "-c", AMBIENT.format(capset=capset)],
            cwd=Path(__file__).parents[2],
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
        held = [
            line.split()[1] for line in done.stdout.splitlines() if line[:6] in ("CapInh", "CapAmb")
        ]
        assert held == ["0" * 16] * 2
        assert not run_as.has_ambient(), "else every command of these tests would be dropped"


def test_a_user_that_we_may_not_become_is_told_and_where_to_look() -> None:
    failed = subprocess.SubprocessError("Exception occurred in preexec_fn.")
    result = outcomes.not_started(failed, ["true"], "/", None, outcomes.Span(1.0, 1.0))
    assert (result.ended_by, result.exit_code) == (EndedBy.NOT_STARTED, 126)
    assert "may not run commands as another user here; its error log says" in result.message


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOENT, errno.ENOTDIR])
def test_what_another_user_could_not_start_is_not_looked_for(tmp_path: Path, number: int) -> None:
    (tmp_path / "there").touch()
    said = set()
    for name in ("there", "gone"):
        argv, failed = [str(tmp_path / name)], OSError(number, "no")
        span = outcomes.Span(1.0, 1.0)
        result = outcomes.not_started(failed, argv, str(tmp_path), None, span, apart=True)
        said.add((result.exit_code, result.message.replace(argv[0], "PATH")))
    assert len(said) == 1


@pytest.mark.parametrize("uid", [0, -1, 2**32 - 1, "1000", None])
def test_a_record_with_no_such_user_counts_as_none(tmp_path: Path, uid: object) -> None:
    user = {"uid": uid, "gid": UID, "processes": 10, "umask": 0o77}
    record = {
        "name": "a", "cookie": "a", "argv": ["true"], "cwd": "/", "env": {}, "time_limit_s": None,
        "grace_s": 1.0, "log_cap_bytes": 1, "boot_id": proc.boot_id(), "launched_at": time.time(),
        "launch": 1.0, "user": user,
    }  # fmt: skip
    spool.write(str(tmp_path), spool.LAUNCH, record)
    assert spool.read(str(tmp_path), spool.LAUNCH) is None
    spool.write(str(tmp_path), spool.LAUNCH, {**record, "user": {**user, "uid": UID}})
    assert spool.read(str(tmp_path), spool.LAUNCH) is not None


if IS_ROOT:

    def test_the_probe_leaves_nothing_of_what_it_ran(tmp_path: Path) -> None:
        program = tmp_path / "python"
        program.write_text("#!/bin/sh\n(setsid sleep 600 >/dev/null 2>&1 &)\nexit 0\n")
        program.chmod(0o755)
        home = tmp_path / "home"
        home.mkdir()
        assert probe.problems(BOMBER + 1, str(home), str(program)) == []
        assert not proc.runs_anything(BOMBER + 1)
        assert list(home.iterdir()) == []

    def test_the_probe_says_what_is_in_the_way(tmp_path: Path) -> None:
        closed = tmp_path / "closed"
        (closed / "home").mkdir(parents=True)
        closed.chmod(0o700)
        [place, program] = probe.problems(BOMBER + 1, str(closed / "home"), str(closed / "python"))
        assert f"STUDIO_HOME lies in {closed}, which other users may not pass through" in place
        assert f"may not run {closed}/python, because of {closed}" in program
        [taken] = probe.problems(65534, str(tmp_path), open_python())
        assert "has an account on this machine" in taken
