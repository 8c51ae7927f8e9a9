"""Sweep configurations of Weights & Biases mean the same here, or it is said why not."""

import math
from textwrap import dedent

import pytest

from sweeps.domain.job import EarlyTermination, Sampling, StopRules
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.problems import InvalidInput
from sweeps.domain.space import (
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
    Uniform,
)
from sweeps.spec.reader import read_job

SWEEP = dedent("""\
    program: my train.py
    method: bayes
    name: tuned
    project: iris
    metric: {name: val_loss}
    parameters:
      lr: {distribution: log_uniform_values, min: 1e-5, max: 0.1}
      epochs: {value: 10}
      opt: {values: [adam, sgd]}
    early_terminate: {type: hyperband, min_iter: 3, eta: 4}
    run_cap: 50
""")


def test_a_sweep_is_read() -> None:
    job = read_job(SWEEP)
    assert job.command == "python 'my train.py' ${{args}}"
    assert dict(job.search_space) == {
        "lr": LogUniform(math.log(1e-5), math.log(0.1)),
        "epochs": Choice((10,)),
        "opt": Choice(("adam", "sgd")),
    }
    assert job.objective == Objective("val_loss", Goal.MINIMIZE)
    assert job.sampling == Sampling("bayesian")
    assert job.limits.max_total_trials == 50
    assert (job.display_name, job.experiment_name) == ("tuned", "iris")
    assert job.early_termination == EarlyTermination(
        "successive_halving", {"min_reports": 3, "reduction_factor": 4}
    )
    assert "Hyperband becomes successive halving with the same first bracket and eta." in job.notes


@pytest.mark.parametrize(
    ("written", "distribution"),
    [
        ("{min: 0.0, max: 1}", Uniform(0.0, 1)),
        ("{min: 0, max: 9}", Randint(10)),
        ("{min: 2, max: 9}", QUniform(1.5, 9.5, 1)),
        ("{min: 2, max: 2}", Choice((2,))),
        ("{distribution: int_uniform, min: 0, max: 4}", Randint(5)),
        ("{distribution: uniform, min: 0, max: 4}", Uniform(0, 4)),
        ("{distribution: q_uniform, min: 0, max: 4}", QUniform(0, 4, 1)),
        ("{distribution: log_uniform, min: -3, max: 0}", LogUniform(-3, 0)),
        ("{distribution: q_log_uniform, min: 0, max: 3, q: 2}", QLogUniform(0, 3, 2)),
        ("{distribution: q_log_uniform_values, min: 1, max: 8}", QLogUniform(0.0, math.log(8), 1)),
        ("{distribution: normal}", Normal(0, 1)),
        ("{distribution: q_normal, mu: 5}", QNormal(5, 1, 1)),
        ("{distribution: log_normal, sigma: 2}", LogNormal(0, 2)),
        ("{distribution: q_log_normal, q: 3}", QLogNormal(0, 1, 3)),
        ("{distribution: categorical, values: [1, 2]}", Choice((1, 2))),
        ("{distribution: constant, value: x}", Choice(("x",))),
    ],
)
def test_each_distribution_has_its_like(written: str, distribution: Distribution) -> None:
    text = SWEEP.replace("{values: [adam, sgd]}", written)
    assert dict(read_job(text).search_space)["opt"] == distribution


def test_a_grid_tries_each_whole_number() -> None:
    text = SWEEP.replace("method: bayes", "method: grid").replace("{values: [adam, sgd]}", "%s")
    text = text.replace("{distribution: log_uniform_values, min: 1e-5, max: 0.1}", "{values: [1]}")
    for written in ("{min: 2, max: 5}", "{distribution: int_uniform, min: '2', max: 5.0}"):
        assert dict(read_job(text % written).search_space)["opt"] == Choice((2, 3, 4, 5))


