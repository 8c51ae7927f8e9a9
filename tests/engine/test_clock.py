"""A process whose clock is hours off takes nobody for dead and nothing for late."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from sweeps import tasks
from sweeps.engine import forward, keep, loop, start, steps
from sweeps.engine.keep import kept
from sweeps.engine.loop import LEAD, Engine
from sweeps.models import EngineLease, Sweep
from sweeps.queries import health
from sweeps.queries.clock import database_now
from sweeps.services import leases, metrics
from tests.engine.conftest import Stage
from tests.engine.test_steps import LOSS
from tests.runners.processes import wait_for

SKEWS = [timedelta(hours=-2), timedelta(hours=2)]


def elsewhere() -> datetime:
    """The time as another process of the studio sees it, whose clock is right."""
    return datetime.now(UTC)


@pytest.fixture(params=SKEWS, ids=["two hours slow", "two hours fast"])
def skewed(request: Any, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Stage:
    """This process' clock is off; the database's is not."""
    for module in (tasks, loop):
        monkeypatch.setattr(module, "database_now", database_now)
    real = timezone.now
    monkeypatch.setattr(timezone, "now", lambda: real() + request.param)
    return stage


def test_the_databases_clock_is_utc_and_goes_on_within_a_transaction(db: None) -> None:
    first = database_now()
    assert abs(first - datetime.now(UTC)) < timedelta(seconds=2)
    wait_for(lambda: database_now() > first, "a later moment")


def test_another_engines_lead_is_neither_taken_over_nor_kept_too_long(
    skewed: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert leases.acquire(LEAD, "elsewhere.1", elsewhere(), loop.LEASE_S)
    assert not Engine()._step()
    assert EngineLease.objects.get(name=LEAD).owner == "elsewhere.1"
    EngineLease.objects.filter(name=LEAD).update(
        expires_at=elsewhere() - timedelta(milliseconds=50)
    )
    engine = Engine()
    engine._step()
    assert EngineLease.objects.get(name=LEAD).owner == engine.owner


def test_a_living_queue_and_engine_are_up(skewed: Stage) -> None:
    tasks.beat.call_local()
    Engine()._step()
    states = health.parts(elsewhere())
    assert (states["queue"], states["engine"]) == ("up", "up")
    assert health.parts(elsewhere() + timedelta(seconds=11))["queue"] == "down"


def test_a_claim_whose_starter_lives_is_not_taken_for_interrupted(
    skewed: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []

    def slow(*_: object) -> None:
        found.extend(steps.abandoned_claims(elsewhere()))
        raise start.TrackingUnavailable("it never gets there")

    Sweep.objects.update(run_id="run0")
    monkeypatch.setattr(start, "spec_of", slow)
    tasks.advance_sweep.call_local(sweep.pk)
    skewed.work_off_now()
    assert sweep.trials.get(number=0).attempt == 1
    assert found == []
    # Put back for a few seconds, by a clock that the next starter shares.
    waits = [trial.not_before - elsewhere() for trial in sweep.trials.all()]
    assert all(timedelta(0) < wait <= timedelta(seconds=3) for wait in waits), waits


def test_a_sweep_is_not_late_by_somebodys_clock(skewed: Stage, sweep: Sweep) -> None:
    Sweep.objects.update(timeout_s=3600, created_at=elsewhere())
    tasks.advance_sweep.call_local(sweep.pk)
    tasks.advance_sweep.call_local(sweep.pk)
    sweep.refresh_from_db()
    assert (sweep.status, sweep.desired) == ("Running", "run")
    assert sweep.timed_from is not None
    assert abs(sweep.timed_from - elsewhere()) < timedelta(seconds=5)


def test_a_forwarder_that_takes_long_renews_its_lease_and_stops_when_it_has_lost_it(
    stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, _ = stage.open(sweep)
    for number in range(3):
        body = {"metrics": [{"key": "loss", "value": number}] * 600}
        value = metrics.Value("loss", float(number), 0, number)
        metrics.record(attempt, LOSS, [value], [body], now=stage.now)
    monkeypatch.setattr(forward, "RENEW_S", 0.0)
    held, times = [], iter(range(0, 100, 4))
    monkeypatch.setattr(
        stage.tracking,
        "send_batch",
        lambda body: held.append(EngineLease.objects.get(name__startswith="forward:").expires_at),
    )

    def clock() -> datetime:
        return stage.now + timedelta(seconds=next(times))

    assert forward.forward(attempt.run_id, clock)
    assert held == [stage.now + timedelta(seconds=s) for s in (14, 18, 22)]

    value = metrics.Value("loss", 9.0, 0, 9)
    metrics.record(attempt, LOSS, [value], [{"metrics": []}], now=stage.now)
    answers = iter([True, False])  # The first time it is free, then somebody has taken it.
    monkeypatch.setattr(leases, "acquire", lambda *_: next(answers))
    assert not forward.forward(attempt.run_id)
    assert len(held) == 3


def test_no_lease_lasts_longer_than_ten_seconds() -> None:
    spans: list[float] = [
        loop.LEASE_S, forward.LEASE_S, tasks.QUEUE_BEAT_S, tasks._OPEN_LEASE_S,
        start.trials.CLAIM_LEASE.total_seconds(),
    ]  # fmt: skip
    assert max(spans) <= 10


def test_what_is_kept_is_renewed_until_the_block_ends_whatever_the_database_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(keep, "RENEW_S", 0.01)
    monkeypatch.setattr(keep, "_keeper", keep._Keeper())
    calls: list[float] = []

    def renew() -> None:
        calls.append(time.monotonic())
        if len(calls) == 1:
            raise OperationalError("database is locked")

    with kept("a test", renew):
        wait_for(lambda: len(calls) > 2, "renewals")
    count = len(calls)
    time.sleep(0.05)  # the span in which nothing may come
    assert len(calls) == count


def test_what_hangs_is_kept_no_longer_and_others_are(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(keep, "RENEW_S", 0.01)
    monkeypatch.setattr(keep, "_keeper", keep._Keeper())
    hangs: list[None] = []
    others: list[None] = []
    with kept("another", lambda: others.append(None)):
        monkeypatch.setattr(keep, "MOST_S", 0.1)
        with kept("claim-7", lambda: hangs.append(None)):
            wait_for(lambda: caplog.messages, "a line in the log")
            count, more = len(hangs), len(others)
            wait_for(lambda: len(others) > more + 3, "the renewals of others")
            assert len(hangs) == count > 0
    assert caplog.messages == ["claim-7 hangs: it is kept no longer, after 0 s"]
