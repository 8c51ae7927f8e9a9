"""Optuna's distributions in a search space give the values that Optuna would draw."""

import json
import math
from collections import Counter
from typing import Any

import pytest

from sweeps.domain.problems import InvalidInput
from sweeps.domain.space import (
    Choice,
    Distribution,
    LogUniform,
    QLogUniform,
    QUniform,
    Randint,
    Uniform,
)
from sweeps.spec.reader import read_job
from sweeps.spec.yaml_text import load

JOB = """\
type: sweep
trial: {command: "python t.py ${{args}}"}
sampling_algorithm: ALGORITHM
objective: {goal: minimize, primary_metric: loss}
limits: {max_total_trials: 9}
search_space:
  x: VALUE
  y: {type: choice, values: [1, 2]}
"""


def read(value: str, algorithm: str = "random") -> tuple[Distribution, tuple[str, ...]]:
    job = read_job(JOB.replace("VALUE", value).replace("ALGORITHM", algorithm))
    return dict(job.search_space)["x"], job.notes


LOG = (math.log(1e-5), math.log(0.1))
CASES: list[tuple[str, dict[str, Any], Distribution]] = [
    ("FloatDistribution", {"low": 0.0, "high": 1.0, "log": False, "step": None}, Uniform(0.0, 1.0)),
    ("FloatDistribution", {"low": 1e-5, "high": 0.1, "log": True, "step": None}, LogUniform(*LOG)),
    ("FloatDistribution", {"low": 0, "high": 1, "step": 0.25}, Choice((0.0, 0.25, 0.5, 0.75, 1.0))),
    ("FloatDistribution", {"low": 0.1, "high": 0.45, "step": 0.1}, Choice((0.1, 0.2, 0.3, 0.4))),
    ("FloatDistribution", {"low": 0, "high": 10, "step": 0.1}, QUniform(-0.05, 10.05, 0.1)),
    ("FloatDistribution", {"low": 3.0, "high": 3.0}, Choice((3.0,))),
    ("IntDistribution", {"low": 1, "high": 4, "log": False, "step": 1}, Choice((1, 2, 3, 4))),
    ("IntDistribution", {"low": 0, "high": 99, "log": False, "step": 1}, Randint(100)),
    ("IntDistribution", {"low": 10, "high": 99}, QUniform(9.5, 99.5, 1)),
    ("IntDistribution", {"low": 8, "high": 1030, "step": 8}, QUniform(4.0, 1028.0, 8)),
    (
        "IntDistribution",
        {"low": 1, "high": 512, "log": True, "step": 1},
        QLogUniform(math.log(0.5), math.log(512.5), 1),
    ),
    ("CategoricalDistribution", {"choices": ["a", 1, 0.5, True]}, Choice(("a", 1, 0.5, True))),
    ("UniformDistribution", {"low": 0.0, "high": 1.0}, Uniform(0.0, 1.0)),
    ("LogUniformDistribution", {"low": 1e-5, "high": 0.1}, LogUniform(*LOG)),
    ("DiscreteUniformDistribution", {"low": 0, "high": 1, "q": 0.5}, Choice((0.0, 0.5, 1.0))),
    ("IntUniformDistribution", {"low": 1, "high": 7, "step": 3}, Choice((1, 4, 7))),
    (
        "IntLogUniformDistribution",
        {"low": 2, "high": 8, "step": 1},
        QLogUniform(math.log(1.5), math.log(8.5), 1),
    ),
]


@pytest.mark.parametrize(("name", "attributes", "distribution"), CASES)
def test_each_distribution_has_its_like(
    name: str, attributes: dict[str, Any], distribution: Distribution
) -> None:
    text = json.dumps({"name": name, "attributes": attributes})
    for written in (text, f"'{text}'"):
        found, _ = read(written)
        assert found == distribution
        assert repr(found) == repr(distribution)  # 1 is not 1.0


@pytest.mark.parametrize(
    ("written", "distribution"),
    [
        ("{type: float, low: 1e-5, high: 0.1, log: true}", LogUniform(*LOG)),
        ("{type: Float, low: 0, high: 1}", Uniform(0.0, 1.0)),
        ("{type: int, low: 2, high: 6, step: 2}", Choice((2, 4, 6))),
        ("{type: categorical, choices: [a, b]}", Choice(("a", "b"))),
        ("{type: FloatDistribution, low: 0, high: 1}", Uniform(0.0, 1.0)),
    ],
)
def test_the_words_of_suggest_are_read(written: str, distribution: Distribution) -> None:
    assert read(written)[0] == distribution


@pytest.mark.parametrize("written", ["{type: int, low: 10, high: 60, step: 2}",
                                     "{type: int, low: 1, high: 40}",
                                     "{type: float, low: 0.5, high: 20, step: 0.5}"])  # fmt: skip
