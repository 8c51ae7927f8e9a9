"""The queue tells of tasks that hold up what waits behind them."""

from types import SimpleNamespace
from typing import Any

import pytest
from huey.signals import SIGNAL_COMPLETE, SIGNAL_EXECUTING

from sweeps.management.commands import studio_queue


@pytest.mark.parametrize(
    ("name", "seconds", "told"),
    [("run_trial", 1.2, True), ("run_trial", 0.8, False), ("test_compute", 9.0, False)],
)
def test_a_task_that_takes_long_is_told_of(
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    seconds: float,
    told: bool,
) -> None:
    clock = iter([10.0, 10.0 + seconds])
    monkeypatch.setattr(studio_queue, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    task: Any = SimpleNamespace(name=name)
    studio_queue.tell_of_long(SIGNAL_EXECUTING, task)
    studio_queue.tell_of_long(SIGNAL_COMPLETE, task)
    assert (f"the task {name} took {seconds:.1f} s" in caplog.text) == told
