"""The engine's loop: who leads, what trouble costs, and an orderly end."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError
from huey.contrib.djhuey import HUEY

from sweeps import tasks
from sweeps.engine import loop, steps
from sweeps.engine.loop import LEAD, Engine
from sweeps.models import EngineLease, Sweep
from sweeps.services import leases
from tests.engine.conftest import Stage


def drain(stage: Stage, monkeypatch: Any, rounds: int = 50) -> None:
    """End the engine as SIGTERM does; the queue works between its looks."""

    def until(done: Any, seconds: float) -> None:
        for _ in range(rounds):
            if done():
                return
            stage.work_off()

    monkeypatch.setattr(loop, "_until", until)
    engine = Engine()
    engine.end(put_back=True)
    engine.run()


def test_sigterm_puts_running_trials_back_in_the_queue_uncounted(
    stage: Stage, sweep: Sweep, monkeypatch: Any
) -> None:
    attempts = stage.open(sweep)
    drain(stage, monkeypatch)
    assert list(stage.runner.stopped.values()) == ["The studio is stopping."] * 2
    for attempt in attempts:
        attempt.refresh_from_db()
        trial = attempt.trial
        assert (trial.status, trial.losses, trial.not_before) == ("Queued", 0, None)
        assert (attempt.accepted, attempt.run_closed) == (False, True)
        assert stage.tracking.runs[attempt.run_id]["status"] == "KILLED"
    sweep.refresh_from_db()
    assert sweep.status == "Running"


def test_after_such_a_stop_the_next_engine_lets_trials_start_again(
    stage: Stage, sweep: Sweep, monkeypatch: Any
) -> None:
    stage.open(sweep)
    drain(stage, monkeypatch)
    assert leases.held(tasks.draining(), stage.now)
    tasks.run_trial(sweep.trials.get(number=0).pk)
    stage.work_off()
    assert stage.attempts(sweep) == []
    engine = Engine()
    engine.end(put_back=False)
    engine.run()
    assert not leases.held(tasks.draining(), stage.now)
    steps.reconcile(steps.Waker(), stage.now)
    stage.work_off()
    assert len(stage.attempts(sweep)) == 2


def test_sighup_leaves_running_trials_alone(stage: Stage, sweep: Sweep) -> None:
    stage.open(sweep)
    engine = Engine()
    engine.end(put_back=False)
    engine.run()
    assert stage.runner.stopped == {}
    assert len(stage.attempts(sweep)) == 2
    assert not leases.held(LEAD, stage.now)


def test_a_command_that_does_not_end_holds_up_the_stop_no_longer_than_its_share(
    stage: Stage, sweep: Sweep, monkeypatch: Any
) -> None:
    stage.open(sweep)
    monkeypatch.setattr(stage.runner, "stop", lambda *a, **k: None)
    monkeypatch.setattr(loop, "DRAIN_S", 0.2)
    engine = Engine()
    engine.end(put_back=True)
    engine.run()
    assert len(stage.attempts(sweep)) == 2


def test_only_the_engine_that_holds_the_lead_works(
    stage: Stage, sweep: Sweep, monkeypatch: Any
) -> None:
    looks = []
    monkeypatch.setattr(steps, "poll", lambda *a: looks.append(1) or False)
    leases.acquire(LEAD, "another.1", stage.now, 10)
    engine = Engine()
    assert not engine._step()
    assert looks == []
    EngineLease.objects.filter(name=LEAD).update(expires_at=stage.now - timedelta(seconds=1))
    engine._step()
    assert looks == [1]


def test_a_killed_engine_on_this_machine_gives_up_its_lead_at_once(stage: Stage) -> None:
    """Its pid is gone; nobody has to wait for its lease to run out."""
    dead = Engine()
    machine, _pid, *more = dead.owner.split("/")
    dead.owner = "/".join((machine, str(2**22 + 1), *more))
    leases.acquire(LEAD, dead.owner, stage.now, 10)
    engine = Engine()
    engine._step()
    assert leases.holder(LEAD) == engine.owner


def test_trouble_with_the_database_costs_a_round_not_the_engine(
    stage: Stage, monkeypatch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def locked(*_: object) -> bool:
        raise OperationalError("database is locked")

    engine = Engine()
    with monkeypatch.context() as patch:
        patch.setattr(steps, "poll", locked)
        patch.setattr(loop, "close_old_connections", lambda: None)
        assert not engine._step()
    assert "the engine tries again" in caplog.text
    assert not engine._step()
    assert HUEY.pending()


def test_the_engine_asks_the_queue_for_its_beat_and_the_beat_is_health(stage: Stage) -> None:
    Engine()._step()
    assert ("beat", None) in stage.queued()
    assert not leases.held(tasks.QUEUE_BEAT, stage.now)
    stage.work_off()
    assert leases.held(tasks.QUEUE_BEAT, stage.now)
    assert not leases.held(tasks.QUEUE_BEAT, stage.now + timedelta(seconds=11))


def test_the_loop_goes_on_until_it_is_told_to_end(stage: Stage, monkeypatch: Any) -> None:
    engine, rounds = Engine(), []

    def one_more() -> dict[str, list[str]]:
        rounds.append(1)
        if len(rounds) == 3:
            engine.end(put_back=False)
        return {}

    monkeypatch.setattr(engine, "_step", one_more)
    monkeypatch.setattr(loop, "IDLE_S", 0.001)
    watchdog = threading.Timer(5, lambda: engine.end(put_back=False))
    watchdog.start()
    engine.run()
    watchdog.cancel()
    assert len(rounds) == 3


def test_a_leader_that_stood_still_in_the_middle_of_a_round_does_no_more(
    stage: Stage, sweep: Sweep, monkeypatch: Any
) -> None:
    engine, done = Engine(), []

    def stands_still(*_: object) -> dict[Any, Any]:
        engine._renewed -= loop.LEASE_S
        return {}

    monkeypatch.setattr(steps, "poll", stands_still)
    monkeypatch.setattr(steps, "reconcile", lambda *a: done.append("reconcile"))
    monkeypatch.setattr(engine._disk, "look", lambda now: done.append("disk"))
    engine._step()
    assert done == []


def test_of_several_hosts_the_one_that_stops_ends_what_runs_there_alone(
    stage: Stage, sweep: Sweep, monkeypatch: Any, settings: Any
) -> None:
    settings.STUDIO_NODE = "one"
    mine, other = stage.open(sweep)
    theirs = other.handle
    monkeypatch.setattr(loop.elsewhere, "began_here", lambda handle: handle != theirs)
    monkeypatch.setattr(loop, "get_runner", lambda *_: stage.runner)
    drain(stage, monkeypatch)
    assert list(stage.runner.stopped.values()) == ["Its host is stopping."]
    mine.refresh_from_db()
    other.refresh_from_db()
    assert (mine.trial.status, other.trial.status) == ("Queued", "Running")
    assert leases.held("draining@one", stage.now)
    assert not leases.held("draining", stage.now), "nothing would start on other hosts"


def test_each_of_several_engines_shows_itself_and_one_leads(stage: Stage, settings: Any) -> None:
    settings.STUDIO_NODE = "two"
    leases.acquire(LEAD, "another.1", stage.now, 10)
    Engine()._step()
    assert leases.held("engine@two", stage.now)
    assert leases.holder(LEAD) == "another.1"