def test_a_range_gives_its_values_and_each_as_often(written: str) -> None:
    """Thousand equal shares of the distribution for each value, none at a border."""
    found, notes = read(written)
    assert isinstance(found, QUniform)
    assert "come as often as the others" in notes[0]
    count = round((found.max_value - found.min_value) / found.q)
    draws = Counter(found.quantile((k + 0.5) / (count * 1_000)) for k in range(count * 1_000))
    low, high, step = (found.min_value + found.q / 2, found.max_value - found.q / 2, found.q)
    assert sorted(draws) == [low + step * k for k in range(count)]
    assert max(draws) == high
    assert set(draws.values()) == {1_000}


def test_the_algorithm_decides_between_a_list_and_a_range() -> None:
    written = "{type: int, low: 1, high: 4}"
    assert read(written, "{type: random, rule: sobol}")[0] == Choice((1, 2, 3, 4))
    assert read(written, "Grid")[0] == Choice((1, 2, 3, 4))
    assert read(written, "bayesian")[0] == QUniform(0.5, 4.5, 1)
    assert read("{type: int, low: 0, high: 30}", "grid")[0] == Choice(tuple(range(31)))
    found, notes = read("{type: float, low: 0.1, high: 3, step: 0.25}", "bayesian")
    assert isinstance(found, Choice)
    assert len(found.values) == 12
    assert any("do not" in note or "does not know" in note for note in notes)


def test_a_step_that_optuna_leaves_out_is_noted() -> None:
    old = {"name": "IntLogUniformDistribution", "attributes": {"low": 1, "high": 8, "step": 2}}
    found, notes = read(json.dumps(old))
    assert found == QLogUniform(math.log(0.5), math.log(8.5), 1)
    assert "x has steps of 1: Optuna leaves its “step” out, too." in notes


def test_numbers_of_a_mile_are_refused() -> None:
    doc = load(JOB.replace("ALGORITHM", "random").replace("VALUE", "{}")).document
    for part in ({"low": 10**400, "high": 10**401}, {"low": 0, "high": 9, "step": 10**400}):
        doc["search_space"]["x"] = {"type": "int", **part}
        with pytest.raises(InvalidInput) as caught:
            read_job(doc)
        assert "beyond 1e300" in caught.value.problems[0].message


@pytest.mark.parametrize(
    ("written", "field", "message"),
    [
        ("{type: float, low: 0, high: 1, log: true}", "", "Must begin above 0"),
        ("{type: int, low: 0, high: 9, log: true}", "", "at 1 or above"),
        ("{type: float, low: 2, high: 1}", "", "begin at 2, above its end 1"),
        ("{type: float, low: 1, high: 2, step: 0}", "", "steps above 0"),
        ("{type: float, low: 1, high: 2, step: 0.1, log: true}", ".step", "no steps where log"),
        ("{type: float, low: 1}", ".high", "Is required"),
        ("{type: int, low: 1, high: 2.5}", ".high", "Must be a whole number"),
        ("{type: float, low: 1, high: two}", ".high", "Must be a number"),
        ("{type: float, low: 1, high: 2, log: maybe}", ".log", "true or false"),
        ("{type: float, low: 1, hi: 2}", ".hi", "Did you mean “high”?"),
        ("{type: float, low: 0.05, high: 200, step: 0.1}", "", "Has 2,000 values; at most 1,000"),
        ("{type: categorical, choices: [a, null]}", ".values[1]", "but got nothing"),
        ("{type: categorical}", ".values", "list of values"),
        ("{name: NormalDistribution, attributes: {}}", ".name", "one of FloatDistribution"),
        ("{name: FloatDistribution, attributes: [1]}", ".attributes", "Must be a mapping"),
        ("'{\"name\": 1'", "", "Is no JSON of a distribution"),
        ("'{\"a\": 1}'", ".type", "it has no type"),
    ],
)
def test_what_cannot_be_is_told_at_its_line(written: str, field: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(written)
    fitting = [p for p in caught.value.problems if p.field == f"search_space.x{field}"]
    assert fitting, [str(problem) for problem in caught.value.problems]
    assert message in fitting[0].message
    assert fitting[0].line == 7


def test_it_stands_beside_what_the_studio_keeps_of_booleans() -> None:
    text = JOB.replace("ALGORITHM", "random").replace(
        "VALUE", "{type: categorical, choices: [true, false]}"
    )
    assert dict(read_job(text).search_space)["x"] == Choice((True, False))


def test_small_files_do_not_become_large_spaces() -> None:
    grid = JOB.replace("ALGORITHM", "grid").replace("VALUE", "{type: int, low: 1, high: 1000}")
    more = "".join(f"  z{index}: {{type: int, low: 1, high: 1000}}\n" for index in range(10))
    with pytest.raises(InvalidInput) as caught:
        read_job(grid + more)
    [problem] = caught.value.problems  # of eleven times a thousand values
    assert (problem.field, problem.line) == ("search_space.z9", 18)
    assert "10,000 in all parameters" in problem.message
    choices = (
        f'{{"name": "CategoricalDistribution", "attributes": {{"choices": {[*range(10_002)]}}}}}'
    )
    with pytest.raises(InvalidInput) as caught:
        read(f"'{choices}'")
    assert "more than 10,000 values" in caught.value.problems[0].message
