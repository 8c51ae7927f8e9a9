"""Sweep-job files as Azure ML's tools write them are read; each mistake is told where it stands."""

import math
from textwrap import dedent

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
from sweeps.domain.limits import DEFAULT_TIMEOUT_S, Limits
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.space import Branch, Choice, Uniform
from sweeps.spec.reader import read_job

JOB = """\
type: sweep
trial:
  command: python t.py --lr ${{search_space.lr}}
search_space:
  lr: {type: uniform, min_value: 0.1, max_value: 0.9}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 4}
"""


def variant(*changes: tuple[str, str], more: str = "") -> str:
    text = JOB
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text + more


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(InvalidInput) as caught:
        read_job(text)
    return caught.value.problems


# As `sweep_job._to_job().dump()` of azure-ai-ml 1.35.2 writes it.
IRIS = """\
compute: azureml:cpu-cluster
inputs:
  iris_csv:
    path: azureml:https://azuremlexamples.blob.core.windows.net/datasets/iris.csv
    type: uri_file
limits:
  max_concurrent_trials: 10
  max_total_trials: 20
  timeout: 7200
objective:
  goal: minimize
  primary_metric: test-multi_logloss
outputs: {}
properties: {}
sampling_algorithm: random
search_space:
  boosting:
    type: choice
    values:
    - gbdt
    - dart
  learning_rate:
    max_value: 0.9
    min_value: 0.01
    type: uniform
tags: {}
trial:
  code: /abs/path/src
  command: python main.py --iris-csv ${{inputs.iris_csv}} --learning-rate ${{search_space.learning_rate}}
    --boosting ${{search_space.boosting}}
  environment: azureml:AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu@latest
type: sweep
"""  # noqa: E501
# What `sweep_job.dump()` writes without `_to_job()`: the trial is a whole component.
COMPONENT = """\
trial:
  type: command
  name: azureml_anonymous
  version: '1'
  is_deterministic: true
  code: /abs/path/src
  command: python main.py --iris-csv ${{inputs.iris_csv}} --learning-rate ${{ inputs.learning_rate }}
    --boosting ${{inputs.boosting}}
  environment: azureml:AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu@latest
  inputs:
    boosting: {default: gbdt, type: string}
    iris_csv: {type: uri_file}
    learning_rate: {default: '0.9', type: number}
"""  # noqa: E501


def test_the_dump_of_azures_client_is_read() -> None:
    job = read_job(IRIS)
    assert job.command == (
        "python main.py --iris-csv ${{inputs.iris_csv}} "
        "--learning-rate ${{search_space.learning_rate}} --boosting ${{search_space.boosting}}"
    )
    assert dict(job.search_space.parameters) == {
        "boosting": Choice(("gbdt", "dart")),
        "learning_rate": Uniform(0.01, 0.9),
    }
    assert job.limits == Limits(20, 10, 7200)
    assert job.objective == Objective("test-multi_logloss", Goal.MINIMIZE)
    assert job.inputs == {
        "iris_csv": DataInput(
            "https://azuremlexamples.blob.core.windows.net/datasets/iris.csv", "uri_file"
        )
    }
    assert (job.compute, job.code) == ("cpu-cluster", "/abs/path/src")
    assert job.environment == "azureml:AzureML-lightgbm-3.2-ubuntu18.04-py37-cpu@latest"
    assert job.notes == ()


def test_the_dump_of_a_sweep_node_means_the_same() -> None:
    start, rest = IRIS.index("trial:"), IRIS.index("type: sweep")
    text = IRIS[:start] + COMPONENT + IRIS[rest:]
    assert read_job(text) == read_job(IRIS)


def test_an_input_with_the_name_of_a_parameter_stays_one() -> None:
    both = "python t.py ${{inputs.lr}} ${{search_space.lr}}"
    job = read_job(
        variant(("python t.py --lr ${{search_space.lr}}", both), more="inputs: {lr: 3}\n")
    )
    assert job.command == both


