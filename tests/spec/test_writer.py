"""What is written is read back as the same job, by our reader and by YAML 1.1 readers."""

import json
import math
from dataclasses import replace

import pytest
import yaml
from hypothesis import Phase, given, settings

from sweeps.domain.job import (
    DataInput,
    EarlyTermination,
    FailurePolicy,
    LoggedModels,
    Sampling,
    StopRules,
    SweepJob,
)
from sweeps.domain.limits import Limits
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.space import Choice, LogUniform, SearchSpace, Uniform
from sweeps.spec.environments import DEFAULT_ENVIRONMENT, NO_ENVIRONMENT
from sweeps.spec.reader import read_job
from sweeps.spec.writer import job_to_doc, to_yaml
from tests.spec.spaces import ODD, jobs

# Jobs are too large to shrink within a test's time.
UNSHRUNK = [Phase.explicit, Phase.generate]
PLAIN = SweepJob(
    command="python t.py --lr ${{search_space.lr}}",
    search_space=SearchSpace((("lr", Uniform(1e-05, 0.9)),)),
    objective=Objective("loss", Goal.MINIMIZE),
    limits=Limits(4, 2),
)


def exact(value: object) -> object:
    """Types count, too: 1 is neither 1.0 nor True."""
    return repr(value)


@settings(max_examples=150, deadline=None, phases=UNSHRUNK)
@given(jobs)
def test_a_written_job_is_read_back_as_it_was(job: SweepJob) -> None:
    text = to_yaml(job)
    found = replace(read_job(text), notes=())
    assert found == job
    assert exact(found.search_space) == exact(job.search_space)
    assert exact(dict(found.inputs)) == exact(dict(job.inputs))
    assert replace(read_job(job_to_doc(job)), notes=()) == job


@settings(max_examples=60, deadline=None, phases=UNSHRUNK)
@given(jobs)
def test_yaml_1_1_readers_read_the_same_document(job: SweepJob) -> None:
    doc = yaml.safe_load(to_yaml(job))
    assert doc.pop("$schema").startswith("https://azuremlschemas")
    assert exact(doc) == exact(job_to_doc(job))


@pytest.mark.parametrize("text", ODD)
def test_odd_texts_stay_texts(text: str) -> None:
    job = replace(
        PLAIN,
        command="python t.py",
        search_space=SearchSpace((("x", Choice((text, 1))),)),
        tags={"t": text},
        description=text,
        environment="azureml:x@1",
    )
    assert replace(read_job(to_yaml(job)), notes=()) == job


def test_a_job_is_written_in_reading_order_without_defaults() -> None:
    assert to_yaml(PLAIN) == (
        "$schema: https://azuremlschemas.azureedge.net/latest/sweepJob.schema.json\n"
        "type: sweep\n"
        "trial:\n"
        "  command: python t.py --lr ${{search_space.lr}}\n"
        f"  environment: {NO_ENVIRONMENT}\n"
        "search_space:\n"
        "  lr:\n"
        "    type: uniform\n"
        "    min_value: 1.0e-05\n"
        "    max_value: 0.9\n"
        "sampling_algorithm: random\n"
        "objective:\n"
        "  goal: minimize\n"
        "  primary_metric: loss\n"
        "limits:\n"
        "  max_total_trials: 4\n"
        "  max_concurrent_trials: 2\n"
    )


def test_equal_parts_are_written_out_twice() -> None:
    twice = LogUniform(-5.0, -1.0)
    job = replace(PLAIN, search_space=SearchSpace((("lr", twice), ("b", twice))))
    assert "&" not in to_yaml(job)
    assert read_job(to_yaml(job)).search_space == job.search_space


@pytest.mark.parametrize(
    ("sampling", "written"),
    [
        (Sampling(), "random"),
        (Sampling("random", "sobol", 3), {"type": "random", "rule": "sobol", "seed": 3}),
        (Sampling("random", logbase=10.0), {"type": "random", "logbase": 10.0}),
        (Sampling("random", logbase=math.e), {"type": "random", "logbase": "e"}),
        (Sampling("bayesian", seed=3), "bayesian"),
        (Sampling("grid"), "grid"),
    ],
)
def test_only_options_of_azures_schema_are_written(sampling: Sampling, written: object) -> None:
    assert job_to_doc(replace(PLAIN, sampling=sampling))["sampling_algorithm"] == written


