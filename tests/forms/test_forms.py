"""What is typed into a form: kept as typed, read as a job, and refused at its field."""

from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sweeps.domain.job import EarlyTermination
from sweeps.forms import edit
from sweeps.forms.checked import check, to_doc
from sweeps.forms.draft import Draft, InputRow, VariableRow
from sweeps.forms.from_job import from_job
from sweeps.forms.rows import CONSTANT, Row, to_space_doc
from sweeps.forms.rules import FIELDS
from sweeps.forms.values import format_values, parse_values
from sweeps.spec.reader import read_job
from tests.spec.spaces import scalars

JOB = """
type: sweep
trial:
  command: python t.py --lr ${{search_space.lr}} --m ${{search_space.model.kind}}
  environment_variables: {A: x}
inputs: {n: 3, text: "1", d: {path: ./d.csv, type: uri_file}}
search_space:
  lr: {type: loguniform, min_value: -11.512925464970229, max_value: -2.3025850929940455}
  n: {type: quniform, min_value: 1, max_value: 9, q: 1}
  odd: {type: choice, values: [1, "1", 1.0, true, "true", " a", "a, b", ""]}
  model:
    type: choice
    values:
    - {kind: svm, c: {type: uniform, min_value: 0.5, max_value: 1}}
    - {kind: tree, depth: {type: randint, upper: 9}, fixed: "7"}
objective: {goal: maximize, primary_metric: test-auc}
limits: {max_total_trials: 8, max_concurrent_trials: 2, timeout: 5400, trial_timeout: 61}
sampling_algorithm: {type: random, rule: sobol, seed: 5, logbase: 10}
tags: {owner: me, plain: ""}
display_name: Mine
early_termination: {type: bandit, slack_factor: 0.105, evaluation_interval: 2, delay_evaluation: 7}
studio:
  stop_rules: {target_value: 0.95, no_improvement_trials: 20}
  failure_policy: {max_consecutive_failures: 0, retries: 1, infrastructure_retries: 3}
  logged_models: best
  preload: false
  first_trials:
  - {lr: 0.001, n: 3, odd: "true", model: {kind: tree, depth: 4, fixed: "7"}}
"""
LR = Row("0", "lr", "uniform", {"min_value": "0.1", "max_value": "0.9"})


def draft(*rows: Row, **texts: str) -> Draft:
    known = {"command": "python t.py", "primary_metric": "loss"} | texts
    return replace(Draft(), rows=rows or (LR,)).having(**known)


@settings(max_examples=300, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(scalars, max_size=4))
def test_typed_values_are_read_back_with_their_types(values: list) -> None:
    assert repr(parse_values(format_values(values))) == repr(values)


@pytest.mark.parametrize("base", ["10", "e"])
def test_a_job_becomes_a_draft_and_the_same_job_again(base: str) -> None:
    job = read_job(JOB.replace("logbase: 10", f"logbase: {base}"))
    assert from_job(job)["logbase"] == {"10": "10.0", "e": "e"}[base]
    doc, _, problems = to_doc(from_job(job))
    assert problems == []
    found = replace(read_job(doc), notes=())
    assert found == replace(job, notes=())
    assert repr(found.search_space) == repr(job.search_space)


def test_edits_keep_everything_that_was_typed() -> None:
    rows = list(from_job(read_job(JOB)).rows)
    model = next(row for row in rows if row.name == "model")
    inner = [row for row in rows if row.parent == model.key]
    twice = edit.duplicate(rows, model.key)
    copy = next(row for row in twice if row.name == "model_copy")
    assert [row for row in twice if row in rows] == rows
    copied = [row for row in twice if row.parent == copy.key]
    assert [(r.name, r.type, r.typed, r.when) for r in copied] == [
        (r.name, r.type, r.typed, r.when) for r in inner
    ]
    assert len({row.key for row in twice}) == len(twice)
    assert edit.remove(twice, copy.key) == rows
    assert edit.add(rows)[:-1] == rows
    assert edit.down(edit.up(rows, model.key), model.key) == rows
    assert [r.name for r in edit.up(rows, model.key) if not r.parent] == ["lr", "n", "model", "odd"]
    nested = edit.nest(rows, model.key)
    (child,) = [row for row in nested if row not in rows]
    assert (child.parent, child.when) == (model.key, "tree")
    for change in edit.EDITS.values():
        assert change(rows, "none")[: len(rows)] == rows


