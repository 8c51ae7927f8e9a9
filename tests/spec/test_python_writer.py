"""The Python that a sweep is copied as builds the same sweep, whoever gives the names meaning."""

import sys
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from sweeps.domain.job import (
    DataInput,
    EarlyTermination,
    FailurePolicy,
    Output,
    Sampling,
    StopRules,
    SweepJob,
)
from sweeps.domain.space import Branch, Choice, LogUniform, SearchSpace, Uniform
from sweeps.spec.python_source import Call, source
from sweeps.spec.python_writer import write_python
from sweeps.spec.reader import read_job
from sweeps.spec.writer import job_to_doc
from tests.spec.test_writer import PLAIN

URL = "http://127.0.0.1:8000"

WRITTEN = """\
import os

from sweeps.client import MLClient, Uniform, command

command_job = command(
    command="python t.py --lr ${{search_space.lr}}",
    environment="azureml:no-environment@latest",
)

sweep_job = command_job.sweep(
    primary_metric="loss",
    goal="minimize",
    sampling_algorithm="random",
    search_space={"lr": Uniform(min_value=1e-05, max_value=0.9)},
)
sweep_job.set_limits(max_total_trials=4, max_concurrent_trials=2)

if __name__ == "__main__":
    ml_client = MLClient(
        "http://127.0.0.1:8000",
        token=os.environ["STUDIO_TOKEN"],
        workspace="default",
    )
    returned_job = ml_client.create_or_update(sweep_job)
    print(returned_job.studio_url)
"""


def test_a_small_sweep_is_a_small_script() -> None:
    assert write_python(PLAIN, URL, "default") == WRITTEN


RICH = replace(
    PLAIN,
    name="my_sweep",
    code="./src",
    description='Two "lines"\nhere',
    environment={"image": "x", "build": {"path": "./docker"}, "conda_file": {"n": [1, None]}},
    inputs={"n": 3, "flag": True, "d": DataInput("./d.csv", "uri_file", "download")},
    outputs={"model": Output(), "log": Output("uri_file", "upload")},
    search_space=SearchSpace(
        (
            ("lr", LogUniform(-9.2, 0)),
            ("m", Choice((Branch((("k", "svm"), ("c", Uniform(0, 1)))), "it's", '"q"', 2, True))),
        )
    ),
    sampling=Sampling("random", "sobol", 7, 10.0),
    early_termination=EarlyTermination("bandit", {"slack_factor": 0.1, "delay_evaluation": 5}),
    stop_rules=StopRules(0.1),
    failure_policy=FailurePolicy(retries=2),
    tags={"a b": "c"},
)


class Said:
    """Stands for any function of the client: remembers what it was called with."""

    def __init__(self, name: str, args: Any, keywords: Any) -> None:
        self.said: tuple = (name, args, keywords)
        self.limits: dict[str, Any] = {}

    def sweep(self, **keywords: Any) -> "Said":
        return Said("sweep", (self,), keywords)

    def set_limits(self, **keywords: Any) -> None:
        self.limits = keywords

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Said) and self.said == other.said


def executed(job: SweepJob, monkeypatch: pytest.MonkeyPatch) -> Said:
    class Client(ModuleType):
        def __getattr__(self, name: str) -> Any:
            return lambda *args, **keywords: Said(name, args, keywords)

    client = Client("sweeps.client")
    client.__spec__ = None  # else the import machinery asks the stand-in for it
    monkeypatch.setitem(sys.modules, "sweeps.client", client)
    names: dict[str, Any] = {"__name__": "copied"}
    exec(write_python(job, URL, "default"), names)
    return names["sweep_job"]


def test_everything_of_a_job_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = executed(RICH, monkeypatch)
    _, (command,), said = sweep.said
    assert said == {
        "primary_metric": "loss",
        "goal": "minimize",
        "sampling_algorithm": Said(
            "RandomSamplingAlgorithm", (), {"rule": "sobol", "seed": 7, "logbase": 10.0}
        ),
        "search_space": {
            "lr": Said("LogUniform", (), {"min_value": -9.2, "max_value": 0}),
            "m": Said(
                "Choice",
                (
                    [
                        {"k": "svm", "c": Said("Uniform", (), {"min_value": 0, "max_value": 1})},
                        "it's",
                        '"q"',
                        2,
                        True,
                    ],
                ),
                {},
            ),
        },
        "early_termination_policy": Said(
            "BanditPolicy", (), {"slack_factor": 0.1, "delay_evaluation": 5}
        ),
    }
    assert sweep.limits == {"max_total_trials": 4, "max_concurrent_trials": 2}
    assert command.said[2] == {
        "name": "my_sweep",
        "description": 'Two "lines"\nhere',
        "code": "./src",
        "command": RICH.command,
        "environment": Said(
            "Environment",
            (),
            {
                "image": "x",
                "build": Said("BuildContext", (), {"path": "./docker"}),
                "conda_file": {"n": [1, None]},
            },
        ),
        "inputs": {
            "n": 3,
            "flag": True,
            "d": Said("Input", (), {"type": "uri_file", "path": "./d.csv", "mode": "download"}),
        },
        "outputs": {
            "model": Said("Output", (), {"type": "uri_folder"}),
            "log": Said("Output", (), {"type": "uri_file", "mode": "upload"}),
        },
        "tags": {"a b": "c"},
        "properties": {
            "studio": '{"stop_rules": {"target_value": 0.1}, "failure_policy": {"retries": 2}, '
            '"search_space": {"m": {"type": "choice", "values": [{"k": "svm", "c": {"type": '
            '"uniform", "min_value": 0, "max_value": 1}}, "it\'s", "\\"q\\"", 2, true]}}}'
        },
    }


@pytest.mark.parametrize("job", [PLAIN, RICH], ids=["plain", "rich"])
def test_with_the_studios_own_client_it_is_the_same_job(job: SweepJob) -> None:
    names: dict[str, Any] = {"__name__": "copied"}
    exec(write_python(job, URL, "default"), names)
    expected = read_job(job_to_doc(job))
    assert read_job(names["sweep_job"].document()) == expected
    assert replace(expected, notes=(), early_termination=job.early_termination) == job


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("it's", '''"it's"'''),
        ('say "a"', """'say "a"'"""),
        ("""it's "a\"""", """'it\\'s "a"'"""),
        ("a\\b\n", '"a\\\\b\\n"'),
        ([1, True, None, 1e-05], "[1, True, None, 1e-05]"),
        (Call("f", (1,), {"a": None, "b": "x"}), 'f(1, b="x")'),
        ([], "[]"),
        (["x" * 50, "y" * 50], f'[\n    "{"x" * 50}",\n    "{"y" * 50}",\n]'),
        ("x" * 200, f'"{"x" * 200}"'),
    ],
)
def test_values_are_written_as_a_formatter_leaves_them(value: Any, written: str) -> None:
    assert source(value) == written