def test_what_azure_has_no_key_for_is_written_as_a_property_without_defaults() -> None:
    job = replace(
        PLAIN,
        early_termination=EarlyTermination("successive_halving", {"min_reports": 2}),
        stop_rules=StopRules(no_improvement_trials=20),
        failure_policy=FailurePolicy(retries=1),
        logged_models=LoggedModels.BEST,
        preload=False,
        first_trials=({"lr": 0.5},),
        properties={"p": "q"},
    )
    doc = job_to_doc(job)
    assert "early_termination" not in doc
    assert doc["properties"]["p"] == "q"
    assert json.loads(doc["properties"]["studio"]) == {
        "stop_rules": {"no_improvement_trials": 20},
        "failure_policy": {"retries": 1},
        "logged_models": "best",
        "preload": False,
        "first_trials": [{"lr": 0.5}],
        "early_termination": {"type": "successive_halving", "min_reports": 2},
    }


def test_azures_own_policies_stand_where_azure_has_them() -> None:
    early = EarlyTermination("bandit", {"slack_factor": 0.1, "delay_evaluation": 5})
    doc = job_to_doc(replace(PLAIN, early_termination=early))
    assert doc["early_termination"] == {
        "type": "bandit", "slack_factor": 0.1, "delay_evaluation": 5,
    }  # fmt: skip
    assert "properties" not in doc


def test_a_job_for_azure_alone_says_what_it_leaves_out() -> None:
    job = replace(
        PLAIN,
        early_termination=EarlyTermination("successive_halving", {"min_reports": 2}),
        stop_rules=StopRules(target_value=0.1),
        properties={"p": "q"},
    )
    text = to_yaml(job, studio=False)
    assert text.startswith(
        "# Left out, for Azure ML has no key for it: stop_rules, early_termination.\n$schema: "
    )
    found = replace(read_job(text), notes=())
    # Azure must have an environment that there is.
    expected = replace(job, environment=DEFAULT_ENVIRONMENT)
    assert found == replace(expected, early_termination=None, stop_rules=StopRules())
    plain = to_yaml(PLAIN).replace(NO_ENVIRONMENT, DEFAULT_ENVIRONMENT)
    assert to_yaml(PLAIN, studio=False) == plain


def test_code_that_the_studio_keeps_is_named_for_it_and_left_out_for_azure() -> None:
    job = replace(PLAIN, code="studio:0f")
    assert "  code: azureml:studio:0f\n" in to_yaml(job)
    assert read_job(to_yaml(job)) == job
    azures = to_yaml(job, studio=False)
    assert azures.startswith("# The code is kept in the studio: write your folder at trial.code.\n")
    assert read_job(azures).code is None


@pytest.mark.parametrize("seed", [0, 3])
def test_the_seed_of_any_algorithm_is_kept(seed: int) -> None:
    job = replace(PLAIN, sampling=Sampling("bayesian", seed=seed))
    assert read_job(to_yaml(job)).sampling == job.sampling
    assert read_job(to_yaml(job, studio=False)).sampling == Sampling("bayesian")


def test_a_blob_stays_as_it_is_written_and_a_note_tells_from_where_it_comes() -> None:
    path = "wasbs://data@acc.blob.core.windows.net/iris.csv"
    inputs = {"iris": {"type": "uri_file", "path": f"azureml:{path}?sig=x"}}
    job = read_job(job_to_doc(PLAIN) | {"inputs": inputs})
    assert job.inputs == {"iris": DataInput(f"{path}?sig=x", "uri_file")}
    https = "https://acc.blob.core.windows.net/data/iris.csv"
    assert f"Input “iris” is downloaded by https from {https}." in job.notes
    assert job_to_doc(job)["inputs"]["iris"]["path"] == f"{path}?sig=x"
