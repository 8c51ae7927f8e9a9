"""What a compute of kind slurm takes, and what it refuses."""

import pytest

from sweeps.domain.computes.slurm import SlurmSettings
from sweeps.domain.problems import InvalidInput


def test_all_settings_are_read_and_told_again():
    doc = {
        "partition": "gpu,long", "account": "vision", "qos": "high", "time": "1-00:00:00",
        "cpus": "8", "memory": "32G", "gpus": "a100:2",
        "directives": "#SBATCH --constraint=v100\n\n  --exclusive  ",
    }  # fmt: skip
    read = SlurmSettings.read(doc)
    assert (read.cpus, read.threads) == (8, 8)
    assert read.directives == "--constraint=v100\n--exclusive"
    assert SlurmSettings.read(read.doc()) == read
    assert SlurmSettings.read({}).threads == 1
    more = "--mem-per-gpu=8G\n--nodelist=a\n--time-min=5\n--exclude=b\n--gpus-per-task=1"
    assert SlurmSettings.read({"directives": more}).directives == more


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("partition", "a b"),
        ("partition", "--uid=0"),
        ("partition", "a,"),
        ("account", "x;y"),
        ("qos", "x" * 65),
        ("time", "soon"),
        ("time", "1:2:3:4"),
        ("cpus", "0"),
        ("cpus", "4097"),
        ("cpus", "4.5"),
        ("memory", "8 GB"),
        ("memory", "-1"),
        ("gpus", "0"),
        ("gpus", "a100"),
        ("directives", "-p gpu"),
        ("directives", "--wrap=rm"),
        ("directives", "--job-name=x"),
        ("directives", "--job-n=x"),
        ("directives", "--arr=1-9"),
        ("directives", "--clusters=other"),
        ("directives", "--accou=x"),
        ("directives", "--partition=x"),
        ("directives", "constraint=x"),
        ("directives", "--a\n" * 31),
    ],
)
def test_what_is_wrong_is_told_by_its_setting(name, value):
    with pytest.raises(InvalidInput) as told:
        SlurmSettings.read({name: value})
    assert [problem.field for problem in told.value.problems] == [f"settings.{name}"]
