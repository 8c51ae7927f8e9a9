"""Jobs built in Python are the documents that job files hold."""

import subprocess
import sys
from pathlib import Path

import pytest

from sweeps import client as words
from sweeps.client import (
    BanditPolicy,
    Choice,
    Input,
    MedianStoppingPolicy,
    Output,
    RandomSamplingAlgorithm,
    SuccessiveHalvingPolicy,
    Uniform,
    ValidationException,
    command,
    load_job,
)
from sweeps.client.documents import draft_of
from sweeps.domain.space import KINDS
from sweeps.spec.reader import read_job

LINE = (
    "python main.py --iris-csv ${{inputs.iris_csv}} --learning-rate ${{ inputs.learning_rate }} "
    "--boosting ${{inputs.boosting}}"
)


def iris() -> words.Sweep:
    cmd = command(
        code="./src",
        command=LINE,
        environment="AzureML-lightgbm-3.3@latest",
        inputs={
            "iris_csv": Input(type="uri_file", path="https://example.org/iris.csv"),
            "learning_rate": 0.9,
            "boosting": "gbdt",
        },
        outputs={"model": Output()},
        compute="cpu-cluster",
        tags={"team": "a"},
    )
    drawn = cmd(learning_rate=Uniform(min_value=0.01, max_value=0.9), boosting=Choice(["gbdt"]))
    sweep = drawn.sweep(primary_metric="m", goal="Minimize")
    sweep.set_limits(max_total_trials=20, max_concurrent_trials=10, timeout=7200)
    return sweep


def test_a_sweep_is_the_job_file_that_azures_client_would_write() -> None:
    assert iris().document() == {
        "type": "sweep",
        "tags": {"team": "a"},
        "compute": "cpu-cluster",
        "trial": {
            "command": "python main.py --iris-csv ${{inputs.iris_csv}} --learning-rate "
            "${{ search_space.learning_rate }} --boosting ${{search_space.boosting}}",
            "code": "./src",
            "environment": "AzureML-lightgbm-3.3@latest",
        },
        "inputs": {"iris_csv": {"type": "uri_file", "path": "https://example.org/iris.csv"}},
        "outputs": {"model": {"type": "uri_folder"}},
        "search_space": {
            "learning_rate": {"type": "uniform", "min_value": 0.01, "max_value": 0.9},
            "boosting": {"type": "choice", "values": ["gbdt"]},
        },
        "sampling_algorithm": "random",
        "objective": {"goal": "minimize", "primary_metric": "m"},
        "limits": {"max_total_trials": 20, "max_concurrent_trials": 10, "timeout": 7200},
    }


def test_the_command_stays_as_it_was_when_it_is_called() -> None:
    cmd = command(command="x ${{inputs.a}}", inputs={"a": 1})
    cmd(a=Uniform(0, 1)).sweep(primary_metric="m", goal="maximize")
    assert cmd.inputs == {"a": 1}


@pytest.mark.parametrize("kind", KINDS)
def test_the_studio_reads_each_distribution(kind: str) -> None:
    cls = next(c for c in vars(words).values() if getattr(c, "type", "") == kind)
    given = {
        "values": [1, 2],
        "upper": 3,
        "min_value": 1,
        "max_value": 2,
        "q": 1,
        "mu": 0,
        "sigma": 1,
    }
    value = cls(**{name: given[name] for name in cls.__dataclass_fields__})
    job = command(command="x ${{inputs.a}}", inputs={"a": 1})(a=value)
    read = read_job(job.sweep(primary_metric="m", goal="maximize", max_total_trials=3).document())
    [(name, distribution)] = read.search_space
    assert (name, distribution.kind) == ("a", kind)


def test_nested_choices_are_written_out() -> None:
    value = Choice([{"model": "svm", "c": Uniform(0, 1)}, {"model": "tree"}])
    assert value.document()["values"][0] == {
        "model": "svm",
        "c": {"type": "uniform", "min_value": 0, "max_value": 1},
    }


@pytest.mark.parametrize(
    ("policy", "document"),
    [
        (
            BanditPolicy(slack_factor=0.1, evaluation_interval=2),
            {
                "type": "bandit",
                "delay_evaluation": 0,
                "evaluation_interval": 2,
                "slack_factor": 0.1,
            },
        ),
        (
            MedianStoppingPolicy(delay_evaluation=5),
            {"type": "median_stopping", "delay_evaluation": 5, "evaluation_interval": 1},
        ),
        (
            SuccessiveHalvingPolicy(),
            {"type": "successive_halving", "min_reports": 1, "reduction_factor": 4},
        ),
    ],
)
def test_policies_and_algorithms_may_be_set_later(policy: object, document: object) -> None:
    sweep = iris()
    sweep.early_termination = policy
    sweep.sampling_algorithm = RandomSamplingAlgorithm(rule="sobol", seed=3)
    sweep.set_objective(goal="maximize")
    sweep.studio = {"stop_rules": {"target_value": 0.1}}
    found = sweep.document()
    assert found["early_termination"] == document
    assert found["sampling_algorithm"] == {"type": "random", "rule": "sobol", "seed": 3}
    assert found["objective"] == {"goal": "maximize", "primary_metric": "m"}
    assert read_job(found | {"inputs": {"iris_csv": "a"}}).stop_rules.target_value == 0.1


