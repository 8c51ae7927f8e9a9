"""Starting a trial, and settling a start that was cut off at any point."""

import subprocess
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sweeps.engine import holders, start, steps
from sweeps.models import Attempt, Sweep, Trial
from sweeps.runners import proc
from sweeps.runners.base import EndedBy, LaunchSpec, RunnerError
from sweeps.services import leases, trials
from sweeps.services import sweeps as sweep_services
from sweeps.tracking.client import TrackingRejected
from tests.engine.conftest import Stage, name_of


class StarterDied(BaseException):
    """The queue's process is killed here."""


@pytest.fixture
def trial(stage: Stage, sweep: Sweep) -> Trial:
    """The first queued trial of the sweep."""
    from sweeps.engine import runs

    runs.open_sweep(sweep)
    [trial_id, _] = sweep_services.advance(sweep.pk, stage.now).trials
    return Trial.objects.get(pk=trial_id)


def go(stage: Stage, trial: Trial) -> bool:
    started = start.start_trial(trial.pk, "a test", lambda: stage.now)
    trial.refresh_from_db()
    return started


def recover(stage: Stage, trial: Trial) -> Attempt:
    """What the engine does once the claim's lease has run out."""
    later = stage.now + timedelta(seconds=11)
    [attempt] = steps.abandoned_claims(later)
    start.recover(attempt.pk, lambda: later)
    trial.refresh_from_db()
    return trial.attempts.get(pk=attempt.pk)


def test_the_claim_of_a_starter_that_was_killed_is_taken_back_before_its_lease_ends(
    stage: Stage, trial: Trial, monkeypatch: Any
) -> None:
    def killed(*_: object) -> str:
        raise StarterDied

    monkeypatch.setattr(stage.runner, "start", killed)
    with subprocess.Popen(["sleep", "60"]) as starter:
        me = holders.me().split("/")
        start_time = str(proc.identity(starter.pid)["start_time"])
        owner = "/".join((me[0], str(starter.pid), start_time, me[3]))
        with pytest.raises(StarterDied):
            start.start_trial(trial.pk, owner, lambda: stage.now)
        soon = stage.now + steps.IN_FLIGHT + timedelta(seconds=1)
        assert steps.abandoned_claims(soon) == []
        starter.kill()
    assert steps.abandoned_claims(stage.now + timedelta(seconds=1)) == []
    assert [claim.trial_id for claim in steps.abandoned_claims(soon)] == [trial.pk]


def test_a_started_trial_has_a_run_a_handle_and_a_command(stage: Stage, trial: Trial) -> None:
    assert go(stage, trial)
    [attempt] = trial.attempts.all()
    assert trial.status == "Running"
    assert stage.runner.started == [name_of(attempt)]
    assert attempt.argv[1:3] == ["train.py", "--lr"]
    run = stage.tracking.runs[attempt.run_id]
    assert run["parent"] == trial.sweep.run_id
    assert trial.run_id == attempt.run_id
    assert not go(stage, trial)
    assert len(stage.runner.started) == 1


def test_a_claim_whose_starter_died_before_the_command_goes_back_uncounted(
    stage: Stage, trial: Trial, monkeypatch: Any
) -> None:
    def die(*_: object) -> str:
        raise StarterDied

    with monkeypatch.context() as patch:
        patch.setattr(stage.runner, "start", die)
        with pytest.raises(StarterDied):
            go(stage, trial)
    assert steps.abandoned_claims(stage.now) == []
    attempt = recover(stage, trial)
    assert (trial.status, trial.losses, attempt.outcome) == ("Queued", 0, "put_back")
    assert go(stage, trial)
    assert trial.attempt == 2


def test_a_run_that_its_starter_could_not_remember_is_found_and_closed(
    stage: Stage, trial: Trial, monkeypatch: Any
) -> None:
    def die(*_: object) -> None:
        raise StarterDied

    with monkeypatch.context() as patch:
        patch.setattr(trials, "about_to_start", die)
        with pytest.raises(StarterDied):
            go(stage, trial)
    assert set(stage.tracking.runs) == {"run0", "run1"}
    assert recover(stage, trial).run_id == "run1"
    steps.reconcile(steps.Waker(), stage.now)
    stage.work_off()
    assert stage.tracking.runs["run1"]["status"] == "KILLED"


@pytest.mark.parametrize("is_over", [False, True])
def test_a_command_whose_starter_died_after_it_is_adopted_not_run_again(
    stage: Stage, trial: Trial, monkeypatch: Any, is_over: bool
) -> None:
    def die(*_: object) -> bool:
        raise StarterDied

    with monkeypatch.context() as patch:
        patch.setattr(trials, "record_started", die)
        with pytest.raises(StarterDied):
            go(stage, trial)
    [attempt] = trial.attempts.all()
    if is_over:
        stage.end(attempt, EndedBy.EXIT, 4)
    attempt = recover(stage, trial)
    assert (attempt.handle, attempt.ended_at) == (attempt.spool, None)
    steps.poll(steps.Waker(), stage.now)
    trial.refresh_from_db()
    assert trial.status == ("Failed" if is_over else "Running")
    assert len(stage.runner.started) == 1


