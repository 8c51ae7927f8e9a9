"""What programs register with MLflow's client stands on the Models page, and follows changes."""

from collections.abc import Callable
from typing import Any

import pytest

from studio.models import Role
from sweeps.models import ModelVersion, Trial
from tests.gateway.conftest import Api, Running

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls("tests.gateway.urls")]


def register(api: Api, name: str, run_id: str) -> int:
    api.post("registered-models/create", name=name)
    answer = api.post("model-versions/create", name=name, source=f"runs:/{run_id}/m", run_id=run_id)
    return answer.status_code


def test_a_trials_script_registers_with_its_trial_as_lineage(trial: Running) -> None:
    assert register(trial.api, "oak", trial.run_id) == 200
    row = ModelVersion.objects.get()
    assert (row.name, row.state) == ("oak", "registered")
    assert int(row.version) > 0
    assert (row.trial, row.number, row.sweep_name) == (
        trial.attempt.trial, 0, trial.attempt.trial.sweep.name,
    )  # fmt: skip
    assert row.objective is None
    Trial.objects.filter(pk=row.trial_id).update(objective=0.25)
    assert ModelVersion.objects.get().objective == 0.25


def test_a_version_of_a_running_trial_has_the_value_that_the_trial_comes_to(trial: Running) -> None:
    Trial.objects.filter(pk=trial.attempt.trial_id).update(objective=0.5)
    assert register(trial.api, "oak", trial.run_id) == 200
    Trial.objects.filter(pk=trial.attempt.trial_id).update(objective=0.25)
    assert ModelVersion.objects.get().objective == 0.25


def test_of_a_run_below_a_trials_run_it_is_that_trials(
    trial: Running, member: Callable[[Role], Api]
) -> None:
    made = trial.api.post("runs/create", experiment_id=trial.experiment_id, start_time=1)
    nested = made.json()["run"]["info"]["run_id"]
    assert register(member(Role.CONTRIBUTOR), "deep", nested) == 200
    row = ModelVersion.objects.get()
    assert (row.trial, row.run_id) == (trial.attempt.trial, nested)
    assert row.requested_by == "MLflow’s client"


def test_a_run_of_no_trial_has_none(member: Callable[[Role], Api], trial: Running) -> None:
    api = member(Role.CONTRIBUTOR)
    experiment = api.post("experiments/create", name="of no trial").json()["experiment_id"]
    run = api.post("runs/create", experiment_id=experiment, start_time=1).json()["run"]["info"]
    assert register(api, "alone", run["run_id"]) == 200
    row = ModelVersion.objects.get()
    assert (row.trial, row.number, row.sweep_name, row.metric) == (None, None, "", "")


def test_what_is_refused_is_not_noted(
    trial: Running, stranger: Running, member: Callable[[Role], Api]
) -> None:
    assert register(trial.api, "theirs", stranger.run_id) == 404
    assert register(member(Role.READER), "oak", trial.run_id) == 403
    assert not ModelVersion.objects.exists()
    assert register(trial.api, "oak", trial.run_id) == 200
    refused = trial.api("DELETE", "registered-models/delete", json={"name": "oak"})
    assert refused.status_code == 403
    assert "API token of a contributor" in refused.json()["message"]
    assert ModelVersion.objects.exists()


def test_aliases_descriptions_names_and_deletions_follow(
    trial: Running, member: Callable[[Role], Api]
) -> None:
    api = member(Role.CONTRIBUTOR)
    for _ in range(2):
        register(trial.api, "pine", trial.run_id)

    def told() -> list[tuple[Any, ...]]:
        rows = ModelVersion.objects.order_by("version")
        return list(rows.values_list("name", "version", "alias"))

    api.post("registered-models/alias", name="pine", alias="best", version="1")
    assert told() == [("pine", "1", "best"), ("pine", "2", "")]
    api.post("registered-models/alias", name="pine", alias="best", version="2")
    assert told() == [("pine", "1", ""), ("pine", "2", "best")]
    api("PATCH", "model-versions/update", json={"name": "pine", "version": "1", "description": "x"})
    assert ModelVersion.objects.get(version="1").description == "x"
    odd = {"name": "pine", "version": "1", "description": "a\0b"}
    assert api("PATCH", "model-versions/update", json=odd).status_code == 200
    assert ModelVersion.objects.get(version="1").description == "ab"
    api("DELETE", "registered-models/alias", json={"name": "pine", "alias": "best"})
    api.post("registered-models/rename", name="pine", new_name="fir")
    assert told() == [("fir", "1", ""), ("fir", "2", "")]
    api("DELETE", "model-versions/delete", json={"name": "fir", "version": "1"})
    assert told() == [("fir", "2", "")]
    api("DELETE", "registered-models/delete", json={"name": "fir"})
    assert told() == []