def test_the_command_and_hyperband_in_their_other_forms() -> None:
    text = SWEEP.replace("program: my train.py", "program: t.py").replace(
        "min_iter: 3, eta: 4", "max_iter: 27, s: 2"
    )
    job = read_job(text + 'command: ["${interpreter}", "-u", "${program}", "a b", "${args}"]\n')
    assert job.command == "python -u t.py 'a b' ${{args}}"
    assert job.early_termination == EarlyTermination(
        "successive_halving", {"min_reports": 3, "reduction_factor": 3}
    )


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "message"),
    [
        ("method: bayes", "method: best", 2, "method", "random, grid, bayes"),
        ("method: bayes", "method: grid", 7, "parameters.lr", "rid"),
        ("program: my train.py\n", "", 1, "program", "Name the script"),
        ("run_cap: 50", "runcap: 50", 11, "runcap", "Did you mean “run_cap”?"),
        ("run_cap: 50", "run_cap: 0", 11, "run_cap", "from 1 to"),
        ("run_cap: 50", "command: ['${args_json}']", 11, "command[0]", "has no match here"),
        ("run_cap: 50", "command: python", 11, "command", "a list of words"),
        ("name: val_loss", "goal: minimize", 5, "metric.name", "exactly as the script"),
        ("{name: val_loss}", "{name: val_loss, target: low}", 5, "metric.target", "a number"),
        ("{value: 10}", "{parameters: {a: {value: 1}}}", 8, "parameters.epochs", "Nested"),
        ("{value: 10}", "{values: [1], probabilities: [1]}", 8, "parameters.epochs.probabilities",
         "equally likely"),
        ("{value: 10}", "{distribution: beta}", 8, "parameters.epochs.distribution", "“beta”"),
        ("min: 1e-5, ", "", 7, "parameters.lr.min", "Is required"),
        ("{value: 10}", "{distribution: int_uniform, max: 3}", 8, "parameters.epochs.min",
         "Is required"),
        ("{value: 10}", "{min: 3, max: 1}", 8, "parameters.epochs", "above its end"),
        ("{value: 10}", "{distribution: int_uniform, min: 0, max: 0.5}", 8,
         "parameters.epochs.max", "whole number"),
        ("min: 1e-5", "min: 0", 7, "parameters.lr.min", "Must be above 0"),
        ("min: 1e-5", "min: 1", 7, "parameters.lr", "greater than the minimum"),
        ("min_iter: 3", "s: 1", 10, "early_terminate.min_iter", "max_iter and s"),
        ("type: hyperband", "type: median", 10, "early_terminate.type", "one of hyperband"),
        ("eta: 4", "eta: 1", 10, "early_terminate.eta", "from 2 to"),
    ],
)  # fmt: skip
def test_what_has_no_match_is_told_where_it_stands(
    old: str, new: str, line: int, field: str, message: str
) -> None:
    assert old in SWEEP
    with pytest.raises(InvalidInput) as caught:
        read_job(SWEEP.replace(old, new))
    fitting = [p for p in caught.value.problems if p.field.startswith(field)]
    assert fitting, [str(problem) for problem in caught.value.problems]
    assert message in fitting[0].message
    assert fitting[0].line == line


def test_a_target_ends_the_sweep_as_there() -> None:
    job = read_job(SWEEP.replace("{name: val_loss}", "{name: val_loss, target: 0.05}"))
    assert job.stop_rules == StopRules(target_value=0.05)
    assert job.notes == read_job(SWEEP).notes
    assert read_job(SWEEP).stop_rules == StopRules()


def test_all_mistakes_are_told_at_once() -> None:
    text = "method: best\nmetric: {goal: up}\nparameters: {lr: {distribution: beta}}\nrun_cap: 0\n"
    with pytest.raises(InvalidInput) as caught:
        read_job(text)
    assert {(one.field, one.line) for one in caught.value.problems} == {
        ("method", 1),
        ("metric.goal", 2),
        ("metric.name", 2),
        ("parameters.lr.distribution", 3),
        ("run_cap", 4),
        ("program", 1),
    }
