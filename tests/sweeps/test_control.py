"""Pausing, resuming, stopping and cancelling: once each, and everything comes to its end."""

from datetime import timedelta

import pytest

from sweeps.domain.job import FailurePolicy, StopRules
from sweeps.domain.limits import Limits
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import PausedBy, SweepStatus, TrialStatus
from sweeps.domain.verdict import Ending, Outcome
from sweeps.models import StateChange
from sweeps.services import control, sweeps, trials
from tests.api.acts import CRASH, end, log, play, start

pytestmark = pytest.mark.django_db
ANN = {"actor": "ann"}
VERBS = {
    "pause": control.pause_sweep,
    "resume": control.resume_sweep,
    "stop": control.stop_sweep,
    "cancel": control.cancel_sweep,
}


def state(sweep):
    sweep.refresh_from_db()
    return sweep.status, sweep.desired, sweep.reason


def statuses(sweep):
    return list(sweep.trials.order_by("number").values_list("status", flat=True))


@pytest.fixture
def running(sweep, now):
    """Trial 0 runs, trial 1 is queued, two are not planned yet."""
    first, _ = sweeps.advance(sweep.pk, now).trials
    sweep.first = start(first, now)
    return sweep


def test_a_paused_sweep_lets_trials_finish_and_starts_none(running, now):
    assert control.pause_sweep(running, **ANN, now=now)
    reason = "Paused by ann: running trials finish, none start until it is resumed."
    assert state(running) == (SweepStatus.PAUSED, "pause", reason)
    queued = running.trials.get(number=1)
    assert trials.claim(queued.pk, owner="t", spool_root="/spool", now=now) is None
    log(running.first, [0.5])
    end(running.first, now)
    assert sweeps.advance(running.pk, now) == sweeps.Advance()
    assert statuses(running) == ["Completed", "Queued"]
    assert control.resume_sweep(running, **ANN, now=now)
    assert state(running) == (SweepStatus.RUNNING, "run", "")
    assert start(queued.pk, now)
    assert len(sweeps.advance(running.pk, now).trials) == 1


def test_the_timeout_stands_still_while_a_sweep_is_paused(running, now):
    began = running.__class__.objects.get(pk=running.pk).timed_from
    control.pause_sweep(running, **ANN, now=now + timedelta(minutes=10))
    much_later = now + timedelta(hours=5)
    assert sweeps.advance(running.pk, much_later) == sweeps.Advance()
    control.resume_sweep(running, **ANN, now=much_later)
    running.refresh_from_db()
    assert running.timed_from - began == timedelta(hours=4, minutes=50)
    # An hour in all: ten minutes are over, so fifty are left.
    left = much_later + timedelta(minutes=50)
    assert not sweeps.advance(running.pk, left - timedelta(seconds=1)).changed
    assert sweeps.advance(running.pk, left).changed


def test_a_sweep_paused_before_its_first_trial_is_queued_again(sweep, now):
    control.pause_sweep(sweep, **ANN, now=now)
    assert sweeps.advance(sweep.pk, now).trials == ()
    control.resume_sweep(sweep, **ANN, now=now)
    assert state(sweep)[0] == SweepStatus.QUEUED
    assert sweeps.advance(sweep.pk, now).trials
    sweep.refresh_from_db()
    assert (sweep.status, sweep.started_at) == (SweepStatus.RUNNING, now)


def test_a_paused_sweep_with_nothing_left_to_start_ends(make_sweep, now):
    sweep = make_sweep(limits=Limits(1, 1, 60))
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)
    control.pause_sweep(sweep, **ANN, now=now)
    log(attempt, [0.5])
    end(attempt, now)
    assert sweeps.advance(sweep.pk, now).finished
    assert state(sweep)[0] == SweepStatus.COMPLETED


@pytest.mark.parametrize("verb", [control.pause_sweep, control.resume_sweep])
def test_a_sweep_that_ended_while_paused_is_over(make_sweep, now, verb):
    sweep = make_sweep(limits=Limits(1, 1, 3600))
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)
    control.pause_sweep(sweep, actor="alice", now=now)
    log(attempt, [0.1])
    end(attempt, now)
    assert sweeps.advance(sweep.pk, now).finished
    sweep.refresh_from_db()
    assert (sweep.status, sweep.paused_by) == ("Completed", "")
    with pytest.raises(InvalidInput, match="has ended as Completed"):
        verb(sweep, actor="alice", now=now)


