"""Azure's own client at work, in the environment where it is installed (see requirements-azure.in).

Reads one JSON request a line and answers with one JSON line; nothing goes over the network.
"""

import importlib
import json
import logging
import os
import sys
import tempfile
import types
import warnings
from pathlib import Path
from typing import Any

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)

import azure.ai.ml as ml  # noqa: E402
from azure.ai.ml import sweep as sweeps  # noqa: E402
from azure.ai.ml.entities import (  # noqa: E402
    BuildContext,
    CommandComponent,
    Environment,
    ManagedIdentityConfiguration,
)

POLICIES = {
    "bandit": sweeps.BanditPolicy,
    "median_stopping": sweeps.MedianStoppingPolicy,
    "truncation_selection": sweeps.TruncationSelectionPolicy,
}


def loaded(text: str) -> dict[str, Any]:
    """The job of a YAML text as Azure's client sees it."""
    path = Path("job.yml")
    path.write_text(text, encoding="utf-8")
    job = ml.load_job(str(path))
    job._to_rest_object()  # the checks of a submission
    return job._to_dict()


def dumped(job: Any) -> str:
    Path("dump.yml").unlink(missing_ok=True)
    job.dump("dump.yml")
    return Path("dump.yml").read_text(encoding="utf-8")


def both_dumps(node: Any) -> dict[str, Any]:
    """What a node dumps as it is, and as the job that it is submitted as."""
    if not hasattr(node, "_to_job"):
        return {"job": dumped(node), "dict": loaded(dumped(node))}
    as_node = dumped(node)
    job = dumped(node._to_job())
    return {"node": as_node, "job": job, "dict": loaded(job)}


def executed(source: str) -> dict[str, Any]:
    """The sweep that Python source builds, with Azure's client under the name of ours."""
    client = types.ModuleType("sweeps.client")
    for module in (ml, sweeps):
        for name in module.__all__:
            setattr(client, name, getattr(module, name))
    client.Environment, client.BuildContext = Environment, BuildContext
    client.ManagedIdentityConfiguration = ManagedIdentityConfiguration
    sys.modules["sweeps"], sys.modules["sweeps.client"] = types.ModuleType("sweeps"), client
    names: dict[str, Any] = {"__name__": "copied"}
    exec(source, names)
    return both_dumps(names["sweep_job"])


def distribution(doc: dict[str, Any]) -> Any:
    """{"kind": "QUniform", …} as Azure's class of that name."""
    numbers = {key: value for key, value in doc.items() if key != "kind"}
    if doc["kind"] == "Choice":
        numbers["values"] = [
            {k: distribution(v) if isinstance(v, dict) else v for k, v in value.items()}
            if isinstance(value, dict)
            else value
            for value in numbers["values"]
        ]
    return getattr(sweeps, doc["kind"])(**numbers)


def built(doc: dict[str, Any]) -> dict[str, Any]:
    """A SweepJob made of Azure's classes by hand."""
    environment = doc["environment"]
    trial = CommandComponent(
        name=doc["name"],
        command=doc["command"],
        environment=Environment(**environment) if isinstance(environment, dict) else environment,
        code=doc["code"],
        environment_variables=doc["environment_variables"],
    )
    sampling = doc["sampling"]
    if isinstance(sampling, dict):
        sampling = sweeps.RandomSamplingAlgorithm(**sampling)
    policy = doc["policy"]
    job = sweeps.SweepJob(
        trial=trial,
        name=doc["name"],
        compute=doc["compute"],
        display_name=doc["display_name"],
        description=doc["description"],
        tags=doc["tags"],
        properties=doc["properties"],
        inputs={k: ml.Input(**v) if isinstance(v, dict) else v for k, v in doc["inputs"].items()},
        outputs={k: ml.Output(**v) for k, v in doc["outputs"].items()},
        search_space={name: distribution(one) for name, one in doc["space"].items()},
        sampling_algorithm=sampling,
        objective=sweeps.Objective(**doc["objective"]),
        limits=sweeps.SweepJobLimits(**doc["limits"]),
        early_termination=POLICIES[policy["type"]](**policy["options"]) if policy else None,
    )
    return both_dumps(job)


def answered(request: dict[str, Any]) -> dict[str, Any]:
    todo = {"load": loaded, "execute": executed, "build": built}
    try:
        return {"answer": todo[request["do"]](request["with"])}
    except Exception as error:  # told to the test that asked
        return {"error": f"{type(error).__name__}: {error}"}


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr
    importlib.import_module("azure.ai.ml.entities")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        Path("src").mkdir()
        for line in sys.stdin:
            print(json.dumps(answered(json.loads(line)), default=str), file=answers, flush=True)
        os.chdir("/")


if __name__ == "__main__":
    main()
