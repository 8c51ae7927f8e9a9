"""Whole sweeps of real processes: submitted over REST, run to their end, looked up in MLflow."""

import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

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


# In a process of its own: the client is heavy, and warns of its own dependencies.
READ_STORE = """
import json, sys
from mlflow import MlflowClient
store, experiment, metric = sys.argv[1:]
client = MlflowClient(store)
runs = client.search_runs([client.get_experiment_by_name(experiment).experiment_id])
print(json.dumps([
    {
        "id": run.info.run_id, "status": run.info.status,
        "tags": run.data.tags, "params": run.data.params,
        "history": [p.value for p in client.get_metric_history(run.info.run_id, metric)],
    }
    for run in runs
]))
"""


def seen_by_mlflow(studio: Studio, experiment: str, metric: str) -> list[dict[str, Any]]:
    """Every run of an experiment, read from the store by MLflow itself."""
    store = f"sqlite:///{studio.home / 'mlflow.db'}"
    done = subprocess.run(
        [sys.executable, "-c", READ_STORE, store, experiment, metric],
        capture_output=True,
        text=True,
        timeout=50,
    )
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))


@pytest.mark.timeout(300)  # the studio's start and four heavy imports on a busy machine
def test_the_iris_example_completes_and_its_best_is_the_minimum_in_mlflow(studio: Studio) -> None:
    spec = (IRIS / "job-sweep.yml").read_text()
    spec = spec.replace("max_total_trials: 20", "max_total_trials: 4")
    name = studio.submit_files(spec.encode(), zipped(IRIS))
    sweep = studio.wait_final(name, 120)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 4}), sweep["reason"]
    check(studio, name, 4)

    runs = seen_by_mlflow(studio, "default/lightgbm-iris-example", "test-multi_logloss")
    children = {run["id"]: run for run in runs if "mlflow.parentRunId" in run["tags"]}
    [parent] = [run for run in runs if run["id"] not in children]
    assert len(children) == 4
    assert {run["tags"]["mlflow.parentRunId"] for run in children.values()} == {parent["id"]}
    assert {run["status"] for run in runs} == {"FINISHED"}
    assert all(len(run["history"]) == 20 for run in children.values())
    least = min(value for run in children.values() for value in run["history"])
    best = sweep["best_trial"]
    assert best["value"] == least
    assert least in children[best["run_id"]]["history"]
    assert parent["tags"]["studio.best_child_run_id"] == best["run_id"]
    logged = children[best["run_id"]]["params"]
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
    sweep = studio.wait_final(name)
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