def test_a_document_and_its_text_are_the_same_job() -> None:
    doc = {
        "type": "sweep",
        "trial": {"command": "python t.py --lr ${{search_space.lr}}"},
        "search_space": {"lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9}},
        "objective": {"goal": "minimize", "primary_metric": "loss"},
        "limits": {"max_total_trials": 4},
    }
    assert read_job(doc) == read_job(JOB)


def test_words_are_read_in_any_case_and_spelling() -> None:
    job = read_job(
        variant(
            ("type: uniform", "type: Uniform"),
            ("goal: minimize", "goal: Maximize"),
            ("type: sweep", "type: Sweep"),
            more="sampling_algorithm: Random\nearly_termination: {type: MedianStopping}\n",
        )
    )
    assert job.objective.goal is Goal.MAXIMIZE
    assert job.early_termination == EarlyTermination(
        "median_stopping", {"evaluation_interval": 1, "delay_evaluation": 0}
    )


@pytest.mark.parametrize(
    ("text", "sampling"),
    [
        ("", Sampling()),
        ("random", Sampling()),
        ("{type: random}", Sampling()),
        ("{type: random, rule: sobol, seed: 7}", Sampling("random", "sobol", 7)),
        ('{type: random, logbase: "10"}', Sampling("random", logbase=10.0)),
        ("{type: random, logbase: e}", Sampling(logbase=math.e)),
        ("bayesian", Sampling("bayesian")),
        ("{type: bayesian, seed: 3}", Sampling("bayesian", seed=3)),
        ("{type: Bayesian}", Sampling("bayesian")),
    ],
)
def test_the_sampling_algorithm_is_a_word_or_a_mapping(text: str, sampling: Sampling) -> None:
    assert read_job(variant(more=f"sampling_algorithm: {text}\n")).sampling == sampling


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("{max_total_trials: 4}", Limits(4, 4)),
        ('{max_total_trials: "4", max_concurrent_trials: 2.0}', Limits(4, 2)),
        ("{max_total_trials: 5000}", Limits(5000, 1000)),
        ("{max_total_trials: 4, timeout: PT2H, trial_timeout: P1DT1M5S}",
         Limits(4, 4, 7200, 86465)),
        ("{max_total_trials: 4, timeout: '90'}", Limits(4, 4, 90)),
        ("{}", Limits(1000, 1000)),
    ],
)  # fmt: skip
def test_limits_are_read(text: str, limits: Limits) -> None:
    assert read_job(variant(("{max_total_trials: 4}", text))).limits == limits


def test_a_job_without_limits_has_azures_and_a_note() -> None:
    job = read_job(variant(("limits: {max_total_trials: 4}", "")))
    assert job.limits == Limits(1000, 1000, DEFAULT_TIMEOUT_S)
    assert "No limit on trials was given; at most 1,000 are run, as in Azure ML." in job.notes


def test_choices_may_be_nested() -> None:
    nested = (
        "model: {type: choice, values: "
        "[{kind: svm, c: {type: uniform, min_value: 0, max_value: 1}}, {kind: tree}, none]}"
    )
    job = read_job(
        variant(
            (f"lr: {LR}", nested),
            ("--lr ${{search_space.lr}}", "$[[--c ${{search_space.model.c}}]]"),
        )
    )
    svm = Branch((("kind", "svm"), ("c", Uniform(0, 1))))
    assert job.search_space.parameters == (
        ("model", Choice((svm, Branch((("kind", "tree"),)), "none"))),
    )


def test_everything_else_of_a_job_is_kept() -> None:
    job = read_job(
        variant(
            ("trial:\n", "trial:\n  code: ./src\n  environment_variables: {A: 1, B: true, C: x}\n"),
            more=(
                "name: my_sweep-1\ndisplay_name: My sweep\nexperiment_name: iris\n"
                "description: |\n  Two\n  lines\n"
                "tags: {owner: me, n: 1}\nproperties: {p: q}\ncompute: azureml:local\n"
                "inputs: {n: 3, rate: 1e-3, flag: true, text: hi, "
                "d: {path: ./data, mode: Download}}\n"
                "outputs: {model: null, logs: {type: uri_file, mode: upload}}\n"
                "early_termination: {type: bandit, slack_factor: 0.1, slack_amount: 0.0, "
                "evaluation_interval: 0, delay_evaluation: 5}\n"
                "$schema: https://example.org/sweepJob.schema.json\nid: x\nstatus: Completed\n"
            ),
        )
    )
    assert (job.name, job.display_name, job.experiment_name) == ("my_sweep-1", "My sweep", "iris")
    assert job.description == "Two\nlines\n"
    assert (job.code, job.compute) == ("./src", "local")
    assert job.environment_variables == {"A": "1", "B": "true", "C": "x"}
    assert job.tags == {"owner": "me", "n": "1"}
    assert job.properties == {"p": "q"}
    assert job.inputs == {
        "n": 3, "rate": 0.001, "flag": True, "text": "hi",
        "d": DataInput("./data", "uri_folder", "download"),
    }  # fmt: skip
    assert job.outputs == {"model": Output(), "logs": Output("uri_file", "upload")}
    assert job.early_termination == EarlyTermination(
        "bandit",
        {"evaluation_interval": 1, "delay_evaluation": 5, "slack_factor": 0.1},
    )


