"""What trials are brought on machines that share no files with the studio."""

from pathlib import Path

import pytest

from studio.models import Compute
from sweeps.domain.environments import Chosen
from sweeps.models import CodeSnapshot, DataUpload


@pytest.fixture
def far(compute: Compute) -> Compute:
    compute.kind, compute.settings = "ray", {"address": "http://head:8265", "cpus": 2}
    compute.save()
    return compute


@pytest.fixture
def home(settings, tmp_path: Path) -> Path:
    settings.STUDIO_HOME = tmp_path
    settings.STUDIO_URL = "http://studio.example:8000"
    return tmp_path


def opened(stage, sweep, monkeypatch):
    """The first command that a sweep starts, as its runner is given it."""
    specs = []
    real = stage.runner.start
    monkeypatch.setattr(stage.runner, "start", lambda spec: specs.append(spec) or real(spec))
    stage.open(sweep)
    return specs[0]


def test_a_trial_knows_nothing_of_the_studios_machine(stage, far, home, sweep, monkeypatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/of/the/studio")
    spec = opened(stage, sweep, monkeypatch)
    assert spec.argv[0] == "python"
    assert not {"PATH", "HOME", "LD_LIBRARY_PATH", "PIP_CONSTRAINT"} & spec.env.keys()
    assert spec.env["MLFLOW_TRACKING_URI"] == "http://studio.example:8000/tracking/default"
    assert spec.env["OMP_NUM_THREADS"] == "2"
    assert spec.relay.url == "http://studio.example:8000/relay"
    assert spec.relay.keys == home / "relay"
    assert {"PATH", "HOME", "CUDA_"} <= set(spec.relay.machine)
    assert (spec.relay.code, spec.relay.packages, spec.relay.python) == (None, (), "")


def test_its_code_is_named_by_its_content(stage, far, home, sweep, monkeypatch):
    (home / "code" / "c0de").mkdir(parents=True)
    (home / "code" / "c0de" / "train.py").write_text("")
    sweep.code = CodeSnapshot.objects.create(
        workspace=sweep.workspace, digest="c0de", file_count=1, size=0, created_at=stage.now
    )
    sweep.save()
    relay = opened(stage, sweep, monkeypatch).relay
    assert (relay.digest, relay.code) == ("c0de", home / "code" / "c0de")


def test_what_the_studio_keeps_is_lent_and_other_paths_stay(
    stage, far, home, make_sweep, monkeypatch
):
    for name in ("data/up/a.csv", "elsewhere/b.csv"):
        (home / name).parent.mkdir(parents=True)
        (home / name).write_text("")
    DataUpload.objects.create(workspace=far.workspace, digest="up", path="up")
    outside = home.parent / f"{home.name}-shared.csv"
    outside.write_text("")
    sweep = make_sweep(
        command="python train.py ${{inputs.a}} ${{inputs.c}} --lr ${{search_space.lr}} "
        "--b ${{search_space.boosting}}",
        inputs={
            "a": {"path": str(home / "data/up/a.csv"), "type": "uri_file"},
            "c": {"path": str(outside), "type": "uri_file"},
        },
    )
    spec = opened(stage, sweep, monkeypatch)
    assert spec.relay.lent == (home / "data/up/a.csv",)
    assert str(outside) in spec.argv


@pytest.mark.parametrize("target", ["secret_key", "data/theirs/a.csv", "data", "trials", "."])
def test_what_became_a_link_to_the_studios_own_is_not_lent(
    stage, far, home, make_sweep, monkeypatch, target
):
    (home / "data" / "theirs").mkdir(parents=True)
    (home / "data" / "theirs" / "a.csv").write_text("theirs")
    (home / "secret_key").write_text("secret")
    (home / "trials").mkdir(exist_ok=True)
    outside = home.parent / f"{home.name}-mine"
    outside.write_text("")
    sweep = make_sweep(
        command="cat ${{inputs.a}} --lr ${{search_space.lr}} --b ${{search_space.boosting}}",
        inputs={"a": {"path": str(outside), "type": "uri_file"}},
    )
    outside.unlink()
    outside.symlink_to(home / target)
    started = []
    monkeypatch.setattr(stage.runner, "start", started.append)
    stage.open(sweep)
    assert started == []
    assert "Input “a” is not there" in sweep.trials.order_by("number")[0].reason


def test_packages_are_the_clusters_to_install(stage, far, home, sweep, monkeypatch):
    far.python = "/opt/python"
    far.save()
    sweep.packages = ["six==1.17.0"]
    sweep.save()
    relay = opened(stage, sweep, monkeypatch).relay
    assert (relay.packages, relay.python) == (("six==1.17.0",), "")


def test_a_python_of_the_nodes_is_named(stage, far, home, sweep, monkeypatch):
    far.python = "/opt/python"
    far.save()
    assert opened(stage, sweep, monkeypatch).relay.python == "/opt/python"


def test_trials_here_have_no_relay(stage, compute, sweep, monkeypatch):
    assert opened(stage, sweep, monkeypatch).relay is None


def test_nothing_is_built_here_for_a_cluster_without_our_files(make_sweep, far, workspace):
    from sweeps.intake_environments import choose

    conda = {"dependencies": ["python=3.9", {"pip": ["six==1.17.0"]}]}
    asked = {"conda_file": conda, "image": "docker.io/x"}
    chosen = choose(workspace, asked, far, lambda path: None)
    assert chosen.recipe is None
    assert chosen.packages[0] == "six==1.17.0"
    assert chosen.packages[1].startswith("mlflow-skinny<=")
    said = " ".join(chosen.notes)
    assert "on compute local it is the cluster's" in said
    assert "are installed by the cluster" in said
    far.kind = "slurm"
    assert choose(workspace, asked, far, lambda path: None).recipe is not None
    assert Chosen().packages == ()
