"""Azure's own client and the studio mean the same by a sweep-job file, in both directions."""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from sweeps.domain.environments import is_anonymous
from sweeps.domain.job import DataInput, EarlyTermination, Output, Sampling, SweepJob
from sweeps.domain.limits import DEFAULT_TIMEOUT_S
from sweeps.domain.samplers.registry import get_sampler
from sweeps.domain.space import (
    Branch,
    Choice,
    Distribution,
    LogNormal,
    LogUniform,
    Normal,
    QLogNormal,
    QLogUniform,
    QNormal,
    QUniform,
    Randint,
    SearchSpace,
    Uniform,
)
from sweeps.domain.space_doc import parse_space, space_to_doc
from sweeps.spec.early import AZURES
from sweeps.spec.environments import DEFAULT_ENVIRONMENT, NO_ENVIRONMENT
from sweeps.spec.python_writer import write_python
from sweeps.spec.reader import read_job
from sweeps.spec.writer import job_to_doc, to_yaml
from tests.azure.conftest import AzuresClient
from tests.spec.spaces import jobs
from tests.spec.test_writer import PLAIN

# --- One sweep in Azure's classes ----------------------------------------------------------------


def by_hand(job: SweepJob) -> dict[str, Any]:
    """What `client_side.built` makes a SweepJob of: each value under the name of its class."""
    policy, limits = job.early_termination, asdict(job.limits)
    if job.limits.timeout == DEFAULT_TIMEOUT_S:
        del limits["timeout"]
    said = {
        name: value
        for name, value in (("rule", job.sampling.rule), ("seed", job.sampling.seed),
                            ("logbase", job.sampling.written_logbase))
        if value not in (None, "random")
    }  # fmt: skip
    is_plain = job.sampling.algorithm != "random" or not said
    return {
        "name": job.name,
        "display_name": job.display_name or None,
        "description": job.description or None,
        "tags": dict(job.tags),
        "properties": job_to_doc(job).get("properties", {}),
        "command": job.command,
        "code": job.code,
        "compute": job.compute,
        "environment": job.environment or NO_ENVIRONMENT,
        "environment_variables": dict(job.environment_variables),
        "inputs": {k: asdict(v) if isinstance(v, DataInput) else v for k, v in job.inputs.items()},
        "outputs": {name: asdict(output) for name, output in job.outputs.items()},
        "space": {name: in_classes(one) for name, one in job.search_space},
        "sampling": job.sampling.algorithm if is_plain else said,
        "objective": asdict(job.objective),
        "limits": limits,
        "policy": asdict(policy) if policy and policy.type in AZURES else None,
    }


def in_classes(one: Distribution) -> dict[str, Any]:
    if not isinstance(one, Choice):
        return {"kind": type(one).__name__, **asdict(one)}
    values = [
        {k: v if isinstance(v, str | int | float) else in_classes(v) for k, v in value.items}
        if isinstance(value, Branch)
        else value
        for value in one.values
    ]
    return {"kind": "Choice", "values": values}


# --- What may differ -----------------------------------------------------------------------------


def normal(found: Mapping[str, Any]) -> dict[str, Any]:
    """A loaded job without what says nothing: a slack of 0 is one that was not given."""
    doc = json.loads(json.dumps(found))
    policy = doc.get("early_termination", {})
    doc["early_termination"] = {k: v for k, v in policy.items() if "slack" not in k or v}
    extras = doc["properties"].pop("studio", "{}")
    doc["properties"]["studio"] = json.loads(extras)
    environment = doc["trial"]["environment"]
    if isinstance(environment, dict) and is_anonymous(environment["name"]):
        del environment["name"], environment["version"]  # a UUID of its moment
    # Whether Python's json escapes é is no difference.
    if doc["trial"]["environment"] == DEFAULT_ENVIRONMENT:  # in a file for Azure alone
        doc["trial"]["environment"] = NO_ENVIRONMENT
    return doc


def looks_like_number(text: str) -> bool:
    """Azure's client makes a number of such a text inside a nested choice."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def without_bools(job: SweepJob) -> SweepJob:
    """Azure's client turns booleans into 1 and 0: see the test of those."""

    def texts(value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, str) and looks_like_number(value)):
            return f"{value}!"
        if isinstance(value, list):
            return [texts(item) for item in value]
        return {k: texts(v) for k, v in value.items()} if isinstance(value, Mapping) else value

    space = parse_space(texts(space_to_doc(job.search_space)))
    inputs = {k: v for k, v in job.inputs.items() if not isinstance(v, bool)}
    return replace(job, search_space=space, inputs=inputs, first_trials=())