def first(text: str, row: Row) -> Draft:
    return replace(draft(row, try_first="1"), first={"0": text})


CHOICE = Row("c", "model", "choice", {"values": "svm, tree"})
REJECTED = [
    (draft(LR.with_typed(min_value="")), "rows.0.min_value", "Is required."),
    (draft(LR.with_typed(min_value="x")), "rows.0.min_value", "Must be a number"),
    (draft(LR.with_typed(max_value="0")), "rows.0.max_value", "greater than the minimum"),
    (draft(replace(LR, name="")), "rows.0.name", "Name the parameter."),
    (draft(replace(LR, name="a-b")), "rows.0.name", "cannot name a parameter"),
    (draft(LR, replace(LR, key="1")), "rows.1.name", "There is a “lr” already."),
    (draft(replace(LR, type="wild")), "rows.0.type", "Must be one of"),
    (draft(replace(LR, type="loguniform", typed={"min_value": "0", "max_value": "1"})),
     "rows.0.min_value", "above 0"),
    (draft(replace(LR, type="loguniform", typed={"min_value": "1", "max_value": "0.5"})),
     "rows.0.max_value", "greater than the minimum"),
    (draft(Row("0", "n", "randint", {"upper": "0"})), "rows.0.upper", "at least 1"),
    (draft(Row("0", "b", "choice", {"values": ""})), "rows.0.values", "at least one value"),
    (draft(Row("0", "b", "choice", {"values": "a, a"})), "rows.0.values", "there twice"),
    (draft(CHOICE, replace(LR, key="k", parent="c", when="svm", typed={"min_value": "1"})),
     "rows.k.max_value", "Is required."),
    (draft(CHOICE, replace(LR, key="k", parent="c", when="gone")), "rows.k.when", "any more"),
    (draft(CHOICE, Row("k", "", CONSTANT, {"constant": "1"}, "c", "svm")), "rows.k.name", "Name"),
    (draft(Row("0")), "rows", "Add at least one parameter."),
    (draft(command=""), "command", "Give the command"),
    (draft(command="python t.py ${{search_space.x}}"), "command", "no parameter “x”"),
    (draft(command="python t.py 'log"), "command", "A quote is never closed"),
    (draft(primary_metric=""), "primary_metric", "exactly as the script logs it"),
    (draft(goal="up"), "goal", "Must be one of"),
    (draft(max_total_trials="-1"), "max_total_trials", "from 1 to 100,000, but got -1"),
    (draft(max_total_trials=""), "max_total_trials", "Is required."),
    (draft(max_concurrent_trials="two"), "max_concurrent_trials", "a whole number"),
    (draft(timeout="5 months"), "timeout", "not a duration"),
    (draft(trial_timeout="0"), "trial_timeout", "at least 1 second"),
    (draft(seed="x"), "seed", "a whole number"),
    (draft(seed="-1"), "seed", "from 0"),
    (draft(logbase="1"), "logbase", "other than 1"),
    (draft(algorithm="best"), "algorithm", "Must be one of"),
    (draft(name="a b"), "name", "cannot be a name"),
    (draft(early_type="wild"), "early_type", "Must be one of"),
    (draft(early_type="bandit", slack=""), "slack", "Is required."),
    (draft(early_type="bandit", slack="0"), "slack", "Must be above 0, but got “0”."),
    (draft(early_type="bandit", slack="-1", slack_as="amount"), "slack", "Must be above 0"),
    (draft(early_type="bandit", slack="much"), "slack", "Must be a number, but got “much”."),
    (draft(early_type="bandit", slack="nan"), "slack", "Must be a finite number"),
    (draft(early_type="bandit", slack="1e999"), "slack", "Must be a finite number"),
    (draft(early_type="bandit", evaluation_interval="2.5"), "evaluation_interval", "whole number"),
    (draft(early_type="median_stopping", evaluation_interval="-1"), "evaluation_interval",
     "at least 0, but got -1"),
    (draft(early_type="median_stopping", delay_evaluation="x"), "delay_evaluation", "whole number"),
    (draft(early_type="truncation_selection", truncation_percentage=""), "truncation_percentage",
     "Is required."),
    (draft(early_type="truncation_selection", truncation_percentage="100"),
     "truncation_percentage", "from 1 to 99"),
    (draft(early_type="successive_halving", min_reports="0"), "min_reports", "at least 1"),
    (draft(early_type="successive_halving", reduction_factor="1"), "reduction_factor",
     "from 2 to 1,000, but got 1"),
    (draft(early_type="successive_halving", reduction_factor="x"), "reduction_factor",
     "a whole number"),
    (draft(target_value="low"), "target_value", "Must be a number, but got “low”."),
    (draft(no_improvement_trials="0"), "no_improvement_trials", "from 1 to 100,000, but got 0"),
    (draft(no_improvement_trials="some"), "no_improvement_trials", "a whole number"),
    (draft(max_consecutive_failures="-1"), "max_consecutive_failures", "from 0 to 100,000"),
    (draft(retries="11"), "retries", "from 0 to 10, but got 11"),
    (draft(infrastructure_retries="x"), "infrastructure_retries", "a whole number"),
    (first("", LR), "first.0", "Give a value."),
    (first("0.95", LR), "first.0", "a number from 0.1 to 0.9, but got 0.95"),
    (first("fast", LR), "first.0", "but got “fast”"),
    (first("goss", replace(CHOICE, key="0")), "first.0", "one of svm, tree, but got “goss”"),
    (draft(kept='{"first_trials": [{"lr": 7}]}'), "first", "from 0.1 to 0.9, but got 7"),
    (draft(kept='{"first_trials": [7]}'), "first", "Must be a mapping"),
    (replace(draft(), inputs=(InputRow("a-b", "value", "1"),)),
     "inputs.0.name", "cannot name an input"),
    (replace(draft(), inputs=(InputRow("a", "uri_file", ""),)),
     "inputs.0.value", "or upload a file"),
    (replace(draft(), variables=(VariableRow("1a", "x"),)),
     "variables.0.name", "cannot name a variable"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "field", "message"), REJECTED)
