"""Search spaces as documents: round trips, and every kind of bad input with its message."""

import math
from typing import Any

import pytest
from hypothesis import given, settings

from sweeps.domain.problems import InvalidInput
from sweeps.domain.space import Branch, Choice, QLogNormal, Randint, SearchSpace, Uniform
from sweeps.domain.space_doc import MAX_NESTING, parse_space, space_to_doc
from tests.domain.samplers.contract import ALL_KINDS, spaces


def refusals(doc: object) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        parse_space(doc)
    return [str(problem) for problem in caught.value.problems]


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(spaces(ALL_KINDS))
def test_documents_and_spaces_are_the_same_thing(space: SearchSpace) -> None:
    assert parse_space(space_to_doc(space)) == space


def test_azures_document_is_read() -> None:
    space = parse_space(
        {
            "learning_rate": {"type": "uniform", "min_value": 0.01, "max_value": "9e-1"},
            "boosting": {"type": "choice", "values": ["gbdt", "dart", True, 1, 1.0, "1"]},
            "layers": {"type": "RandInt", "upper": "3"},
            "noise": {"type": "qlognormal", "mu": 0, "sigma": 1, "q": 0.4},
            "model": {
                "type": "choice",
                "values": [{"name": "svm", "c": {"type": "randint", "upper": 2.0}}],
            },
        }
    )
    assert space == SearchSpace(
        (
            ("learning_rate", Uniform(0.01, 0.9)),
            ("boosting", Choice(("gbdt", "dart", True, 1, 1.0, "1"))),
            ("layers", Randint(3)),
            ("noise", QLogNormal(0, 1, 0.4)),
            ("model", Choice((Branch((("name", "svm"), ("c", Randint(2)))),))),
        )
    )


def test_whole_upper_bounds_are_integers() -> None:
    (_, distribution) = parse_space({"n": {"type": "randint", "upper": 4.0}}).parameters[0]
    assert isinstance(distribution, Randint)
    assert type(distribution.upper) is int
    assert [type(distribution.quantile(u)) for u in (0, 0.5, 1)] == [int, int, int]


def ranged(low: Any, high: Any, kind: str = "uniform", **more: Any) -> dict[str, Any]:
    return {"x": {"type": kind, "min_value": low, "max_value": high, **more}}


