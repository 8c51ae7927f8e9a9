"""Katib's experiments mean the same here, or it is said why not.

The experiments are written after those of github.com/kubeflow/katib, examples/v1beta1, and have
what these have: algorithms, parameters, metrics and commands. Each says after which.
"""

import math
from textwrap import dedent, indent

import pytest

from sweeps.domain.job import EarlyTermination, FailurePolicy, Sampling, StopRules
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.problems import InvalidInput, Problem
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
from sweeps.spec.reader import placed, read_job

# After hp-tuning/random.yaml.
RANDOM = dedent("""\
    ---
    apiVersion: kubeflow.org/v1beta1
    kind: Experiment
    metadata: {namespace: kubeflow, name: random}
    spec:
      objective:
        type: maximize
        goal: 0.99
        objectiveMetricName: Validation-accuracy
        additionalMetricNames: [Train-accuracy]
      algorithm:
        algorithmName: random
      parallelTrialCount: 3
      maxTrialCount: 12
      maxFailedTrialCount: 3
      parameters:
        - name: lr
          parameterType: double
          feasibleSpace: {min: "0.01", max: "0.03"}
        - name: num-layers
          parameterType: int
          feasibleSpace: {min: "2", max: "5"}
        - name: optimizer
          parameterType: categorical
          feasibleSpace: {list: [sgd, adam, ftrl]}
      trialTemplate:
        primaryContainerName: training-container
        trialParameters:
          - {name: learningRate, description: Of the model, reference: lr}
          - {name: numberLayers, reference: num-layers}
          - {name: optimizer, reference: optimizer}
        trialSpec:
          apiVersion: batch/v1
          kind: Job
          spec:
            template:
              spec:
                containers:
                  - name: training-container
                    image: docker.io/kubeflowkatib/mxnet-mnist:v0.15.0
                    command:
                      - python3
                      - /opt/mxnet-mnist/mnist.py
                      - "--batch-size=64"
                      - "--lr=${trialParameters.learningRate}"
                      - "--num-layers=${trialParameters.numberLayers}"
                      - "--optimizer=${trialParameters.optimizer}"
                restartPolicy: Never
""")
LAYERS = 'feasibleSpace: {min: "2", max: "5"}'
SETTINGS = "algorithmName: random\n    algorithmSettings:\n"
EARLY = dedent("""\
      earlyStopping:
        algorithmName: medianstop
        algorithmSettings:
          - {name: min_trials_required, value: "1"}
          - {name: start_step, value: "2"}
""")


def changed(*pairs: tuple[str, str]) -> str:
    text = RANDOM
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


def searched_by(name: str, **settings: str) -> str:
    """The experiment with another algorithm, as in hp-tuning/<name>.yaml."""
    given = "".join(f'      - {{name: "{k}", value: "{v}"}}\n' for k, v in settings.items())
    head = f"algorithmName: {name}\n"
    new = head + (f"    algorithmSettings:\n{given}" if given else "")
    return changed(("algorithmName: random\n", new))


def in_container(text: str) -> str:
    """The experiment whose container has these further keys."""
    lines = indent(dedent(text), " " * 16)
    return changed(("            restartPolicy", f"{lines}            restartPolicy"))


def test_an_experiment_is_read() -> None:
    job = read_job(RANDOM)
    assert job.command == (
        "python3 /opt/mxnet-mnist/mnist.py --batch-size=64 --lr=${{search_space.lr}} "
        "--num-layers=${{search_space.num_layers}} --optimizer=${{search_space.optimizer}}"
    )
    assert dict(job.search_space) == {
        "lr": Uniform(0.01, 0.03),
        "num_layers": Choice((2, 3, 4, 5)),
        "optimizer": Choice(("sgd", "adam", "ftrl")),
    }
    assert job.objective == Objective("Validation-accuracy", Goal.MAXIMIZE)
    assert job.sampling == Sampling("random")
    assert (job.limits.max_total_trials, job.limits.max_concurrent_trials) == (12, 3)
    assert job.stop_rules == StopRules(target_value=0.99)
    assert job.failure_policy == FailurePolicy(max_consecutive_failures=4)
    assert (job.name, job.display_name) == (None, "random")


def test_what_differs_is_said() -> None:
    notes = " ".join(read_job(RANDOM).notes)
    for words in (
        "num-layers is called num_layers here",
        "The image “docker.io/kubeflowkatib/mxnet-mnist:v0.15.0” is not pulled",
        "All metrics that a script logs are kept",
        "gives up after 4 failed trials in all; here 4 in a row pause",
        "logs them with MLflow",
    ):
        assert words in notes


