"""Closing MLflow runs: what the script left out is added, the studio's status wins."""

import pytest
from django.utils import timezone

from sweeps.domain.states import SweepStatus
from sweeps.engine import runs
from sweeps.engine.tracking import tracking
from sweeps.models import Attempt, OutboxEntry, Sweep, Trial

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
