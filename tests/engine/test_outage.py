"""While MLflow is away nobody waits for it in vain, and nothing fails by it."""

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sweeps import tasks
from sweeps.engine import outage as outages
from sweeps.engine import runs, start, steps
from sweeps.engine.outage import ASK_S, START_S, Outage
from sweeps.models import Attempt, Sweep, Trial
from sweeps.queries.conditions import notices
from sweeps.queries.waiting import why_sweep, why_trial
from sweeps.services import leases
from sweeps.services import sweeps as sweep_services
from sweeps.tracking.client import TrackingUnavailable
from tests.engine.conftest import Stage
from tests.engine.test_steps import forward_twice, log

SILENCE = TrackingUnavailable("timed out")
BAD_ANSWER = TrackingUnavailable("500", answered=True)
BUSY = TrackingUnavailable("429", answered=True, retry_s=9.0)


def test_one_asks_now_and_then_whether_it_is_over() -> None:
    seconds, answers, asked = [0.0], [False, False, True], []
    outage = Outage(lambda: asked.append(seconds[0]) or answers.pop(0), lambda: seconds[0])
    outage.note(SILENCE)
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


def test_at_the_start_nobody_believes_that_it_is_up_before_it_answered() -> None:
    seconds, answers = [0.0], [False, True]
    outage = Outage(lambda: answers.pop(0), lambda: seconds[0])
    assert outage.lasts()
    assert outage.lasts()
    seconds[0] = ASK_S
    assert not outage.lasts()
    assert answers == []


def test_a_bad_answer_is_no_outage_unless_asking_again_is_in_vain() -> None:
    answers = [True, True, False]
    outage = Outage(lambda: answers.pop(0), lambda: 0.0)
    assert not outage.lasts()
    outage.note(BAD_ANSWER)
    assert not outage.lasts()
    outage.note(BAD_ANSWER)
    assert outage.lasts()
    outage.note(BAD_ANSWER)
    assert outage.lasts()
    assert answers == []


def test_a_wait_that_was_asked_for_holds_for_that_request_alone() -> None:
    seconds = [0.0]
    outage = Outage(lambda: True, lambda: seconds[0])
    outage.note(BUSY, "run a")
    assert outage.lasts("run a")
    assert not outage.lasts("run b")
    assert not outage.lasts()
    seconds[0] = 9.0
    assert not outage.lasts("run a")


def test_a_server_that_has_gone_is_noticed_without_a_request() -> None:
    there = [True]
    outage = Outage(lambda: True, lambda: 0.0, lambda: there[0])
    assert not outage.lasts()
    there[0] = False
    assert outage.lasts()


def test_a_server_that_is_being_started_with_us_is_no_news_unless_it_takes_too_long() -> None:
    seconds, up = [0.0], [False]
    outage = Outage(lambda: up[0], lambda: seconds[0])
    assert outage.lasts()
    assert not outage.is_news()
    seconds[0] = START_S
    assert outage.is_news()
    up[0] = True
    seconds[0] += ASK_S
    assert not outage.is_news()
    outage.note(SILENCE)
    assert outage.is_news()


def test_in_doubt_all_wait_for_the_one_who_asks() -> None:
    asked, go_on, answers = threading.Event(), threading.Event(), [True]

    def asks() -> bool:
        asked.set()
        assert go_on.wait(10)
        return answers.pop()

    outage, found = Outage(asks), []
    threads = [threading.Thread(target=lambda: found.append(outage.lasts())) for _ in range(3)]
    threads[0].start()
    assert asked.wait(10)
    for thread in threads[1:]:
        thread.start()
    go_on.set()
    for thread in threads:
        thread.join(10)
    assert found == [False] * 3


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


def queued(sweep: Sweep, stage: Stage) -> list[int]:
    """Two trials that may start."""
    runs.open_sweep(sweep)
    return sweep_services.advance(sweep.pk, stage.now).trials


def run(stage: Stage, *trials: int) -> None:
    for trial_id in trials:
        start.start_trial(trial_id, "a test", lambda: stage.now)


def test_no_attempt_is_made_before_tracking_is_known_to_be_up(
    stage: Stage, sweep: Sweep, outage: list[float]
) -> None:
    trials = queued(sweep, stage)
    stage.tracking.down = True
    run(stage, *trials)
    assert not Attempt.objects.exists()
    stage.tracking.down = False
    outage[0] += ASK_S
    run(stage, *trials)
    assert Attempt.objects.count() == len(trials) == 2


@pytest.fixture
def odd_run(stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Makes MLflow answer badly to whoever makes the run of trial 0."""
    create = stage.tracking.create_run

    def be_odd(error: TrackingUnavailable) -> None:
        def odd(experiment: str, name: str, *rest: Any, **more: Any) -> str:
            if name == f"{sweep.name}_0":
                raise error
            return create(experiment, name, *rest, **more)

        monkeypatch.setattr(stage.tracking, "create_run", odd)

    return be_odd


def test_one_trial_that_mlflow_cannot_take_holds_up_no_other_and_tries_ever_more_seldom(
    stage: Stage, sweep: Sweep, outage: list[float], odd_run: Callable[..., None]
) -> None:
    trials = queued(sweep, stage)
    odd_run(BAD_ANSWER)
    run(stage, *trials)
    assert list(sweep.trials.order_by("number").values_list("status", flat=True)) == [
        "Queued", "Running",
    ]  # fmt: skip
    waits = []
    for _ in range(3):
        trial = Trial.objects.get(pk=trials[0])
        assert trial.reason == "MLflow did not make its run: 500"
        assert trial.not_before is not None
        waits.append((trial.not_before - stage.now).total_seconds())
        stage.now = trial.not_before
        run(stage, trials[0])
    assert waits == [3, 6, 12]


def test_the_wait_that_mlflow_asks_for_is_the_trials_own(
    stage: Stage, sweep: Sweep, outage: list[float], odd_run: Callable[..., None]
) -> None:
    trials = queued(sweep, stage)
    odd_run(BUSY)
    run(stage, *trials)
    waiting, running = sweep.trials.order_by("number")
    assert waiting.not_before == stage.now + timedelta(seconds=9)
    assert running.status == "Running"


def test_everybody_is_told_of_an_outage_and_of_its_end(
    stage: Stage, sweep: Sweep, outage: list[float]
) -> None:
    trials = queued(sweep, stage)
    sweep = Sweep.objects.get(pk=sweep.pk)
    trial = Trial.objects.get(pk=trials[0])
    leases.acquire("engine", "a test", stage.now, 60)
    tasks.beat.call_local()
    assert [notice.text for notice in notices(stage.now)] == []
    stage.tracking.down = True
    run(stage, trials[0])
    text = (
        f"Tracking has not answered since {stage.now:%H:%M} UTC; "
        "trials start again by themselves when it does."
    )
    for _ in range(2):
        outage[0] += 9
        tasks.beat.call_local()
        assert [(notice.text, notice.since) for notice in notices(stage.now)] == [(text, None)]
    assert why_sweep(sweep, stage.now) == why_trial(trial, stage.now) == text
    # A queue that was killed meanwhile does not take it back.
    outages.tell(Outage(lambda: False), stage.now)
    assert [notice.text for notice in notices(stage.now)] == [text]
    stage.tracking.down = False
    outage[0] += 9
    tasks.beat.call_local()
    assert notices(stage.now) == []
    assert why_sweep(sweep, stage.now) != text