@pytest.mark.parametrize(
    ("text", "sampling", "note"),
    [
        (searched_by("tpe"), Sampling("bayesian"), "which is TPE, too"),
        (searched_by("multivariate-tpe"), Sampling("bayesian"), "each parameter by itself"),
        (
            searched_by("bayesianoptimization", random_state="10"),
            Sampling("bayesian", seed=10),
            "in place of Gaussian processes",
        ),
        (searched_by("cmaes", sigma="0.5"), Sampling("bayesian"), "not taken over: sigma"),
        (searched_by("sobol"), Sampling("random", "sobol"), ""),
        (searched_by("random", random_state="0"), Sampling("random", seed=0), ""),
    ],
)
def test_each_algorithm_has_its_like(text: str, sampling: Sampling, note: str) -> None:
    job = read_job(text)
    assert job.sampling == sampling
    assert note in " ".join(job.notes)


def test_a_grid_has_the_values_of_its_steps() -> None:
    """After hp-tuning/grid.yaml."""
    step = ('{min: "0.01", max: "0.03"}', '{min: "0.001", max: "0.01", step: "0.001"}')
    job = read_job(changed(step, ("algorithmName: random", "algorithmName: grid")))
    lr = dict(job.search_space)["lr"]
    assert lr == Choice((0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.007, 0.008, 0.009, 0.01))


LOG_SPAN = math.log(0.05) - math.log(0.01)


@pytest.mark.parametrize(
    ("kind", "space", "distribution"),
    [
        # After hp-tuning/optuna-distribution.yaml and hyperopt-distribution.yaml.
        ("double", 'min: "1", max: "2", step: "0.5"', Choice((1.0, 1.5, 2.0))),
        ("double", 'min: "0.001", max: "0.31", step: "0.1"', Choice((0.001, 0.101, 0.201, 0.301))),
        ("double", 'min: "1", max: "5", step: "0.1"', QUniform(0.95, 5.05, 0.1)),
        ("double", 'min: "0.001", max: "1", distribution: uniform', Uniform(0.001, 1.0)),
        (
            "double",
            "min: 1e-5, max: 0.1, distribution: logUniform",
            LogUniform(math.log(1e-5), math.log(0.1)),
        ),
        (
            "double",
            "min: 1, max: 9, step: 0.5, distribution: logUniform",
            QLogUniform(0.0, math.log(9), 0.5),
        ),
        ("double", "min: 1, max: 7, distribution: normal", Normal(4.0, 1.0)),
        ("double", "min: 1, max: 7, step: 0.5, distribution: normal", QNormal(4.0, 1.0, 0.5)),
        (
            "double",
            "min: 0.01, max: 0.05, distribution: logNormal",
            LogNormal((math.log(0.01) + math.log(0.05)) / 2, LOG_SPAN / 6),
        ),
        ("int", 'min: "2", max: "2"', Choice((2,))),
        ("int", 'min: "0", max: "100"', Randint(101)),
        ("int", 'min: "32", max: "64"', QUniform(31.5, 64.5, 1)),
        ("int", 'min: "32", max: "256", step: "32"', Choice((32, 64, 96, 128, 160, 192, 224, 256))),
        (
            "int",
            'min: "32", max: "64", distribution: logUniform',
            QLogUniform(math.log(31.5), math.log(64.5), 1),
        ),
        ("int", "min: 2, max: 14, distribution: normal", QNormal(8.0, 2.0, 1)),
        (
            "int",
            "min: 1, max: 64, distribution: logNormal",
            QLogNormal(math.log(64) / 2, math.log(64) / 6, 1),
        ),
        ("discrete", 'list: ["0.5", "1", "1e-3", "a"]', Choice((0.5, 1, 0.001, "a"))),
        ("categorical", 'list: ["0.5", adam]', Choice(("0.5", "adam"))),
    ],
)
def test_each_parameter_has_its_like(kind: str, space: str, distribution: Distribution) -> None:
    text = changed(
        ("parameterType: int", f"parameterType: {kind}"),
        (LAYERS, f"feasibleSpace: {{{space}}}"),
    )
    found = dict(read_job(text).search_space)["num_layers"]
    assert found == distribution
    assert repr(found) == repr(distribution)  # 1 is not 1.0


def test_bayesian_search_keeps_the_order_of_steps() -> None:
    """After hp-tuning/optuna-distribution.yaml, which searches by tpe."""
    tpe = ("algorithmName: random", "algorithmName: tpe")
    job = read_job(changed(tpe))
    assert dict(job.search_space)["num_layers"] == QUniform(1.5, 5.5, 1)
    assert "so that 2 and 5 come as often as the others" in " ".join(job.notes)
    off = ('{min: "0.01", max: "0.03"}', '{min: "0.001", max: "0.3", step: "0.1"}')
    job = read_job(changed(tpe, off))
    assert dict(job.search_space)["lr"] == Choice((0.001, 0.101, 0.201))
    assert "bayesian search does not know that they have an order" in " ".join(job.notes)