def test_what_azure_has_no_key_for_stands_under_studio() -> None:
    job = read_job(
        variant(
            more=dedent("""\
            early_termination: {type: SuccessiveHalving, reduction_factor: "3"}
            studio:
              stop_rules: {target_value: 1e-1, no_improvement_trials: 20}
              failure_policy: {max_consecutive_failures: 0, retries: 2}
              first_trials: [{lr: 0.5}, {lr: 0.9}]
            """)
        )
    )
    assert job.early_termination == EarlyTermination(
        "successive_halving", {"min_reports": 1, "reduction_factor": 3}
    )
    assert job.stop_rules == StopRules(0.1, 20)
    assert job.failure_policy == FailurePolicy(0, 2, 2)
    assert job.first_trials == ({"lr": 0.5}, {"lr": 0.9})
    assert job.properties == {}


def test_the_same_stands_in_a_property_as_json() -> None:
    text = (
        '{"early_termination": {"type": "successive_halving"}, "stop_rules": {"target_value": 1}, '
        '"failure_policy": {"retries": 1}, "first_trials": [{"lr": 0.5}]}'
    )
    job = read_job(variant(more=f"properties: {{p: q, studio: '{text}'}}\n"))
    assert job.early_termination == EarlyTermination(
        "successive_halving", {"min_reports": 1, "reduction_factor": 4}
    )
    assert (job.stop_rules, job.failure_policy) == (StopRules(1.0), FailurePolicy(retries=1))
    assert job.first_trials == ({"lr": 0.5},)
    assert job.properties == {"p": "q"}


def test_a_job_without_them_has_the_defaults() -> None:
    for more in ("", "studio: {}\n", "studio:\n", "studio: {stop_rules: , first_trials: []}\n"):
        job = read_job(variant(more=more))
        assert (job.stop_rules, job.failure_policy) == (StopRules(), FailurePolicy())
        assert job.first_trials == ()


def test_first_trials_get_the_types_of_the_space() -> None:
    space = (
        "{type: randint, upper: 9}\n  q: {type: quniform, min_value: 0, max_value: 9, q: 3}\n"
        "  u: {type: loguniform, min_value: -3, max_value: 0}"
    )
    points = "[{lr: 3.0, q: 6.0, u: 1}, {lr: 8, q: 9, u: 0.001}]"
    job = read_job(
        variant(
            (LR, space),
            more="sampling_algorithm: {type: random, logbase: 10}\n"
            f"studio: {{first_trials: {points}}}\n",
        )
    )
    assert repr(job.first_trials) == (
        "({'lr': 3, 'q': 6, 'u': 1.0}, {'lr': 8, 'q': 9, 'u': 0.001})"
    )


def test_more_first_trials_than_trials_are_noted() -> None:
    points = ", ".join(["{lr: 0.5}"] * 4)
    assert not read_job(variant(more=f"studio: {{first_trials: [{points}]}}\n")).notes
    job = read_job(variant(more=f"studio: {{first_trials: [{points}, {{lr: 0.5}}]}}\n"))
    assert job.notes == ("There are 5 first trials, but at most 4 are run; the rest is left out.",)
    assert len(job.first_trials) == 5


@pytest.mark.parametrize(
    ("more", "note"),
    [
        ("identity: {type: user_identity}", "“identity” is ignored"),
        ("resources: {instance_count: 2}", "“resources” is ignored"),
        ("queue_settings: {job_tier: spot}", "“queue_settings” is ignored"),
        ("services: {a: {type: ssh}}", "“services” is ignored"),
        ("outputs: {m: {path: azureml:x}}", "Output “m” is kept with its trial"),
        (
            "sampling_algorithm: bayesian\nearly_termination: {type: median_stopping}",
            "bayesian sampling does not support early termination; here it does",
        ),
    ],
)
def test_what_does_not_apply_here_is_noted(more: str, note: str) -> None:
    assert any(note in one for one in read_job(variant(more=f"{more}\n")).notes)


def test_what_a_trial_asks_of_a_cluster_is_noted() -> None:
    job = read_job(
        variant(("trial:\n", "trial:\n  distribution: {type: mpi}\n  environment: {image: x}\n"))
    )
    assert job.notes == (
        "“distribution” of the trial does not apply on this machine; it is ignored.",
    )


def test_parameters_that_the_command_lacks_are_noted() -> None:
    job = read_job(variant((" --lr ${{search_space.lr}}", "")))
    assert job.notes == (
        "lr is not in the command; the script can read it from SWEEP_PARAM_LR or "
        "SWEEP_PARAMS_FILE.",
    )


