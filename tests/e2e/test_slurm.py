"""A whole studio whose trials are jobs of a real Slurm."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import jobs
from tests.e2e.conftest import end
from tests.e2e.invariants import check
from tests.e2e.studios import FINAL, Studio, until
from tests.e2e.test_sweeps import IRIS, zipped
from tests.slurm import Cluster

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def studio(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with a compute on the cluster beside its own."""
    made = Studio(tmp_path_factory.mktemp("studio"))
    try:
        made.start()
        doc = {"name": "cluster", "kind": "slurm", "slots": 4, "settings": {"partition": "main"}}
        answer = made.ask("POST", "computes", json=doc)
        assert answer.status_code == 201, answer.text
        yield made
    finally:
        end(made)


def tutorial(compute: str, trials: int) -> bytes:
    """The tutorial's job file, with a seed and one at a time, so that both computes draw alike."""
    spec = (IRIS / "job-sweep.yml").read_text()
    spec = spec.replace("max_total_trials: 20", f"max_total_trials: {trials}")
    spec = spec.replace("sampling_algorithm: random", "sampling_algorithm: {type: random, seed: 7}")
    return spec.replace("azureml:cpu-cluster", compute).encode()


def test_the_tutorials_sweep_has_the_same_best_as_on_this_machine(studio: Studio) -> None:
    names = {c: studio.submit_files(tutorial(c, 6), zipped(IRIS)) for c in ("cluster", "local")}
    ended = {c: studio.wait_final(name, 300) for c, name in names.items()}
    for compute, sweep in ended.items():
        assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 6}), sweep
        assert sweep["compute"] == compute
        check(studio, names[compute], 6)
    best = [ended[c]["best_trial"] for c in ("cluster", "local")]
    assert best[0]["number"] == best[1]["number"]
    assert best[0]["value"] == best[1]["value"]


def test_a_node_daemon_that_is_killed_in_the_middle_loses_and_doubles_nothing(
    studio: Studio, cluster: Cluster
) -> None:
    name = studio.submit(jobs.quick(2.0, trials=8, at_once=4, compute="cluster"))
    studio.wait_running(name, 2)
    cluster.kill("slurmd")
    time.sleep(3)  # trials end meanwhile, without it
    cluster.start_node()
    sweep = studio.wait_final(name, 200)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 8}), sweep
    check(studio, name, 8)


def test_a_controller_that_is_killed_in_the_middle_loses_and_doubles_nothing(
    studio: Studio, cluster: Cluster
) -> None:
    name = studio.submit(jobs.quick(2.0, trials=8, at_once=4, compute="cluster"))
    studio.wait_running(name, 2)
    cluster.kill("slurmctld")
    time.sleep(4)  # trials end meanwhile, and others are to start
    cluster.start_controller()

    def ended() -> dict[str, Any] | None:
        # It has forgotten what it had not saved, and drains the node of a job that runs already.
        cluster.resume()
        found = studio.get(f"sweeps/{name}")
        return found if found["status"] in FINAL else None

    sweep = until(ended, "the end of the sweep", 200)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 8}), sweep
    check(studio, name, 8)


def test_the_studio_is_killed_in_the_middle_and_takes_its_jobs_up_again(studio: Studio) -> None:
    name = studio.submit(jobs.quick(4.0, trials=4, at_once=4, compute="cluster"))
    studio.wait_running(name, 4)
    for part in ("engine", "queue"):
        studio.kill(part)
    sweep = studio.wait_final(name, 100)
    assert sweep["counts"] == {"Completed": 4}
    assert {trial["attempt"] for trial in studio.trials(name)} == {1}


def test_trials_that_wait_tell_the_clusters_words_and_can_be_cancelled(
    studio: Studio, cluster: Cluster
) -> None:
    cluster.ask("scontrol", "update", "PartitionName=main", "State=DOWN")
    try:
        name = studio.submit(jobs.quick(0.1, trials=2, at_once=2, compute="cluster"))

        def told() -> list[dict[str, Any]] | None:
            found = [t for t in studio.trials(name) if "PartitionDown" in (t["reason"] or "")]
            return found if len(found) == 2 else None

        for trial in until(told, "the cluster's words", 40):
            assert trial["status"] == "Starting"
            assert trial["started_at"] is None
        assert studio.ask("POST", f"sweeps/{name}/cancel").status_code == 200
        assert studio.wait_final(name, 40)["status"] == "Canceled"
    finally:
        cluster.ask("scontrol", "update", "PartitionName=main", "State=UP")
    until(lambda: not cluster.ask("squeue", "-h").strip(), "an empty queue", 30)


def test_a_partition_that_is_not_there_is_told_in_slurms_words(
    studio: Studio, tmp_path: Path
) -> None:
    doc = {"name": "wrong", "kind": "slurm", "settings": {"partition": "nowhere"}}
    assert studio.ask("POST", "computes", json=doc).status_code == 201
    sweep = studio.wait_final(studio.submit(jobs.quick(0.1, trials=1, compute="wrong")), 60)
    assert sweep["status"] == "Failed"
    [trial] = studio.trials(sweep["name"])
    assert "invalid partition specified: nowhere" in trial["reason"]
    assert "Choose a partition that `sinfo` names." in trial["reason"]
