"""What a failed test started does not outlive it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sweeps.runners.base import Running
from sweeps.runners.local import LocalRunner
from tests.runners.processes import wait_for


@pytest.fixture(autouse=True)
def _end_what_is_left(tmp_path: Path) -> Iterator[None]:
    yield
    runner = LocalRunner()
    handles = [str(path.parent) for path in tmp_path.rglob("launch.json")]
    for handle in handles:
        runner.stop(handle, grace_s=0)
    wait_for(
        lambda: not any(isinstance(event, Running) for event in runner.poll(handles)),
        "the end of what the test started",
    )