LR = "{type: uniform, min_value: 0.1, max_value: 0.9}"
COMMAND = "python t.py --lr ${{search_space.lr}}"
TRIAL = f"trial:\n  command: {COMMAND}"
OBJECTIVE = "{goal: minimize, primary_metric: loss}"
LIMITS = "{max_total_trials: 4}"
BAD = [
    # replaced, by, line, column, field, message
    ("type: sweep", "type: command", 1, 1, "type", "Only jobs of type sweep run here"),
    ("type: sweep", "limts: {}\ntype: sweep", 1, 1, "limts", "Did you mean “limits”?"),
    ("type: sweep", "'': 1\ntype: sweep", 1, 1, '""', "Unknown key “”"),
    ("type: sweep", "zzz: 1\ntype: sweep", 1, 1, "zzz", "Known: $schema, type"),
    ("trial:", "trail: 1\ntrial:", 2, 1, "trail", "Did you mean “trial”?"),
    (TRIAL, "trial: ./train.yml", 2, 1, "trial", "“./train.yml” cannot be looked up"),
    (TRIAL, "trial: azureml:t:1", 2, 1, "trial", "Write the trial out here"),
    (TRIAL, "trial: [a]", 2, 1, "trial", "Must be a mapping"),
    (TRIAL, "", 1, 1, "trial.command", "Give the command"),
    (COMMAND, "''", 3, 3, "trial.command", "Give the command"),
    (COMMAND, "[a]", 3, 3, "trial.command", "Must be text"),
    (COMMAND, "python t.py ${{search_space.lrr}}", 3, 3, "trial.command", "Did you mean lr?"),
    (COMMAND, "python t.py ${{inputs.csv}}", 3, 3, "trial.command", "there is no input “csv”"),
    (COMMAND, "python t.py 'tee log", 3, 3, "trial.command", "A quote is never closed"),
    (COMMAND, "python 't.py", 3, 3, "trial.command", "quot"),
    (COMMAND, '"python t.py \\0"', 3, 3, "trial.command", "NUL"),
    (COMMAND, f"{COMMAND}\n  compute: x", 4, 3, "trial.compute", "belongs at the top of the job"),
    (COMMAND, f"{COMMAND}\n  inputs: {{a: 1}}", 4, 3, "trial.inputs", "belong at the top"),
    (COMMAND, f"{COMMAND}\n  code: {{local_path: x}}", 4, 3, "trial.code", "not a mapping"),
    (COMMAND, f"{COMMAND}\n  code: 5", 4, 3, "trial.code", "Must be a folder"),
    (COMMAND, f"{COMMAND}\n  comand: x", 4, 3, "trial.comand", "Did you mean “command”?"),
    (COMMAND, f"{COMMAND}\n  environment_variables: {{A: [1]}}", 4, 27,
     "trial.environment_variables.A", "Must be text"),
    (COMMAND, f'{COMMAND}\n  environment_variables: {{A: "\\0"}}', 4, 27,
     "trial.environment_variables.A", "no text"),
    (LR, "{type: unifrom, min_value: 0.1}", 5, 8, "search_space.lr.type", "Did you mean uniform?"),
    (LR, "{min_value: 0.1}", 5, 3, "search_space.lr.type", "it has no type"),
    (LR, "5", 5, 3, "search_space.lr", "Give a distribution"),
    (LR, "{type: uniform, min_value: 0.1}", 5, 3, "search_space.lr.max_value", "Is required"),
    (LR, "{type: uniform, min_value: 1, max_value: 0}", 5, 37, "search_space.lr.max_value",
     "greater than the minimum 1"),
    (LR, "{type: uniform, min_value: .nan, max_value: 0}", 5, 23, "search_space.lr.min_value",
     "finite"),
    (LR, "{type: randint, upper: 5, lower: 1}", 5, 33, "search_space.lr.lower", "has no “lower”"),
    (LR, "{type: choice, values: [1, null]}", 5, 34, "search_space.lr.values[1]", "A value is"),
    (LR, "{type: choice, values: [1, [2]]}", 5, 34, "search_space.lr.values[1]", "A value is"),
    (LR, "{type: choice, values: []}", 5, 22, "search_space.lr.values", "at least one value"),
    (f"  lr: {LR}", f"  lr: {LR}\n  a-b: {LR}", 6, 3, "search_space.a-b",
     "cannot name a parameter"),
    (f"search_space:\n  lr: {LR}", "", 1, 1, "search_space", "Add at least one parameter"),
    (OBJECTIVE, "{goal: min, primary_metric: loss}", 6, 13, "objective.goal",
     "Must be one of minimize, maximize; it is “min”"),
    (OBJECTIVE, "{primary_metric: loss}", 6, 1, "objective.goal", "it is missing"),
    (OBJECTIVE, "{goal: minimize}", 6, 1, "objective.primary_metric", "exactly as the script"),
    (OBJECTIVE, "{goal: minimize, primary_metric: a@b}", 6, 29, "objective.primary_metric", "“@”"),
    (OBJECTIVE, "{goal: minimize, primary_metric: a//b}", 6, 29, "objective.primary_metric",
     "as a path"),
    (OBJECTIVE, "{goal: minimize, primary_metric: loss, gaol: 1}", 6, 51, "objective.gaol",
     "Did you mean “goal”?"),
    (LIMITS, "{max_total_trials: 0}", 7, 10, "limits.max_total_trials", "from 1 to 100,000"),
    (LIMITS, "{max_total_trials: -1}", 7, 10, "limits.max_total_trials", "but got -1"),
    (LIMITS, "{max_total_trials: many}", 7, 10, "limits.max_total_trials", "a whole number"),
    (LIMITS, "{max_total_trials: 2.7}", 7, 10, "limits.max_total_trials", "a whole number"),
    (LIMITS, "{max_total_trials: '--5'}", 7, 10, "limits.max_total_trials", "a whole number"),
    (LIMITS, "{max_total_trials: true}", 7, 10, "limits.max_total_trials", "a whole number"),
    (LIMITS, "{max_total_trials: 4, max_concurrent_trials: 0}", 7, 31,
     "limits.max_concurrent_trials", "from 1 to 1,000"),
    (LIMITS, "{max_total_trials: 4, timeout: 2h}", 7, 31,
     "limits.timeout", "a whole number of seconds"),
    (LIMITS, "{max_total_trials: 4, timeout: 0}", 7, 31, "limits.timeout", "at least 1 second"),
    (LIMITS, "{max_total_trials: 4, timeout: PT}", 7, 31, "limits.timeout", "a whole number"),
    (LIMITS, "{max_trials: 4}", 7, 10, "limits.max_trials", "Did you mean “max_total_trials”?"),
    (LIMITS, "5", 7, 1, "limits", "Must be a mapping"),
]  # fmt: skip
BAD.append(("type: sweep", "sampling_algorithm: grid\ntype: sweep", 6, 3, "search_space.lr", "rid"))
MORE = [
    # added line, column, field, message
    ("sampling_algorithm: best", 1, "sampling_algorithm.type", "random, grid, bayesian"),
    ("sampling_algorithm: {seed: 1}", 1, "sampling_algorithm.type", "it is missing"),
    ("sampling_algorithm: {type: random, rule: x}", 36, "sampling_algorithm.rule", "random, sobol"),
    ("sampling_algorithm: {type: random, seed: -1}", 36, "sampling_algorithm.seed", "2^63"),
    ("sampling_algorithm: {type: random, seed: x}", 36, "sampling_algorithm.seed", "whole number"),
    ("sampling_algorithm: {type: random, logbase: 1}", 36, "sampling_algorithm.logbase", "than 1"),
    ("sampling_algorithm: {type: random, logbase: x}", 36, "sampling_algorithm.logbase",
     "a number"),
    ("sampling_algorithm: {type: bayesian, rule: sobol}", 38, "sampling_algorithm.rule",
     "Only random"),
    ("early_termination: bandit", 1, "early_termination", "Must be a mapping"),
    ("early_termination: {type: x}", 21, "early_termination.type", "Must be one of bandit"),
    ("early_termination: {type: bandit}", 1, "early_termination.slack_factor",
     "slack_factor or slack_amount, above 0"),
    ("early_termination: {type: bandit, slack_factor: 0, slack_amount: 0}", 35,
     "early_termination.slack_factor", "above 0"),
    ("early_termination: {type: bandit, slack_factor: 1, slack_amount: 1}", 52,
     "early_termination.slack_amount", "not both"),
    ("early_termination: {type: bandit, slack_factor: -1}", 35, "early_termination.slack_factor",
     "above 0, but got -1"),
    ("early_termination: {}", 1, "early_termination.type", "it is missing"),
    ("early_termination: {type: successive_halving, min_reports: 0}", 47,
     "early_termination.min_reports", "at least 1, but got 0"),
    ("early_termination: {type: successive_halving, reduction_factor: 1}", 47,
     "early_termination.reduction_factor", "from 2 to 1,000, but got 1"),
    ("early_termination: {type: successive_halving, reduction_factor: 2.5}", 47,
     "early_termination.reduction_factor", "a whole number"),
    ("early_termination: {type: successive_halving, delay_evaluation: 5}", 47,
     "early_termination.delay_evaluation", "Unknown key"),
    ("early_termination: {type: bandit, slack_factor: .nan}", 35,
     "early_termination.slack_factor", "Must be a finite number, but got NaN"),
    ("early_termination: {type: truncation_selection}", 1,
     "early_termination.truncation_percentage", "from 1 to 99"),
    ("early_termination: {type: truncation_selection, truncation_percentage: 9.5}", 49,
     "early_termination.truncation_percentage", "a whole number"),
    ("early_termination: {type: truncation_selection, truncation_percentage: 150}", 49,
     "early_termination.truncation_percentage", "from 1 to 99, but got 150"),
    ("early_termination: {type: median_stopping, slack_factor: 1}", 44,
     "early_termination.slack_factor", "Unknown key"),
    ("early_termination: {type: median_stopping, delay_evaluation: -1}", 44,
     "early_termination.delay_evaluation", "at least 0"),
    ("early_termination: {type: median_stopping, evaluation_intervall: 1}", 44,
     "early_termination.evaluation_intervall", "Did you mean “evaluation_interval”?"),
    ("studio: 5", 1, "studio", "Must be a mapping"),
    ("studio: {seed: x}", 10, "studio.seed", "a whole number"),
    ("studio: {seed: -1}", 10, "studio.seed", "2^63"),
    ("studio: {seed: 2}\nsampling_algorithm: {type: bayesian, seed: 1}", 10, "studio.seed",
     "a seed already"),
    ("studio: {stop_rule: {}}", 10, "studio.stop_rule", "Did you mean “stop_rules”?"),
    ("studio: {stop_rules: [1]}", 10, "studio.stop_rules", "Must be a mapping"),
    ("studio: {stop_rules: {target_value: low}}", 23, "studio.stop_rules.target_value",
     "Must be a number"),
    ("studio: {stop_rules: {target_value: .inf}}", 23, "studio.stop_rules.target_value",
     "finite number"),
    ("studio: {stop_rules: {no_improvement_trials: 0}}", 23,
     "studio.stop_rules.no_improvement_trials", "from 1 to 100,000"),
    ("studio: {stop_rules: {target: 1}}", 23, "studio.stop_rules.target", "Did you mean"),
    ("studio: {failure_policy: {retries: -1}}", 27, "studio.failure_policy.retries",
     "from 0 to 10, but got -1"),
    ("studio: {failure_policy: {retries: 1.5}}", 27, "studio.failure_policy.retries",
     "a whole number"),
    ("studio: {failure_policy: {retry: 1}}", 27, "studio.failure_policy.retry", "Did you mean"),
    ("studio: {logged_models: some}", 10, "studio.logged_models",
     "Must be all, best or none, but got “some”."),
    ("studio: {logged_models: [best]}", 10, "studio.logged_models", "all, best or none"),
    ("studio: {preload: never}", 10, "studio.preload", "Must be true or false, but got “never”."),
    ("studio: {first_trials: {lr: 0.5}}", 10, "studio.first_trials", "Must be a list"),
    ("studio: {first_trials: [0.5]}", 25, "studio.first_trials[0]", "Must be a mapping"),
    ("studio: {first_trials: [{}]}", 25, "studio.first_trials[0].lr", "Give a value."),
    ("studio: {first_trials: [{lr: 0.5}, {lr: 0.5, lrr: 1}]}", 46,
     "studio.first_trials[1].lrr", "no parameter “lrr”. Did you mean “lr”?"),
    ("studio: {first_trials: [{lr: 0.95}]}", 26, "studio.first_trials[0].lr",
     "a number from 0.1 to 0.9, but got 0.95"),
    ("studio: {first_trials: [{lr: fast}]}", 26, "studio.first_trials[0].lr", "but got “fast”"),
    ('studio: {first_trials: [{lr: "\\0"}]}', 26, "studio.first_trials[0].lr", "no text"),
    ("properties: {studio: here}", 14, "properties.studio", "“here” is none"),
    ("properties: {studio: '[1]'}", 14, "properties.studio", "“[1]” is none"),
    ("properties: {studio: '{}'}\nstudio: {}", 14, "properties.studio", "not both"),
    ("properties: {studio: '{\"stop_rules\": {\"target_value\": NaN}}'}", 14,
     "properties.studio.stop_rules.target_value", "finite number"),
    ("properties: {studio: '{\"early_termination\": {\"type\": \"bandit\"}}'}", 14,
     "properties.studio.early_termination.slack_factor", "above 0"),
    ("properties: {studio: '{\"early_termination\": {\"type\": \"successive_halving\"}}'}\n"
     "early_termination: {type: median_stopping}", 14,
     "properties.studio.early_termination", "at the top of the job already"),
    ("inputs: {a-b: 1}", 10, "inputs.a-b", "cannot name an input"),
    ("inputs: {a: [1]}", 10, "inputs.a", "Must be a value or a file"),
    ("inputs: {a: null}", 10, "inputs.a", "Must be a value or a file"),
    ("inputs: {a: .inf}", 10, "inputs.a", "finite number"),
    ("inputs: {a: {type: uri_file}}", 10, "inputs.a.path", "Give the path"),
    ("inputs: {a: {path: 'azureml:'}}", 14, "inputs.a.path", "Give the path"),
    ("inputs: {a: {type: url, path: x}}", 14, "inputs.a.type", "Must be one of uri_file"),
    ("inputs: {a: {path: x, mod: y}}", 23, "inputs.a.mod", "Did you mean “mode”?"),
    ("outputs: {a-b: {}}", 11, "outputs.a-b", "cannot name an output"),
    ("outputs: {a: 5}", 11, "outputs.a", "Must be a mapping"),
    ("name: a b", 1, "name", "cannot be a name"),
    ("name: new", 1, "name", "taken by a page"),
    ("name: [a]", 1, "name", "Must be text"),
    ("tags: {a: [1]}", 8, "tags.a", "Must be text"),
    ("tags: [a]", 1, "tags", "Must be a mapping"),
    ('tags: {a: "\\0"}', 8, "tags.a", "no text"),
    (f"display_name: {'x' * 256}", 1, "display_name", "255 characters at most"),
    ("description: 5", 1, "description", "Must be text"),
]  # fmt: skip
CASES = [
    *BAD,
    *(("limits: {max", f"{line}\nlimits: {{max", 7, *rest) for line, *rest in MORE),
]


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "field", "message"),
    CASES,
    ids=[f"{case[4]}-{index}" for index, case in enumerate(CASES)],
)
def test_each_mistake_is_told_where_it_stands(
    old: str, new: str, line: int, column: int, field: str, message: str
) -> None:
    found = problems(variant((old, new)))
    fitting = [problem for problem in found if problem.field == field]
    assert fitting, [str(problem) for problem in found]
    assert message in fitting[0].message
    assert (fitting[0].line, fitting[0].column) == (line, column)


