"""Sweeps of every kind in Azure's own words, submitted, watched to their end and exported.

Prints each as JSON: what was submitted and what came back, both as Azure's client loads them.
"""

import json
from pathlib import Path

from azure.ai.ml import Input, Output, command
from azure.ai.ml.sweep import (
    BanditPolicy,
    BayesianSamplingAlgorithm,
    Choice,
    LogNormal,
    LogUniform,
    MedianStoppingPolicy,
    Normal,
    QLogNormal,
    QLogUniform,
    QNormal,
    QUniform,
    Randint,
    RandomSamplingAlgorithm,
    TruncationSelectionPolicy,
    Uniform,
)

from sweeps.client import MLClient
from tests.azure.client_side import both_dumps, loaded

X = {"x": Uniform(0.0, 1.0)}
CHOICES = {"x": Choice([0.25, 0.5]), "how": Choice(["a", "b"])}
ALL = {
    **X,
    "words": Choice(["a", 1, 2.5]),
    "nested": Choice([{"kind": "svm", "c": LogUniform(-3, 3), "n": Choice([1, 2])}, "none"]),
    "whole": Randint(9),
    "steps": QUniform(0, 10, 2),
    "rate": LogUniform(-9.2, 0.0),
    "rates": QLogUniform(0, 5, 1),
    "bell": Normal(0, 1.5),
    "bells": QNormal(0, 10, 0.5),
    "skewed": LogNormal(0, 1),
    "skews": QLogNormal(0, 1, 1),
}
SOBOL = RandomSamplingAlgorithm(rule="sobol", seed=7)
LATE = {"evaluation_interval": 2, "delay_evaluation": 1}
# Name: search space, sampling algorithm, policy.
SWEEPS = {
    "every": (ALL, RandomSamplingAlgorithm(seed=3, logbase="e"), None),
    "sobol": (ALL, SOBOL, BanditPolicy(slack_factor=0.1, **LATE)),
    "plain": (X, "random", BanditPolicy(slack_amount=2.0, evaluation_interval=1)),
    "grid": (CHOICES, "grid", MedianStoppingPolicy(**LATE)),
    "based": (X, RandomSamplingAlgorithm(logbase=10), TruncationSelectionPolicy(
        truncation_percentage=20, **LATE)),
    "bayesian": (CHOICES | X | {"steps": QUniform(0, 10, 2)}, BayesianSamplingAlgorithm(), None),
}  # fmt: skip


def node(name, space, sampling, policy):
    line = "python quick.py ${{inputs.x}} 0 2 ${{inputs.data}} " + " ".join(
        f"${{{{inputs.{key}}}}}" for key in space if key != "x"
    )
    data = Input(type="uri_file", path=str(Path("src/quick.py").resolve()))
    job = command(
        code="./src",
        command=line,
        environment="AzureML-sklearn-1.0-ubuntu20.04-py38-cpu@latest",
        environment_variables={"MODE": name},
        inputs={"data": data, **dict.fromkeys(space, 1)},
        outputs={"model": Output(type="uri_folder")},
        compute="cpu-cluster",
        display_name=f"The {name} sweep",
        experiment_name="sdk",
        description="Every *word*.",
        tags={"kind": name},
    )(**space)
    made = job.sweep(
        primary_metric="loss",
        goal="Minimize",
        sampling_algorithm=sampling,
        early_termination_policy=policy,
        max_total_trials=2,
        max_concurrent_trials=2,
        timeout=600,
        trial_timeout=120,
    )
    made.name = f"sdk_{name}"
    return made


client = MLClient()
own = {}
for name, parts in SWEEPS.items():
    job = node(name, *parts)
    client.create_or_update(job)
    own[name] = both_dumps(job)["dict"]
for name in SWEEPS:
    job = client.jobs.stream(f"sdk_{name}")
    back = loaded(client.jobs.spec(job.name))
    print("SWEEP", json.dumps({"status": job.status, "own": own[name], "back": back}))
