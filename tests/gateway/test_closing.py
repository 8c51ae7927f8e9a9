"""Closing MLflow runs: what the script left out is added, the studio's status wins."""

import pytest
from django.utils import timezone

from sweeps.domain.states import SweepStatus
from sweeps.engine import runs
from sweeps.engine.tracking import tracking
from sweeps.models import Attempt, OutboxEntry, Sweep, Trial
from sweeps.tracking.client import Tracking

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.gateway.urls")]


def ended(trial, **changes):
    fields = {"ended_at": timezone.now(), "accepted": True, "run_status": "FAILED"} | changes
    Attempt.objects.filter(pk=trial.attempt.pk).update(**fields)
    Trial.objects.filter(pk=trial.attempt.trial_id).update(flat_params={"lr": 0.1, "b": "dart"})
    return Attempt.objects.select_related("trial").get(pk=trial.attempt.pk)


def test_a_run_gets_its_last_values_missing_params_reason_and_the_studios_status(trial):
    trial.api.post("runs/log-parameter", run_id=trial.run_id, key="lr", value="0.5")
    trial.api.post("runs/update", run_id=trial.run_id, status="FINISHED", end_time=1)
    trial.log("loss", 0.25)
    runs.close_attempt(ended(trial, reason="Exit code 1."))
    run = tracking().get_run(trial.run_id)
    assert run.status == "FAILED"
    assert run.metrics == {"loss": 0.25}
    assert run.params == {"lr": "0.5", "b": "dart"}
    assert run.tags["studio.reason"] == "Exit code 1."
    assert "studio.superseded" not in run.tags
    assert Attempt.objects.get(pk=trial.attempt.pk).run_closed


@pytest.fixture
def requests(monkeypatch):
    """Paths that MLflow was asked from now on."""
    asked, post = [], Tracking._post

    def noted(self, path, body):
        asked.append(path)
        return post(self, path, body)

    monkeypatch.setattr(Tracking, "_post", noted)
    return asked


def test_the_missing_params_go_with_the_last_values(trial, requests):
    trial.log("loss", 0.25)
    trial.api.post("runs/log-parameter", run_id=trial.run_id, key="lr", value="0.5")
    runs.close_attempt(ended(trial, reason="Exit code 1."))
    assert requests == ["runs/log-batch", "runs/update"]
    run = tracking().get_run(trial.run_id)
    assert (run.metrics, run.params) == ({"loss": 0.25}, {"lr": "0.5", "b": "dart"})
    assert run.tags["studio.reason"] == "Exit code 1."


def test_params_come_also_without_values(trial):
    runs.close_attempt(ended(trial, reason="Exit code 1."))
    run = tracking().get_run(trial.run_id)
    assert run.params == {"lr": "0.1", "b": "dart"}
    assert run.tags["studio.reason"] == "Exit code 1."


def test_params_that_do_not_fit_with_the_values_go_alone(trial, requests):
    points = [{"key": f"m{i}", "value": i, "timestamp": 1, "step": 0} for i in range(999)]
    trial.api.post("runs/log-batch", run_id=trial.run_id, metrics=points)
    runs.close_attempt(ended(trial))
    assert requests == ["runs/log-batch", "runs/log-batch", "runs/update"]
    run = tracking().get_run(trial.run_id)
    assert (len(run.metrics), run.params) == (999, {"lr": "0.1", "b": "dart"})


def test_a_superseded_run_is_killed_and_says_so(trial):
    runs.close_attempt(ended(trial, accepted=False, run_status=""))
    run = tracking().get_run(trial.run_id)
    assert (run.status, run.tags["studio.superseded"]) == ("KILLED", "true")


def test_a_run_that_somebody_deleted_counts_as_closed(trial, member):
    trial.log("loss", 0.25)
    deleted = member("contributor").post("runs/delete", run_id=trial.run_id)
    assert deleted.status_code == 200
    runs.close_attempt(ended(trial))
    assert Attempt.objects.get(pk=trial.attempt.pk).run_closed
    assert not OutboxEntry.objects.exists()
    sweep = Sweep.objects.get()
    Sweep.objects.update(status=SweepStatus.FAILED, ended_at=timezone.now())
    tracking().delete_run(sweep.run_id)
    sweep.refresh_from_db()
    runs.close_sweep(sweep)
    assert Sweep.objects.get().run_closed