def test_each_mistake_stands_at_its_field(typed: Draft, field: str, message: str) -> None:
    found = check(typed)
    assert found.job is None
    assert list(found.by_field) == [field]
    assert message in " ".join(found.by_field[field])


def test_a_good_draft_is_a_job() -> None:
    found = check(draft(max_total_trials="1,000", timeout="1h 30m"))
    assert found.errors == ()
    assert found.job is not None
    assert (found.job.limits.max_total_trials, found.job.limits.timeout) == (1000, 5400)


def test_blank_rows_are_left_out() -> None:
    assert list(to_space_doc([LR, Row("1")]).doc) == ["lr"]


POLICIES = [
    ({"early_type": ""}, None),
    ({"early_type": "bandit", "slack": "8 %", "evaluation_interval": "", "delay_evaluation": ""},
     ("bandit", {"evaluation_interval": 1, "delay_evaluation": 0, "slack_factor": 0.08})),
    ({"early_type": "bandit", "slack": "10.5", "evaluation_interval": "1,000"},
     ("bandit", {"evaluation_interval": 1000, "delay_evaluation": 5, "slack_factor": 0.105})),
    ({"early_type": "bandit", "slack": "1e-3", "slack_as": "amount", "delay_evaluation": "0"},
     ("bandit", {"evaluation_interval": 1, "delay_evaluation": 0, "slack_amount": 0.001})),
    ({"early_type": "median_stopping"},
     ("median_stopping", {"evaluation_interval": 1, "delay_evaluation": 5})),
    ({"early_type": "truncation_selection"},
     ("truncation_selection",
      {"evaluation_interval": 1, "delay_evaluation": 5, "truncation_percentage": 20})),
    ({"early_type": "successive_halving", "min_reports": "", "reduction_factor": "3"},
     ("successive_halving", {"min_reports": 1, "reduction_factor": 3})),
]  # fmt: skip


