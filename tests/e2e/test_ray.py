"""A whole studio whose trials are jobs of a real Ray cluster."""

import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e import jobs
from tests.e2e.conftest import end
from tests.e2e.invariants import check
from tests.e2e.studios import Studio, until
from tests.e2e.test_slurm import tutorial
from tests.e2e.test_sweeps import IRIS, zipped
from tests.ray import Cluster

pytestmark = [pytest.mark.ray, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def studio(ray_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with a compute on the cluster beside its own."""
    made = Studio(tmp_path_factory.mktemp("studio"))
    try:
        made.start()
        doc = {
            "name": "cluster", "kind": "ray", "slots": 4, "python": sys.executable,
            "settings": {"address": ray_cluster.address},
        }  # fmt: skip
        answer = made.ask("POST", "computes", json=doc)
        assert answer.status_code == 201, answer.text
        yield made
    finally:
        end(made)


def test_the_tutorials_sweep_has_the_same_best_as_on_this_machine(studio: Studio) -> None:
    names = {c: studio.submit_files(tutorial(c, 4), zipped(IRIS)) for c in ("cluster", "local")}
    ended = {c: studio.wait_final(name, 300) for c, name in names.items()}
    for compute, sweep in ended.items():
        assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 4}), sweep
        assert sweep["compute"] == compute
        check(studio, names[compute], 4)
    best = [ended[c]["best_trial"] for c in ("cluster", "local")]
    assert best[0]["number"] == best[1]["number"]
    assert best[0]["value"] == best[1]["value"]


def test_inputs_outputs_and_secrets_travel_past_ray(studio: Studio, ray_cluster: Cluster) -> None:
    """What was handed in is read there, what is left comes back, and Ray's records hold neither."""
    given = studio.ask("POST", "data", files={"file": ("words.txt", b"seven\n")})
    assert given.status_code == 201, given.text
    assert studio.ask("PUT", "secrets/KEY", json={"value": "geheimnis-1"}).status_code == 201
    command = (
        "cp ${{inputs.words}} ${{outputs.copies}}/copy.txt && echo $KEY | wc -c && echo $KEY && "
        "python quick.py ${{search_space.x}} 0.1"
    )
    doc = jobs.job(
        command, trials=1, compute="cluster",
        inputs={"words": {"type": "uri_file", "path": given.json()["path"]}},
        outputs={"copies": {"type": "uri_folder"}},
    )  # fmt: skip
    doc["trial"]["environment_variables"] = {"KEY": "${{secrets.KEY}}"}
    sweep = studio.wait_final(studio.submit(doc), 120)
    trial = f"sweeps/{sweep['name']}/trials/0"
    assert sweep["counts"] == {"Completed": 1}, studio.trials(sweep["name"])
    log = studio.ask("GET", f"{trial}/logs/stdout").text
    assert log.startswith("12\n***\n")
    kept = studio.ask("GET", f"{trial}/artifacts/outputs/copies/copy.txt")
    assert (kept.status_code, kept.content) == (200, b"seven\n")
    told = ray_cluster.get("/api/jobs/")
    assert told is not None
    assert "geheimnis" not in told.text
    assert str(studio.home) not in told.text


def test_the_studio_is_killed_in_the_middle_and_takes_its_jobs_up_again(studio: Studio) -> None:
    name = studio.submit(jobs.quick(6.0, trials=2, at_once=2, compute="cluster"))
    studio.wait_running(name, 2)
    for part in ("engine", "queue", "web"):
        studio.kill(part)
    sweep = studio.wait_final(name, 100)
    assert sweep["counts"] == {"Completed": 2}
    assert {trial["attempt"] for trial in studio.trials(name)} == {1}


def test_trials_that_wait_tell_the_clusters_words_and_can_be_cancelled(
    studio: Studio, ray_cluster: Cluster
) -> None:
    doc = {
        "name": "large", "kind": "ray", "slots": 4,
        "settings": {"address": ray_cluster.address, "cpus": 64},
    }  # fmt: skip
    assert studio.ask("POST", "computes", json=doc).status_code == 201
    name = studio.submit(jobs.quick(0.1, trials=2, at_once=2, compute="large"))

    def told() -> list[dict[str, Any]] | None:
        found = [t for t in studio.trials(name) if "waiting for resources" in (t["reason"] or "")]
        return found if len(found) == 2 else None

    for trial in until(told, "the cluster's words", 40):
        assert trial["status"] == "Starting"
        assert trial["started_at"] is None
    assert studio.ask("POST", f"sweeps/{name}/cancel").status_code == 200
    assert studio.wait_final(name, 40)["status"] == "Canceled"
    assert not {trial["started_at"] for trial in studio.trials(name)} - {None}


def test_a_node_that_is_killed_in_the_middle_loses_and_doubles_nothing(
    studio: Studio, ray_cluster: Cluster
) -> None:
    name = studio.submit(jobs.quick(3.0, trials=6, at_once=2, compute="cluster"))
    studio.wait_running(name, 2)
    ray_cluster.kill("two")
    try:
        sweep = studio.wait_final(name, 200)
    finally:
        ray_cluster.start_worker("two")
        ray_cluster.wait_for(3)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 6}), sweep
    check(studio, name, 6)


def test_a_head_that_is_killed_in_the_middle_loses_and_doubles_nothing(
    studio: Studio, ray_cluster: Cluster
) -> None:
    name = studio.submit(jobs.quick(3.0, trials=4, at_once=2, compute="cluster"))
    studio.wait_running(name, 2)
    for node in ("head", "one", "two"):
        ray_cluster.kill(node)
    time.sleep(1)  # others are to start meanwhile
    ray_cluster.start()
    sweep = studio.wait_final(name, 200)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 4}), sweep
    check(studio, name, 4)