def test_limits_out_of_range_are_told_beside_those_that_cannot_be_read() -> None:
    limits = "{max_total_trials: many, timeout: -1, trial_timeout: 99999999999}"
    found = problems(variant((LIMITS, limits)))
    told = [(problem.field, problem.message.split(",")[0]) for problem in found]
    assert told == [
        ("limits.max_total_trials", "Must be a whole number"),
        ("limits.timeout", "Must be at least 1 second"),
        ("limits.trial_timeout", "Must be at most 2"),
    ]


def test_all_mistakes_are_told_at_once() -> None:
    found = problems(
        dedent("""\
        type: sweep
        nmae: x
        trial: {command: "python t.py ${{search_space.lr}} 'log", code: 5, compute: x}
        search_space: {lr: {type: uniform, min_value: 1, max_value: 0}, b: {type: choice}}
        objective: {goal: down}
        limits: {max_total_trials: x, max_concurrent_trials: y, timeout: z, trial_timeout: z}
        sampling_algorithm: {type: random, seed: -1, rule: x}
        early_termination: {type: bandit}
        inputs: {a: []}
        name: a b
        """)
    )
    assert {problem.field for problem in found} == {
        "nmae", "trial.command", "trial.code", "trial.compute", "search_space.lr.max_value",
        "search_space.b.values", "objective.goal", "objective.primary_metric",
        "limits.max_total_trials", "limits.max_concurrent_trials", "limits.timeout",
        "limits.trial_timeout", "sampling_algorithm.seed", "sampling_algorithm.rule",
        "early_termination.slack_factor", "inputs.a", "name",
    }  # fmt: skip


