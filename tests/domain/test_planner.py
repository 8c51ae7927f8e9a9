"""What a sweep does next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sweeps.domain.planner import AddTrials, FinishSweep, StopTrials, plan
from sweeps.domain.records import FormerEnd, SweepSnapshot
from sweeps.domain.states import Desired, SweepStatus, TrialStatus

NOW = datetime(2026, 3, 1, tzinfo=UTC)
T = TrialStatus
SWEEP = SweepSnapshot(
    status=SweepStatus.RUNNING,
    desired=Desired.RUN,
    reason="",
    max_total_trials=10,
    max_concurrent_trials=4,
    timeout_s=100,
    started_at=NOW,
    planned=0,
    counts={},
    room=3,
    has_objective=False,
)


@pytest.mark.parametrize(
    ("changes", "count"),
    [
        ({}, 3),  # the compute's free slots
        ({"room": 9}, 4),  # the sweep's concurrency
        ({"room": 9, "planned": 8, "counts": {T.COMPLETED: 8}}, 2),  # the total
        ({"room": 9, "planned": 3, "counts": {T.RUNNING: 2, T.QUEUED: 1}}, 1),
    ],
)
def test_it_adds_as_many_trials_as_there_is_room_for(changes, count):
    assert plan(replace(SWEEP, **changes), NOW) == AddTrials(count)


@pytest.mark.parametrize(
    "changes",
    [
        {"room": 0},
        {"room": -2},
        {"planned": 4, "counts": {T.RUNNING: 4}, "room": 9},
        {"planned": 10, "counts": {T.RUNNING: 1, T.COMPLETED: 9}, "room": 9},
        {"desired": Desired.PAUSE},
        {"status": SweepStatus.COMPLETED},
    ],
)
def test_it_waits_when_there_is_no_room_or_nothing_left_to_start(changes):
    assert plan(replace(SWEEP, **changes), NOW) is None


def test_it_completes_when_all_trials_ended_and_one_has_a_value():
    done = replace(SWEEP, planned=10, counts={T.COMPLETED: 1, T.FAILED: 9}, has_objective=True)
    assert plan(done, NOW) == FinishSweep(SweepStatus.COMPLETED, "")


def test_it_fails_with_the_commonest_reason_when_no_trial_has_a_value():
    done = replace(SWEEP, planned=10, counts={T.FAILED: 10}, commonest_reason="no module x.")
    assert plan(done, NOW) == FinishSweep(
        SweepStatus.FAILED, "No trial completed with a value. Most often: no module x."
    )


def test_it_waits_for_open_mlflow_runs_before_it_ends():
    done = replace(SWEEP, planned=10, counts={T.COMPLETED: 10}, has_objective=True, unclosed_runs=1)
    assert plan(done, NOW) is None


def test_the_timeout_stops_running_trials_first_and_then_ends_the_sweep():
    late = NOW + timedelta(seconds=100)
    running = replace(
        SWEEP, planned=2, counts={T.RUNNING: 1, T.COMPLETED: 1}, going=1, has_objective=True
    )
    assert plan(running, late - timedelta(seconds=1)) == AddTrials(3)
    reason = "The sweep's timeout of 1m 40s was reached."
    assert plan(running, late) == StopTrials(reason)
    stopping = replace(running, desired=Desired.STOP, reason=reason, going=0)
    assert plan(stopping, late) is None
    ended = replace(stopping, counts={T.CANCELED: 1, T.COMPLETED: 1})
    assert plan(ended, late) == FinishSweep(SweepStatus.COMPLETED, reason)


def test_a_cancelled_sweep_ends_as_canceled_even_with_a_value():
    canceled = replace(SWEEP, desired=Desired.CANCEL, reason="Canceled by ann.", has_objective=True)
    assert plan(canceled, NOW) == FinishSweep(SweepStatus.CANCELED, "Canceled by ann.")
    assert plan(replace(canceled, counts={T.RUNNING: 1}), NOW) is None


def test_an_exhausted_space_ends_the_sweep_and_says_so():
    done = replace(
        SWEEP,
        planned=4,
        counts={T.COMPLETED: 4},
        has_objective=True,
        exhausted=True,
        exhausted_reason="All.",
    )
    assert plan(done, NOW) == FinishSweep(SweepStatus.COMPLETED, "All.")
    paused = replace(done, desired=Desired.PAUSE, reason="Paused by ann.")
    assert plan(paused, NOW) == FinishSweep(SweepStatus.COMPLETED, "All.")


NOTHING = "No trial completed with a value. Most often: no module x."


@pytest.mark.parametrize(
    ("former", "has_objective", "status", "reason"),
    [
        (("Canceled", "Canceled by ann."), True, "Canceled", "Canceled by ann."),
        (("Canceled", "Canceled by ann."), False, "Canceled", "Canceled by ann."),
        (("Completed", "Stopped by ann."), True, "Completed", "Stopped by ann."),
        (("Failed", f"Stopped by ann. {NOTHING}"), True, "Completed", "Stopped by ann."),
        (("Failed", NOTHING), True, "Completed", ""),
        (("Failed", "MLflow refused it."), True, "Completed", ""),
        (("Failed", f"Late. {NOTHING}"), False, "Failed", f"Late. {NOTHING}"),
    ],
)
def test_a_sweep_that_came_back_for_a_trial_ends_as_it_had_ended_or_with_its_first_result(
    former, has_objective, status, reason
):
    done = replace(
        SWEEP,
        planned=4,
        counts={T.COMPLETED: 1, T.CANCELED: 3},
        has_objective=has_objective,
        commonest_reason="no module x.",
        exhausted=True,
        former_end=FormerEnd(SweepStatus(former[0]), former[1]),
    )
    assert plan(done, NOW) == FinishSweep(SweepStatus(status), reason)


def test_whoever_ends_a_sweep_that_came_back_is_its_reason():
    back = replace(
        SWEEP,
        planned=4,
        counts={T.COMPLETED: 4},
        has_objective=True,
        exhausted=True,
        former_end=FormerEnd(SweepStatus.COMPLETED, "Stopped by ann."),
    )
    stopped = replace(back, desired=Desired.STOP, reason="Stopped by bob.")
    assert plan(stopped, NOW) == FinishSweep(SweepStatus.COMPLETED, "Stopped by bob.")
    canceled = replace(back, desired=Desired.CANCEL, reason="Canceled by bob.")
    assert plan(canceled, NOW) == FinishSweep(SweepStatus.CANCELED, "Canceled by bob.")


def test_a_sweep_that_did_all_its_trials_is_not_late_because_a_run_closes_late():
    done = replace(SWEEP, planned=10, counts={T.COMPLETED: 10}, has_objective=True)
    late = NOW + timedelta(seconds=500)
    assert plan(replace(done, unclosed_runs=1), late) is None
    assert plan(done, late) == FinishSweep(SweepStatus.COMPLETED, "")
