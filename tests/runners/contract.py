"""What holds for every runner (RunnerContract), and for those that run real commands on a
machine we can look at (CommandContract). A test class per runner inherits one of them."""

import json
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path

import pytest

from sweeps.runners.base import (
    Ended,
    EndedBy,
    LaunchSpec,
    Lost,
    Result,
    Runner,
    RunnerError,
    Running,
)
from tests.runners.processes import pids_with, state_and_parent, wait_for, zombie_children

HOSTILE = Path(__file__).with_name("hostile.py")
ALL_KINDS = ("plain", "setsid", "clean", "daemon")
PYTHON = (sys.executable, "-I", "-S")
# What a busy machine may add to a span that is waited; whoever ignores the span waits longer.
LATE_S = 10


class RunnerContract:
    """Subclasses give the fixture `runner` and the two commands."""

    @pytest.fixture
    def runner(self) -> Runner:
        raise NotImplementedError

    def ends_with_0(self, spool: Path) -> LaunchSpec:
        """Return an attempt that ends at once, with exit code 0."""
        raise NotImplementedError

    def runs_on(self, spool: Path) -> LaunchSpec:
        """Return an attempt that runs until it is stopped."""
        raise NotImplementedError

    def test_a_command_ends_with_its_result_and_the_result_stays(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        handle = runner.start(self.ends_with_0(tmp_path / "a"))
        result = ended(runner, handle)
        assert (result.ended_by, result.exit_code, result.signal) == (EndedBy.EXIT, 0, None)
        assert result.started_at <= result.ended_at
        assert runner.poll([handle]) == [Ended(handle, result)]

    def test_a_second_start_of_a_spool_returns_the_same_handle(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        spec = self.runs_on(tmp_path / "a")
        handle = runner.start(spec)
        assert runner.start(spec) == handle
        assert isinstance(runner.poll([handle])[0], Running)
        runner.stop(handle, grace_s=0)
        ended(runner, handle)
        assert runner.start(spec) == handle
        assert isinstance(runner.poll([handle])[0], Ended)

    def test_stop_ends_what_runs_says_why_and_may_be_repeated(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        handle = runner.start(self.runs_on(tmp_path / "a"))
        runner.stop(handle, grace_s=1, reason="canceled by ada")
        runner.stop(handle, grace_s=1, reason="canceled by bob")
        result = ended(runner, handle)
        assert result.ended_by == EndedBy.STOPPED
        assert result.message.startswith("canceled by ada")
        runner.stop(handle)
        assert ended(runner, handle) == result

    def test_stop_does_not_change_a_result_that_is_there(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        handle = runner.start(self.ends_with_0(tmp_path / "a"))
        result = ended(runner, handle)
        runner.stop(handle)
        assert ended(runner, handle) == result

    def test_poll_answers_in_the_order_of_the_handles(self, runner: Runner, tmp_path: Path) -> None:
        over = runner.start(self.ends_with_0(tmp_path / "over"))
        ended(runner, over)
        alive = runner.start(self.runs_on(tmp_path / "alive"))
        unknown = str(tmp_path / "unknown")
        events = runner.poll([unknown, alive, over])
        runner.stop(alive, grace_s=0)
        assert [type(event) for event in events] == [Lost, Running, Ended]
        assert [event.handle for event in events] == [unknown, alive, over]
        ended(runner, alive)

    def test_clean_up_is_refused_while_the_command_runs(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        handle = runner.start(self.runs_on(tmp_path / "a"))
        with pytest.raises(RunnerError, match="is running"):
            runner.cleanup(handle)
        runner.stop(handle, grace_s=0)
        result = ended(runner, handle)
        runner.cleanup(handle)
        runner.cleanup(handle)
        assert ended(runner, handle) == result

    def test_a_time_limit_for_what_has_ended_changes_nothing(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        handle = runner.start(self.ends_with_0(tmp_path / "a"))
        result = ended(runner, handle)
        runner.set_time_limit(handle, 0.0)
        assert ended(runner, handle) == result


class CommandContract(RunnerContract):
    """For runners whose processes are in our own process table."""

    # Names of variables that an engine adds to every command begin so.
    adds: tuple[str, ...] = ()

    def ends_with_0(self, spool: Path) -> LaunchSpec:
        return launch(spool, "true")

    def runs_on(self, spool: Path) -> LaunchSpec:
        return launch(spool, "sleep", "600")

    def test_the_exit_code_is_kept(self, runner: Runner, tmp_path: Path) -> None:
        handle = runner.start(launch(tmp_path / "a", "sh", "-c", "exit 3"))
        result = ended(runner, handle)
        assert (result.ended_by, result.exit_code, result.message) == (EndedBy.EXIT, 3, "")

    def test_a_crash_is_told_by_its_signal(self, runner: Runner, tmp_path: Path) -> None:
        handle = runner.start(launch(tmp_path / "a", "sh", "-c", "kill -SEGV $$"))
        result = ended(runner, handle)
        assert (result.ended_by, result.exit_code, result.signal) == (EndedBy.SIGNAL, None, 11)
        assert "signal 11 (SIGSEGV)" in result.message

    def test_a_sigkill_that_we_did_not_send_looks_like_memory_and_says_how_much(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        code = "x = b'.' * (150 << 20); import os; os.kill(os.getpid(), 9)"
        handle = runner.start(launch(tmp_path / "a", *PYTHON, "-c", code))
        result = ended(runner, handle)
        assert (result.ended_by, result.signal) == (EndedBy.SIGNAL, 9)
        assert result.peak_memory_bytes is not None
        assert 150 << 20 < result.peak_memory_bytes < 250 << 20
        assert "did not send; the kernel's out-of-memory killer looks the same" in result.message
        assert f"Peak memory {result.peak_memory_bytes / 2**20:.1f} MiB." in result.message

    def test_peak_memory_counts_descendants_that_were_orphaned(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        big = f"{sys.executable} -I -S -c 'x = b\".\" * (90 << 20)'"
        handle = runner.start(launch(tmp_path / "a", "sh", "-c", f"({big} &); sleep 0.5"))
        peak = ended(runner, handle).peak_memory_bytes
        assert peak is not None
        assert peak > 90 << 20

    def test_stop_ends_a_tree_that_ignores_sigterm(self, runner: Runner, tmp_path: Path) -> None:
        handle, token = start_hostile(runner, tmp_path / "a", ALL_KINDS)
        assert len(pids_with(token)) == 5
        asked = time.monotonic()
        runner.stop(handle, grace_s=0.5)
        result = ended(runner, handle)
        assert pids_with(token) == set()
        assert 0.5 <= time.monotonic() - asked < 0.5 + LATE_S
        assert (result.ended_by, result.signal) == (EndedBy.STOPPED, 9)

    def test_a_second_stop_can_shorten_the_grace(self, runner: Runner, tmp_path: Path) -> None:
        script = "trap 'echo told' TERM; echo up; while :; do sleep 0.05; done"
        handle = runner.start(launch(tmp_path / "a", "sh", "-c", script))
        wait_for(lambda: "up" in stdout(handle), "the trap")
        runner.stop(handle, grace_s=600, reason="canceled")
        wait_for(lambda: "told" in stdout(handle), "the first signal")
        runner.stop(handle, grace_s=900, reason="later")
        runner.stop(handle, grace_s=0, reason="at once")
        result = ended(runner, handle)
        assert (result.ended_by, result.signal) == (EndedBy.STOPPED, 9)
        assert result.message == "canceled"

    def test_a_stop_without_a_grace_uses_that_of_the_attempt(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        handle, token = start_hostile(runner, tmp_path / "a", ("plain",))
        asked = time.monotonic()
        runner.stop(handle)
        assert ended(runner, handle).ended_by == EndedBy.STOPPED
        assert 0.3 <= time.monotonic() - asked < 0.3 + LATE_S
        assert pids_with(token) == set()

    def test_a_command_may_use_its_grace_to_end_well(self, runner: Runner, tmp_path: Path) -> None:
        script = "trap 'echo saved; exit 7' TERM; echo up; while :; do sleep 0.05; done"
        handle = runner.start(launch(tmp_path / "a", "sh", "-c", script))
        wait_for(lambda: "up" in stdout(handle), "the trap")
        runner.stop(handle, grace_s=30)
        result = ended(runner, handle)
        assert (result.ended_by, result.exit_code) == (EndedBy.STOPPED, 7)
        assert "saved" in stdout(handle)

    def test_the_time_limit_ends_the_tree(self, runner: Runner, tmp_path: Path) -> None:
        spec = hostile(tmp_path / "a", ("setsid",), time_limit_s=1.0, grace_s=0.2)
        handle = runner.start(spec)
        result = ended(runner, handle)
        assert result.ended_by == EndedBy.TIME_LIMIT
        assert "time limit of 1 s" in result.message
        assert 1.2 <= result.ended_at - result.started_at < 1.2 + LATE_S
        assert pids_with(spec.name) == set()

    def test_a_shortened_time_limit_reaches_a_running_command(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        spec = launch(tmp_path / "a", "sleep", "600", time_limit_s=500.0)
        handle = runner.start(spec)
        wait_for(lambda: alive_pid(runner, handle), "the command")
        runner.set_time_limit(handle, 400.0)
        time.sleep(0.5)  # the span in which it must not end
        assert isinstance(runner.poll([handle])[0], Running)
        runner.set_time_limit(handle, 0.5)
        result = ended(runner, handle)
        assert result.ended_by == EndedBy.TIME_LIMIT
        assert "time limit of 0.5 s" in result.message

    @pytest.mark.parametrize("longer", [600.0, None])
    def test_a_lengthened_or_lifted_time_limit_lets_a_command_go_on(
        self, runner: Runner, tmp_path: Path, longer: float | None
    ) -> None:
        spec = launch(tmp_path / "a", "sh", "-c", "sleep 1.5; exit 7", time_limit_s=1.0)
        handle = runner.start(spec)
        runner.set_time_limit(handle, longer)
        result = ended(runner, handle)
        assert (result.ended_by, result.exit_code) == (EndedBy.EXIT, 7)

    def test_stop_ends_a_frozen_tree(self, runner: Runner, tmp_path: Path) -> None:
        script = "trap 'echo saved; exit 7' TERM; echo up; while :; do sleep 0.05; done"
        handle = runner.start(launch(tmp_path / "a", "sh", "-c", script))
        wait_for(lambda: "up" in stdout(handle), "the trap")
        pid = alive_pid(runner, handle)
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        wait_for(lambda: state_and_parent(pid)[0] == "T", "the freeze")
        runner.stop(handle, grace_s=30)
        result = ended(runner, handle)
        assert (result.ended_by, result.exit_code) == (EndedBy.STOPPED, 7)
        assert "saved" in stdout(handle)

    def test_descendants_do_not_outlive_the_command(self, runner: Runner, tmp_path: Path) -> None:
        spec = hostile(tmp_path / "a", ALL_KINDS, seconds=0, grace_s=0.2)
        handle = runner.start(spec)
        result = ended(runner, handle)
        assert (result.ended_by, result.exit_code) == (EndedBy.EXIT, 0)
        assert "all ready" in stdout(handle)
        assert pids_with(spec.name) == set()

    def test_a_command_that_kills_its_process_group_ends_itself_alone(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        handle = runner.start(launch(tmp_path / "a", "sh", "-c", "kill -9 0"))
        result = ended(runner, handle)
        assert (result.ended_by, result.signal) == (EndedBy.SIGNAL, 9)

    def test_a_flood_is_cut_at_the_cap_and_the_command_goes_on(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        script = "head -c 30000000 /dev/zero; echo fine >&2; exit 4"
        spec = launch(tmp_path / "a", "sh", "-c", script, log_cap_bytes=100_000)
        handle = runner.start(spec)
        assert ended(runner, handle).exit_code == 4
        log = (spec.spool / "stdout.log").read_bytes()
        assert log == bytes(100_000) + b"\n[log cut: it reached the limit of 100,000 bytes]\n"
        assert (spec.spool / "stderr.log").read_text() == "fine\n"

    def test_output_of_exactly_the_cap_is_not_called_cut(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        spec = launch(tmp_path / "a", "printf", "12345", log_cap_bytes=5)
        ended(runner, runner.start(spec))
        assert (spec.spool / "stdout.log").read_bytes() == b"12345"

    def test_output_arrives_while_the_command_runs(self, runner: Runner, tmp_path: Path) -> None:
        script = "echo first; read line < go; echo second"
        os.mkfifo(tmp_path / "go")
        handle = runner.start(launch(tmp_path / "a", "sh", "-c", script, cwd=tmp_path))
        wait_for(lambda: stdout(handle) == "first\n", "the first line")
        event = runner.poll([handle])[0]
        assert isinstance(event, Running)
        assert event.pid is not None
        (tmp_path / "go").write_text("\n")
        ended(runner, handle)
        assert stdout(handle) == "first\nsecond\n"

    def test_the_environment_is_exactly_the_one_given(
        self, runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("STUDIO_SECRET", "of the server")
        env = {"PATH": os.environ["PATH"], "NAME": "Zoë $HOME\n'x'", "EMPTY": ""}
        handle = runner.start(launch(tmp_path / "a", "env", "-0", env=env))
        ended(runner, handle)
        seen = dict(line.split("=", 1) for line in stdout(handle).split("\0") if line)
        cookie = seen.pop("SWEEP_PROCESS_COOKIE")
        own = {
            name: value for name, value in seen.items() if not name.startswith(self.adds or "\0")
        }
        assert own == env
        assert cookie.startswith("test.")

    def test_arguments_arrive_as_they_are(self, runner: Runner, tmp_path: Path) -> None:
        odd = [
            "",
            " a  b ",
            "'",
            '"',
            "$(touch x) `id` $HOME",
            "a\nb",
            "ünï→💡",
            "*",
            "\\",
            "-c;&|",
        ]
        code = "import json, sys; print(json.dumps(sys.argv[1:]))"
        handle = runner.start(launch(tmp_path / "a", *PYTHON, "-c", code, *odd, cwd=tmp_path))
        ended(runner, handle)
        assert json.loads(stdout(handle)) == odd
        assert not (tmp_path / "x").exists()

    def test_standard_input_is_empty_and_the_working_folder_is_the_one_given(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        handle = runner.start(launch(tmp_path / "a", "sh", "-c", "cat; pwd", cwd=tmp_path))
        assert ended(runner, handle).exit_code == 0
        assert stdout(handle) == f"{tmp_path}\n"

    @pytest.mark.parametrize(
        ("program", "exit_code", "message"),
        [
            ("pyhton", 127, "No such command: 'pyhton'. Is it installed on this compute?"),
            ("./missing.sh", 127, "No such command: './missing.sh'."),
            ("./plain.txt", 126, "Not allowed to run './plain.txt'. Make it executable"),
            ("./empty", 126, "'./empty' is no program that this compute can run."),
            ("./orphan.sh", 127, "the interpreter that its first line (#!) names does not exist"),
            ("nul\0", 126, "embedded null byte"),
        ],
    )
    def test_what_cannot_be_started_says_why(
        self, runner: Runner, tmp_path: Path, program: str, exit_code: int, message: str
    ) -> None:
        (tmp_path / "plain.txt").write_text("#!/bin/sh\n")
        for name, text in (("empty", "\0\1\2"), ("orphan.sh", "#!/no/such/interpreter\n")):
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o700)
        handle = runner.start(launch(tmp_path / "a", program, cwd=tmp_path))
        result = ended(runner, handle)
        assert (result.ended_by, result.exit_code) == (EndedBy.NOT_STARTED, exit_code)
        assert message in result.message

    def test_a_missing_working_folder_is_named(self, runner: Runner, tmp_path: Path) -> None:
        handle = runner.start(launch(tmp_path / "a", "true", cwd=tmp_path / "gone"))
        result = ended(runner, handle)
        assert (result.ended_by, result.exit_code) == (EndedBy.NOT_STARTED, 126)
        assert result.message == (
            f"The working folder '{tmp_path}/gone' does not exist on this compute."
        )

    def test_eight_starts_at_once_run_the_command_once(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        spec = launch(tmp_path / "a", "sh", "-c", "echo ran >> count", cwd=tmp_path)
        barrier = threading.Barrier(8)
        handles: list[str] = []

        def start() -> None:
            barrier.wait()
            handles.append(runner.start(spec))

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(handles) == 8
        assert len(set(handles)) == 1
        ended(runner, handles[0])
        assert (tmp_path / "count").read_text() == "ran\n"

    def test_a_command_outlives_the_studio_and_is_adopted(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        os.mkfifo(tmp_path / "go")
        spec = launch(tmp_path / "a", "sh", "-c", "read line < go; exit 5", cwd=tmp_path)
        handle = start_and_die(runner, spec)
        assert isinstance(runner.poll([handle])[0], Running)
        (tmp_path / "go").write_text("\n")
        assert ended(runner, handle).exit_code == 5

    def test_a_result_that_came_while_the_studio_was_away_is_found(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        handle = start_and_die(runner, launch(tmp_path / "a", "sh", "-c", "exit 6"))
        assert ended(runner, handle).exit_code == 6

    def test_the_caller_is_left_with_no_zombie(self, runner: Runner, tmp_path: Path) -> None:
        handles = [runner.start(launch(tmp_path / str(n), "true")) for n in range(3)]
        for handle in handles:
            ended(runner, handle)
        assert zombie_children() == []

    def test_the_heartbeat_goes_on_while_the_command_lives(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        handle = runner.start(self.runs_on(tmp_path / "a"))
        first = wait_for(lambda: beat(runner, handle), "the first heartbeat")
        assert abs(first - time.time()) < 15
        wait_for(lambda: beat(runner, handle) > first + 1, "a later one")
        runner.stop(handle, grace_s=0)
        ended(runner, handle)


class SignsContract(CommandContract):
    """For runners that the kernel tells of an end."""

    def test_a_sign_is_given_when_a_command_ends_and_not_before(
        self, runner: Runner, tmp_path: Path
    ) -> None:
        os.mkfifo(tmp_path / "go")
        ends = launch(tmp_path / "a", "sh", "-c", "read line < go", cwd=tmp_path)
        handles = [runner.start(ends), runner.start(launch(tmp_path / "b", "sleep", "600"))]
        wait_for(lambda: all(alive_pid(runner, handle) for handle in handles), "both commands")
        signs = runner.signs(handles)
        assert len(signs) == 2
        assert select.select(signs, [], [], 0.2)[0] == []
        (tmp_path / "go").write_text("\n")
        assert len(select.select(signs, [], [], 10)[0]) == 1
        # The guard of the ended command may take a moment more, then there is one less.
        wait_for(lambda: len(runner.signs(handles)) == 1, "the end of signs from what has ended")
        assert select.select(runner.signs(handles), [], [], 0)[0] == []
        assert ended(runner, handles[0]).exit_code == 0
        runner.stop(handles[1], grace_s=0)
        ended(runner, handles[1])
        assert runner.signs([]) == []


def launch(spool: Path, *argv: str, **changes: object) -> LaunchSpec:
    """Return an attempt with a unique name; by default it sees PATH and little else."""
    fields: dict[str, object] = {
        "name": f"test.{uuid.uuid4().hex}",
        "spool": spool,
        "argv": argv,
        "cwd": Path("/"),
        "env": {"PATH": os.environ["PATH"]},
    }
    return LaunchSpec(**{**fields, **changes})  # type: ignore[arg-type]


def hostile(
    spool: Path, kinds: tuple[str, ...], seconds: float = 600, **changes: object
) -> LaunchSpec:
    """Return a hostile attempt; its processes carry its name as an argument."""
    name = f"test.{uuid.uuid4().hex}"
    argv = (*PYTHON, str(HOSTILE), name, str(seconds), *kinds)
    return launch(spool, *argv, name=name, **changes)


def start_hostile(runner: Runner, spool: Path, kinds: tuple[str, ...]) -> tuple[str, str]:
    """Start a hostile tree, wait until it is complete, return its handle and token."""
    spec = hostile(spool, kinds, grace_s=0.3)
    handle = runner.start(spec)
    wait_for(lambda: "all ready" in stdout(handle), "the hostile tree")
    return handle, spec.name


def start_and_die(runner: Runner, spec: LaunchSpec) -> str:
    """Start from another process that then dies by SIGKILL, and return the handle."""
    addresses = [runner.address] if hasattr(runner, "address") else []
    made = pickle.dumps((getattr(runner, "completed", lambda found: found)(spec), addresses))
    kind = getattr(runner, "kind", type(runner))
    code = (
        f"import os, pickle; from {kind.__module__} import {kind.__name__} as Kind\n"
        f"spec, addresses = pickle.loads(bytes.fromhex({made.hex()!r}))\n"
        "print(Kind(*addresses).start(spec), flush=True); os.kill(os.getpid(), 9)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, stdout=subprocess.PIPE, text=True)
    assert done.returncode == -9
    return done.stdout.strip()


def ended(runner: Runner, handle: str) -> Result:
    """Wait for the end of a command and return its result; to be lost is not to end."""

    def look() -> Result | None:
        event = runner.poll([handle])[0]
        assert not isinstance(event, Lost), event.reason
        return event.result if isinstance(event, Ended) else None

    return wait_for(look, f"the end of {handle}")


def stdout(handle: str) -> str:
    path = Path(handle) / "stdout.log"
    return path.read_text() if path.exists() else ""


def alive_pid(runner: Runner, handle: str) -> int | None:
    event = runner.poll([handle])[0]
    return event.pid if isinstance(event, Running) else None


def beat(runner: Runner, handle: str) -> float:
    event = runner.poll([handle])[0]
    assert isinstance(event, Running)
    return event.heartbeat_at or 0.0