def test_a_starter_that_comes_too_late_ends_what_it_started(
    stage: Stage, trial: Trial, monkeypatch: Any
) -> None:
    """It slept while its claim was taken back: the command it then starts belongs to nobody."""
    real = stage.runner.start

    def sleep_then_start(spec: LaunchSpec) -> str:
        recover(stage, trial)
        return real(spec)

    monkeypatch.setattr(stage.runner, "start", sleep_then_start)
    assert not go(stage, trial)
    assert trial.status == "Queued"
    [attempt] = trial.attempts.all()
    assert name_of(attempt) in stage.runner.stopped


def test_without_tracking_a_trial_waits_uncounted(stage: Stage, trial: Trial) -> None:
    assert not start.outage.lasts()  # so it goes away right after it was seen
    stage.tracking.down = True
    assert not go(stage, trial)
    assert (trial.status, trial.losses, trial.attempt) == ("Queued", 0, 1)
    assert trial.reason == "Waiting for the tracking server, which does not answer."
    assert trial.not_before == stage.now + timedelta(seconds=start.AWAY_WAIT_S)
    stage.now += timedelta(seconds=start.AWAY_WAIT_S)
    assert not go(stage, trial)
    stage.tracking.down = False
    assert go(stage, trial)
    assert (trial.status, trial.reason, trial.attempt) == ("Running", "", 2)


REFUSALS = {
    "the runner": (RunnerError("the spool is full"), "The compute could not start it: the spool"),
    "the machine": (OSError(13, "Permission denied"), "Permission denied"),
    "MLflow": (
        TrackingRejected("RESOURCE_DOES_NOT_EXIST", "The experiment was deleted.", 404),
        "MLflow refused its run: The experiment was deleted.",
    ),
}


@pytest.mark.parametrize("who", REFUSALS)
def test_what_refuses_once_and_for_all_fails_the_trial(
    stage: Stage, trial: Trial, monkeypatch: Any, who: str
) -> None:
    error, said = REFUSALS[who]

    def refuse(*_: object, **__: object) -> str:
        raise error

    target = (stage.tracking, "create_run") if who == "MLflow" else (stage.runner, "start")
    monkeypatch.setattr(*target, refuse)
    assert not go(stage, trial)
    assert trial.status == "Failed"
    assert said in trial.reason
    assert trial.attempts.get().accepted


def test_an_input_that_has_gone_fails_the_trial_with_its_name(stage: Stage, trial: Trial) -> None:
    Sweep.objects.update(inputs={"table": {"path": "gone.csv", "type": "uri_file"}})
    assert not go(stage, trial)
    assert (trial.status, trial.reason) == ("Failed", "Input “table” is not there: gone.csv")


def test_while_the_studio_stops_no_trial_is_started(stage: Stage, trial: Trial) -> None:
    from sweeps import tasks

    leases.acquire(tasks.draining(), "engine", stage.now, 20)
    tasks.run_trial(trial.pk)
    stage.work_off()
    trial.refresh_from_db()
    assert trial.status == "Queued"
    leases.clear(tasks.draining())
    tasks.run_trial(trial.pk)
    stage.work_off()
    trial.refresh_from_db()
    assert trial.status == "Running"


def test_a_sweep_that_mlflow_will_not_take_fails_and_does_not_wait_for_ever(
    stage: Stage, sweep: Sweep, monkeypatch: Any
) -> None:
    from sweeps import tasks

    def refuse(*_: object) -> str:
        raise TrackingRejected("INVALID_PARAMETER_VALUE", "Invalid experiment name.", 400)

    monkeypatch.setattr(stage.tracking, "get_or_create_experiment", refuse)
    tasks.advance_sweep(sweep.pk)
    stage.work_off()
    sweep.refresh_from_db()
    assert sweep.status == "Failed"
    assert sweep.reason == "MLflow refused the sweep's run: Invalid experiment name."
    steps.reconcile(steps.Waker(), stage.now)
    assert stage.queued() == []


OF_SNAPSHOT = {"commit": "abc", "branch": "", "remote": "r", "changed": 0, "untracked": 2}
OF_JOB = {
    "mlflow.source.git.commit": "def",
    "azureml.git.branch": "main",
    "mlflow.source.git.repoURL": "https://ann:secret@host/r.git",
    "azureml.git.dirty": "False",
}


@pytest.mark.parametrize(
    ("git", "properties", "expected"),
    [
        (OF_SNAPSHOT, OF_JOB, {"commit": "abc", "repoURL": "r", "dirty": "true"}),
        (
            {},
            OF_JOB,
            {
                "commit": "def",
                "branch": "main",
                "repoURL": "https://host/r.git",
                "dirty": "false",
            },
        ),
        ({}, {"own": "x"}, {}),
    ],
)
def test_the_runs_in_mlflow_carry_the_commit_of_the_code(
    stage: Stage, make_sweep: Callable[..., Sweep], git: Any, properties: Any, expected: Any
) -> None:
    sweep = make_sweep()
    sweep.git, sweep.properties = git, properties
    sweep.save()
    stage.open(sweep)
    expected = {f"mlflow.source.git.{name}": value for name, value in expected.items()}
    assert len(stage.tracking.runs) > 1
    for run in stage.tracking.runs.values():
        git = {key: value for key, value in run["tags"].items() if ".git." in key}
        assert git == expected