@pytest.mark.parametrize(
    ("doc", "message"),
    [
        (ranged(1, 0), "x.max_value: Must be greater than the minimum 1, but got 0."),
        (ranged(1, 1), "x.max_value: Must be greater than the minimum 1, but got 1."),
        (ranged(-1e308, 1e308), "x.max_value: The range is too wide to draw from."),
        (ranged(math.nan, 1), "x.min_value: Must be a finite number, but got NaN."),
        (ranged(0, math.inf), "x.max_value: Must be a finite number, but got Infinity."),
        (ranged(0, "Infinity"), "x.max_value: Must be a finite number, but got Infinity."),
        (ranged(0, 10**400), "x.max_value: Must be a finite number"),
        (ranged(0, "many"), "x.max_value: Must be a number, but got “many”."),
        (ranged(0, True), "x.max_value: Must be a number, but got true."),
        (ranged(0, [1]), "x.max_value: Must be a number, but got [1]."),
        (ranged(0, None), "x.max_value: Is required."),
        (ranged(0, 1, q=1), "x.q: uniform has no “q”; it has max_value, min_value."),
        (ranged(0, 1, "quniform", q=0), "x.q: Must be above 0, but got 0."),
        (ranged(0, 1, "quniform", q=-1), "x.q: Must be above 0, but got -1."),
        (ranged(0, 1, "quniform", q=2), "x.q: Must be at most the range 1, but got 2."),
        (ranged(0, 1, "quniform"), "x.q: Is required."),
        (ranged(0, 710, "loguniform"), "x.max_value: Is a logarithm: e^710 cannot be represented."),
        (ranged(-800, 0, "qloguniform", q=1), "x.min_value: Is a logarithm: e^-800"),
        ({"x": {"type": "normal", "mu": 0, "sigma": 0}}, "x.sigma: Must be above 0, but got 0."),
        ({"x": {"type": "normal", "mu": 0, "sigma": -1}}, "x.sigma: Must be above 0, but got -1."),
        ({"x": {"type": "lognormal", "mu": 700, "sigma": 2}}, "x.mu: Draws as large as"),
        ({"x": {"type": "randint", "upper": 0}}, "x.upper: Must be a whole number of at least 1"),
        ({"x": {"type": "randint", "upper": 2.5}}, "x.upper: Must be a whole number of at least 1"),
        ({"x": {"type": "randint", "upper": 2**53}}, "x.upper: Must be a whole number"),
        ({"x": {"type": "randint", "lower": 1, "upper": 2}}, "x.lower: randint has no “lower”"),
        ({"x": {"type": "choice"}}, "x.values: Give a list of values to choose from."),
        ({"x": {"type": "choice", "values": "ab"}}, "x.values: Give a list of values"),
        ({"x": {"type": "choice", "values": []}}, "x.values: Add at least one value"),
        ({"x": {"type": "choice", "values": [1, 2, 1]}}, "x.values[2]: 1 is there twice."),
        ({"x": {"type": "choice", "values": [None]}}, "x.values[0]: A value is a text, a number"),
        ({"x": {"type": "choice", "values": [[1]]}}, "x.values[0]: A value is a text, a number"),
        ({"x": {"type": "choice", "values": [math.nan]}}, "x.values[0]: Must be a finite number"),
        ({"x": {"type": "choice", "values": [10**400]}}, "x.values[0]: Must be a finite number"),
        ({"x": {"type": "choice", "values": ["a\0"]}}, "x.values[0]: Holds a NUL"),
        ({"x": {"type": "choice", "values": ["\ud800"]}}, "x.values[0]: Holds a NUL or half"),
        ({"x": {"type": "choice", "values": [{}]}}, "x.values[0]: An empty mapping"),
        ({"x": {"type": "choice", "values": [{"a b": 1}]}}, "x.values[0].a b: “a b” cannot name"),
        ({"x": {"type": "choice", "values": [{"a": [1]}]}}, "x.values[0].a: Must be a constant or"),
        ({"x": {"type": "choice", "values": [{"a": math.inf}]}}, "x.values[0].a: Must be a finite"),
        (
            {"x": {"type": "choice", "values": [{"a": {"type": "randint", "upper": 0}}]}},
            "x.values[0].a.upper: Must be a whole number",
        ),
        ({"x": {"type": "gamma"}}, "x.type: Must be one of choice, randint, uniform"),
        ({"x": {"type": None}}, "but got nothing."),
        ({"x": {}}, "but it has no type."),
        ({"x": 3}, "x: Give a distribution"),
        ({"1x": {"type": "randint", "upper": 2}}, "“1x” cannot name a parameter."),
        ({"a.b": {"type": "randint", "upper": 2}}, "“a.b” cannot name a parameter."),
        ({3: {"type": "randint", "upper": 2}}, "3 cannot name a parameter."),
        ({}, "Add at least one parameter."),
        ([], "A search space maps parameter names to distributions."),
        (None, "A search space maps parameter names to distributions."),
    ],
)
def test_bad_input_is_named_and_placed(doc: object, message: str) -> None:
    found = refusals(doc)
    assert len(found) == 1, found
    assert message in found[0]


def test_all_problems_are_reported_at_once() -> None:
    found = refusals({**ranged(2, 1), "y": {"type": "choice", "values": []}, "z z": 1})
    assert [text.split(":")[0] for text in found] == ["x.max_value", "y.values", "z z"]


def test_duplicates_are_placed_in_the_list_as_written() -> None:
    assert refusals({"x": {"type": "choice", "values": [None, "a", "a"]}})[1] == (
        "x.values[2]: “a” is there twice."
    )


def test_same_branches_are_duplicates_but_types_differ() -> None:
    branch = {"a": {"type": "randint", "upper": 2}}
    assert "x.values[1]" in refusals({"x": {"type": "choice", "values": [branch, branch]}})[0]
    doc = {"x": {"type": "choice", "values": [{"a": 1}, {"a": True}, {"a": 1.0}]}}
    assert space_to_doc(parse_space(doc)) == doc


def nested(depth: int) -> dict[str, Any]:
    doc: dict[str, Any] = {"type": "randint", "upper": 2}
    for _ in range(depth):
        doc = {"type": "choice", "values": [{"a": doc}]}
    return {"x": doc}


def test_nesting_has_a_limit() -> None:
    assert parse_space(nested(MAX_NESTING))
    for depth in (MAX_NESTING + 1, 200):
        found = refusals(nested(depth))
        assert len(found) == 1
        assert f"nested {MAX_NESTING} deep at most" in found[0]


def test_long_lists_are_read_quickly() -> None:
    values = list(range(50_000))
    (_, choice) = parse_space({"x": {"type": "choice", "values": values}}).parameters[0]
    assert isinstance(choice, Choice)
    assert choice.values == tuple(values)


@pytest.mark.parametrize("kind", ["normal", "qnormal"])
def test_a_normal_distribution_that_could_draw_infinity_is_refused(kind):
    doc = {
        "x": {"type": kind, "mu": 1.7e308, "sigma": 1e308} | ({"q": 1} if kind[0] == "q" else {})
    }
    with pytest.raises(InvalidInput, match="cannot be represented"):
        parse_space(doc)