@st.composite
def sweeps(draw: st.DrawFn) -> SweepJob:
    """Any job with any algorithm that takes its space; Azure's client knows no time below 60 s."""
    job = without_bools(draw(jobs))
    # Azure's client writes the text 1e-3 without quotes; here that is a number.
    assume(not re.search(r"'1e-0?[35]'", repr(job)))
    job = replace(
        job, limits=replace(job.limits, timeout=60 + job.limits.timeout, trial_timeout=90)
    )
    sampling = draw(
        st.just(job.sampling)
        | st.builds(
            Sampling, st.sampled_from(["grid", "bayesian"]), seed=st.none() | st.integers(0, 9)
        )
    )
    fits = not get_sampler(sampling.algorithm).check(job.search_space, sampling)
    return replace(job, sampling=sampling) if fits else job


# Each example asks another process four times.
ASKED = settings(
    max_examples=25,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


def in_any_order(job: SweepJob) -> SweepJob:
    """Azure's dump sorts its keys."""
    doc = json.loads(json.dumps(space_to_doc(job.search_space), sort_keys=True))
    space = parse_space(doc)
    return replace(job, search_space=space)


# --- The tests -----------------------------------------------------------------------------------


@ASKED
@given(job=sweeps())
def test_files_scripts_and_azures_own_objects_are_one_sweep(
    azure: AzuresClient, job: SweepJob
) -> None:
    own = azure.build(by_hand(job))
    assert normal(azure.load(to_yaml(job))) == normal(own["dict"])
    script = azure.execute(write_python(job, "http://127.0.0.1:8000", "default"))
    assert normal(script["dict"]) == normal(own["dict"])
    for dump in (own["job"], script["job"]):
        found = read_job(dump)
        code = job.code and found.code and f"./{found.code.rpartition('/')[2]}"
        assert in_any_order(replace(found, notes=(), code=code)) == in_any_order(job)


DISTRIBUTIONS = (
    Choice(("a", 1, 2.5)),
    Choice((Branch((("kind", "svm"), ("c", LogUniform(-3, 3)), ("n", Choice((1, 2))))), "none")),
    Randint(9),
    Uniform(0, 1),
    QUniform(0, 10, 2),
    LogUniform(-9.2, 0.0),
    QLogUniform(0, 5, 1),
    Normal(0, 1.5),
    QNormal(0, 10, 0.5),
    LogNormal(0, 1),
    QLogNormal(0, 1, 1),
)
LATE = {"evaluation_interval": 2, "delay_evaluation": 5}
POLICIES = (
    None,
    EarlyTermination(
        "bandit", {"evaluation_interval": 2, "delay_evaluation": 5, "slack_factor": 0.1}
    ),
    EarlyTermination(
        "bandit", {"evaluation_interval": 1, "delay_evaluation": 0, "slack_amount": 2.0}
    ),
    EarlyTermination("median_stopping", {"evaluation_interval": 1, "delay_evaluation": 5}),
    EarlyTermination(
        "truncation_selection",
        {"evaluation_interval": 1, "delay_evaluation": 0, "truncation_percentage": 20},
    ),
)
SAMPLINGS = (
    Sampling(),
    Sampling("random", "sobol", 7),
    Sampling("random", logbase=10.0),
    Sampling("random", logbase=math.e),
    Sampling("bayesian"),
    Sampling("grid"),
)
CONDA = {
    "name": "e",
    "channels": ["conda-forge"],
    "dependencies": ["python=3.11", "numpy=2.1", {"pip": ["mlflow>=3,<4", "six==1.16.0"]}],
}
ENVIRONMENTS = (
    "azureml:mine@latest",
    "azureml:mine:3",
    {"conda_file": CONDA},
    {"image": "mcr.microsoft.com/azureml/openmpi4.1.0-ubuntu22.04", "conda_file": CONDA},
    {"image": "ubuntu"},
)
SWEEPS = [
    *(replace(PLAIN, search_space=SearchSpace((("lr", one),))) for one in DISTRIBUTIONS),
    *(replace(PLAIN, early_termination=policy) for policy in POLICIES),
    *(replace(PLAIN, environment=environment) for environment in ENVIRONMENTS),
    *(
        replace(PLAIN, sampling=sampling, search_space=SearchSpace((("lr", Choice((1, 2))),)))
        for sampling in SAMPLINGS
    ),
    replace(
        PLAIN,
        compute="gpu",
        inputs={"n": 3, "d": DataInput("https://x.org/d.csv", "uri_file", "download")},
        outputs={"model": Output(), "log": Output("uri_file", "upload")},
    ),
]


@pytest.mark.parametrize("job", SWEEPS, ids=range(len(SWEEPS)))
def test_every_distribution_policy_and_algorithm_goes_both_ways(
    azure: AzuresClient, job: SweepJob
) -> None:
    own = azure.build(by_hand(job))
    assert normal(azure.load(to_yaml(job))) == normal(own["dict"])
    assert normal(azure.load(to_yaml(job, studio=False))) == normal(own["dict"])
    assert in_any_order(replace(read_job(own["job"]), notes=())) == in_any_order(job)


@pytest.mark.parametrize("job", SWEEPS, ids=range(len(SWEEPS)))
def test_what_a_sweep_node_dumps_is_the_same_sweep(azure: AzuresClient, job: SweepJob) -> None:
    """Azure's client cannot load this form itself."""
    about = {"display_name": "Shown", "description": "Said", "tags": {"a": "b"}}
    job = replace(job, **about)
    node = azure.execute(write_python(job, "http://127.0.0.1:8000", "default"))["node"]
    with pytest.raises(ValueError, match="SweepJobSchema"):
        azure.load(node)
    found = replace(read_job(node), notes=(), compute=job.compute)
    assert in_any_order(found) == in_any_order(job)


def test_booleans_come_back_from_azures_files(azure: AzuresClient) -> None:
    """Azure's client has no booleans: 1 and 0 in its dumps, and none in its files."""
    space = SearchSpace((("flag", Choice((True, False, "True", 1.5))),))
    job = replace(PLAIN, search_space=space, command="python t.py ${{args}}")
    script = azure.execute(write_python(job, "http://127.0.0.1:8000", "default"))
    assert script["dict"]["search_space"]["flag"]["values"] == [1, 0, "True", 1.5]
    assert azure.load(to_yaml(job))["search_space"]["flag"]["values"] == [
        "True", "False", "True", 1.5,
    ]  # fmt: skip
    for text in (script["job"], to_yaml(job)):
        assert repr(read_job(text).search_space) == repr(space)


def test_a_name_without_a_prefix_is_one_that_azures_client_adds(azure: AzuresClient) -> None:
    own = azure.build(by_hand(replace(PLAIN, environment="mine@latest")))
    found = read_job(own["job"])
    assert found.environment == "azureml:mine@latest"
    assert normal(azure.load(to_yaml(found))) == normal(own["dict"])


@pytest.mark.parametrize("name", ["sklearn", "sklearn@latest", "azureml:sklearn:1"])
def test_an_environment_is_written_as_azure_names_it(azure: AzuresClient, name: str) -> None:
    found = azure.load(to_yaml(replace(PLAIN, environment=name)))
    assert found["trial"]["environment"] == f"azureml:{name.removeprefix('azureml:')}"


# What only Azure's computes have, in Azure's words and ours.
ASKING = """
from sweeps.client import ManagedIdentityConfiguration, MpiDistribution, Uniform, command

job = command(
    command="python t.py ${{inputs.lr}}",
    code="./src",
    environment="azureml:sklearn@latest",
    compute="gpu",
    inputs={"lr": 0.1},
    instance_count=2,
    instance_type="D",
    locations=["w"],
    docker_args="--a",
    shm_size="2g",
    distribution=MpiDistribution(process_count_per_instance=2),
    identity=ManagedIdentityConfiguration(client_id="c", object_id="o", resource_id="r"),
    is_deterministic=False,
    job_tier="Spot",
    priority="low",
)(lr=Uniform(0, 1))
sweep_job = job.sweep(primary_metric="m", goal="Minimize", max_total_trials=3, priority="high")
sweep_job.set_resources(instance_count=3, shm_size="1g")
"""


def test_what_only_azures_computes_have_is_written_as_azures_client_does(
    azure: AzuresClient,
) -> None:
    names: dict[str, Any] = {}
    exec(ASKING, names)
    own = azure.execute(ASKING)["dict"]
    assert {"identity", "queue_settings", "resources"} <= set(own)
    assert azure.load(yaml.safe_dump(names["sweep_job"].document())) == own
