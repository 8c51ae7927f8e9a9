"""A fork that is replaced when it is killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.tracking.stand_in import TOO_OFTEN
from tests.runners.processes import state_and_parent, wait_for

CHECKOUT = Path(__file__).resolve().parents[2]
# Says who it is, then does as it is told: waits, ends, or ends when it is asked to.
CODE = """
import os, signal, sys
from sweeps.tracking import stand_in
stand_in.TOO_SOON_S = float(sys.argv[2])
def work():
    if sys.argv[1] == "orderly":
        signal.signal(signal.SIGTERM, lambda *_: (print("asked", flush=True), sys.exit(0)))
    print(os.getpid(), flush=True)
    if sys.argv[1] == "ends":
        os._exit(3)
    while True:
        signal.pause()
print("imported", flush=True)
sys.exit(stand_in.stand_in(work))
"""


class Parent:
    """Who stands a child in again."""

    def __init__(self, kind: str, too_soon_s: float) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", CODE, kind, str(too_soon_s)],
            cwd=CHECKOUT, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.line() == "imported"
        self.child = int(self.line())

    def kill_child(self) -> None:
        """kill -9; returns when there is another one."""
        os.kill(self.child, signal.SIGKILL)
        other = int(self.line())
        assert other != self.child
        self.child = other

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def end(self) -> int:
        return self.process.wait(timeout=10)


@pytest.fixture
def parents() -> Iterator[list[Parent]]:
    found: list[Parent] = []
    yield found
    for parent in found:
        parent.process.kill()
        parent.process.wait()
        assert parent.process.stdout is not None
        parent.process.stdout.close()


def test_a_killed_child_is_replaced_without_a_new_import(parents: list[Parent]) -> None:
    parents.append(parent := Parent("waits", 0.0))
    first = parent.child
    for _ in range(2 * TOO_OFTEN):
        parent.kill_child()
    assert first != parent.child
    assert parent.process.poll() is None


def test_a_child_that_dies_at_once_is_not_replaced_for_ever(parents: list[Parent]) -> None:
    parents.append(parent := Parent("waits", 60.0))
    for _ in range(TOO_OFTEN - 1):
        parent.kill_child()
    os.kill(parent.child, signal.SIGKILL)
    assert parent.end() == signal.SIGKILL


def test_a_child_that_ends_by_itself_ends_the_parent_with_its_code(parents: list[Parent]) -> None:
    parents.append(parent := Parent("ends", 0.0))
    assert parent.end() == 3


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_stop_is_passed_on(parents: list[Parent], number: signal.Signals) -> None:
    parents.append(parent := Parent("orderly", 0.0))
    parent.process.send_signal(number)
    if number == signal.SIGTERM:
        assert parent.line() == "asked"
    assert parent.end() == 0
    assert state_and_parent(parent.child)[0] == "gone"


def test_a_child_does_not_outlive_its_parent(parents: list[Parent]) -> None:
    parents.append(parent := Parent("orderly", 0.0))
    parent.process.kill()
    parent.end()
    wait_for(lambda: state_and_parent(parent.child)[0] in ("gone", "Z"), "the end of the child")
