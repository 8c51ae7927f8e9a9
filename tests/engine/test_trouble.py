"""One attempt's trouble stays its own; a run that nobody remembers is closed all the same."""

from pathlib import Path

import pytest

from sweeps.engine import runs, start, steps
from sweeps.engine.logs import last_words
from sweeps.models import Attempt, Sweep
from sweeps.runners.base import EndedBy
from sweeps.services import trials
from tests.engine.conftest import Stage


def test_the_last_words_hold_nothing_that_a_database_refuses(tmp_path: Path) -> None:
    (tmp_path / "stderr.log").write_bytes(b"Error: bad byte \x00 here\n")
    assert last_words(tmp_path) == "Error: bad byte \ufffd here"


def test_an_attempt_that_cannot_be_settled_does_not_keep_others_from_their_end(
    stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = stage.open(sweep)
    stage.end(first, EndedBy.EXIT, 1)
    stage.end(second, EndedBy.EXIT, 1)
    real = trials.finish

    def finish(attempt: Attempt, *args: object, **more: object) -> object:
        if attempt.pk == first.pk:
            raise OSError(28, "No space left on device")
        return real(attempt, *args, **more)

    monkeypatch.setattr(trials, "finish", finish)
    assert steps.poll(steps.Waker(), stage.now)
    second.trial.refresh_from_db()
    first.trial.refresh_from_db()
    assert (first.trial.status, second.trial.status) == ("Running", "Failed")


def test_a_run_whose_creation_timed_out_is_found_and_closed(stage: Stage, sweep: Sweep) -> None:
    attempt, _ = stage.open(sweep)
    Attempt.objects.filter(pk=attempt.pk).update(run_id="", handle="")
    trials.put_back(attempt, "MLflow did not answer in time.", stage.now)
    lost = attempt.run_id
    steps.reconcile(steps.Waker(), stage.now)
    assert ("close_run", attempt.pk) in stage.queued()
    fresh = Attempt.objects.select_related("trial__sweep").get(pk=attempt.pk)
    runs.close_attempt(fresh)
    fresh.refresh_from_db()
    assert (fresh.run_id, fresh.run_closed) == (lost, True)
    assert stage.tracking.runs[lost]["status"] == "KILLED"


def test_a_claim_taken_back_while_its_folder_was_made_starts_nothing(
    stage: Stage, sweep: Sweep, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = start.spec_of

    def slow(attempt: Attempt, token: str) -> object:
        trials.put_back(attempt, "Its start was interrupted; it is tried again.", stage.now)
        return real(attempt, token)

    monkeypatch.setattr(start, "spec_of", slow)
    stage.open(sweep)
    assert stage.runner.started == []


def test_a_queued_trial_that_was_cancelled_as_it_changed_hands_is_ended(
    stage: Stage, sweep: Sweep
) -> None:
    attempt, _ = stage.open(sweep)
    trial = attempt.trial
    trials.put_back(attempt, "interrupted", stage.now)
    type(trial).objects.filter(pk=trial.pk).update(desired="cancel", reason="Canceled by ann.")
    steps.reconcile(steps.Waker(), stage.now)
    trial.refresh_from_db()
    assert (trial.status, trial.reason) == ("Canceled", "Canceled by ann.")
