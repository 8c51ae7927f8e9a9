"""Starting the small studio, reading its log, and ending what a failed test left."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.supervisor.home import free_port
from tests.runners.processes import wait_for

CHECKOUT = Path(__file__).resolve().parents[2]


class Small:
    """A running small studio."""

    def __init__(self, home: Path, *parts: str) -> None:
        self.home = home
        self.port = str(free_port())
        labels = [word.partition("=")[2] or word for word in parts]
        self.tell_states(**dict.fromkeys(labels, "up"))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.supervisor.small_studio", str(home), self.port, *parts],
            cwd=CHECKOUT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[tuple[float, str]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as stream:
            for line in stream:
                self.lines.append((time.monotonic(), line.rstrip()))

    def tell_states(self, **states: str) -> None:
        """What its health page says from now on."""
        fresh = self.home / "states.new"
        fresh.write_text(json.dumps({"parts": states}))
        fresh.replace(self.home / "states")

    def said(self, line: str, times: int = 1) -> list[float]:
        """Wait until the log has `line` so many times; returns when each came."""

        def found() -> list[float] | None:
            at = [when for when, text in self.lines if text == line]
            return at if len(at) >= times else None

        return wait_for(found, f"{line!r} in {self.text()}")

    def text(self) -> list[str]:
        """The log so far."""
        return [line for _, line in self.lines]

    def pid_of(self, part: str) -> int:
        """The pid that is on record for a part."""
        return int(json.loads((self.home / "processes.json").read_text())[part]["pid"])

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and wait for the end."""
        self.process.send_signal(number)
        return self.process.wait(timeout=30)


def end_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Callable[..., Small]]:
    """Starts small studios in the test's folder."""
    started: list[Small] = []

    def start(*parts: str) -> Small:
        started.append(Small(tmp_path, *parts))
        return started[-1]

    yield start
    for studio in started:
        studio.process.kill()
        studio.process.wait(timeout=30)
    record = tmp_path / "processes.json"
    for fields in json.loads(record.read_text()).values() if record.exists() else ():
        end_group(fields["pid"])
