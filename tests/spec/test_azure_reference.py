"""Azure's reference of the sweep job, statement by statement: kept, noted or refused here.

Source: MicrosoftDocs/azure-ai-docs, `reference-yaml-job-sweep.md` (YREF), its how-to (HOWTO), and
the schemas of azure-ai-ml 1.35.2 (SDK). Each row is one statement with a few lines of YAML, laid
over a job that is complete. `test_reader` says where problems stand; this says that none is missed.
"""

import copy
import math
from collections.abc import Callable
from typing import Any

import pytest

from sweeps.domain.job import DataInput, EarlyTermination, Output, Sampling, SweepJob
from sweeps.domain.limits import DEFAULT_TIMEOUT_S, Limits
from sweeps.domain.objective import Goal
from sweeps.domain.problems import InvalidInput
from sweeps.domain.space import (
    Branch,
    Choice,
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
from sweeps.spec.writer import job_to_doc
from sweeps.spec.yaml_text import load

BASE = load("""\
type: sweep
trial: {command: "python t.py ${{search_space.x}}"}
search_space: {x: {type: uniform, min_value: 0.1, max_value: 0.9}}
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 4}
""").document


def laid_over(text: str) -> dict[str, Any]:
    """The complete job with these parts; those of the trial are added to its own."""
    doc = copy.deepcopy(BASE)
    for key, part in (load(text).document or {}).items():
        doc[key] = {**doc["trial"], **part} if key == "trial" and isinstance(part, dict) else part
    return doc


def parameter(text: str) -> str:
    return f"search_space: {{x: {{{text}}}}}"


_LISTED = parameter("type: choice, values: [1, 2]")


# --- What is kept -------------------------------------------------------------------------------

_WEB = "https://a.org/i.csv"
_USED = "trial: {command: 'python t.py ${{search_space.x}} %s'}"


def x(job: SweepJob) -> Any:
    return dict(job.search_space)["x"]


def its(name: str) -> Callable[[SweepJob], Any]:
    return lambda job: getattr(job, name)


def data(job: SweepJob) -> Any:
    return job.inputs["d"]


KEPT: list[tuple[str, str, Callable[[SweepJob], Any], Any]] = [
    # 1.1 Top level.
    ("enum values in any case", "type: Sweep", its("command"), BASE["trial"]["command"]),
    ("goals in any case", "objective: {goal: Maximize, primary_metric: a}",
     lambda job: job.objective.goal, Goal.MAXIMIZE),
    ("$schema says nothing", "$schema: https://x.org/sweepJob.schema.json", its("notes"), ()),
    ("the service makes a name", "{}", its("name"), None),
    ("name", "name: upbeat_cumin_0lq28mbtln", its("name"), "upbeat_cumin_0lq28mbtln"),
    ("display_name", "display_name: Two words", its("display_name"), "Two words"),
    ("experiment_name", "experiment_name: iris", its("experiment_name"), "iris"),
    ("description", "description: '**b**'", its("description"), "**b**"),
    ("tags", "tags: {a: b}", its("tags"), {"a": "b"}),
    ("numbers among the tags, which Azure refuses", "tags: {n: 1}", its("tags"), {"n": "1"}),
    ("properties", "properties: {a: b}", its("properties"), {"a": "b"}),
    ("compute by azureml:", "compute: azureml:cpu-cluster", its("compute"), "cpu-cluster"),
    ("compute by its bare name", "compute: cpu-cluster", its("compute"), "cpu-cluster"),
    ("compute local", "compute: local", its("compute"), "local"),
    ("no compute", "{}", its("compute"), None),
    ("no algorithm is random", "{}", its("sampling"), Sampling("random")),
    ("no limits are Azure's", "limits: {}", its("limits"), Limits(1000, 1000)),
    ("no early termination is none", "{}", its("early_termination"), None),
    ("null is none, too", "early_termination: null", its("early_termination"), None),
    ("dump-only keys say nothing",
     "{id: x, status: Completed, creation_context: {}, log_files: {}}", its("notes"), ()),
    # 1.2 Trial.
    ("code is a folder", "trial: {code: ./src}", its("code"), "./src"),
    ("code after azureml:", "trial: {code: 'azureml:./src'}", its("code"), "./src"),
    ("code in git", "trial: {code: 'git+https://a.org/b'}", its("code"), "git+https://a.org/b"),
    ("code as an asset", "trial: {code: 'azureml:c:1'}", its("code"), "azureml:c:1"),
    ("variables", "trial: {environment_variables: {A: b, N: 1}}",
     its("environment_variables"), {"A": "b", "N": "1"}),
    # 1.3 Inputs, outputs, placeholders.
    ("literal inputs", "inputs: {n: 3, r: 0.5, b: true, t: hi}",
     its("inputs"), {"n": 3, "r": 0.5, "b": True, "t": "hi"}),
    ("an input's defaults", f"inputs: {{d: {{path: {_WEB}}}}}", data, DataInput(_WEB)),
    *(
        (f"input of type {kind}", f"inputs: {{d: {{type: {kind}, path: ./p}}}}", data,
         DataInput("./p", kind))
        for kind in ("uri_file", "uri_folder", "mltable", "mlflow_model", "custom_model",
                     "triton_model")
    ),
    *(
        (f"input by {mode}", f"inputs: {{d: {{type: mltable, path: ./p, mode: {mode}}}}}", data,
         DataInput("./p", "mltable", mode))
        for mode in ("ro_mount", "download", "direct", "eval_mount", "eval_download")
    ),
    *(
        (f"data at {path}", f"inputs: {{d: {{path: '{path}'}}}}", data, DataInput(kept))
        for path, kept in (
            (f"azureml:{_WEB}", _WEB),
            ("azureml:./src", "./src"),
            ("azureml:wasbs://c@a/i.csv", "wasbs://c@a/i.csv"),
            ("azureml://datastores/d/paths/i.csv", "azureml://datastores/d/paths/i.csv"),
            ("azureml:azureml://datastores/d", "azureml://datastores/d"),
            ("azureml:iris:1", "azureml:iris:1"),
            ("azureml:iris@latest", "azureml:iris@latest"),
            ("iris:1", "iris:1"),
        )
    ),
    ("outputs null and {}", "outputs: {a: null, b: {}}",
     its("outputs"), {"a": Output(), "b": Output()}),
    *(
        (f"output by {mode}", f"outputs: {{a: {{type: uri_file, mode: {mode}}}}}",
         its("outputs"), {"a": Output("uri_file", mode)})
        for mode in ("rw_mount", "mount", "upload", "direct")
    ),
    ("spaces in placeholders", "trial: {command: 'python t.py ${{ search_space.x }}'}",
     its("notes"), ()),
    ("optional parts", _USED % "$[[--a ${{inputs.a}}]]", its("notes"), ()),
    ("a swept ${{inputs.x}} of a node's dump", "trial: {command: 'python t.py ${{inputs.x}}'}",
     its("command"), "python t.py ${{search_space.x}}"),
    # 1.4 Sampling.
    *(
        (f"{name} as {form}", f"sampling_algorithm: {form}\n{_LISTED}",
         lambda job: job.sampling.algorithm, name)
        for name in ("random", "grid", "bayesian")
        for form in (name, name.title(), f"{{type: {name}}}")
    ),
    ("sobol with a seed", "sampling_algorithm: {type: random, rule: sobol, seed: 3}",
     its("sampling"), Sampling("random", "sobol", 3)),
    ("logbase e", "sampling_algorithm: {type: random, logbase: e}", its("sampling"),
     Sampling(logbase=math.e)),
    ("logbase as text", "sampling_algorithm: {type: random, logbase: '10'}",
     its("sampling"), Sampling(logbase=10.0)),
    # 1.5 Limits.
    ("as many at once as there are trials", "limits: {max_total_trials: 7}",
     its("limits"), Limits(7, 7, DEFAULT_TIMEOUT_S)),
    ("all limits", "limits: {max_total_trials: 7, max_concurrent_trials: 2, timeout: 7200, "
     "trial_timeout: 600}", its("limits"), Limits(7, 2, 7200, 600)),
    ("more at once than there are", "limits: {max_total_trials: 2, max_concurrent_trials: 9}",
     its("limits"), Limits(2, 9)),
    ("limits as text", "limits: {max_total_trials: '7'}", its("limits"), Limits(7, 7)),
    ("durations of the REST API", "limits: {max_total_trials: 1, timeout: PT2H}",
     its("limits"), Limits(1, 1, 7200)),
    # 1.6 Early termination.
    ("bandit by factor, the other slack filled in by the client",
     "early_termination: {type: bandit, slack_factor: 0.1, slack_amount: 0.0}",
     its("early_termination"), EarlyTermination("bandit", {
         "evaluation_interval": 1, "delay_evaluation": 0, "slack_factor": 0.1})),
    ("bandit by amount", "early_termination: {type: Bandit, slack_amount: 2, delay_evaluation: 5}",
     its("early_termination"), EarlyTermination("bandit", {
         "evaluation_interval": 1, "delay_evaluation": 5, "slack_amount": 2.0})),
    ("median stopping, an interval of 0 is 1",
     "early_termination: {type: median_stopping, evaluation_interval: 0}",
     its("early_termination"), EarlyTermination("median_stopping", {
         "evaluation_interval": 1, "delay_evaluation": 0})),
    ("truncation as the how-to has it", "early_termination: {type: truncation_selection, "
     "truncation_percentage: 20, evaluation_interval: 2, exclude_finished_jobs: false}",
     its("early_termination"), EarlyTermination("truncation_selection", {
         "evaluation_interval": 2, "delay_evaluation": 0, "truncation_percentage": 20})),
    # 2 Distributions.
    ("choice of numbers and texts", parameter("type: choice, values: [1, 0.5, a]"),
     x, Choice((1, 0.5, "a"))),
    ("choice of booleans, which Azure refuses", parameter("type: choice, values: [true, false]"),
     x, Choice((True, False))),
    ("conditional choice", parameter(
        "type: choice, values: [{m: svm, c: {type: normal, mu: 0, sigma: 1}}, {m: knn}]"),
     x, Choice((Branch((("m", "svm"), ("c", Normal(0, 1)))), Branch((("m", "knn"),))))),
    ("choice of Python's booleans in mappings",
     parameter("type: choice, values: [{a: true}, {b: true}]"),
     x, Choice((Branch((("a", True),)), Branch((("b", True),))))),
    ("randint", parameter("type: randint, upper: 5"), x, Randint(5)),
    ("uniform", parameter("type: Uniform, min_value: 0, max_value: 1"), x, Uniform(0, 1)),
    ("quniform", parameter("type: quniform, min_value: 0, max_value: 5, q: 1"),
     x, QUniform(0, 5, 1)),
    ("fractional q", parameter("type: quniform, min_value: 0, max_value: 5, q: 0.4"),
     x, QUniform(0, 5, 0.4)),
    ("loguniform", parameter("type: loguniform, min_value: -6, max_value: -1"),
     x, LogUniform(-6, -1)),
    ("qloguniform", parameter("type: qloguniform, min_value: 0, max_value: 5, q: 2"),
     x, QLogUniform(0, 5, 2)),
    ("normal", parameter("type: normal, mu: 1, sigma: 2"), x, Normal(1, 2)),
    ("qnormal", parameter("type: qnormal, mu: 1, sigma: 2, q: 1"), x, QNormal(1, 2, 1)),
    ("lognormal", parameter("type: lognormal, mu: 1, sigma: 2"), x, LogNormal(1, 2)),
    ("qlognormal", parameter("type: qlognormal, mu: 1, sigma: 2, q: 1"), x, QLogNormal(1, 2, 1)),
    ("bounds as text", parameter("type: uniform, min_value: '1e-5', max_value: '1'"),
     x, Uniform(1e-5, 1)),
    ("1e-3 is a number, not Azure's text", parameter("type: choice, values: [1e-3, '1e-3']"),
     x, Choice((0.001, "1e-3"))),
    ("010 is ten, not Azure's eight", parameter("type: choice, values: [010, yes]"),
     x, Choice((10, "yes"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "part", "value"), [row[1:] for row in KEPT], ids=[row[0] for row in KEPT]
)
def test_kept(text: str, part: Callable[[SweepJob], Any], value: Any) -> None:
    job = read_job(laid_over(text))
    for found in (job, read_job(job_to_doc(job))):
        assert part(found) == value
        assert repr(part(found)) == repr(value)  # 1 is not 1.0


# --- What is noted ------------------------------------------------------------------------------

NOTED = [
    ("no total", "limits: {}", "at most 1,000 are run, as in Azure ML"),
    ("tiers and priorities", "queue_settings: {job_tier: spot, priority: low}", "“queue_settings”"),
    ("user identity", "identity: {type: user_identity}", "“identity” is ignored"),
    ("managed identity", "identity: {type: managed, client_id: x}", "“identity” is ignored"),
    ("resources", "resources: {instance_count: 1, instance_type: a, shm_size: 2g, docker_args: b, "
     "locations: [c], max_instance_count: 2, properties: {}}", "“resources” is ignored"),
    ("services", "services: {s: {type: vs_code}}", "“services” is ignored"),
    *(
        (f"distribution {kind}", f"trial: {{distribution: {{type: {kind}}}}}", "“distribution” of")
        for kind in ("mpi", "pytorch", "tensorflow", "ray")
    ),
    ("resources of a trial", "trial: {resources: {instance_count: 1}}", "“resources” of the trial"),
    ("queue of a trial", "trial: {queue_settings: {job_tier: spot}}", "“queue_settings” of the"),
    ("a place for outputs", "outputs: {a: {path: 'azureml://d/e'}}", "kept with its trial"),
    ("single braces", "trial: {command: 'python t.py {search_space.x}'}", "is deprecated"),
    ("a parameter that is not used", "trial: {command: python t.py}", "x is not in the command"),
    ("few trials for bayesian", "sampling_algorithm: bayesian", "20 trials or more per parameter"),
    ("bayesian and a policy",
     "{sampling_algorithm: bayesian, early_termination: {type: median_stopping}}",
     "bayesian sampling does not support early termination"),
    ("a grid that is smaller", f"sampling_algorithm: grid\n{_LISTED}",
     "ends after 2 trials"),
    ("a grid of randint", f"sampling_algorithm: grid\n{parameter('type: randint, upper: 9')}",
     "Azure ML's grid takes choices only"),
    ("bounds that look like no logarithms",
     parameter("type: loguniform, min_value: 1e-5, max_value: 1e-1"), "are logarithms"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "note"), [row[1:] for row in NOTED], ids=[row[0] for row in NOTED]
)
def test_noted(text: str, note: str) -> None:
    assert any(note in one for one in read_job(laid_over(text)).notes)


# --- What is refused ----------------------------------------------------------------------------

REFUSED = [
    ("another type", "type: pipeline", "type", "Only jobs of type sweep"),
    ("an unknown key", "resume_from: x", "resume_from", "Unknown key"),
    ("a trial in a file", "trial: ./train.yml", "trial", "Write the trial out here"),
    ("a trial by file:", "trial: file:train.yml", "trial", "Write the trial out here"),
    ("a component", "trial: azureml:comp:1", "trial", "Write the trial out here"),
    ("a compute of the trial", "trial: {compute: a}", "trial.compute", "at the top"),
    ("inputs of the trial", "trial: {inputs: {a: 1}}", "trial.inputs", "at the top"),
    ("code as a mapping", "trial: {code: {local_path: a}}", "trial.code", "not a mapping"),
    ("no command", "trial: {command: null}", "trial.command", "Give the command"),
    ("a name of a parameter", "search_space: {a-b: {type: randint, upper: 2}}",
     "search_space.a-b", "cannot name a parameter"),
    ("no search space", "search_space: null", "search_space", "at least one parameter"),
    ("no metric", "objective: {goal: minimize}", "objective.primary_metric", "exactly as"),
    ("no goal", "objective: {primary_metric: a}", "objective.goal", "is missing"),
    ("a policy as a word", "early_termination: bandit", "early_termination", "Must be a mapping"),
    ("an unbound input", _USED % "${{inputs.a}}", "trial.command", "there is no input “a”"),
    ("an unbound output", _USED % "${{outputs.a}}", "trial.command", "there is no output “a”"),
    ("mode of an mltable alone", "inputs: {d: {path: ./p, mode: eval_mount}}",
     "inputs.d.mode", "Only an mltable"),
    ("a mode of outputs for an input", "inputs: {d: {path: ./p, mode: upload}}",
     "inputs.d.mode", "one of ro_mount"),
    ("a mode of inputs for an output", "outputs: {d: {mode: download}}",
     "outputs.d.mode", "one of rw_mount"),
    ("a rule of bayesian", "sampling_algorithm: {type: bayesian, rule: sobol}",
     "sampling_algorithm.rule", "Only random"),
    ("a grid of ranges", "sampling_algorithm: grid", "search_space.x", "Grid needs"),
    ("no trials", "limits: {max_total_trials: 0}", "limits.max_total_trials", "from 1"),
    ("parts of trials", "limits: {max_total_trials: 2.7}", "limits.max_total_trials", "whole"),
    ("no time", "limits: {max_total_trials: 1, timeout: 0}", "limits.timeout", "at least 1"),
    ("v1's limit", "limits: {max_total_trials: 1, max_duration_minutes: 1}",
     "limits.max_duration_minutes", "Unknown key"),
    ("two slacks", "early_termination: {type: bandit, slack_factor: 1, slack_amount: 1}",
     "early_termination.slack_amount", "not both"),
    ("no slack", "early_termination: {type: bandit, slack_factor: 0.0, slack_amount: 0.0}",
     "early_termination.slack_factor", "above 0"),
    ("a truncation beyond all", "early_termination: {type: truncation_selection, "
     "truncation_percentage: 150}", "early_termination.truncation_percentage", "from 1 to 99"),
    ("finished trials left out", "early_termination: {type: truncation_selection, "
     "truncation_percentage: 20, exclude_finished_jobs: true}",
     "early_termination.exclude_finished_jobs", "Finished trials always count"),
    ("an option of another policy", "early_termination: {type: median_stopping, slack_factor: 1}",
     "early_termination.slack_factor", "Unknown key"),
    ("randint with a lower bound", parameter("type: randint, lower: 1, upper: 2"),
     "search_space.x.lower", "has no “lower”"),
    ("randint of nothing", parameter("type: randint, upper: 0"), "search_space.x.upper", "least 1"),
    ("a range that ends before it begins", parameter("type: uniform, min_value: 1, max_value: 0"),
     "search_space.x.max_value", "greater than"),
    ("no spread", parameter("type: normal, mu: 0, sigma: 0"), "search_space.x.sigma", "above 0"),
    ("no step", parameter("type: qnormal, mu: 0, sigma: 1, q: 0"), "search_space.x.q", "above 0"),
    ("no values", parameter("type: choice, values: []"), "search_space.x.values", "at least one"),
    ("null among the values", parameter("type: choice, values: [null]"),
     "search_space.x.values[0]", "A value is"),
    ("a list among the values", parameter("type: choice, values: [[1]]"),
     "search_space.x.values[0]", "A value is"),
    ("logarithms beyond all numbers", parameter("type: loguniform, min_value: 0, max_value: 999"),
     "search_space.x.max_value", "cannot be represented"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "field", "message"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_refused(text: str, field: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_job(laid_over(text))
    told = {problem.field: problem.message for problem in caught.value.problems}
    assert field in told, told
    assert message in told[field]


def test_the_logarithms_of_the_reference() -> None:
    """loguniform is exp(U(min, max)), randint stops below its upper bound."""
    low, high = LogUniform(-6, -1).quantile(0.0), LogUniform(-6, -1).quantile(1.0)
    assert (low, high) == pytest.approx((math.exp(-6), math.exp(-1)))
    assert Randint(5).quantile(1.0) == 4