def test_a_stopped_sweep_finishes_what_runs_and_ends_with_what_it_has(running, now):
    assert control.stop_sweep(running, **ANN, now=now)
    assert state(running) == (SweepStatus.STOPPING, "stop", "Stopped by ann.")
    assert statuses(running) == ["Running", "Canceled"]
    log(running.first, [0.5])
    assert not sweeps.advance(running.pk, now).finished
    end(running.first, now)
    assert sweeps.advance(running.pk, now).finished
    assert state(running) == (SweepStatus.COMPLETED, "stop", "Stopped by ann.")
    assert statuses(running) == ["Completed", "Canceled"]


def test_a_trial_lost_in_a_stopping_sweep_is_not_tried_again(running, now):
    control.stop_sweep(running, **ANN, now=now)
    end(running.first, now, Outcome(Ending.LOST))
    assert statuses(running) == ["Canceled", "Canceled"]
    assert running.trials.get(number=0).reason == "Stopped by ann."
    assert sweeps.advance(running.pk, now).finished
    assert state(running)[0] == SweepStatus.FAILED


def test_a_stopping_sweep_still_obeys_its_timeout(running, now):
    control.stop_sweep(running, **ANN, now=now)
    late = now + timedelta(hours=1)
    assert sweeps.advance(running.pk, late).changed
    assert not sweeps.advance(running.pk, late).changed
    reason = "Stopped by ann. The sweep's timeout of 1h was reached."
    assert state(running) == (SweepStatus.STOPPING, "stop", reason)
    trial = running.trials.get(number=0)
    assert (trial.desired, trial.reason) == ("cancel", reason)


def test_cancelling_asks_running_trials_to_end_and_stop_gives_way_to_it(running, now):
    control.stop_sweep(running, **ANN, now=now)
    assert control.cancel_sweep(running, **ANN, now=now)
    assert state(running) == (SweepStatus.STOPPING, "cancel", "Canceled by ann.")
    assert running.trials.get(number=0).desired == "cancel"


@pytest.mark.parametrize("verb", VERBS)
def test_the_same_wish_twice_is_done_once(running, now, verb):
    if verb == "resume":
        control.pause_sweep(running, **ANN, now=now)
    assert VERBS[verb](running, **ANN, now=now)
    before = state(running), running.revision, StateChange.objects.count()
    assert not VERBS[verb](running, **ANN, now=now)
    assert (state(running), running.revision, StateChange.objects.count()) == before


@pytest.mark.parametrize(
    ("first", "then", "text"),
    [
        ("stop", "pause", "The sweep is being stopped."),
        ("stop", "resume", "The sweep is being stopped."),
        ("cancel", "pause", "The sweep is being canceled."),
        ("cancel", "resume", "The sweep is being canceled."),
        ("cancel", "stop", "The sweep is being canceled."),
    ],
)
def test_a_wish_that_comes_too_late_is_refused(running, now, first, then, text):
    VERBS[first](running, **ANN, now=now)
    with pytest.raises(InvalidInput, match=text) as caught:
        VERBS[then](running, **ANN, now=now)
    assert caught.value.problems[0].code == "conflict"


@pytest.mark.parametrize("verb", VERBS)
def test_an_ended_sweep_refuses_every_wish(sweep, now, verb):
    play(sweep, now, [0.5, 0.4, 0.3, 0.2])
    assert state(sweep)[0] == SweepStatus.COMPLETED
    with pytest.raises(InvalidInput, match="has ended as Completed; nothing to"):
        VERBS[verb](sweep, **ANN, now=now)


# --- The breaker --------------------------------------------------------------------------------


def failing(make_sweep, limit, **more):
    policy = FailurePolicy(max_consecutive_failures=limit, **more)
    return make_sweep(limits=Limits(20, 1, 3600), failure_policy=policy)


@pytest.mark.parametrize(("failures", "status"), [(2, "Running"), (3, "Paused"), (4, "Paused")])
def test_so_many_failures_in_a_row_pause_the_sweep(make_sweep, now, failures, status):
    sweep = failing(make_sweep, 3 if failures < 4 else 4)
    play(sweep, now, [None] * failures)
    assert state(sweep)[0] == status
    if status == "Paused":
        assert sweep.paused_by == PausedBy.BREAKER
        assert sweep.reason == (
            f"Paused after {failures} failures in a row, all with: The command ended with exit "
            "code 1. Mend the cause and resume the sweep, or clone it with mended code."
        )


def test_a_good_trial_in_between_starts_the_count_anew(make_sweep, now):
    sweep = failing(make_sweep, 3)
    play(sweep, now, [None, None, 0.5, None, None])
    assert state(sweep)[0] == SweepStatus.RUNNING


