"""A disk that fills up pauses everything in time, and room again lets it go on."""

import errno
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError

from sweeps.engine import disk, loop, start, steps
from sweeps.engine.disk import DiskWatch, free_bytes
from sweeps.engine.loop import Engine
from sweeps.models import Condition, Sweep
from sweeps.runners.base import RunnerError
from sweeps.services import control
from tests.engine.conftest import Stage

MB = 2**20


@pytest.fixture
def look(stage: Stage, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[int], None]:
    """The watch looks, and so many MB are free."""
    monkeypatch.setattr(disk, "LOOK_S", 0.0)
    free = [0]
    watch = DiskWatch(tmp_path, 500, lambda _folder: free[0] * MB)

    def act(megabytes: int) -> None:
        free[0] = megabytes
        watch.look(stage.now)

    return act


def state(sweep: Sweep) -> tuple[str, str]:
    sweep.refresh_from_db()
    return sweep.desired, sweep.paused_by


def test_too_little_room_pauses_and_enough_resumes(
    stage: Stage, sweep: Sweep, look: Callable[[int], None]
) -> None:
    stage.open(sweep)
    look(500)
    assert state(sweep) == ("run", "")
    look(499)
    assert state(sweep) == ("pause", "disk")
    assert "less than 500 MB free" in Condition.objects.get(name="disk").text
    assert "go on by themselves" in sweep.reason
    look(599)
    assert state(sweep) == ("pause", "disk"), "a little more is not enough"
    look(600)
    assert state(sweep) == ("run", "")
    assert not Condition.objects.exists()
    stage.work_off()
    assert len(stage.attempts(sweep)) == 2, "what ran was left alone"


def test_what_a_person_paused_stays_paused(
    stage: Stage, make_sweep: Callable[..., Sweep], look: Callable[[int], None]
) -> None:
    mine, both = make_sweep(name="mine"), make_sweep(name="both")
    control.pause_sweep(mine, actor="ann", now=stage.now)
    look(1)
    control.pause_sweep(both, actor="ann", now=stage.now)
    look(5000)
    assert state(mine) == state(both) == ("pause", "person")


def test_a_sweep_that_comes_or_is_resumed_meanwhile_is_paused_too(
    stage: Stage, make_sweep: Callable[..., Sweep], look: Callable[[int], None]
) -> None:
    old = make_sweep(name="old")
    look(1)
    new = make_sweep(name="new")
    control.resume_sweep(old, actor="ann", now=stage.now)
    look(1)
    assert state(old) == state(new) == ("pause", "disk")
    ended = make_sweep(name="ended")
    Sweep.objects.filter(pk=ended.pk).update(status="Completed")
    look(1)
    assert state(ended) == ("run", "")


def test_another_engine_resumes_what_a_killed_one_has_paused(
    stage: Stage, sweep: Sweep, look: Callable[[int], None], tmp_path: Path
) -> None:
    look(1)
    DiskWatch(tmp_path, 500, lambda _folder: 5000 * MB).look(stage.now)
    assert state(sweep) == ("run", "")


def test_it_can_be_turned_off(stage: Stage, sweep: Sweep, tmp_path: Path) -> None:
    DiskWatch(tmp_path, 0, lambda _folder: 0).look(stage.now)
    assert state(sweep) == ("run", "")


def test_free_is_what_the_system_says(tmp_path: Path) -> None:
    assert 0 < free_bytes(tmp_path) <= shutil.disk_usage(tmp_path).total


def test_the_engine_looks(stage: Stage, sweep: Sweep, settings: Any) -> None:
    settings.STUDIO_MIN_FREE_MB = 10**9
    Engine()._step()
    assert state(sweep) == ("pause", "disk")


@pytest.mark.parametrize(
    "error",
    [OperationalError("database or disk is full"), OSError(errno.ENOSPC, "No space left")],
)
def test_a_full_disk_costs_rounds_and_not_the_engine(
    stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def full(*_: object) -> None:
        raise error

    monkeypatch.setattr(loop, "close_old_connections", lambda: None)
    engine = Engine()
    with monkeypatch.context() as patch:
        patch.setattr(loop.leases, "acquire", full)
        patch.setattr(loop.leases, "clear", full)
        assert not engine._begin()
        assert engine._step() == {}
    assert engine._begin()
    engine._step()
    assert stage.queued()


FULL = OSError(errno.ENOSPC, "No space left on device")


def runner_error() -> RunnerError:
    error = RunnerError("Cannot write to the spool.")
    error.__cause__ = FULL
    return error


@pytest.mark.parametrize(
    "error",
    [FULL, OSError(errno.EDQUOT, "quota"), shutil.Error([("a", "b", str(FULL))]), runner_error()],
    ids=["full", "quota", "copying", "spool"],
)
def test_a_start_on_a_full_disk_is_tried_again(
    stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(start, "spec_of", fail)
    stage.open(sweep)
    for trial in sweep.trials.all():
        assert trial.status == "Queued"
        assert "It is tried again." in trial.reason
        assert (trial.not_before - stage.now).total_seconds() == start.FULL_WAIT_S


def test_a_start_that_fails_for_another_reason_is_not(
    stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(start, "spec_of", fail)
    stage.open(sweep)
    assert set(sweep.trials.values_list("status", flat=True)) == {"Failed"}


def test_an_end_that_cannot_be_written_down_is_written_later(
    stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, _ = stage.open(sweep)
    stage.end(attempt, code=1)

    def full(*_: object, **__: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(loop, "close_old_connections", lambda: None)
    engine = Engine()
    with monkeypatch.context() as patch:
        patch.setattr(steps.trials, "finish", full)
        assert engine._step() == {}
    engine._step()
    attempt.trial.refresh_from_db()
    assert attempt.trial.status == "Failed"