def test_what_cannot_be_read_hides_nothing_else_and_all_is_told_from_top_to_bottom() -> None:
    found = problems(
        dedent("""\
        type: sweep
        trial:
          command: >-
            python t.py ${{search_space.lr}} ${{search_space.model.c}} ${{search_space.nope}}
            ${{inputs.list}} ${{inputs.nope}} ${{outputs.nope}}
        inputs:
          list: [1]
          data: {type: uri_file, mode: eval_mount}
        search_space:
          lr: {type: uniform, min_value: x, max_value: 1}
          model: {type: choice, values: [{c: {type: bad}}]}
          wide: {type: uniform, min_value: 0, max_value: 1}
        sampling_algorithm: grid
        objective: {goal: minimize, primary_metric: loss}
        limits:
          timeout: x
          max_total_trials: -1
        early_termination:
          type: bandit
          evaluation_interval: -1
          slack_factor: x
        studio: {first_trials: {lr: 1}}
        """)
    )
    assert [(problem.line, problem.field) for problem in found] == [
        (3, "trial.command"), (3, "trial.command"), (3, "trial.command"),
        (7, "inputs.list"), (8, "inputs.data.path"), (8, "inputs.data.mode"),
        (10, "search_space.lr.min_value"), (11, "search_space.model.values[0].c.type"),
        (12, "search_space.wide"), (16, "limits.timeout"), (17, "limits.max_total_trials"),
        (20, "early_termination.evaluation_interval"), (21, "early_termination.slack_factor"),
        (22, "studio.first_trials"),
    ]  # fmt: skip
    kinds = [problem.message.partition(":")[0] for problem in found[:3]]
    assert kinds == ["${{search_space.nope}}", "${{inputs.nope}}", "${{outputs.nope}}"]


