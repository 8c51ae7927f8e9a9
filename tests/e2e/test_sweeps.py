"""Whole sweeps of real processes: submitted over REST, run to their end, looked up in MLflow."""

import io
import zipfile
from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.e2e import jobs
from tests.e2e.invariants import check
from tests.e2e.studios import CHECKOUT, Studio

IRIS = CHECKOUT / "examples" / "iris_lightgbm"


def zipped(folder: Path) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(folder.iterdir()):
            if path.is_file():
                archive.write(path, path.name)
    return buffer.getvalue()


def test_the_iris_example_completes_and_its_best_is_the_minimum_in_mlflow(studio: Studio) -> None:
    spec = (IRIS / "job-sweep.yml").read_text()
    spec = spec.replace("max_total_trials: 20", "max_total_trials: 4")
    name = studio.submit_files(spec.encode(), zipped(IRIS))
    sweep = studio.wait_final(name, 55)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 4}), sweep["reason"]
    check(studio, name, 4)

    client = MlflowClient(f"sqlite:///{studio.home / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("default/lightgbm-iris-example")
    runs = client.search_runs([experiment.experiment_id])
    children = [run for run in runs if "mlflow.parentRunId" in run.data.tags]
    [parent] = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert [run.info.status for run in runs] == ["FINISHED"] * 5
    histories = {
        run.info.run_id: client.get_metric_history(run.info.run_id, "test-multi_logloss")
        for run in children
    }
    assert all(len(history) == 20 for history in histories.values())
    least = min(point.value for history in histories.values() for point in history)
    best = sweep["best_trial"]
    assert best["value"] == least
    assert min(point.value for point in histories[best["run_id"]]) == least
    assert parent.data.tags["studio.best_child_run_id"] == best["run_id"]
    logged = {run.info.run_id: run.data.params for run in children}[best["run_id"]]
    assert float(logged["learning_rate"]) == best["params"]["learning_rate"]
    assert logged["boosting"] == best["params"]["boosting"]


def test_an_unseen_script_with_an_experiment_of_its_own_in_a_nested_bayesian_search(
    studio: Studio,
) -> None:
    space = {
        "model": {
            "type": "choice",
            "values": [
                {"name": "svm", "c": {"type": "uniform", "min_value": 0.1, "max_value": 1.0}},
                {"name": "tree", "depth": {"type": "randint", "upper": 5}},
            ],
        }
    }
    job = jobs.job(
        "python unseen.py --model ${{search_space.model.name}} ${{args}}",
        trials=4,
        metric="error",
        space=space,
        sampling_algorithm="bayesian",
        experiment_name="nested",
    )
    name = studio.submit(job)
    sweep = studio.wait_final(name, 55)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 4}), [
        sweep["reason"], *(trial["reason"] for trial in studio.trials(name)),
    ]  # fmt: skip
    check(studio, name, 4)
    for trial in studio.trials(name):
        model = trial["params"]["model"]
        assert set(model) == ({"name", "c"} if model["name"] == "svm" else {"name", "depth"})
        [run] = studio.runs(
            "SELECT r.status, e.name, p.value FROM runs r "
            "JOIN experiments e ON e.experiment_id = r.experiment_id "
            "JOIN params p ON p.run_uuid = r.run_uuid AND p.key = 'seen_by_script' "
            "WHERE r.run_uuid = ?",
            trial["run_id"],
        )
        assert tuple(run) == ("FINISHED", "default/nested", model["name"])
    # The script's own experiment would scatter the runs: there is none.
    assert not studio.runs("SELECT 1 FROM experiments WHERE name LIKE '%x'")


@pytest.mark.parametrize("algorithm", ["random", "grid", "bayesian"])
def test_every_algorithm_brings_a_sweep_of_real_processes_to_its_end(
    studio: Studio, algorithm: str
) -> None:
    space = jobs.X if algorithm != "grid" else {"x": {"type": "choice", "values": [0.1, 0.3, 0.5]}}
    trials = 3
    job = jobs.quick(0, trials=trials, at_once=3, space=space, sampling_algorithm=algorithm)
    name = studio.submit(job)
    sweep = studio.wait_final(name)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": trials})
    check(studio, name, trials, jobs.oracle)
    values = [trial["objective"] for trial in studio.trials(name)]
    assert sweep["best_trial"]["value"] == min(values)
