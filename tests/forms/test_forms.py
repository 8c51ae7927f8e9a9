"""What is typed into a form: kept as typed, read as a job, and refused at its field."""

from dataclasses import replace

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sweeps.forms import edit
from sweeps.forms.checked import check, to_doc
from sweeps.forms.draft import Draft, InputRow, VariableRow, from_job
from sweeps.forms.rows import CONSTANT, Row, to_space_doc
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
"""
LR = Row("0", "lr", "uniform", {"min_value": "0.1", "max_value": "0.9"})


def draft(*rows: Row, **texts: str) -> Draft:
    known = {"command": "python t.py", "primary_metric": "loss"} | texts
    return replace(Draft(), rows=rows or (LR,)).having(**known)


@settings(max_examples=300, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(st.lists(scalars, max_size=4))
def test_typed_values_are_read_back_with_their_types(values: list) -> None:
    assert repr(parse_values(format_values(values))) == repr(values)


def test_a_job_becomes_a_draft_and_the_same_job_again() -> None:
    job = read_job(JOB)
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
    (draft(command="python t.py ${{search_space.x}}"), "command", "has no “x”"),
    (draft(command="python t.py > log"), "command", "without a shell"),
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
