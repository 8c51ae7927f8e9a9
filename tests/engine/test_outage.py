"""While MLflow is away nobody waits for it in vain, and nothing fails by it."""

import pytest

from sweeps import tasks
from sweeps.engine import outage as outages
from sweeps.engine import steps
from sweeps.engine.outage import ASK_S, Outage
from sweeps.models import Sweep
from tests.engine.conftest import Stage
from tests.engine.test_steps import forward_twice, log


def test_one_asks_now_and_then_whether_it_is_over() -> None:
    seconds, answers, asked = [0.0], [False, False, True], []
    outage = Outage(lambda: asked.append(seconds[0]) or answers.pop(0), lambda: seconds[0])
    assert not outage.lasts()
    outage.note()
    assert outage.lasts()
    assert asked == []
    for number in (1, 2):
        seconds[0] = number * ASK_S
        assert outage.lasts()
        assert outage.lasts()
        assert len(asked) == number
    seconds[0] = 3 * ASK_S
    assert not outage.lasts()
    seconds[0] = 100 * ASK_S
    assert not outage.lasts()
    assert len(asked) == 3


@pytest.fixture
def outage(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The stage's MLflow, its outages known; the clock they go by."""
    seconds = [0.0]
    own = Outage(lambda: not stage.tracking.down, lambda: seconds[0])
    for module in (tasks, tasks.start):
        monkeypatch.setattr(module, "outage", own)
    assert isinstance(outages.outage, Outage)
    return seconds


def test_a_long_outage_makes_one_attempt_and_no_failure(
    stage: Stage, sweep: Sweep, outage: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = stage.open(sweep)
    log(first, 0.5)
    stage.tracking.down = True
    stage.end(first)
    waker = steps.Waker(lambda: outage[0])
    for _ in range(20):
        outage[0] += 9
        steps.poll(waker, stage.now)
        steps.reconcile(waker, stage.now)
        stage.work_off()
    statuses = list(sweep.trials.order_by("number").values_list("status", flat=True))
    assert statuses[:2] == ["Completed", "Running"]
    assert set(statuses[2:]) == {"Queued"}
    waiting = sweep.trials.get(number=2)
    assert sum(trial.attempts.count() for trial in sweep.trials.filter(status="Queued")) == 1
    log(second, 0.25)
    stage.tracking.down = False
    outage[0] += 9
    steps.reconcile(waker, waiting.not_before or stage.now)
    forward_twice()
    stage.work_off()
    first.refresh_from_db()
    assert first.run_closed
    assert stage.tracking.runs[first.run_id]["status"] == "FINISHED"
    assert {body["run_id"] for body in stage.tracking.batches} == {first.run_id, second.run_id}