def test_medianstop_is_median_stopping() -> None:
    """After early-stopping/median-stop.yaml."""
    job = read_job(changed(("  parallelTrialCount", indent(EARLY, "  ") + "  parallelTrialCount")))
    assert job.early_termination == EarlyTermination(
        "median_stopping", {"evaluation_interval": 1, "delay_evaluation": 2}
    )
    assert "min_trials_required has no like" in " ".join(job.notes)


# --- The trial's command ------------------------------------------------------------------------


def test_arguments_variables_and_shells() -> None:
    text = in_container("""\
        args: ["--note=it's ${trialParameters.optimizer}", "$(DATA)/$$(DATA)", ""]
        env:
          - {name: DATA, value: /data}
          - {name: LR, value: "${trialParameters.learningRate}"}
          - {name: POD, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
        resources: {limits: {memory: 1Gi}}
    """)
    job = read_job(text)
    assert job.command.startswith("env LR=${{search_space.lr}} python3 /opt/")
    assert job.command.endswith(
        """ '--note=it'"'"'s ${{search_space.optimizer}}' '/data/$(DATA)' ''"""
    )
    assert job.environment_variables == {"DATA": "/data"}
    notes = " ".join(job.notes)
    assert "cluster gives are not set: POD" in notes
    assert "besides its command is not used: resources" in notes


def test_what_else_a_job_has_is_noted() -> None:
    text = changed(
        ("        template:", "        backoffLimit: 1\n        template:"),
        (
            "            restartPolicy: Never",
            "            volumes: []\n            hostNetwork: on",
        ),
    )
    assert (
        "What the job has besides its container is not used: backoffLimit, volumes, hostNetwork."
        in read_job(text).notes
    )


def test_the_trials_own_metadata_has_no_like() -> None:
    """After trial-template/trial-metadata-substitution.yaml."""
    reference = ("reference: optimizer}", "reference: '${trialSpec.Name}'}")
    with pytest.raises(InvalidInput) as caught:
        read_job(changed(reference))
    [problem] = caught.value.problems
    assert problem.line == 47
    assert "SWEEP_NAME" in problem.message


def test_a_name_with_dashes_is_one_with_letters() -> None:
    """As the experiments of Katib's first releases name parameters."""
    text = changed(("name: lr\n", "name: --lr\n"), ("reference: lr}", "reference: --lr}"))
    job = read_job(text)
    assert job.search_space.names()[0] == "lr"
    assert "--lr=${{search_space.lr}}" in job.command


def test_another_strategy_than_the_best_value_is_noted() -> None:
    """After metrics-collector/metrics-collection-strategy.yaml."""
    metric = "    objectiveMetricName: Validation-accuracy\n"
    for strategy, is_noted in (("latest", True), ("max", False)):
        rule = f"    metricStrategies: [{{name: Validation-accuracy, value: {strategy}}}]\n"
        notes = " ".join(read_job(changed((metric, metric + rule))).notes)
        assert ("not by Katib's strategy “latest”" in notes) is is_noted


def test_what_kubectl_shows_of_an_experiment_is_read() -> None:
    text = changed(
        ("name: random}", "name: random, uid: 1-2, labels: {team: nlp}, annotations: {a: b}}")
    )
    job = read_job(text + "status: {trials: 12, conditions: []}\n")
    assert job.tags == {"team": "nlp"}


