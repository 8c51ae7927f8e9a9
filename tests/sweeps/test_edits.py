"""Edits of live sweeps, extensions of ended ones, picked trials: recorded, checked, done once."""

from datetime import timedelta

import pytest

from sweeps.domain.job import EarlyTermination, FailurePolicy, StopRules
from sweeps.domain.limits import Limits
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import SweepStatus
from sweeps.models import Revision, Sweep
from sweeps.services import control, sweeps
from sweeps.services.edits import current, edit_sweep, merge_into
from sweeps.services.picks import add_trial
from tests.api.acts import end, log, play, start

pytestmark = pytest.mark.django_db
ANN = {"actor": "ann"}
POINT = {"lr": 0.5, "boosting": "dart"}
BANDIT = EarlyTermination("bandit", {"slack_factor": 0.1})


@pytest.fixture
def running(sweep, now):
    sweeps.advance(sweep.pk, now)
    Sweep.objects.update(run_id="run")
    return sweep


def told(sweep, changes, now):
    with pytest.raises(InvalidInput) as caught:
        edit_sweep(sweep, changes, **ANN, now=now)
    return {p.field: p.message for p in caught.value.problems}


EDITS = {
    "max_total_trials": (4, 80, "max trials 4 → 80"),
    "max_concurrent_trials": (2, 3, "at once 2 → 3"),
    "timeout": (3600, 60, "timeout 1h → 1m"),
    "trial_timeout": (None, 30, "trial timeout none → 30s"),
    "early_termination": (None, BANDIT, "early termination none → bandit, slack 10 %"),
    "stop_rules": (StopRules(), StopRules(0.1, 5), "stop rules none → at 0.1 or after 5"),
    "failure_policy": (
        FailurePolicy(),
        FailurePolicy(0, 1),
        "failures pause after 5, 0 retries, 2 of lost ones → never pause, 1 retries, 2 of lost",
    ),
    "display_name": ("", "A name", "display name edited"),
    "description": ("", "Long", "description edited"),
    "tags": ({}, {"team": "vision"}, "tags edited"),
}


@pytest.mark.parametrize("name", EDITS)
def test_every_field_is_edited_and_the_edit_is_recorded(running, now, name):
    before, after, text = EDITS[name]
    assert current(running)[name] == before
    revision = edit_sweep(running, {name: after}, **ANN, now=now)
    assert (revision.number, revision.trial_number, revision.actor) == (1, 2, "ann")
    assert revision.text.startswith(text)
    assert list(revision.changes) == [name]
    assert current(Sweep.objects.get())[name] == after
    assert edit_sweep(running, {name: after}, **ANN, now=now) is None
    assert Revision.objects.count() == 1


