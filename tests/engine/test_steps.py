"""The engine's steps: from what runners say to rows and wake-ups."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from huey.contrib.djhuey import HUEY

from sweeps.domain.objective import Goal, Objective
from sweeps.engine import steps
from sweeps.models import Attempt, Sweep
from sweeps.runners.base import EndedBy, Lost
from sweeps.services import control, metrics, trials
from sweeps.services import sweeps as sweep_services
from tests.conftest import NOW
from tests.engine.conftest import Stage, name_of

LOSS = Objective("loss", Goal.MINIMIZE)


def log(attempt: Attempt, value: float, name: str = "loss") -> None:
    shown = value if math.isfinite(value) else str(value)
    body = {"metrics": [{"key": name, "value": shown}]}
    attempt = Attempt.objects.select_related("trial").get(pk=attempt.pk)
    metrics.record(attempt, LOSS, [metrics.Value(name, value, 0, 1)], [body], now=NOW)


@dataclass
class Case:
    """How a command ended, and what becomes of its trial."""

    by: EndedBy
    status: str
    reason: str
    code: int | None = None
    signal: int | None = None
    message: str = ""
    value: float | None = None
    run: str = "KILLED"


CASES = {
    "with a value": Case(EndedBy.EXIT, "Completed", "", 0, value=0.5, run="FINISHED"),
    "without a value": Case(
        EndedBy.EXIT, "Failed", "Primary metric “loss” was never logged", 0, run="FAILED"
    ),
    "with nan": Case(
        EndedBy.EXIT, "Failed", "never as a finite number", 0, value=float("nan"), run="FAILED"
    ),
    "with an error": Case(EndedBy.EXIT, "Failed", "exit code 7: Boom", 7, value=0.1, run="FAILED"),
    "by a signal": Case(EndedBy.SIGNAL, "Failed", "signal 11 (SIGSEGV)", signal=11, run="FAILED"),
    "by somebody's SIGKILL": Case(EndedBy.SIGNAL, "Queued", "killed", signal=9, message="killed"),
    "at its limit": Case(EndedBy.TIME_LIMIT, "TimedOut", "trial timeout of 1m"),
    "never started": Case(
        EndedBy.NOT_STARTED, "Failed", "no program x", 127, message="no program x", run="FAILED"
    ),
    "lost": Case(EndedBy.LOST, "Queued", "power cut", message="power cut"),
    "stopped by the studio": Case(EndedBy.STOPPED, "Queued", "Put back", signal=15),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_every_ending_becomes_a_status_with_a_reason(
    stage: Stage, make_sweep: Callable[..., Sweep], name: str
) -> None:
    case = CASES[name]
    sweep = make_sweep()
    Sweep.objects.update(trial_timeout_s=60)
    attempt, other = stage.open(sweep)
    if case.value is not None:
        log(attempt, case.value)
    with open(f"{attempt.spool}/stderr.log", "w") as file:
        file.write("Traceback\n\x1b[31mBoom\x1b[0m\n\n")
    stage.end(attempt, case.by, case.code, signal=case.signal, message=case.message)
    assert steps.poll(steps.Waker(), stage.now)
    attempt.refresh_from_db()
    trial = attempt.trial
    assert trial.status == case.status
    assert case.reason in trial.reason
    assert attempt.ended_at is not None
    assert attempt.run_status == case.run
    assert attempt.accepted == (trial.status != "Queued")
    assert attempt.peak_memory == 2**20
    other.refresh_from_db()
    assert (other.ended_at, other.trial.status) == (None, "Running")


def test_an_end_wakes_the_closing_of_its_run_and_the_planning_of_its_sweep(
    stage: Stage, sweep: Sweep
) -> None:
    attempt, _ = stage.open(sweep)
    stage.end(attempt)
    waker = steps.Waker()
    steps.poll(waker, stage.now)
    assert stage.queued() == [("follow_up", attempt.pk)]
    steps.poll(waker, stage.now)
    steps.reconcile(waker, stage.now)
    assert stage.queued() == [("follow_up", attempt.pk)], "it is being dealt with"
    stage.work_off_now()
    assert len(stage.runner.started) == 3
    assert stage.queued() == [], "the next command went by no queue"
    attempt.refresh_from_db()
    assert attempt.run_closed


def test_an_end_starts_one_of_the_trials_that_are_queued_already(
    stage: Stage, make_sweep: Callable[..., Sweep]
) -> None:
    sweep = make_sweep()
    attempt, other = stage.open(sweep)
    waker = steps.Waker()
    for ended in (attempt, other):
        stage.end(ended)
    steps.poll(waker, stage.now)
    queued = sweep_services.advance(sweep.pk, stage.now).trials
    assert len(queued) == 2
    stage.work_off_now()
    assert len(stage.runner.started) == 4, "each end started one"
    assert stage.queued() == [], "and woke nobody for the other"


def test_an_end_starts_the_next_trial_when_somebody_takes_the_first(
    stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    for ended in stage.open(sweep):
        stage.end(ended)
    steps.poll(steps.Waker(), stage.now)
    lost, won = sweep_services.advance(sweep.pk, stage.now).trials
    claim = trials.claim
    monkeypatch.setattr(
        trials, "claim", lambda pk, **more: None if pk == lost else claim(pk, **more)
    )
    stage.work_off_now()
    assert [a.trial_id for a in stage.attempts(sweep)] == [won]


def test_a_machine_whose_clock_is_behind_ends_no_trial_before_its_start(
    stage: Stage, sweep: Sweep
) -> None:
    attempt, _ = stage.open(sweep)
    stage.now -= timedelta(hours=2)
    stage.end(attempt)
    steps.poll(steps.Waker(), stage.now)
    attempt.refresh_from_db()
    assert attempt.ended_at == attempt.started_at


def test_nothing_to_watch_is_said_so(stage: Stage) -> None:
    assert steps.poll(steps.Waker(), stage.now) == {}


def test_a_wish_is_granted_once(stage: Stage, sweep: Sweep, monkeypatch: Any) -> None:
    attempt, _ = stage.open(sweep)
    calls = []
    monkeypatch.setattr(stage.runner, "stop", lambda *a, **k: calls.append((a, k)))
    steps.poll(steps.Waker(), stage.now)
    assert calls == []
    trials.cancel_trial(attempt.trial, actor="alice", now=stage.now)
    steps.poll(steps.Waker(), stage.now)
    steps.poll(steps.Waker(), stage.now + timedelta(seconds=1))
    assert calls == [((attempt.handle,), {"reason": "Canceled by alice."})]
    attempt.refresh_from_db()
    assert attempt.stop_sent_at == stage.now


def test_a_cancelled_sweep_ends_canceled_after_its_commands_have_gone(
    stage: Stage, sweep: Sweep
) -> None:
    stage.open(sweep)
    control.cancel_sweep(sweep, actor="alice", now=stage.now)
    stage.work_off()
    sweep.refresh_from_db()
    assert sweep.status == "Stopping"
    steps.poll(steps.Waker(), stage.now)
    assert set(stage.runner.stopped.values()) == {"Canceled by alice."}
    steps.poll(steps.Waker(), stage.now)
    stage.work_off()
    sweep.refresh_from_db()
    assert (sweep.status, sweep.reason) == ("Canceled", "Canceled by alice.")
    assert {run["status"] for run in stage.tracking.runs.values()} == {"KILLED"}


def test_a_lost_attempt_is_tried_again_after_growing_waits_and_at_most_twice(
    stage: Stage, sweep: Sweep
) -> None:
    attempt, _ = stage.open(sweep)
    trial, waits = attempt.trial, []
    for loss in range(3):
        [attempt] = trial.attempts.filter(ended_at=None)
        log(attempt, -1.0)
        stage.runner.lose(name_of(attempt), "power cut")
        steps.poll(steps.Waker(), stage.now)
        trial.refresh_from_db()
        if trial.not_before:
            waits.append((trial.not_before - stage.now).total_seconds())
            HUEY.flush()
            steps.reconcile(steps.Waker(), stage.now)
            assert ("run_trial", trial.pk) not in stage.queued()
            stage.now = trial.not_before
            HUEY.flush()
            steps.reconcile(steps.Waker(), stage.now)
            assert ("run_trial", trial.pk) in stage.queued()
            assert steps.work.startable_trials(stage.now) == [trial.pk]
            assert start_now(stage, trial.pk), loss
    assert waits == [10.0, 20.0]
    assert trial.status == "Lost"
    assert trial.reason == "Lost 3 times, the last time: power cut"
    assert trial.attempts.filter(accepted=True).count() == 1


def start_now(stage: Stage, trial_id: int) -> bool:
    from sweeps.engine.start import start_trial

    return start_trial(trial_id, "a test", lambda: stage.now)


def test_what_a_superseded_attempt_logged_counts_nowhere(stage: Stage, sweep: Sweep) -> None:
    attempt, _ = stage.open(sweep)
    log(attempt, -1.0)
    stage.runner.lose(name_of(attempt), "power cut")
    steps.poll(steps.Waker(), stage.now)
    stage.now += timedelta(seconds=10)
    assert start_now(stage, attempt.trial_id)
    attempt.trial.refresh_from_db()
    assert (attempt.trial.objective, attempt.trial.reports) == (None, 0)
    stage.work_off()
    run = stage.tracking.runs[attempt.run_id]
    assert (run["status"], run["tags"]["studio.superseded"]) == ("KILLED", "true")


def forward_twice() -> None:
    waker = steps.Waker()
    steps.forward(waker)
    steps.forward(waker)


def test_a_run_with_waiting_values_wakes_its_forwarder(stage: Stage, sweep: Sweep) -> None:
    one, two = stage.open(sweep)
    log(one, 1.0)
    log(one, 0.9)
    log(two, 0.8)
    waker = steps.Waker()
    steps.forward(waker)
    assert stage.queued() == [], "a trial that ends at once brings its values itself"
    steps.forward(waker)
    steps.forward(waker)
    assert sorted(stage.queued()) == [("forward_run", one.run_id), ("forward_run", two.run_id)]
    stage.work_off()
    sent = {body["run_id"]: body["metrics"] for body in stage.tracking.batches}
    assert sent[one.run_id] == [{"key": "loss", "value": 1.0}, {"key": "loss", "value": 0.9}]
    forward_twice()
    assert stage.queued() == []


def test_a_forwarder_that_does_not_reach_mlflow_keeps_everything(
    stage: Stage, sweep: Sweep
) -> None:
    attempt, _ = stage.open(sweep)
    log(attempt, 1.0)
    stage.tracking.down = True
    forward_twice()
    stage.work_off()
    assert stage.tracking.batches == []
    stage.tracking.down = False
    forward_twice()
    stage.work_off()
    assert [body["metrics"][0]["value"] for body in stage.tracking.batches] == [1.0]


def test_all_work_is_derived_from_rows_after_the_queue_was_emptied(
    stage: Stage, sweep: Sweep
) -> None:
    """Every wake-up is lost, at every stage: reconciling alone brings the sweep to its end."""
    for round_number in range(40):
        HUEY.flush()
        steps.poll(steps.Waker(), stage.now)
        HUEY.flush()
        steps.reconcile(steps.Waker(), stage.now)
        stage.work_off_now()  # what these tasks enqueue in their turn is lost as well
        for attempt in stage.attempts(sweep):
            log(attempt, float(round_number))
            stage.end(attempt)
        sweep.refresh_from_db()
        if sweep.run_closed:
            break
    assert (sweep.status, sweep.run_closed) == ("Completed", True)
    assert list(sweep.trials.values_list("status", flat=True)) == ["Completed"] * 4
    assert {run["status"] for run in stage.tracking.runs.values()} == {"FINISHED"}
    assert len(stage.tracking.runs) == 5
    assert len(stage.runner.started) == 4


def test_a_sweep_ends_only_after_every_run_of_its_trials_is_closed(
    stage: Stage, make_sweep: Callable[..., Sweep]
) -> None:
    from sweeps.domain.limits import Limits

    sweep = make_sweep(limits=Limits(1, 1, 3600))
    [attempt] = stage.open(sweep)
    log(attempt, 0.5)
    stage.end(attempt)
    steps.poll(steps.Waker(), stage.now)
    stage.tracking.down = True
    stage.work_off()
    sweep.refresh_from_db()
    assert (attempt.trial.status, sweep.status) == ("Running", "Running")
    stage.tracking.down = False
    steps.reconcile(steps.Waker(), stage.now)
    stage.work_off()
    sweep.refresh_from_db()
    assert (sweep.status, sweep.run_closed) == ("Completed", True)
    child = stage.tracking.runs[attempt.run_id]
    assert (child["status"], set(child["params"])) == ("FINISHED", {"lr", "boosting"})
    assert stage.tracking.runs[sweep.run_id]["tags"]["studio.best_child_run_id"] == attempt.run_id


class TestWaker:
    def test_a_wake_up_is_repeated_only_after_three_seconds(self) -> None:
        seconds, woken = [0.0], []
        waker = steps.Waker(lambda: seconds[0])
        for at in (0.0, 1.0, 2.9, 3.0, 5.9, 6.0):
            seconds[0] = at
            waker.wake(woken.append, 7)
        assert len(woken) == 3

    def test_other_work_is_not_held_back_and_news_never(self) -> None:
        woken: list[int] = []
        waker = steps.Waker(lambda: 0.0)
        waker.wake(woken.append, 7)
        waker.wake(woken.append, 8)
        waker.wake(woken.append, 7, again=True)
        waker.wake(woken.append, 7)
        assert woken == [7, 8, 7]

    def test_tasks_are_told_apart_even_when_they_carry_the_same_id(self) -> None:
        HUEY.flush()
        waker = steps.Waker(lambda: 0.0)
        for task in (steps.tasks.advance_sweep, steps.tasks.run_trial, steps.tasks.close_run):
            waker.wake(task, 1)
        assert [task.name for task in HUEY.pending()] == ["advance_sweep", "run_trial", "close_run"]

    def test_forgetting_drops_only_what_holds_nothing_back(self) -> None:
        seconds, woken = [0.0], []
        waker = steps.Waker(lambda: seconds[0])
        waker.wake(woken.append, 7)
        seconds[0] = 20.0
        waker.wake(woken.append, 8, every_s=steps.QUIET_S)
        seconds[0] = 35.0
        waker.forget_old()
        assert len(waker._woken) == 1
        waker.wake(woken.append, 8, every_s=steps.QUIET_S)
        assert woken == [7, 8]


def test_a_changed_time_limit_reaches_running_commands_once(
    stage: Stage, make_sweep: Callable[..., Sweep]
) -> None:
    sweep = make_sweep()
    Sweep.objects.update(trial_timeout_s=60)
    one, _ = stage.open(sweep)
    steps.poll(steps.Waker(), stage.now)
    assert stage.runner.limits == {}, "they were started with it"
    for limit in (30, None):
        Sweep.objects.update(trial_timeout_s=limit)
        steps.poll(steps.Waker(), stage.now)
        assert set(stage.runner.limits.values()) == {limit}
        assert len(stage.runner.limits) == 2
        stage.runner.limits.clear()
        steps.poll(steps.Waker(), stage.now)
        assert stage.runner.limits == {}
    one.refresh_from_db()
    assert one.time_limit_s is None


def test_attempts_of_a_copied_home_are_looked_for_in_the_copy(
    stage: Stage, sweep: Sweep, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows were copied too, and still hold the original's paths."""
    attempts = stage.open(sweep)
    settings.STUDIO_HOME = tmp_path / "copy"
    polled: list[str] = []

    def poll(handles: list[str]) -> list[Lost]:
        polled.extend(handles)
        return [Lost(handle, "copied") for handle in handles]

    monkeypatch.setattr(stage.runner, "poll", poll)
    steps.poll(steps.Waker(), stage.now)
    folder = tmp_path / "copy" / "trials" / sweep.uid
    assert sorted(polled) == [str(folder / f"{attempt.trial.number}.1") for attempt in attempts]
    assert set(sweep.trials.values_list("status", flat=True)) == {"Queued"}
