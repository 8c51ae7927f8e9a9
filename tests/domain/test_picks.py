"""Points that people pick: what fits gets the types of the space, the rest is told by name."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.domain.picks import checked_point
from sweeps.domain.problems import InvalidInput
from sweeps.domain.samplers.draws import prior_draw, uniforms
from sweeps.domain.space import SearchSpace, leaves, realise
from sweeps.domain.space_doc import parse_space
from tests.domain.samplers.contract import ALL_KINDS, spaces

RANDINT = {"type": "randint", "upper": 2}
KINDS = {
    "u": {"type": "uniform", "min_value": 0.1, "max_value": 0.9},
    "q": {"type": "quniform", "min_value": 0, "max_value": 10, "q": 5},
    "r": {"type": "randint", "upper": 4},
    "n": {"type": "normal", "mu": 0, "sigma": 1},
    "ln": {"type": "lognormal", "mu": 0, "sigma": 1},
    "lu": {"type": "loguniform", "min_value": -2, "max_value": 0},
    "c": {"type": "choice", "values": ["gbdt", "dart", 3, True]},
    "b": {"type": "choice", "values": ["none", {"kind": "svm", "c": RANDINT}]},
    "d": {"type": "choice", "values": [{"kind": "svm"}]},
    "many": {"type": "choice", "values": list(range(10))},
}  # fmt: skip


def space(*names: str) -> SearchSpace:
    return parse_space({name: KINDS[name] for name in names})


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("u", 0.0999, "Must be a number from 0.1 to 0.9, but got 0.0999."),
        ("u", 0.9001, "Must be a number from 0.1 to 0.9, but got 0.9001."),
        ("u", "0.5", "Must be a number from 0.1 to 0.9, but got “0.5”."),
        ("u", None, "Must be a number from 0.1 to 0.9, but got nothing."),
        ("q", 4, "Must be a multiple of 5 from 0 to 10, but got 4."),
        ("r", 4, "Must be a whole number from 0 to 3, but got 4."),
        ("r", 1.5, "Must be a whole number from 0 to 3, but got 1.5."),
        ("n", math.nan, "Must be a number, but got NaN."),
        ("ln", -1, "Must be a number of at least 0, but got -1."),
        ("lu", 0.1, "Must be a number from 0.135335 to 1, but got 0.1."),
        ("c", "goss", "Must be one of gbdt, dart, 3, true, but got “goss”."),
        ("c", "True", "Must be one of gbdt, dart, 3, true, but got “True”."),
        ("b", {"kind": "svm"}, "Must be one of none, a mapping with all that one of its branches "
         'has, but got {"kind": "svm"}.'),
        ("d", "svm", "Must be a mapping with all that one of its branches has, but got “svm”."),
        ("many", 10, "Must be one of 0, 1, 2, 3, 4, 5, 6, 7, 2 more, but got 10."),
    ],
)  # fmt: skip
def test_a_value_outside_is_told(name: str, value: object, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_point(space(name), {name: value})
    assert [(p.field, p.message) for p in caught.value.problems] == [(name, message)]


def test_values_at_the_edges_fit_and_get_their_types() -> None:
    found = checked_point(space("u", "q", "r", "lu", "b"), {
        "u": 0.9, "q": 10.0, "r": 3.0, "lu": 1, "b": {"c": 1.0, "kind": "svm"},
    })  # fmt: skip
    assert repr(found) == ("{'u': 0.9, 'q': 10, 'r': 3, 'lu': 1.0, 'b': {'kind': 'svm', 'c': 1}}")


def test_the_base_of_the_logarithm_moves_the_bounds() -> None:
    assert checked_point(space("lu"), {"lu": 0.01}, 10.0) == {"lu": 0.01}
    assert checked_point(space("lu"), {"lu": 4.0}, 0.5) == {"lu": 4.0}
    with pytest.raises(InvalidInput, match=r"from 0\.01 to 1"):
        checked_point(space("lu"), {"lu": 0.009}, 10.0)


def test_names_are_told_all_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        checked_point(space("u", "q", "r"), {"qq": 1, "r": 9})
    assert [(p.field, p.message) for p in caught.value.problems] == [
        ("qq", "The search space has no parameter “qq”. Did you mean “q”?"),
        ("u", "Give a value."),
        ("q", "Give a value."),
        ("r", "Must be a whole number from 0 to 3, but got 9."),
    ]


@given(spaces(ALL_KINDS), st.integers(0, 10**6), st.sampled_from([None, 2.0, 10.0]))
def test_whatever_is_drawn_fits(space: SearchSpace, seed: int, base: float | None) -> None:
    cube = uniforms(len(leaves(space)), seed)
    params = realise(space, prior_draw(space, cube, base or math.e))
    assert checked_point(space, params, base) == params