@pytest.mark.parametrize(
    ("old", "new", "line", "field", "message"),
    [
        ("kind: Experiment", "kind: Trial", 3, "kind", "an Experiment of Katib"),
        ("v1beta1", "v1alpha3", 2, "apiVersion", "Must be kubeflow.org/v1beta1"),
        ("maxTrialCount:", "maxTrials:", 14, "spec.maxTrials", "Did you mean “maxTrialCount”?"),
        ("maxTrialCount: 12", "maxTrialCount: 0", 14, "spec.maxTrialCount", "from 1 to"),
        ("type: maximize", "type: best", 7, "spec.objective.type", "minimize, maximize"),
        ("goal: 0.99", "goal: high", 8, "spec.objective.goal", "Must be a number"),
        ("Validation-accuracy", '""', 9, "spec.objective.objectiveMetricName", "exactly as"),
        ("Name: random", "Name: best", 12, "spec.algorithm.algorithmName", "one of random"),
        ("Name: random", "Name: hyperband", 12, "spec.algorithm.algorithmName", "successive"),
        ("Name: random", "Name: pbt", 12, "spec.algorithm.algorithmName", "checkpoints"),
        ("Name: random", "Name: darts", 12, "spec.algorithm.algorithmName", "architectures"),
        ("Name: random", "Name: grid", 19, "spec.parameters[0].feasibleSpace", "Grid needs"),
        ("FailedTrialCount: 3", "FailedTrialCount: -3", 15, "spec.maxFailedTrialCount", "from 0"),
        ("Type: double", "Type: float", 18, "spec.parameters[0].parameterType", "double, int"),
        ('"0.01"', '"0.04"', 19, "spec.parameters[0].feasibleSpace", "above its end 0.03"),
        ('min: "0.01", ', "", 19, "spec.parameters[0].feasibleSpace.min", "Is required"),
        ('max: "5"', 'max: "5.5"', 22, "spec.parameters[1].feasibleSpace.max", "whole number"),
        ('max: "5"', 'max: "5", step: "0"', 22, "spec.parameters[1]", "steps above 0"),
        ('max: "5"', "max: 5, distribution: gamma", 22, "spec.parameters[1]", "one of uniform"),
        ("list: [sgd, adam, ftrl]", "list: []", 25, "spec.parameters[2]", "at least one value"),
        ("name: optimizer\n", "name: num_layers\n", 23, "spec.parameters[2].name", "already"),
        ("reference: lr}", "reference: rate}", 29, "spec.trialTemplate.trialParameters[0]",
         "No parameter is called “rate”"),
        ("meters.optimizer", "meters.sgd", 47, "spec.trialTemplate.trialSpec.spec.template.spec."
         "containers[0].command[5]", "not among trialParameters"),
        ("kind: Job", "kind: PyTorchJob", 34, "spec.trialTemplate.trialSpec.kind", "a Job"),
        ("ContainerName: training", "ContainerName: other", 27,
         "spec.trialTemplate.primaryContainerName", "No container"),
        ("command:", "args:", 39, "spec.trialTemplate.trialSpec.spec.template.spec."
         "containers[0].command", "Give the command"),
        ("trialSpec:", "configMap:", 32, "spec.trialTemplate.configMap", "in the cluster"),
        ("  parallelTrialCount: 3", "  nasConfig: {}", 13, "spec.nasConfig", "not searched"),
    ],
)  # fmt: skip
def test_what_has_no_match_is_told_where_it_stands(
    old: str, new: str, line: int, field: str, message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_job(changed((old, new)))
    fitting = [p for p in caught.value.problems if p.field.startswith(field)]
    assert fitting, [str(problem) for problem in caught.value.problems]
    assert message in fitting[0].message
    assert fitting[0].line == line


def test_all_mistakes_are_told_at_once() -> None:
    text = changed(
        ("type: maximize", "type: best"),
        ("maxTrialCount: 12", "maxTrialCount: 0"),
        ('"0.01"', "x"),
        ("reference: num-layers", "reference: layers"),
        ("kind: Job", "kind: Pod"),
    )
    with pytest.raises(InvalidInput) as caught:
        read_job(text)
    assert {(one.field, one.line) for one in caught.value.problems} == {
        ("spec.objective.type", 7),
        ("spec.maxTrialCount", 14),
        ("spec.parameters[0].feasibleSpace.min", 19),
        ("spec.trialTemplate.trialSpec.kind", 34),
    }
    with pytest.raises(InvalidInput) as caught:
        read_job(changed(("reference: num-layers", "reference: layers"), ("lr}", "rate}")))
    assert [one.line for one in caught.value.problems] == [29, 30]


def test_another_object_is_told_by_its_kind_alone() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_job("apiVersion: v1\nkind: Pod\nmetadata: {name: x}\n")
    [problem] = caught.value.problems
    assert (problem.field, problem.line) == ("kind", 2)


def test_several_documents_are_refused_at_the_second() -> None:
    with pytest.raises(InvalidInput) as caught:
        read_job(f"{RANDOM}{RANDOM}")
    [problem] = caught.value.problems
    assert problem.line == len(RANDOM.splitlines()) + 1


def test_what_is_found_later_is_told_at_its_line_too() -> None:
    found = placed(
        [Problem("search_space.num_layers.q", "x"), Problem("limits.timeout", "y")], RANDOM
    )
    assert [(one.field, one.line) for one in found] == [
        ("spec.timeout", 5),
        ("spec.parameters[1].feasibleSpace.q", 22),
    ]
