"""Whatever is wrong with a job, an edit or a point is told in words of people, and briefly."""

import copy
import math
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from sweeps.domain.job import FailurePolicy, StopRules
from sweeps.domain.limits import Limits
from sweeps.domain.problems import InvalidInput
from sweeps.spec.edits import read_edit, read_point
from sweeps.spec.reader import read_job
from sweeps.spec.yaml_text import load

JOB = yaml.safe_load(
    """
type: sweep
name: mine
display_name: Mine
description: text
experiment_name: e
compute: local
tags: {owner: me}
properties: {a: b}
trial:
  command: python t.py ${{search_space.lr}} ${{search_space.model.kind}} ${{inputs.n}}
  code: ./src
  environment: e
  environment_variables: {A: x}
inputs: {n: 3, d: {path: ./d.csv, type: uri_file, mode: download}}
outputs: {model: {type: uri_folder, mode: upload}}
search_space:
  lr: {type: loguniform, min_value: -11.5, max_value: -2.3}
  n: {type: quniform, min_value: 1, max_value: 9, q: 1}
  r: {type: randint, upper: 9}
  s: {type: qnormal, mu: 0, sigma: 1, q: 1}
  model:
    type: choice
    values:
    - {kind: svm, c: {type: uniform, min_value: 0.5, max_value: 1}}
    - {kind: tree, fixed: "7"}
objective: {goal: maximize, primary_metric: test-auc}
limits: {max_total_trials: 8, max_concurrent_trials: 2, timeout: 5400, trial_timeout: 61}
sampling_algorithm: {type: random, rule: sobol, seed: 5, logbase: 10}
early_termination: {type: bandit, slack_factor: 0.1, evaluation_interval: 2, delay_evaluation: 7}
studio:
  stop_rules: {target_value: 0.95, no_improvement_trials: 20}
  failure_policy: {max_consecutive_failures: 0, retries: 1, infrastructure_retries: 3}
  logged_models: best
  first_trials:
  - {lr: 0.001, n: 3, r: 4, s: 1, model: {kind: tree, fixed: "7"}}
"""
)
EDIT = {
    "limits": dict(JOB["limits"]),
    "early_termination": {"type": "truncation_selection", "truncation_percentage": 20},
    "stop_rules": dict(JOB["studio"]["stop_rules"]),
    "failure_policy": dict(JOB["studio"]["failure_policy"]),
    "display_name": "x",
    "description": "y",
    "tags": {"a": "b"},
}
PRESENT = {
    "max_total_trials": 8,
    "max_concurrent_trials": 2,
    "timeout": 5400,
    "trial_timeout": None,
    "stop_rules": StopRules(),
    "failure_policy": FailurePolicy(),
    "tags": {},
}
LONG = "x" * 5_000
ODD: dict[str, Any] = {
    "nothing": None,
    "true": True,
    "negative": -1,
    "digits": 10**200,
    "digits as text": "9" * 200,
    "nan": math.nan,
    "infinity": -math.inf,
    "long text": LONG,
    "quotes": 'it\'s \\ "so"\n${{search_space.lr}}',
    "list": [None, True, LONG],
    "lists": [[["a"] * 500]] * 50,
    "tuple": (1, None),
    "mapping": {"k": None, LONG: True},
    "number as key": {1: False},
    "half a character": "\ud800",
}
# What only programmers say.
PYTHON = re.compile(
    r"\b(None|True|False|nan|inf|NoneType|dict|tuple|str|int|float|bool)\b|<class|object at 0x|"
    r"set_int_max|\\x|\\u|codec"
)
# Its quotes, but for those of what is echoed and of our own words.
QUOTES = re.compile(r"“[^”]*”|(?<=\w)'s\b|bash -c '…'")
LONGEST = 400


def paths(doc: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    if path:
        yield path
    keys = doc if isinstance(doc, dict) else range(len(doc)) if isinstance(doc, list) else ()
    for key, item in [(key, doc[key]) for key in keys]:
        yield from paths(item, (*path, key))


def changed(doc: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at a place."""
    whole = copy.deepcopy(doc)
    inner = whole
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value
    return whole


def check_words(read: Any, doc: Any) -> int:
    """How many problems there are, after a look at their words."""
    try:
        read(doc)
    except InvalidInput as error:
        for problem in error.problems:
            assert not PYTHON.search(problem.message), problem.message
            assert "'" not in QUOTES.sub("", problem.message), problem.message
            assert len(problem.message) <= LONGEST, problem.message
            assert len(str(problem)) <= LONGEST + 250
            str(problem).encode()  # nothing that cannot be printed
        return len(error.problems)
    return 0


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize(
    ("read", "doc"),
    [
        (read_job, JOB),
        (lambda doc: read_edit(doc, PRESENT), EDIT),
        (read_point, {"params": {"lr": 1, "model": {"kind": "svm", "c": 1}}}),
    ],
    ids=["job", "edit", "point"],
)
def test_problems_are_told_in_words_and_briefly(read: Any, doc: Any, name: str) -> None:
    told = sum(check_words(read, changed(doc, path, ODD[name])) for path in paths(doc))
    told += check_words(read, {**doc, LONG: 1}) + check_words(read, ODD[name])
    assert told > 0


def test_the_documents_by_themselves_are_right() -> None:
    read_job(JOB)
    assert read_edit(EDIT, PRESENT)["max_total_trials"] == 8
    with pytest.raises(InvalidInput) as caught:
        Limits(10**20, 1)
    assert "Must be from 1 to 100,000, but got 100000000000000000000." in str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [("a: 1\nä: \x00", 2, 4), ("a: \ud800", 1, 4), (f"{LONG[:900]}: 1\n{LONG[:900]}: 2", 2, 1)],
)
def test_yaml_that_is_none_is_told_in_words(text: str, line: int, column: int) -> None:
    assert check_words(load, text) == 1
    with pytest.raises(InvalidInput) as caught:
        load(text)
    [problem] = caught.value.problems
    assert (problem.line, problem.column) == (line, column)
