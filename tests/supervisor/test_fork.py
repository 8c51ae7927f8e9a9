"""What a fork of the supervisor inherits, and what not."""

import gc
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.supervisor.fork import command, fork
from tests.runners.processes import state_and_parent, wait_for

CHECKOUT = Path(__file__).resolve().parents[2]


def ran(work: Callable[[], None], *keep: int) -> tuple[str, int]:
    """All that the child printed, and its exit code."""
    pid, output = fork("a test", work, keep)
    os.set_blocking(output, True)
    with os.fdopen(output) as stream:
        text = stream.read()
    return text, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_it_prints_into_the_pipe_and_reads_nothing() -> None:
    def work() -> None:
        print("out", os.read(0, 9))
        sys.stderr.write("err\n")
        os.write(1, b"raw\n")

    assert ran(work) == ("out b''\nerr\nraw\n", 0)


def test_it_holds_no_file_of_ours_but_what_it_is_to_keep() -> None:
    with socket.create_server(("127.0.0.1", 0)) as kept, socket.socket() as other:

        def work() -> None:
            for descriptor in (kept.fileno(), other.fileno()):
                try:
                    os.fstat(descriptor)
                    print("open")
                except OSError:
                    print("closed")

        assert ran(work, kept.fileno()) == ("open\nclosed\n", 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_our_signal_handlers_are_not_its_own(number: signal.Signals) -> None:
    before = signal.signal(number, lambda *_: print("handled"))
    try:
        text, code = ran(lambda: os.kill(os.getpid(), number))
    finally:
        signal.signal(number, before)
    assert (text, code) == ("", -number)


def test_it_looks_for_garbage_even_if_whoever_forks_does_not() -> None:
    gc.disable()
    try:
        assert ran(lambda: print(gc.isenabled())) == ("True\n", 0)
    finally:
        gc.enable()


def test_it_leads_a_session_of_its_own() -> None:
    assert ran(lambda: print(os.getsid(0) == os.getpid() != os.getppid()))[0] == "True\n"


def test_it_begins_once_it_is_on_record_and_never_if_we_are_killed_before(tmp_path: Path) -> None:
    code = (
        "from studio.supervisor.fork import fork; from pathlib import Path; import os, sys\n"
        "def note(pid):\n"
        "    Path('pid').write_text(str(pid))\n"
        "    if sys.argv[1] == 'dies': os.kill(os.getpid(), 9)\n"
        "def work(): Path('worked-' + sys.argv[1]).write_text(Path('pid').read_text())\n"
        "os.waitpid(fork('test', work, (), note)[0], 0)"
    )
    for word, exit_code in (("lives", 0), ("dies", -9)):
        env = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
        done = subprocess.run([sys.executable, "-c", code, word], cwd=tmp_path, env=env)
        assert done.returncode == exit_code
        pid = int((tmp_path / "pid").read_text())
        wait_for(lambda pid=pid: state_and_parent(pid)[0] in ("gone", "Z"), "its end")
    assert (tmp_path / "worked-lives").read_text().isdecimal()
    assert not (tmp_path / "worked-dies").exists()


def leave(code: str | int | None) -> Callable[[], None]:
    def work() -> None:
        raise SystemExit(code)

    return work


@pytest.mark.parametrize(
    ("code", "found"), [(None, ("", 0)), (7, ("", 7)), ("a reason", ("a reason\n", 1))]
)
def test_an_exit_is_an_interpreters(code: str | int | None, found: tuple[str, int]) -> None:
    assert ran(leave(code)) == found


def test_an_exception_is_told_and_ends_it() -> None:
    text, code = ran(lambda: print(1 // 0))
    assert "ZeroDivisionError" in text
    assert code == 1


def test_a_command_gets_its_words_and_its_environment_alone() -> None:
    text, code = ran(command(("sh", "-c", "echo $0 $A $HOME", "word"), {"A": "b", "PATH": "/bin"}))
    assert (text, code) == ("word b\n", 0)


def test_it_can_be_told_from_others_and_keeps_its_environment() -> None:
    code = (
        "from studio.supervisor.fork import fork; import os, sys\n"
        "def show():\n"
        "    print(open('/proc/self/cmdline').read().strip(chr(0)))\n"
        "    print('MARK=here' in open('/proc/self/environ').read().split(chr(0)))\n"
        "pid, out = fork('test', show)\n"
        "os.waitpid(pid, 0); print(os.read(out, 999).decode())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "MARK": "here"}, capture_output=True,
        text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split("\n")[:2] == ["sweep-studio: test", "True"]


def test_a_child_that_is_killed_before_it_begins_does_us_no_harm() -> None:
    def kill(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)

    pid, output = fork("a test", lambda: print("begun"), note=kill)
    os.set_blocking(output, True)
    assert os.read(output, 99) == b""
    os.close(output)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