def test_zero_never_pauses(make_sweep, now):
    sweep = failing(make_sweep, 0)
    play(sweep, now, [None] * 8)
    assert state(sweep)[0] == SweepStatus.RUNNING


def test_after_resuming_earlier_failures_are_forgiven(make_sweep, now):
    sweep = failing(make_sweep, 2)
    play(sweep, now, [None, None])
    later = now + timedelta(hours=1)
    control.resume_sweep(sweep, **ANN, now=later)
    play(sweep, later, [None])
    assert state(sweep)[0] == SweepStatus.RUNNING
    play(sweep, later + timedelta(minutes=1), [None])
    assert state(sweep)[0] == SweepStatus.PAUSED


def test_the_last_failure_of_all_ends_the_sweep_instead(make_sweep, now):
    policy = FailurePolicy(max_consecutive_failures=2)
    sweep = make_sweep(limits=Limits(2, 1, 60), failure_policy=policy)
    play(sweep, now, [None, None])
    assert state(sweep)[0] == SweepStatus.FAILED


def test_a_failed_trial_is_tried_again_where_the_sweep_asks_for_it(make_sweep, now):
    sweep = failing(make_sweep, 5, retries=1)
    trial_id = sweeps.advance(sweep.pk, now).trials[0]
    end(start(trial_id, now), now, CRASH)
    trial = sweep.trials.get()
    assert (trial.status, trial.failures, trial.losses) == (TrialStatus.QUEUED, 1, 0)
    assert trial.not_before == now + timedelta(seconds=10)
    later = now + timedelta(seconds=10)
    end(start(trial_id, later), later, CRASH)
    assert sweep.trials.get().status == TrialStatus.FAILED


# --- The disk -----------------------------------------------------------------------------------


def test_a_person_takes_over_a_pause_of_the_disk(running, now):
    by_disk = {"by": PausedBy.DISK, "reason": "The disk is full.", "actor": "studio", "now": now}
    assert control.pause_sweep(running, **by_disk)
    assert control.pause_sweep(running, **ANN, now=now)
    running.refresh_from_db()
    assert running.paused_by == PausedBy.PERSON
    assert running.reason.startswith("The disk is full. Paused by ann as well")
    assert not control.pause_sweep(running, **ANN, now=now)
    assert not control.pause_sweep(running, **by_disk)


# --- Stop rules ---------------------------------------------------------------------------------


def test_a_reached_target_ends_the_sweep_when_running_trials_have_finished(make_sweep, now):
    sweep = make_sweep(stop_rules=StopRules(target_value=0.3))
    first, second = (start(pk, now) for pk in sweeps.advance(sweep.pk, now).trials)
    log(first, [0.2])
    end(first, now)
    assert sweeps.advance(sweep.pk, now).changed
    assert state(sweep)[0] == SweepStatus.STOPPING
    log(second, [0.1])
    end(second, now)
    assert sweeps.advance(sweep.pk, now).finished
    assert state(sweep)[0] == SweepStatus.COMPLETED
    assert "target" in sweep.reason
    assert statuses(sweep) == ["Completed", "Completed"]


@pytest.mark.parametrize(
    ("scores", "status"), [([0.1, 0.5], "Running"), ([0.1, 0.5, 0.4], "Completed")]
)
def test_no_improvement_ends_the_sweep(make_sweep, now, scores, status):
    rules = StopRules(no_improvement_trials=2)
    sweep = make_sweep(stop_rules=rules, limits=Limits(20, 1, 3600))
    play(sweep, now, scores)
    sweeps.advance(sweep.pk, now + timedelta(minutes=5))
    assert state(sweep)[0] == status


def test_what_the_disk_paused_counts_failures_on(make_sweep, now):
    sweep = failing(make_sweep, 3)
    play(sweep, now, [None, None])
    later = now + timedelta(minutes=5)
    control.pause_sweep(sweep, actor="studio", now=later, by=PausedBy.DISK, reason="Full.")
    control.resume_sweep(sweep, actor="studio", now=later)
    play(sweep, later, [None])
    assert state(sweep)[0] == SweepStatus.PAUSED


def test_a_sweep_that_ends_while_paused_does_not_give_the_pause_as_its_reason(make_sweep, now):
    sweep = make_sweep(limits=Limits(1, 1, 60))
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)
    sweep.__class__.objects.update(exhausted=True)
    control.pause_sweep(sweep, **ANN, now=now)
    log(attempt, [0.5])
    end(attempt, now)
    assert sweeps.advance(sweep.pk, now).finished
    assert state(sweep)[2] == ""
