"""What a parent does not import for a script, and that the script is none the worse for it."""

import os
import signal
from pathlib import Path

import pytest

from sweeps.runners import local
from sweeps.runners.warm import parents
from tests.runners.warm.scripts import IN_PARENT, importing, parent_of, with_lib
from tests.runners.warm.stage import Stage

DOES = {
    "starts threads": "import threading, time\n"
    "threading.Thread(target=time.sleep, args=(600,), daemon=True).start()",
    "starts processes": "import subprocess\nP = subprocess.Popen(['sleep', '2'])",
    "opens a connection": "import socket\nS = socket.socket()",
    "prints something": "print('hello')",
    "prints something, on the error stream": "import sys\nsys.stderr.write('hello\\n')",
    "prints something, by number": "import os\nos.write(1, b'hello\\n')",
}


@pytest.mark.parametrize("what", DOES)
def test_what_no_fork_can_give_is_left_to_the_script_and_said(
    stage: Stage, tmp_path: Path, what: str
) -> None:
    case = with_lib(tmp_path, f"{DOES[what]}\nX = 1")
    cold, _ = stage.run(case, warm=False)
    for _ in range(2):  # it is asked no more
        warm, how = stage.run(case, warm=True)
        assert (warm, how.warm) == (cold, False)
        reason = what.partition(",")[0]
        assert how.reason == f"lib is best imported by each trial itself: it {reason}."
    with pytest.raises(OSError):
        stage.pid(parent_of(stage, case))


def test_what_cannot_be_imported_is_left_to_the_script(stage: Stage, tmp_path: Path) -> None:
    case = with_lib(tmp_path, "raise ImportError('no such card')")
    cold, _ = stage.run(case, warm=False)
    assert stage.run(case, warm=True) == (cold, local.How(True))


def test_threads_that_start_after_each_fork_make_a_script_run_cold(
    stage: Stage, tmp_path: Path
) -> None:
    case = with_lib(
        tmp_path, "import os, threading, time\nX = 1\ndef start():\n"
        "    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()\n"
        "os.register_at_fork(after_in_child=start)",
    )  # fmt: skip
    cold, _ = stage.run(case, warm=False)
    warm, how = stage.run(case, warm=True)
    assert (warm, how.warm) == (cold, False)
    assert "starts threads after each fork" in how.reason


def test_a_module_that_ends_its_parent_is_named_and_left_to_the_script(
    stage: Stage, tmp_path: Path
) -> None:
    case = with_lib(tmp_path, IN_PARENT + "os.abort()")
    for _ in range(2):
        seen, how = stage.run(case, warm=True)
        assert (seen.out, how.warm) == (b"1\n", False)
        assert how.reason == "Its warm parent ended while importing lib."


def test_imports_are_waited_for_no_longer_than_it_is_said(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = with_lib(tmp_path, IN_PARENT + "time.sleep(600)")
    monkeypatch.setattr(parents, "WAIT_S", 1.5)
    seen, how = stage.run(case, warm=True)
    assert (seen.out, how.warm) == (b"1\n", False)
    assert how.reason == "Its warm parent was still importing after 1.5 s."
    pid = importing(tmp_path)
    # Who comes later waits no more than is left of that time: of an hour nothing.
    monkeypatch.setattr(parents, "WAIT_S", 3600.0)
    warm = parent_of(stage, case)
    os.utime(warm.home / warm.key / "socket", (0, 0))
    assert "was still importing" in stage.run(case, warm=True)[1].reason
    os.kill(pid, signal.SIGKILL)
