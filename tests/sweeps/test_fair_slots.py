"""Slots of one compute among several sweeps."""

from datetime import timedelta

import pytest

from sweeps.domain.limits import Limits
from sweeps.models import Trial
from sweeps.services import control, sweeps
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
