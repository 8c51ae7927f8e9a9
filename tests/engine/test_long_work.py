"""No worker of the queue is busy for long: what takes long goes on in the next task."""

import itertools
import time
from types import SimpleNamespace
from typing import Any

import pytest

from sweeps import tasks
from sweeps.domain.limits import Limits
from sweeps.engine import forward, start
from sweeps.models import Attempt, OutboxEntry, Sweep
from sweeps.services import metrics
from sweeps.services import sweeps as sweep_services
from sweeps.tracking.client import TrackingRejected
from tests.engine.conftest import Stage
from tests.engine.test_steps import LOSS, NOW


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever looks at the clock finds that a second has gone by."""
    ticks = itertools.count(time.monotonic())
    for module in (tasks, forward, sweep_services):
        clock = SimpleNamespace(monotonic=ticks.__next__, sleep=time.sleep)
        monkeypatch.setattr(module, "time", clock)


def log(attempt: Attempt, *steps: int) -> None:
    """Log a value at each step, in a request of its own."""
    attempt = Attempt.objects.select_related("trial").get(pk=attempt.pk)
    for step in steps:
        value = metrics.Value("loss", step / 10, step, step)
        body = {"metrics": [{"key": "loss", "value": value.value, "step": step}]}
        metrics.record(attempt, LOSS, [value], [body], now=NOW)


@pytest.fixture
def backlog(stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> Attempt:
    """An attempt with five logged values that go to MLflow two by two."""
    attempt, _ = stage.open(sweep)
    log(attempt, *range(5))
    monkeypatch.setattr(forward, "_CAPS", {**forward._CAPS, "metrics": 2})
    return attempt


def steps_of(stage: Stage) -> list[list[int]]:
    return [[m["step"] for m in body["metrics"]] for body in stage.tracking.batches]


def test_a_long_backlog_is_forwarded_bit_by_bit_in_order(
    stage: Stage, backlog: Attempt, slow: None
) -> None:
    tasks.forward_run.call_local(backlog.run_id)
    assert steps_of(stage) == [[0, 1]]
    assert stage.queued() == [("forward_run", backlog.run_id)]
    stage.work_off()
    assert steps_of(stage) == [[0, 1], [2, 3], [4]]
    assert not OutboxEntry.objects.exists()


def test_what_another_forwards_is_left_to_it(
    stage: Stage, backlog: Attempt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forward, "acquire", lambda *_: False)
    tasks.forward_run.call_local(backlog.run_id)
    assert stage.queued() == []


def test_a_run_with_a_long_backlog_is_closed_after_it(
    stage: Stage, backlog: Attempt, slow: None
) -> None:
    stage.end(backlog)
    Attempt.objects.filter(pk=backlog.pk).update(ended_at=stage.now, run_status="FINISHED")
    tasks.close_run.call_local(backlog.pk)
    assert stage.queued() == [("close_run", backlog.pk)]
    assert stage.tracking.runs[backlog.run_id]["status"] == "RUNNING"
    stage.work_off()
    assert steps_of(stage) == [[0, 1], [2, 3], [4]]
    assert stage.tracking.runs[backlog.run_id]["status"] == "FINISHED"


def test_a_value_that_mlflow_refuses_is_found_by_few_requests(
    stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, _ = stage.open(sweep)
    log(attempt, *range(metrics.BATCH - 1))
    asked, arrived = [], []

    def send(body: dict[str, Any]) -> None:
        steps = [m["step"] for m in body["metrics"]]
        asked.append(steps)
        if 77 in steps:
            raise TrackingRejected("INVALID_PARAMETER_VALUE", "not that one", 400)
        arrived.extend(steps)

    monkeypatch.setattr(stage.tracking, "send_batch", send)
    assert forward.forward(attempt.run_id)
    assert arrived == [step for step in range(metrics.BATCH - 1) if step != 77]
    assert len(asked) < 20


def test_so_is_one_of_many_in_one_request(
    stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, _ = stage.open(sweep)
    params = [{"key": f"p{n}", "value": "x"} for n in range(90)]
    body = {"metrics": [{"key": "loss", "value": 1.0}], "params": params}
    attempt = Attempt.objects.select_related("trial").get(pk=attempt.pk)
    metrics.record(attempt, LOSS, [metrics.Value("loss", 1.0, 0, 1)], [body], now=NOW)
    asked, arrived = [], []

    def send(body: dict[str, Any]) -> None:
        keys = [item["key"] for kind in ("metrics", "params") for item in body.get(kind, ())]
        asked.append(keys)
        if {"p13", "p66"} & set(keys):
            raise TrackingRejected("INVALID_PARAMETER_VALUE", "it has another value", 400)
        arrived.extend(keys)

    monkeypatch.setattr(stage.tracking, "send_batch", send)
    assert forward.forward(attempt.run_id)
    assert arrived == ["loss", *(p["key"] for p in params if p["key"] not in ("p13", "p66"))]
    assert len(asked) < 40


@pytest.fixture
def contradicting(
    stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> tuple[Attempt, list[Any]]:
    """A run with three hundred params, of which two requests of a hundred give other values, and
    what is sent; MLflow refuses it as it does."""
    attempt, _ = stage.open(sweep)
    has = stage.tracking.runs[attempt.run_id]["params"]
    has.update({f"p{n}": "x" for n in range(100)})
    attempt = Attempt.objects.select_related("trial").get(pk=attempt.pk)
    for value in ("y", "z"):
        params = [{"key": f"p{n}", "value": value} for n in range(101)]
        metrics.record(attempt, LOSS, [], [{"params": params}], now=NOW)
    take, asked = stage.tracking.send_batch, []

    def send(body: dict[str, Any]) -> None:
        asked.append(body)
        values: dict[str, str] = {}
        for item in body.get("params", ()):
            if {**values, **has}.get(item["key"], item["value"]) != item["value"]:
                raise TrackingRejected("INVALID_PARAMETER_VALUE", "it has another value", 400)
            values[item["key"]] = item["value"]
        take(body)

    monkeypatch.setattr(stage.tracking, "send_batch", send)
    return attempt, asked


def test_params_that_the_run_has_with_another_value_are_told_by_the_run(
    stage: Stage, contradicting: tuple[Attempt, list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    attempt, asked = contradicting
    assert forward.forward(attempt.run_id)
    has = stage.tracking.runs[attempt.run_id]["params"]
    assert (has["p99"], has["p100"]) == ("x", "y")
    assert len(asked) <= 4
    assert len(caplog.messages) <= 2
    assert not OutboxEntry.objects.exists()


def test_of_a_run_that_is_gone_all_is_dropped_at_once(
    stage: Stage, contradicting: tuple[Attempt, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, asked = contradicting

    def gone(run_id: str) -> Any:
        raise TrackingRejected("RESOURCE_DOES_NOT_EXIST", "no such run", 404)

    monkeypatch.setattr(stage.tracking, "get_run", gone)
    assert forward.forward(attempt.run_id)
    assert len(asked) <= 2
    assert not OutboxEntry.objects.exists()


def test_who_looks_for_what_is_refused_leaves_the_rest_to_the_next(
    stage: Stage, sweep: Sweep, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt, *_ = stage.open(sweep)
    attempt = Attempt.objects.select_related("trial").get(pk=attempt.pk)
    for first in (0, 8):
        tags = [{"key": f"t{n}", "value": "x"} for n in range(first, first + 8)]
        metrics.record(attempt, LOSS, [], [{"tags": tags}], now=NOW)
    asked, arrived = [], []

    def send(body: dict[str, Any]) -> None:
        keys = [item["key"] for item in body["tags"]]
        asked.append(keys)
        if {"t3", "t12"} & set(keys):
            raise TrackingRejected("INVALID_PARAMETER_VALUE", "not that one", 400)
        arrived.extend(keys)

    monkeypatch.setattr(stage.tracking, "send_batch", send)
    most = 0
    while OutboxEntry.objects.exists():
        before = len(asked)
        tasks.forward_run.call_local(attempt.run_id)
        most = max(most, len(asked) - before)
    assert sorted(arrived) == sorted(f"t{n}" for n in range(16) if n not in (3, 12))
    assert most < 10


def test_values_for_mlflow_leave_workers_of_the_queue_to_starts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While two runs are brought forward a third waits in memory, once, and then has its turn."""
    done: list[str] = []

    def forward_one(run_id: str) -> None:
        done.append(run_id)
        if len(done) < 3:  # as another worker would meanwhile
            tasks.forward_run.call_local(f"during {run_id}")
            tasks.forward_run.call_local(f"during {run_id}")

    monkeypatch.setattr(tasks, "_forward", forward_one)
    tasks.forward_run.call_local("a")
    assert done == ["a", "during a", "during a"]
    assert stage.queued() == [("forward_run", "during during a")]
    stage.work_off()
    assert done[3:] == ["during during a"]


