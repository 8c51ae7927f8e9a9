"""Testing a compute on a cluster runs a real job there, and shows each step."""

import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from sweeps.engine import cluster_test, compute_test
from sweeps.engine.clusters import Clusters
from sweeps.engine.places import place_of
from sweeps.runners.base import Running
from sweeps.runners.registry import get_runner
from tests import relay_server
from tests.runners.processes import wait_for


@pytest.fixture
def far(compute):
    compute.kind, compute.settings = "slurm", {"partition": "main"}
    compute.save()
    return compute


def steps_of(compute, folder, seen=None):
    found = compute_test.run(compute, folder, (seen if seen is not None else []).append)
    return {step["name"]: step for step in found}


@pytest.mark.slurm
def test_a_working_cluster_passes_every_step(far, cluster, settings, tmp_path):
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(503)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        settings.STUDIO_URL = f"http://127.0.0.1:{server.server_port}"
        steps = steps_of(far, tmp_path / "tests")
        server.shutdown()
    names = ["Slurm", "Queue", "Interpreter", "MLflow", "Studio", "Command", "Log"]
    assert [(name, step["ok"]) for name, step in steps.items()] == [(n, True) for n in names]
    assert "3 partitions" in steps["Slurm"]["detail"]
    assert steps["Studio"]["detail"] == f"reached at {settings.STUDIO_URL}"


@pytest.mark.slurm
def test_a_studio_that_nodes_do_not_reach_is_told_with_what_to_set(
    far, cluster, settings, tmp_path
):
    settings.STUDIO_URL = "http://127.0.0.1:9"
    step = steps_of(far, tmp_path / "tests")["Studio"]
    assert not step["ok"]
    assert "not reached at http://127.0.0.1:9" in step["detail"]
    assert "STUDIO_HOST and STUDIO_URL" in step["detail"]


@pytest.mark.slurm
def test_a_partition_that_is_not_there_is_told(far, cluster, tmp_path):
    far.settings = {"partition": "nowhere"}
    steps = steps_of(far, tmp_path / "tests")
    assert "invalid partition specified: nowhere" in steps["Command"]["detail"]


@pytest.mark.slurm
def test_a_job_that_waits_is_told_while_it_does_and_given_up(far, cluster, tmp_path, monkeypatch):
    far.settings = {"partition": "closed"}
    monkeypatch.setattr(cluster_test, "PENDING_S", 4.0)
    seen = []
    steps = steps_of(far, tmp_path / "tests", seen)
    assert not steps["Queue"]["ok"]
    assert "It still waits after 4 s" in steps["Queue"]["detail"]
    assert "PartitionDown" in steps["Queue"]["detail"]
    under_way = [each[-1] for each in seen if each[-1]["name"] == "Queue"]
    assert {step["ok"] for step in under_way} == {None}
    handles = [str(path.parent) for path in tmp_path.rglob("launch.json")]
    assert not [e for e in get_runner("slurm").poll(handles) if isinstance(e, Running)]


@pytest.mark.ray
@pytest.mark.timeout(400)
def test_a_working_ray_cluster_passes_every_step(far, ray_cluster, settings, tmp_path):
    settings.STUDIO_HOME = tmp_path
    far.kind, far.settings = "ray", {"address": ray_cluster.address}
    far.python = sys.executable
    far.save()
    with relay_server.relay(tmp_path / "relay") as desk:
        settings.STUDIO_URL = desk.url.removesuffix("/relay")
        steps = steps_of(far, tmp_path / "tests")
    get_runner(*place_of(far)).close()
    names = ["Ray", "Queue", "Interpreter", "MLflow", "Studio", "Command", "Log"]
    assert [(name, step["ok"]) for name, step in steps.items()] == [(n, True) for n in names]
    assert steps["Ray"]["detail"] == "Ray 2.60.0, 2 kinds of node"
    assert sys.executable in steps["Interpreter"]["detail"]


def test_where_no_ray_answers_the_first_step_says_so(far, tmp_path):
    far.kind, far.settings = "ray", {"address": "http://127.0.0.1:9"}
    [step] = steps_of(far, tmp_path).values()
    assert (step["name"], step["ok"]) == ("Ray", False)
    assert "Ray at http://127.0.0.1:9 does not answer" in step["detail"]


def test_where_slurm_is_not_the_first_step_says_so(far, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "/nowhere")
    [step] = steps_of(far, tmp_path).values()
    assert (step["name"], step["ok"]) == ("Slurm", False)
    assert "There is no program sinfo here." in step["detail"]


def test_what_a_cluster_says_is_kept_and_stays_while_it_is_silent(far, now):
    said = {"version": "slurm 1", "groups": [{"name": "main"}], "error": ""}
    ticks = iter(range(0, 10_000, 100))
    heard = threading.Event()

    def ask(place):
        try:
            return dict(said)
        finally:
            heard.set()

    clusters = Clusters(ask, lambda: next(ticks))
    clusters.look(now)
    assert heard.wait(10)
    _until_kept(clusters, far, now, lambda kept: kept["groups"] == [{"name": "main"}])
    assert far.cluster["at"] == now.isoformat()
    said.update(version="", groups=[], error="Slurm: Unable to contact slurm controller")
    _until_kept(clusters, far, now, lambda kept: kept["error"])
    assert far.cluster["groups"] == [{"name": "main"}]
    assert far.cluster["version"] == "slurm 1"


def _until_kept(clusters, compute, now, fits):
    def kept():
        clusters.look(now)
        compute.refresh_from_db()
        return compute.cluster and fits(compute.cluster)

    wait_for(kept, "what it says")
