"""Training scripts with the real MLflow client, through the gateway to a real tracking server."""

import pytest

from sweeps.engine.tracking import tracking
from sweeps.models import MetricPoint, ModelVersion, OutboxEntry, Trial

# Each runs real scripts that import mlflow and scikit-learn: seconds on an idle machine, a minute
# on a busy one.
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.urls("tests.gateway.urls"),
    pytest.mark.timeout(300),
]


def test_set_experiment_and_start_run_log_to_the_trials_own_run(trial, run_script):
    run_script(
        trial,
        """
import mlflow
mlflow.set_experiment("x")
with mlflow.start_run() as run:
    mlflow.log_param("lr", 0.1)
    for step in range(3):
        mlflow.log_metric("loss", 1.0 - step / 10, step=step)
    mlflow.log_metrics({"acc": 0.5, "odd": float("nan")})
    mlflow.set_tag("who", "me")
    assert mlflow.get_run(run.info.run_id).data.metrics["loss"] == 0.8
""",
    )
    run = tracking().get_run(trial.run_id)
    assert run.metrics["loss"] == 0.8
    assert (run.params["lr"], run.tags["who"], run.status) == ("0.1", "me", "FINISHED")
    row = Trial.objects.get(pk=trial.attempt.trial_id)
    assert (row.objective, row.reports, row.last_value) == (0.8, 3, 0.8)
    points = MetricPoint.objects.filter(attempt=trial.attempt)
    assert set(points.values_list("name", "kind").distinct()) == {
        ("loss", "num"), ("acc", "num"), ("odd", "nan"),
    }  # fmt: skip
    assert not OutboxEntry.objects.exists()


def test_a_nested_run_stands_below_the_trial_and_counts_nowhere(trial, run_script):
    out = run_script(
        trial,
        """
import mlflow
with mlflow.start_run():
    mlflow.log_metric("loss", 0.5)
    with mlflow.start_run(nested=True) as child:
        mlflow.log_metric("loss", 0.01)
        mlflow.log_param("depth", 2)
with mlflow.start_run() as second:
    mlflow.log_metric("loss", 0.02)
print(child.info.run_id, second.info.run_id)
""",
    )
    child, second = (tracking().get_run(run_id) for run_id in out.split())
    assert (child.metrics, child.params) == ({"loss": 0.01}, {"depth": "2"})
    assert child.tags["mlflow.parentRunId"] == trial.run_id
    assert second.tags["mlflow.parentRunId"] == trial.run_id
    assert child.experiment_id == second.experiment_id == trial.experiment_id
    assert Trial.objects.get(pk=trial.attempt.trial_id).objective == 0.5


@pytest.mark.once
def test_artifacts_models_and_a_registered_model_make_the_round_trip(trial, run_script):
    run_script(
        trial,
        """
import pathlib, mlflow, mlflow.sklearn
# Guessing what a model requires imports all again in processes that ask the gateway nothing.
mlflow.models.infer_pip_requirements = lambda *_, fallback=None, **__: fallback
from sklearn.linear_model import LogisticRegression
mlflow.sklearn.autolog(log_datasets=False)
with mlflow.start_run() as run:
    pathlib.Path("note.txt").write_text("hello" * 100_000)
    mlflow.log_artifact("note.txt", artifact_path="notes")
    LogisticRegression().fit([[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1])
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    info = mlflow.sklearn.log_model(model, name="clf", registered_model_name="clf")
loaded = mlflow.sklearn.load_model(info.model_uri)
assert loaded.predict([[1.0]])[0] == 1
assert mlflow.sklearn.load_model("models:/clf/1").predict([[0.0]])[0] == 0
back = mlflow.artifacts.download_artifacts(run_id=run.info.run_id, artifact_path="notes/note.txt")
assert pathlib.Path(back).read_text() == "hello" * 100_000
names = [m.name for m in mlflow.MlflowClient().search_registered_models("name = 'clf'")]
assert names == ["default.clf"], names
""",
    )
    assert [a.path for a in tracking().artifact_list(trial.run_id, "notes")] == ["notes/note.txt"]
    row = ModelVersion.objects.get()
    assert (str(row), row.state, row.trial) == ("clf 1", "registered", trial.attempt.trial)
    assert (row.run_id, row.requested_by) == (trial.run_id, "its script")
    assert "training_accuracy_score" in tracking().get_run(trial.run_id).metrics


def test_asynchronous_logging_loses_nothing(trial, run_script, caplog):
    run_script(
        trial,
        """
import mlflow
with mlflow.start_run():
    for step in range(300):
        mlflow.log_metric("loss", 300 - step, step=step, synchronous=False)
    mlflow.flush_async_logging()
""",
    )
    steps = MetricPoint.objects.filter(attempt=trial.attempt, name="loss")
    assert sorted(steps.values_list("step", flat=True)) == list(range(300))
    assert tracking().get_run(trial.run_id).metrics["loss"] == 1
    # A client gives up what it was told too often to send again.
    assert "Too Many Requests" not in caplog.text


def test_a_member_makes_an_experiment_in_the_workspace_and_sees_no_other(
    stranger, member, run_script
):
    out = run_script(
        member("contributor"),
        """
import mlflow
mlflow.set_experiment("mine")
with mlflow.start_run():
    mlflow.log_metric("loss", 0.5)
client = mlflow.MlflowClient()
print(mlflow.get_experiment_by_name("mine").name)
print(",".join(sorted(e.name for e in client.search_experiments())))
print(",".join(e.name for e in client.search_experiments(filter_string="name = 'mine'")))
""",
    )
    named, every, found = out.splitlines()
    assert named == found == "default/mine"
    assert "default/mine" in every.split(",")
    assert all(name.startswith("default/") for name in every.split(","))
