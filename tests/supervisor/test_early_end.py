"""A studio that is ended while it is still starting leaves nothing behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from studio.supervisor.home import free_port
from tests.e2e.processes import belonging
from tests.e2e.studios import CHECKOUT, environment, until


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_ended_before_anything_is_up(tmp_path: Path, number: signal.Signals) -> None:
    starting = subprocess.Popen(
        [sys.executable, "manage.py", "studio"],
        cwd=CHECKOUT,
        env=environment(tmp_path, free_port()),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        # The first of its parts, which starts before tables are made.
        until(
            lambda: any(
                "sweeps.tracking.server" in words for words in belonging(tmp_path).values()
            ),
            "the start of tracking",
            60,
        )
        starting.send_signal(number)
        assert starting.wait(timeout=30) != 0, "it was up already"
        until(lambda: not belonging(tmp_path), "the end of all processes", 10)
    finally:
        starting.kill()
        starting.wait()