@pytest.mark.parametrize("part", ["search_space: 5", "search_space: {}", "inputs: [x]"])
def test_names_in_a_part_that_says_none_are_not_told_as_unknown(part: str) -> None:
    key = part.partition(":")[0]
    text = JOB.replace("${{search_space.lr}}", f"${{{{{key}.lr}}}}")
    lines = [line for line in text.splitlines() if not line.startswith("  lr:")]
    kept = [line for line in lines if line != "search_space:"]
    other = "" if key == "search_space" else "search_space: {b: {type: randint, upper: 2}}\n"
    [problem] = problems("\n".join([*kept, other + part]))
    assert problem.field == key


@pytest.mark.parametrize("document", ["", "5", "[]", "just text"])
def test_what_is_no_mapping_is_no_job(document: str) -> None:
    (problem,) = problems(document)
    assert problem.message == "A sweep job is a mapping that begins with type: sweep."
    assert (problem.line, problem.column) == (1, 1)


@pytest.mark.parametrize("number", [10**400, float("nan"), float("inf"), "9" * 5000, [], {}, "+-5"])
@pytest.mark.parametrize(
    "path",
    [
        ("limits", "max_total_trials"), ("limits", "timeout"),
        ("early_termination", "slack_factor"),
        ("sampling_algorithm", "seed"), ("sampling_algorithm", "logbase"),
        ("early_termination", "delay_evaluation"), ("search_space", "min_value"),
    ],
)  # fmt: skip
def test_odd_numbers_of_a_document_are_refused(path: tuple[str, str], number: object) -> None:
    doc: dict = {
        "trial": {"command": "python t.py ${{search_space.lr}}"},
        "search_space": {"lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9}},
        "objective": {"goal": "minimize", "primary_metric": "loss"},
        "limits": {"max_total_trials": 4},
        "sampling_algorithm": {"type": "random"},
        "early_termination": {"type": "bandit"},
    }
    part = doc["search_space"]["lr"] if path[0] == "search_space" else doc[path[0]]
    part[path[1]] = number
    with pytest.raises(InvalidInput):
        read_job(doc)


@pytest.mark.parametrize("value", [10**400, float("nan"), "9" * 5000, [], {}, None, True])
@pytest.mark.parametrize(
    "path",
    [("first_trials", 0, "lr"), ("stop_rules", "target_value"), ("failure_policy", "retries")],
)
def test_odd_values_under_studio_are_refused_or_mean_nothing(path: tuple, value: object) -> None:
    studio: dict = {"stop_rules": {}, "failure_policy": {}, "first_trials": [{"lr": 0.5}]}
    part = studio
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    doc = {
        "trial": {"command": "python t.py ${{search_space.lr}}"},
        "search_space": {"lr": {"type": "uniform", "min_value": 0.1, "max_value": 0.9}},
        "objective": {"goal": "minimize", "primary_metric": "loss"},
        "limits": {"max_total_trials": 4},
        "studio": studio,
    }
    if value is None and path[0] != "first_trials":
        assert read_job(doc).stop_rules == StopRules()
        return
    with pytest.raises(InvalidInput) as caught:
        read_job(doc)
    assert any("studio." + str(path[0]) in p.field for p in caught.value.problems)


def test_a_job_is_a_value() -> None:
    assert isinstance(read_job(JOB), SweepJob)
    assert read_job(JOB) == read_job(JOB)