def test_an_edit_counts_as_news(running, now):
    before = Sweep.objects.get().revision
    edit_sweep(running, {"description": "x"}, **ANN, now=now)
    assert Sweep.objects.get().revision > before


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"max_total_trials": 1}, "max_total_trials", "2 trials are planned already"),
        ({"max_total_trials": 0}, "max_total_trials", "Must be from 1 to"),
        ({"max_concurrent_trials": 0}, "max_concurrent_trials", "Must be from 1 to"),
        ({"timeout": 0}, "timeout", "at least 1 second"),
        ({"display_name": "x" * 256}, "display_name", "255 characters at most"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_at_its_field(running, now, changes, field, text):
    assert text in told(running, changes, now)[field]
    assert not Revision.objects.exists()


def test_more_concurrency_takes_hold_at_once_and_less_lets_trials_finish(running, now, compute):
    compute.slots = 4
    compute.save()
    edit_sweep(running, {"max_concurrent_trials": 3}, **ANN, now=now)
    assert len(sweeps.advance(running.pk, now).trials) == 1
    edit_sweep(running, {"max_concurrent_trials": 1}, **ANN, now=now)
    assert sweeps.advance(running.pk, now).trials == ()


def test_a_total_lowered_to_what_is_planned_ends_the_sweep_after_those(running, now):
    edit_sweep(running, {"max_total_trials": 2}, **ANN, now=now)
    for trial in running.trials.all():
        attempt = start(trial.pk, now)
        log(attempt, [0.5])
        end(attempt, now)
    assert sweeps.advance(running.pk, now).finished


# --- Ended sweeps -------------------------------------------------------------------------------


@pytest.fixture
def done(make_sweep, now):
    sweep = make_sweep(limits=Limits(2, 1, 3600))
    play(sweep, now, [0.5, 0.4])
    Sweep.objects.update(run_id="run", run_closed=True)
    sweep.refresh_from_db()
    assert sweep.status == SweepStatus.COMPLETED
    return sweep


def test_a_higher_total_brings_a_finished_sweep_back(done, now):
    later = now + timedelta(days=3)
    edit_sweep(done, {"max_total_trials": 3}, **ANN, now=later)
    done.refresh_from_db()
    assert (done.status, done.timed_from, done.ended_at) == (SweepStatus.RUNNING, later, None)
    assert not done.run_closed
    [trial_id] = sweeps.advance(done.pk, later).trials
    attempt = start(trial_id, later)
    log(attempt, [0.1])
    end(attempt, later)
    assert sweeps.advance(done.pk, later).finished
    assert done.trials.count() == 3


def test_a_finished_sweep_takes_texts_and_refuses_other_edits(done, now):
    assert edit_sweep(done, {"description": "the best so far"}, **ANN, now=now)
    done.refresh_from_db()
    assert done.status == SweepStatus.COMPLETED
    assert "raise the total trials" in told(done, {"timeout": 60}, now)["timeout"]
    assert "raise the total trials" in told(done, {"max_concurrent_trials": 2}, now).popitem()[1]


def test_a_sweep_ended_by_a_rule_is_extended_only_with_the_rule_changed(make_sweep, now):
    sweep = make_sweep(limits=Limits(4, 1, 3600), stop_rules=StopRules(target_value=0.5))
    play(sweep, now, [0.5])
    sweeps.advance(sweep.pk, now + timedelta(minutes=1))
    Sweep.objects.update(run_id="run")
    assert (
        "Change or clear that rule too" in told(sweep, {"max_total_trials": 9}, now)["stop_rules"]
    )
    sweep.refresh_from_db()
    assert (sweep.status, sweep.max_total_trials) == (SweepStatus.COMPLETED, 4)
    edit_sweep(sweep, {"max_total_trials": 9, "stop_rules": StopRules()}, **ANN, now=now)
    sweep.refresh_from_db()
    assert sweep.status == SweepStatus.RUNNING


# --- Picked trials ------------------------------------------------------------------------------


def test_a_picked_trial_comes_next_and_counts_as_one_of_the_sweeps(running, now):
    trial = add_trial(running, POINT, **ANN, now=now)
    assert (trial.number, trial.params, trial.draw, trial.picked_by) == (2, POINT, {}, "ann")
    running.refresh_from_db()
    assert (running.planned, running.max_total_trials) == (3, 4)


def test_a_picked_trial_beyond_the_total_raises_it_and_brings_an_ended_sweep_back(done, now):
    trial = add_trial(done, POINT, **ANN, now=now)
    done.refresh_from_db()
    assert (trial.number, done.status, done.max_total_trials) == (2, SweepStatus.RUNNING, 3)
    assert Revision.objects.get().text == "max trials 2 → 3"
    attempt = start(trial.pk, now)
    log(attempt, [0.3])
    end(attempt, now)
    assert sweeps.advance(done.pk, now).finished
    assert done.trials.count() == 3


def test_a_picked_trial_in_a_canceled_sweep_brings_back_that_trial_alone(running, now):
    control.cancel_sweep(running, **ANN, now=now)
    sweeps.advance(running.pk, now)
    trial = add_trial(running, POINT, **ANN, now=now)
    assert sweeps.advance(running.pk, now).trials == ()
    attempt = start(trial.pk, now)
    log(attempt, [0.3])
    end(attempt, now)
    assert sweeps.advance(running.pk, now).finished


def test_picked_points_outside_the_space_or_too_late_are_refused(running, now):
    with pytest.raises(InvalidInput) as caught:
        add_trial(running, {"lr": 7, "boosting": "goss"}, **ANN, now=now)
    assert {p.field.rpartition(".")[2] for p in caught.value.problems} == {"lr", "boosting"}
    control.stop_sweep(running, **ANN, now=now)
    start_one = running.trials.first()
    running.trials.filter(pk=start_one.pk).update(status="Running")
    with pytest.raises(InvalidInput, match="being ended"):
        add_trial(running, POINT, **ANN, now=now)


def test_first_trials_come_first_all_at_once_and_the_sampler_goes_on_after_them(make_sweep, now):
    points = (POINT, {"lr": 0.2, "boosting": "gbdt"}, {"lr": 0.3, "boosting": "gbdt"})
    sweep = make_sweep(first_trials=points, limits=Limits(5, 1, 3600))
    assert len(sweeps.advance(sweep.pk, now).trials) == 3
    rows = list(sweep.trials.order_by("number"))
    assert tuple(row.params for row in rows) == points
    assert all(row.picked_by and not row.draw for row in rows)
    play(sweep, now, [0.1] * 5)
    assert [bool(t.draw) for t in sweep.trials.order_by("number")] == [False] * 3 + [True] * 2


def test_the_same_pick_sent_twice_makes_one_trial(running, now):
    made = [add_trial(running, POINT, **ANN, now=now, ticket="t").pk for _ in range(2)]
    assert made[0] == made[1]
    assert add_trial(running, POINT, **ANN, now=now, ticket="u").pk != made[0]
    assert running.trials.filter(picked_by="ann").count() == 2


def test_a_pick_waits_until_the_first_trials_are_queued(make_sweep, now):
    sweep = make_sweep(first_trials=(POINT,))
    with pytest.raises(InvalidInput, match="first trials come first"):
        add_trial(sweep, POINT, **ANN, now=now)
    sweeps.advance(sweep.pk, now)
    assert add_trial(sweep, POINT, **ANN, now=now).number == 2


def test_first_trials_never_exceed_the_total(make_sweep, now):
    points = (POINT, {"lr": 0.2, "boosting": "gbdt"})
    sweep = make_sweep(first_trials=points, limits=Limits(1, 1, 3600))
    assert len(sweeps.advance(sweep.pk, now).trials) == 1


def test_a_merge_is_made_into_what_somebody_else_has_just_written(sweep, now):
    stale = Sweep.objects.get(pk=sweep.pk)
    edit_sweep(sweep, {"tags": {"a": "1"}}, actor="alice", now=now)
    merge_into(stale, lambda present: {"tags": {**present["tags"], "b": "2"}}, actor="bob", now=now)
    assert Sweep.objects.get(pk=sweep.pk).tags == {"a": "1", "b": "2"}


# --- What a review found ------------------------------------------------------------------------


def test_a_pick_in_a_sweep_that_reached_its_target_is_run(make_sweep, now):
    sweep = make_sweep(limits=Limits(4, 1, 3600), stop_rules=StopRules(target_value=0.5))
    play(sweep, now, [0.4])
    sweeps.advance(sweep.pk, now + timedelta(minutes=1))
    sweep.refresh_from_db()
    assert sweep.status == SweepStatus.COMPLETED
    trial = add_trial(sweep, POINT, **ANN, now=now)
    assert not sweeps.advance(sweep.pk, now).changed
    attempt = start(trial.pk, now)
    log(attempt, [0.9])
    end(attempt, now)
    assert sweeps.advance(sweep.pk, now).finished
    trial.refresh_from_db()
    assert trial.status == "Completed"


def test_a_raised_total_holds_for_a_sweep_that_came_back_for_one_trial(done, now):
    trial = add_trial(done, POINT, **ANN, now=now)
    edit_sweep(done, {"max_total_trials": 5}, **ANN, now=now)
    attempt = start(trial.pk, now)
    log(attempt, [0.9])
    end(attempt, now)
    assert len(sweeps.advance(done.pk, now).trials) == 1


def test_a_pick_before_the_first_trial_begins_the_sweep_and_its_timeout(make_sweep, now):
    sweep = make_sweep(limits=Limits(1, 1, 60))
    add_trial(sweep, POINT, **ANN, now=now)
    sweep.refresh_from_db()
    assert (sweep.status, sweep.started_at, sweep.timed_from) == (SweepStatus.RUNNING, now, now)
    assert sweeps.advance(sweep.pk, now + timedelta(seconds=60)).changed


def test_a_pick_while_paused_before_the_start_begins_it_on_resuming(make_sweep, now):
    sweep = make_sweep(limits=Limits(1, 1, 60))
    control.pause_sweep(sweep, **ANN, now=now)
    add_trial(sweep, POINT, **ANN, now=now)
    later = now + timedelta(hours=1)
    control.resume_sweep(sweep, **ANN, now=later)
    sweep.refresh_from_db()
    assert (sweep.status, sweep.timed_from) == (SweepStatus.RUNNING, later)


def test_a_total_below_the_first_trials_keeps_no_pick_out(make_sweep, now):
    points = (POINT, {"lr": 0.2, "boosting": "gbdt"})
    sweep = make_sweep(first_trials=points, limits=Limits(1, 1, 3600))
    sweeps.advance(sweep.pk, now)
    assert add_trial(sweep, POINT, **ANN, now=now).number == 1
