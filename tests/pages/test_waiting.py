"""Why is nothing running? Every answer, and that it is true."""

from datetime import timedelta

import pytest

from sweeps.domain.states import Desired, SweepStatus, TrialStatus
from sweeps.models import EngineLease, Sweep, Trial
from sweeps.queries.waiting import MOMENT, why_sweep, why_trial
from tests.pages.test_lists import add_trials


def why(sweep, now):
    return why_sweep(Sweep.objects.select_related("compute").get(pk=sweep.pk), now)


def test_a_sweep_that_just_came_starts_in_a_moment(sweep, now):
    assert why(sweep, now) == MOMENT


@pytest.mark.parametrize("status", [SweepStatus.COMPLETED, SweepStatus.FAILED, "Canceled"])
def test_an_ended_sweep_waits_for_nothing(sweep, now, status):
    Sweep.objects.update(status=status)
    assert why(sweep, now) == ""


@pytest.mark.parametrize(
    ("part", "text"),
    [
        ("queue", "The queue process is down since 11:58 UTC; nothing starts until it is back."),
        ("engine", "The engine process is down since 11:58 UTC; running trials go on, but"),
    ],
)
def test_a_part_that_is_down_is_named_with_its_last_beat(sweep, now, part, text):
    lease = {"beat_at": now - timedelta(minutes=2), "expires_at": now - timedelta(seconds=1)}
    EngineLease.objects.filter(name=part).update(**lease)
    assert why(sweep, now).startswith(text)
    EngineLease.objects.filter(name=part).update(expires_at=now)
    assert why(sweep, now) == MOMENT
    EngineLease.objects.filter(name=part).delete()
    assert why(sweep, now).startswith(f"The {part} process is not running;")


def test_a_sweep_without_its_run_waits_for_tracking_after_five_seconds(sweep, now):
    assert why(sweep, now + timedelta(seconds=5)) == MOMENT
    assert "tracking server" in why(sweep, now + timedelta(seconds=6))
    Sweep.objects.update(run_id="abc")
    assert why(sweep, now + timedelta(seconds=6)) == MOMENT


def test_the_holder_of_the_slots_is_named_and_paused_sweeps_hold_none(another_sweep, now):
    holder, waiting = another_sweep(), another_sweep()
    add_trials(holder, ("Running", None), ("Running", None), *[("Queued", None)] * 9)
    Sweep.objects.filter(pk=holder.pk).update(display_name="sweep Y")
    assert why(waiting, now) == "Waiting for a slot on local: its 2 are taken by sweep Y (2)."
    Trial.objects.filter(number=0).update(status="Completed")
    # The free slot goes to whoever holds the fewest, however many the other has queued.
    assert why(waiting, now) == MOMENT
    assert why(holder, now).startswith("Waiting for a slot on local: its 2 are taken by this")
    Sweep.objects.filter(pk=waiting.pk).update(desired=Desired.PAUSE)
    assert why(holder, now) == MOMENT


def test_a_trial_before_its_next_try_says_when_and_why(sweep, now):
    add_trials(sweep, ("Queued", None))
    Sweep.objects.update(planned=4, status=SweepStatus.RUNNING)
    later = now + timedelta(seconds=8)
    Trial.objects.update(not_before=later, reason="The machine lost the process.")
    trial = Trial.objects.select_related("sweep__compute").get()
    assert why_trial(trial, now) == "Tried again in 8s. The machine lost the process."
    assert why(sweep, now) == f"Trial {trial.number}: {why_trial(trial, now)}"
    assert why_trial(trial, later) == why(sweep, later) == MOMENT


@pytest.mark.parametrize(
    ("desired", "active", "text"),
    [
        ("pause", "Running", "Because."),
        ("stop", "Running", "Because. Running trials finish."),
        ("cancel", "Running", "Because. Running trials are being ended."),
        ("stop", "Completed", "Because."),
    ],
)
def test_a_sweep_that_was_wished_to_halt_says_so(sweep, now, desired, active, text):
    add_trials(sweep, (active, None))
    Sweep.objects.update(desired=desired, reason="Because.", status=SweepStatus.STOPPING)
    assert why(sweep, now) == text


@pytest.mark.parametrize(
    "status", sorted(set(TrialStatus) - {TrialStatus.QUEUED, TrialStatus.STARTING})
)
def test_only_trials_that_have_not_begun_wait(sweep, now, status):
    add_trials(sweep, (status, None))
    assert why_trial(Trial.objects.select_related("sweep__compute").get(), now) == ""


def test_a_sweep_whose_trials_have_all_ended_waits_for_its_runs_to_close(sweep, now):
    add_trials(sweep, *[("Completed", 0.5)] * 4)
    Sweep.objects.update(planned=4, status=SweepStatus.RUNNING)
    assert why(sweep, now) == "All its trials have ended; their runs in MLflow are being closed."


def test_a_resting_trial_is_told_while_others_run(sweep, now):
    add_trials(sweep, ("Queued", None), ("Running", None))
    Sweep.objects.update(planned=4, status=SweepStatus.RUNNING)
    later = now + timedelta(seconds=8)
    Trial.objects.filter(status="Queued").update(not_before=later, reason="Lost.")
    assert why(sweep, now) == "Trial 0: Tried again in 8s. Lost."
    Trial.objects.filter(status="Queued").delete()
    assert why(sweep, now) == ""


def test_a_lowered_limit_is_told_as_it_is_now(sweep, now):
    add_trials(sweep, ("Running", None), ("Running", None))
    Sweep.objects.update(planned=2, max_concurrent_trials=1, status=SweepStatus.RUNNING)
    assert why(sweep, now) == "Its limit of 1 at the same time is reached."


def test_a_starting_trial_names_a_part_that_is_down(sweep, now):
    add_trials(sweep, ("Starting", None))
    EngineLease.objects.filter(name="queue").delete()
    trial = Trial.objects.select_related("sweep__compute").get()
    assert why_trial(trial, now).startswith("The queue process is not running")