def test_one_worker_of_the_queue_at_most_works_something_out(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[int] = []

    def analyse(sweep_id: int) -> None:
        done.append(sweep_id)
        if len(done) == 1:
            for other in (2, 3, 2):
                tasks.analyse.call_local(other)
            assert done == [1], "others wait"

    monkeypatch.setattr(tasks.analyses, "analyse", analyse)
    tasks.analyse.call_local(1)
    stage.work_off()
    assert done == [1, 2, 3]


def test_after_a_slow_start_the_run_is_closed_by_another_task(
    stage: Stage, backlog: Attempt, slow: None
) -> None:
    Attempt.objects.filter(pk=backlog.pk).update(ended_at=stage.now, run_status="FINISHED")
    tasks.follow_up.call_local(backlog.pk)
    assert ("close_run", backlog.pk) in stage.queued()
    assert stage.tracking.batches == []


def test_where_many_trials_cannot_start_the_queue_tries_the_rest(
    stage: Stage, slow: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    monkeypatch.setattr(start, "start_trial", lambda trial_id, *_, **__: tried.append(trial_id))
    tasks._start_one([1, 2, 3])
    assert tried == [1]
    assert stage.queued() == [("run_trial", 2), ("run_trial", 3)]


@pytest.fixture
def wide(make_sweep: Any) -> Sweep:
    """A sweep that may run 150 trials at once, on a compute that can."""
    sweep: Sweep = make_sweep(limits=Limits(150, 150, 3600))
    type(sweep.compute).objects.update(slots=150)
    Sweep.objects.update(run_id="a run", experiment_id="1")
    return sweep


def test_slow_draws_are_spread_over_steps(stage: Stage, wide: Sweep, slow: None) -> None:
    step = sweep_services.advance(wide.pk, stage.now)
    assert (len(step.trials), step.more) == (1, True)
    tasks.advance_sweep.call_local(wide.pk)
    assert ("advance_sweep", wide.pk) in stage.queued()


def test_a_step_makes_so_many_trials_at_most(stage: Stage, wide: Sweep) -> None:
    counts = []
    while (step := sweep_services.advance(wide.pk, stage.now)).trials:
        counts.append((len(step.trials), step.more))
    assert counts == [(100, True), (50, False)]
    assert set(wide.trials.values_list("number", flat=True)) == set(range(150))
