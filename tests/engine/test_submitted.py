"""Trials on a cluster: begun when the cluster says so, and till then with its words."""

from datetime import UTC, datetime

import pytest

from sweeps.domain.states import Desired, TrialStatus
from sweeps.engine import start, steps
from sweeps.models import Attempt
from sweeps.queries import waiting
from sweeps.runners.base import ComputeAway, EndedBy, Running
from sweeps.services import submitted


@pytest.fixture
def far(compute):
    compute.kind, compute.settings = "slurm", {"partition": "gpu", "cpus": 3}
    compute.save()
    return compute


@pytest.fixture
def waits(stage, monkeypatch):
    """What the cluster says of all that runs; "" once it has begun."""
    said = {"words": "Slurm: Resources."}
    real = stage.runner.poll

    def poll(handles):
        found = real(handles)
        return [
            Running(event.handle, None, None, said["words"])
            if isinstance(event, Running)
            else event
            for event in found
        ]

    monkeypatch.setattr(stage.runner, "poll", poll)
    return said


def look(stage):
    steps.poll(steps.Waker(), stage.now)


def test_a_trial_that_waits_there_is_starting_and_says_why(stage, far, sweep, waits, monkeypatch):
    attempt = stage.open(sweep)[0]
    look(stage)
    attempt.trial.refresh_from_db()
    assert attempt.trial.status == TrialStatus.STARTING
    monkeypatch.setattr(waiting, "down", lambda now: "")
    assert waiting.why_trial(attempt.trial, stage.now) == "Slurm: Resources."
    assert (attempt.started_at, attempt.trial.started_at) == (None, None)


def test_the_same_words_are_written_once(stage, far, sweep, waits):
    stage.open(sweep)
    look(stage)
    sweep.refresh_from_db()
    revision = sweep.revision
    look(stage)
    sweep.refresh_from_db()
    assert sweep.revision == revision


def test_it_runs_from_when_the_cluster_begins(stage, far, sweep, waits):
    stage.open(sweep)
    look(stage)
    waits["words"] = ""
    look(stage)
    attempt = stage.attempts(sweep)[0]
    assert attempt.trial.status == TrialStatus.RUNNING
    assert attempt.started_at == attempt.trial.started_at == stage.now
    assert attempt.trial.reason == ""
    assert attempt.trial.run_id == attempt.run_id != ""


def test_what_began_and_ended_between_two_looks_has_a_beginning(stage, far, sweep, waits):
    attempt = stage.open(sweep)[0]
    stage.end(attempt, EndedBy.EXIT, 1)
    look(stage)
    attempt.refresh_from_db()
    assert attempt.started_at == datetime.fromtimestamp(stage.now.timestamp(), UTC)
    attempt.trial.refresh_from_db()
    assert attempt.trial.status == TrialStatus.FAILED


def test_a_wish_is_not_written_over_by_the_clusters_words(stage, far, sweep, waits):
    attempt = stage.open(sweep)[0]
    trial = attempt.trial
    trial.desired, trial.reason = Desired.CANCEL, "Canceled by ada."
    trial.save()
    assert not submitted.wait(attempt, "Slurm: Resources.")
    trial.refresh_from_db()
    assert trial.reason == "Canceled by ada."


def test_an_engine_that_is_away_costs_no_attempt(stage, far, sweep, monkeypatch):
    def away(spec):
        raise ComputeAway("Slurm: Unable to contact slurm controller")

    monkeypatch.setattr(stage.runner, "start", away)
    assert stage.open(sweep) == []
    trial = sweep.trials.first()
    assert (trial.status, trial.losses, trial.failures) == (TrialStatus.QUEUED, 0, 0)
    assert trial.reason == "Slurm: Unable to contact slurm controller"
    assert trial.not_before is not None
    assert set(Attempt.objects.values_list("outcome", flat=True)) == {"put_back"}


def test_each_command_asks_for_what_its_compute_says(stage, far, sweep, monkeypatch, settings):
    settings.STUDIO_URL = "http://studio.example:8000"
    specs = []
    real = stage.runner.start
    monkeypatch.setattr(stage.runner, "start", lambda spec: specs.append(spec) or real(spec))
    stage.open(sweep)
    assert specs[0].options == {"partition": "gpu", "cpus": 3}
    assert specs[0].env["MLFLOW_TRACKING_URI"] == "http://studio.example:8000/tracking/default"
    assert specs[0].env["OMP_NUM_THREADS"] == "3"
    assert specs[0].warm == "Trials on a cluster start each by itself."


def test_a_claim_whose_starter_died_is_taken_up_as_handed_in(stage, far, sweep):
    [attempt, *_] = stage.open(sweep)
    Attempt.objects.filter(pk=attempt.pk).update(handle="")
    start.recover(attempt.pk, lambda: stage.now)
    attempt.refresh_from_db()
    attempt.trial.refresh_from_db()
    assert attempt.handle
    assert attempt.trial.status == TrialStatus.STARTING
