"""Commands of another host: all that is known of them lies in their spool."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from sweeps.runners import elsewhere, spool
from sweeps.runners.base import Ended, EndedBy, Lost, Running
from sweeps.runners.local import LocalRunner
from tests.runners.contract import launch
from tests.runners.processes import wait_for

Go = Callable[[str], None]


@pytest.fixture
def on(monkeypatch: pytest.MonkeyPatch) -> Go:
    """Makes this process one of that host."""
    return lambda name: monkeypatch.setenv("STUDIO_NODE", name)


@pytest.fixture(autouse=True)
def _at_the_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    yield
    # So that what is left is ended by the host that has it.
    monkeypatch.setenv("STUDIO_NODE", "one")


def started(on: Go, tmp_path: Path, *argv: str) -> str:
    """A command that the host "one" has, seen from "two" as one of another kernel."""
    on("one")
    handle = LocalRunner().start(launch(tmp_path / "a", *argv))
    wait_for(lambda: spool.read(handle, spool.SHIM), "its shim")
    on("two")
    return handle


def test_it_runs_while_it_beats_and_its_result_counts(on: Go, tmp_path: Path) -> None:
    handle = started(on, tmp_path, "sleep", "0.5")
    runner = LocalRunner()
    assert isinstance(runner.poll([handle])[0], Running)

    def result() -> Ended | None:
        [event] = runner.poll([handle])
        return event if isinstance(event, Ended) else None

    assert wait_for(result, "its end").result.exit_code == 0


def test_a_record_of_another_boot_is_no_loss(on: Go, tmp_path: Path) -> None:
    handle = started(on, tmp_path, "sleep", "60")
    record = spool.read(handle, spool.LAUNCH)
    assert record
    assert elsewhere.is_elsewhere(record)
    assert not elsewhere.began_here(handle)
    spool.write(handle, spool.LAUNCH, {**record, "boot_id": "another"})
    assert isinstance(LocalRunner().poll([handle])[0], Running)


def test_it_is_stopped_by_a_word_in_its_spool(on: Go, tmp_path: Path) -> None:
    handle = started(on, tmp_path, "sleep", "60")
    runner = LocalRunner()
    runner.stop(handle, reason="Enough.")
    result = wait_for(lambda: spool.read_result(handle), "its end")
    assert (result.ended_by, result.message) == (EndedBy.STOPPED, "Enough.")
    # The host that has it reads that order by the clock that both share.
    record = spool.read(handle, spool.LAUNCH)
    assert record
    assert -30 < spool.stop_due(handle, record, 0.0) <= record["grace_s"]


def test_a_host_that_is_silent_has_lost_it_for_good_and_is_told_to_stop(
    on: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = started(on, tmp_path, "sleep", "60")
    runner, other = LocalRunner(), LocalRunner()
    assert isinstance(runner.poll([handle])[0], Running)
    monkeypatch.setattr(elsewhere, "SILENT_S", -1.0)
    monkeypatch.setattr(spool, "beat_at", lambda folder: 1.0)
    assert isinstance(runner.poll([handle])[0], Running), "a beat that changed is one"
    [event] = runner.poll([handle])
    assert isinstance(event, Lost)
    assert "Nothing was heard of the host one" in event.reason
    runner.cleanup(handle)
    assert isinstance(other.poll([handle])[0], Lost)
    # Alive after all: it ends by itself, and what it brings changes nothing that was told.
    assert spool.read(handle, spool.STOP)
    result = wait_for(lambda: spool.read_result(handle), "its end")
    assert result.ended_by is EndedBy.STOPPED


def test_one_that_never_began_is_lost_after_a_while(
    on: Go, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = started(on, tmp_path, "true")
    wait_for(lambda: spool.read_result(handle), "its end")
    for name in (spool.RESULT, spool.GUARD, spool.SHIM):
        os.unlink(Path(handle) / name)
    assert isinstance(LocalRunner().poll([handle])[0], Running)
    monkeypatch.setattr(elsewhere, "START_LIMIT_S", -1.0)
    [event] = LocalRunner().poll([handle])
    assert isinstance(event, Lost)
    assert "ended while it was starting" in event.reason