@pytest.mark.parametrize(("texts", "policy"), POLICIES)
def test_a_policy_is_read_from_its_own_fields_alone(texts: dict, policy: tuple | None) -> None:
    others = {"slack": "x", "truncation_percentage": "x", "min_reports": "x"}
    asked = FIELDS[texts["early_type"]]
    typed = draft(**{k: v for k, v in others.items() if k not in asked}, **texts)
    job = check(typed).job
    assert job is not None
    assert job.early_termination == (EarlyTermination(*policy) if policy else None)


@pytest.mark.parametrize(
    "early",
    [
        EarlyTermination(
            "bandit", {"slack_factor": x, "evaluation_interval": 1, "delay_evaluation": 0}
        )
        for x in (0.07, 1e-05, 1 / 3, 2.5, 123456.789)
    ]
    + [
        EarlyTermination(
            "bandit", {"slack_amount": x, "evaluation_interval": 3, "delay_evaluation": 9}
        )
        for x in (0.1, 1e-09, 5)
    ]
    + [EarlyTermination("successive_halving", {"min_reports": 2, "reduction_factor": 3})],
)
def test_a_policy_comes_back_from_the_form_as_it_was(early: EarlyTermination) -> None:
    job = replace(read_job(JOB), early_termination=early)
    found = read_job(to_doc(from_job(job))[0])
    assert found.early_termination == early


def test_a_first_trial_takes_the_branch_of_its_choice_alone() -> None:
    rows = (
        replace(LR, key="9"),
        Row("0", "model", "choice", {"values": "svm, tree"}),
        Row("1", "c", "uniform", {"min_value": "0", "max_value": "1"}, "0", "svm"),
        Row("2", "depth", "randint", {"upper": "9"}, "0", "tree"),
        Row("3", "kind", CONSTANT, {"constant": "fixed"}, "0", "tree"),
    )
    typed = {"0": "tree", "1": "far off", "2": "4", "9": "0.5"}
    found = check(replace(draft(*rows, try_first="1"), first=typed))
    assert found.errors == ()
    assert found.job is not None
    assert found.job.first_trials == (
        {"lr": 0.5, "model": {"value": "tree", "depth": 4, "kind": "fixed"}},
    )
    svm = check(replace(draft(*rows, try_first="1"), first=typed | {"0": "svm"}))
    assert list(svm.by_field) == ["first.1"]


def test_a_first_trial_that_is_not_wanted_is_not_read() -> None:
    found = check(replace(draft(LR), first={"0": "nonsense"}))
    assert found.job is not None
    assert found.job.first_trials == ()


def test_further_first_trials_follow_the_typed_one() -> None:
    kept = '{"first_trials": [{"lr": 0.3}]}'
    typed = draft(LR, kept=kept, try_first="1", max_total_trials="9")
    job = check(replace(typed, first={"0": "0.5"})).job
    assert job is not None
    assert job.first_trials == ({"lr": 0.5}, {"lr": 0.3})


def test_the_base_of_the_logarithm_counts_for_the_first_trial_too() -> None:
    row = Row("0", "lr", "loguniform", {"min_value": "0.05", "max_value": "1"})
    assert check(replace(draft(row, try_first="1"), first={"0": "0.01"})).job is None
    typed = replace(draft(row, try_first="1", logbase="10"), first={"0": "0.01"})
    job = check(typed).job
    assert job is not None
    assert job.first_trials == ({"lr": 0.01},)
