"""Slots of one compute among several sweeps."""

from datetime import timedelta
from pathlib import Path

import pytest

from sweeps.domain.limits import Limits
from sweeps.models import Sweep, Trial
from sweeps.queries.work import next_startable, startable_trials
from sweeps.services import control, sweeps, trials
from sweeps.services.picks import add_trial
from tests.api.acts import end, log, start

pytestmark = pytest.mark.django_db


def finish_one(sweep, now):
    attempt = sweep.trials.filter(status="Running").first().attempts.get()
    log(attempt, [0.5])
    end(attempt, now)


def advance_all(all_sweeps, now):
    for sweep in all_sweeps:
        for trial_id in sweeps.advance(sweep.pk, now).trials:
            start(trial_id, now)


def running(all_sweeps):
    return [sweep.trials.filter(status="Running").count() for sweep in all_sweeps]


@pytest.fixture
def several(make_sweep, compute):
    def make(count, slots):
        compute.slots = slots
        compute.save()
        limits = Limits(50, 50, 3600)
        return [make_sweep(name=f"s{i}", limits=limits) for i in range(count)]

    return make


def test_a_newcomer_gets_its_share_as_slots_fall_free(several, now):
    first, second = both = several(2, 4)
    control.pause_sweep(second, actor="ann", now=now)
    advance_all([first], now)
    assert running(both) == [4, 0]
    control.resume_sweep(second, actor="ann", now=now)
    for expected in ([3, 1], [2, 2], [2, 2], [2, 2]):
        finish_one(first, now)
        advance_all(both, now)
        assert running(both) == expected


def test_one_slot_goes_round_among_three_sweeps(several, now):
    all_three = several(3, 1)
    order = []
    for turn in range(6):
        at = now + timedelta(seconds=turn)
        advance_all(all_three, at)
        [index] = [i for i, count in enumerate(running(all_three)) if count]
        order.append(index)
        finish_one(all_three[index], at)
    assert order == [0, 1, 2, 0, 1, 2]


def test_a_paused_sweep_leaves_its_share_to_the_others(several, now):
    first, _ = both = several(2, 2)
    advance_all(both, now)
    assert running(both) == [1, 1]
    control.pause_sweep(first, actor="ann", now=now)
    finish_one(first, now)
    advance_all(both, now)
    assert running(both) == [0, 2]


def test_a_trial_that_waits_before_its_next_try_leaves_its_slot_to_others(several, now):
    [sweep] = several(1, 1)
    advance_all([sweep], now)
    Trial.objects.update(status="Queued", not_before=now + timedelta(seconds=10))
    sweep.trials.get().attempts.update(ended_at=now)
    advance_all([sweep], now)
    assert running([sweep]) == [1]


def test_a_backlog_takes_no_more_than_its_sweep_may_run_at_once(make_sweep, compute, now):
    compute.slots = 4
    compute.save()
    points = [{"lr": 0.1 + i / 100, "boosting": "gbdt"} for i in range(10)]
    narrow = make_sweep(name="narrow", first_trials=points, limits=Limits(20, 1, 3600))
    wide = make_sweep(name="wide", limits=Limits(20, 9, 3600))
    assert len(sweeps.advance(narrow.pk, now).trials) == 10
    assert len(sweeps.advance(wide.pk, now).trials) == 3


def test_a_backlog_does_not_hide_the_trials_of_others(make_sweep, compute, now):
    old = make_sweep(name="old", limits=Limits(300, 1, 3600))
    new = make_sweep(name="new", limits=Limits(3, 1, 3600))
    Sweep.objects.update(run_id="run")
    for sweep, count in ((old, 150), (new, 1)):
        for number in range(count):
            Trial.objects.create(sweep=sweep, number=number)
        Sweep.objects.filter(pk=sweep.pk).update(planned=300 if sweep == old else 3)
    found = Trial.objects.filter(pk__in=startable_trials(now))
    assert sorted(found.values_list("sweep__name", flat=True)) == ["new", "old"]
    assert set(next_startable(old.pk, now)) == {trial.pk for trial in found}
    old_trial, new_trial = (sweep.trials.first().pk for sweep in (old, new))
    start(old_trial, now)
    assert next_startable(old.pk, now) == [new_trial]


def test_a_queued_trial_waits_while_the_free_slot_is_anothers(several, now):
    first, second = several(2, 2)
    a, b = sweeps.advance(first.pk, now).trials[0], sweeps.advance(second.pk, now).trials[0]
    start(a, now)
    extra = Trial.objects.create(sweep=first, number=7)
    assert trials.claim(extra.pk, owner="t", spool_root=Path("/spool"), now=now) is None
    start(b, now)
    Trial.objects.filter(pk=b).update(status="Completed")
    control.pause_sweep(second, actor="ann", now=now)
    assert trials.claim(extra.pk, owner="t", spool_root=Path("/spool"), now=now)


def test_trials_of_a_sweep_without_its_run_are_not_startable(sweep, now):
    sweeps.advance(sweep.pk, now)
    assert startable_trials(now) == []
    Sweep.objects.update(run_id="run")
    assert len(startable_trials(now)) == 2


def test_a_sweep_does_not_end_over_a_trial_that_was_added_meanwhile(make_sweep, now, monkeypatch):
    sweep = make_sweep(limits=Limits(1, 1, 3600))
    attempt = start(sweeps.advance(sweep.pk, now).trials[0], now)
    log(attempt, [0.5])
    end(attempt, now)
    real, seen = sweeps.plan, []

    def plan(snapshot, at):
        action = real(snapshot, at)
        if not seen:  # between the look without the lock and the one with it
            seen.append(action)
            add_trial(sweep, {"lr": 0.5, "boosting": "dart"}, actor="ann", now=now)
        return action

    monkeypatch.setattr(sweeps, "plan", plan)
    assert sweeps.advance(sweep.pk, now) == sweeps.Advance()
    sweep.refresh_from_db()
    assert (sweep.status, seen[0].status) == ("Running", "Completed")
