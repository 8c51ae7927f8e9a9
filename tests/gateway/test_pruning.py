"""Logged models that a sweep does not keep, deleted from a real MLflow; the others stay."""

from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from sweeps.domain.problems import InvalidInput
from sweeps.domain.registry import Wanted
from sweeps.domain.states import TrialStatus
from sweeps.engine import prune
from sweeps.models import Attempt, LoggedModel, ModelVersion, Sweep, Trial
from sweeps.queries.pruning import has_pruned, prunable_models
from sweeps.queries.registry import Loggable, logged_models
from sweeps.services import pruning
from sweeps.services.registry import request_version
from tests.gateway.conftest import ARTIFACTS, Running
from tests.servers import TrackingServer

pytestmark = pytest.mark.django_db(transaction=True)


def keep(what: str) -> None:
    """The sweeps' wish, before their trials log anything."""
    Sweep.objects.update(logged_models=what)


def log_model(who: Running) -> LoggedModel:
    """What MLflow's client sends for a model of one file, tied to the trial's run."""
    made = who.api.post("logged-models", experiment_id=who.experiment_id, name="model")
    model_id = made.json()["model"]["info"]["model_id"]
    place = f"{ARTIFACTS}{who.experiment_id}/models/{model_id}/artifacts/MLmodel"
    assert who.api("PUT", place, content=b"flavors: {}").status_code == 200
    output = {"model_id": model_id, "step": 0}
    assert who.api.post("runs/outputs", run_id=who.run_id, models=[output]).status_code == 200
    return LoggedModel.objects.get(model_id=model_id)


def end(who: Running, objective: float | None) -> None:
    """The trial has ended with this objective, and its run is closed."""
    Attempt.objects.filter(pk=who.attempt.pk).update(ended_at=timezone.now(), run_closed=True)
    status = TrialStatus.FAILED if objective is None else TrialStatus.COMPLETED
    Trial.objects.filter(pk=who.attempt.trial_id).update(status=status, objective=objective)


def prune_all() -> None:
    for pk in prunable_models():
        prune.prune_model(pk)


def files_of(server: TrackingServer, who: Running, model: LoggedModel) -> list[Path]:
    root = Path(server.artifacts) / who.experiment_id / "models" / model.model_id
    return [path for path in root.rglob("*") if path.is_file()]


def test_only_the_models_of_the_best_trial_stay(
    trial: Running, sibling: Running, tracking_line: TrackingServer, member: Any
) -> None:
    keep("best")
    first, second = log_model(trial), log_model(sibling)
    prune_all()
    assert len(files_of(tracking_line, trial, first)) == 1, "its trial still runs"
    end(trial, None)
    prune_all()
    assert len(files_of(tracking_line, trial, first)) == 1, "no trial counts yet"
    end(trial, 0.5)
    prune_all()
    assert len(files_of(tracking_line, trial, first)) == 1, "it is the best"
    end(sibling, 0.4)
    prune_all()
    assert files_of(tracking_line, trial, first) == []
    assert len(files_of(tracking_line, sibling, second)) == 1
    assert prunable_models() == []
    reader = member("reader")
    assert reader.get(f"logged-models/{first.model_id}").status_code == 404
    assert reader.get(f"logged-models/{second.model_id}").status_code == 200
    assert reader.get("runs/get", run_id=trial.run_id).status_code == 200, "its run is as it was"
    ended = Trial.objects.select_related("sweep").get(pk=trial.attempt.trial_id)
    assert logged_models(ended) == []
    assert has_pruned(ended)


def test_with_none_nothing_stays_but_what_is_registered_or_an_output(
    trial: Running, sibling: Running, tracking_line: TrackingServer
) -> None:
    keep("none")
    first, second = log_model(trial), log_model(sibling)
    output = f"{ARTIFACTS}{trial.experiment_id}/{trial.run_id}/artifacts/model/weights.bin"
    assert trial.api("PUT", output, content=b"kept").status_code == 200
    sibling.api.post("registered-models/create", name="mine")
    source = f"models:/{second.model_id}"
    version = {"name": "mine", "source": source, "model_id": second.model_id}
    made = sibling.api.post("model-versions/create", **version)
    assert made.status_code == 200, made.text
    ModelVersion.objects.all().delete()  # the note of it was lost with the web process
    end(trial, 0.1)
    end(sibling, 0.2)
    prune_all()
    assert files_of(tracking_line, trial, first) == []
    kept = Path(tracking_line.artifacts) / trial.experiment_id / trial.run_id
    assert [path.read_bytes() for path in kept.rglob("weights.bin")] == [b"kept"]
    assert len(files_of(tracking_line, sibling, second)) == 1, "a program has registered it"
    second.refresh_from_db()
    assert second.fate == LoggedModel.HELD
    assert prunable_models() == []


def test_by_default_all_stay(
    trial: Running, sibling: Running, tracking_line: TrackingServer
) -> None:
    first, second = log_model(trial), log_model(sibling)
    end(trial, 0.5)
    end(sibling, 0.4)
    assert prunable_models() == []
    prune.prune_model(first.pk)
    assert len(files_of(tracking_line, trial, first)) == 1
    assert len(files_of(tracking_line, sibling, second)) == 1


def test_one_that_is_asked_for_stays_and_one_that_goes_cannot_be_asked_for(
    trial: Running, sibling: Running, tracking_line: TrackingServer
) -> None:
    keep("none")
    wanted, going = log_model(trial), log_model(sibling)
    end(trial, 0.5)
    end(sibling, 0.4)
    rows = Trial.objects.select_related("sweep__workspace")
    request = {"actor": "ann", "now": timezone.now()}

    def ask(who: Running, model: LoggedModel) -> None:
        one = Loggable(model.model_id, "model", f"models:/{model.model_id}", model.model_id)
        row = rows.get(pk=who.attempt.trial_id)
        row.run_id = who.run_id
        request_version(row, one, Wanted("iris", "", ""), **request)  # type: ignore[arg-type]

    ask(trial, wanted)
    assert pruning.let_go(wanted.pk) is None
    assert pruning.let_go(going.pk) is not None
    with pytest.raises(InvalidInput, match="was deleted"):
        ask(sibling, going)
    assert prunable_models() == [going.pk], "taken up again after a death in between"
    prune_all()
    assert files_of(tracking_line, sibling, going) == []
    assert len(files_of(tracking_line, trial, wanted)) == 1
    assert prunable_models() == []