ASKED = {
    "identity": {"type": "user_identity"},
    "queue_settings": {"job_tier": "Spot", "priority": "high"},
    "resources": {"instance_count": 3},
    "services": {"shell": {"type": "vs_code"}},
}
OF_A_TRIAL = {
    "distribution": {"type": "mpi", "process_count_per_instance": 2},
    "resources": {"instance_count": 2, "instance_type": "D", "locations": ["w"],
                  "docker_args": "--a", "shm_size": "2g"},
}  # fmt: skip


def demanding() -> words.Command:
    """All that Azure's `command` takes and one's own machines do not have."""
    return command(
        command="x ${{inputs.a}} ${{inputs.b}}",
        inputs={"a": 1, "b": 2},
        compute="gpu",
        instance_count=2,
        instance_type="D",
        locations=["w"],
        docker_args="--a",
        shm_size="2g",
        timeout=100,
        identity=words.UserIdentityConfiguration(),
        services={"shell": {"type": "vs_code"}},
        distribution=words.MpiDistribution(process_count_per_instance=2),
        job_tier="Spot",
        priority="low",
        is_deterministic=False,
        parent_job_name="pipeline",
    )


def test_what_only_azures_computes_have_is_in_the_document_and_noted() -> None:
    sweep = demanding()(a=Uniform(0, 1)).sweep(
        primary_metric="m", goal="maximize", max_total_trials=3, priority="high"
    )
    sweep.set_resources(instance_count=3)
    found = sweep.document()
    assert {key: found[key] for key in ASKED} == ASKED
    assert {key: found["trial"][key] for key in OF_A_TRIAL} == OF_A_TRIAL
    assert found["limits"] == {"max_total_trials": 3, "trial_timeout": 100}
    notes = " ".join(read_job(found).notes)
    for key in (*ASKED, *OF_A_TRIAL):
        assert f"“{key}”" in notes
    given = (
        demanding()
        .sweep(
            primary_metric="m",
            goal="maximize",
            trial_timeout=7,
            identity=words.ManagedIdentityConfiguration(client_id="c", resource_id="r"),
            queue_settings=words.QueueSettings(job_tier="Premium"),
            search_space={"a": Uniform(0, 1)},
        )
        .document()
    )
    assert given["limits"] == {"trial_timeout": 7}
    assert given["queue_settings"] == {"job_tier": "Premium"}
    assert given["identity"] == {"type": "managed_identity", "client_id": "c"}


def test_a_sweep_job_by_hand_is_the_same_document() -> None:
    parts = {
        "search_space": {"a": Uniform(0, 1)},
        "objective": words.Objective("maximize", "m"),
        "queue_settings": words.QueueSettings(job_tier="Spot", priority="high"),
        "identity": words.UserIdentityConfiguration(),
        "resources": words.JobResourceConfiguration(instance_count=3),
    }
    limits = words.SweepJobLimits(max_total_trials=3)
    job = words.SweepJob(trial=demanding(), limits=limits, **parts)
    sweep = demanding()(a=Uniform(0, 1)).sweep(
        primary_metric="m", goal="maximize", max_total_trials=3, priority="high"
    )
    sweep.set_resources(instance_count=3)
    same = sweep.document()
    del same["services"]  # of the command: Azure's SweepJob does not take them over
    assert job.document() == draft_of(job).document == same
    assert limits.trial_timeout is None
    other = words.SweepJob(trial=demanding(), compute="cpu", inputs={"b": 5}, **parts)
    assert (other.document()["compute"], other.document()["inputs"]) == ("cpu", {"b": 5})


def test_parts_of_azures_client_are_written_out_in_ours() -> None:
    class Identity:
        def __init__(self) -> None:
            self.type, self.client_id, self._secret = "managed_identity", None, 1

    Identity.__module__ = "azure.ai.ml.entities._credentials"
    sweep = iris()
    sweep.identity = Identity()
    assert sweep.document()["identity"] == {"type": "managed_identity"}


def test_what_does_not_apply_is_told_where_it_is_written() -> None:
    with pytest.raises(ValidationException, match="no instances here"):
        command(command="x", instances=4)
    with pytest.raises(ValidationException, match=r"no input b; it has a\.") as error:
        command(command="x", inputs={"a": 1})(b=Uniform(0, 1))
    assert error.value.field == "inputs"
    with pytest.raises(ValidationException, match=r"call \.sweep"):
        draft_of(command(command="x"))
    with pytest.raises(ValidationException, match="not int"):
        draft_of(3)


def test_a_dumped_sweep_is_loaded_as_it_was(tmp_path: Path) -> None:
    iris().dump(tmp_path / "job.yml")
    loaded = load_job(tmp_path / "job.yml")
    assert (loaded, loaded.base) == (iris().document(), tmp_path)
    assert draft_of(loaded, compute="gpu", tags=None).document == {
        **iris().document(),
        "compute": "gpu",
    }


def test_a_file_that_is_no_job_is_named(tmp_path: Path) -> None:
    file = tmp_path / "job.yml"
    with pytest.raises(ValidationException, match=r"job\.yml cannot be read"):
        load_job(file)
    file.write_text("a: 1\nb: [\n")
    with pytest.raises(ValidationException, match=r"job\.yml:3:1: This is not YAML"):
        load_job(file)
    file.write_text("- 1\n")
    with pytest.raises(ValidationException, match="is no job file"):
        load_job(file)


def test_the_import_is_light() -> None:
    heavy = ("django", "httpx", "yaml", "numpy", "asyncio", "azure")
    code = f"import sys, sweeps.client; print([m for m in {heavy} if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
