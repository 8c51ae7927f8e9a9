"""What the samplers share: inverting draws, numbering points, the registry."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.domain.job import ALGORITHMS as JOB_ALGORITHMS
from sweeps.domain.samplers.draws import draw_of, prior_draw, stable_hash, uniforms
from sweeps.domain.samplers.points import point, size_of
from sweeps.domain.samplers.registry import ALGORITHMS, get_sampler
from sweeps.domain.space import SearchSpace, grid_size, leaves, realise
from sweeps.domain.space_doc import parse_space
from tests.domain.samplers.contract import ALL_KINDS, NESTED, NESTED_SIZE, spaces

QUICK = settings(max_examples=60, deadline=None, derandomize=True, database=None)


@QUICK
@given(spaces(ALL_KINDS), st.integers(0, 10**6))
def test_a_draw_can_be_read_off_its_parameters(space: SearchSpace, seed: int) -> None:
    params = realise(space, prior_draw(space, uniforms(len(leaves(space)), seed)))
    found = draw_of(space, params)
    assert found is not None
    assert realise(space, found) == params


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"n": 4, "lr": 0.1, "flag": True, "extra": 1},
        {"n": 4, "lr": 5.0, "flag": True},
        {"n": 4, "lr": "0.1", "flag": True},
        {"n": 4, "lr": True, "flag": True},
        {"n": 4, "lr": float("nan"), "flag": True},
        {"n": 4.5, "lr": 0.1, "flag": True},
        {"n": 4, "lr": 0.1, "flag": 1},
        {"n": 4, "lr": 0.1, "flag": {"a": 1}},
    ],
)
def test_points_outside_the_space_have_no_draw(params: dict[str, Any]) -> None:
    space = parse_space(
        {
            "n": {"type": "quniform", "min_value": 0, "max_value": 8, "q": 2},
            "lr": {"type": "loguniform", "min_value": -7, "max_value": 0},
            "flag": {"type": "choice", "values": [True, False]},
        }
    )
    assert draw_of(space, params) is None
    good = {"n": 4, "lr": 0.1, "flag": True}
    assert draw_of(space, good) == {"n": 4, "lr": 0.1, "flag": 0}


def test_picked_branches_find_their_value() -> None:
    picked: dict[str, Any] = {"model": {"name": "tree", "depth": 4}, "flag": False}
    assert draw_of(NESTED, picked) == {"model": 2, "model[2].depth": 1, "flag": 1}
    for wrong in ({"name": "tree"}, {"name": "oak", "depth": 4}, {"name": "tree", "depth": 3}):
        assert draw_of(NESTED, {"model": wrong, "flag": False}) is None


def test_bounds_as_typed_are_inside() -> None:
    doc = {"type": "loguniform", "min_value": -2.302585092994046, "max_value": 0}
    assert draw_of(parse_space({"x": doc}), {"x": 0.1}) == {"x": 0.1}
    assert draw_of(parse_space({"x": doc}), {"x": 1}) == {"x": 1.0}


def test_points_are_numbered_without_gaps_or_repeats() -> None:
    params = [realise(NESTED, point(NESTED, rank)) for rank in range(NESTED_SIZE)]
    assert size_of(NESTED) == grid_size(NESTED) == NESTED_SIZE
    assert len({str(p) for p in params}) == NESTED_SIZE
    assert params[0] == {"model": "plain", "flag": True}
    assert params[1] == {"model": "plain", "flag": False}


@pytest.mark.parametrize(
    ("doc", "values"),
    [
        ({"type": "quniform", "min_value": 0, "max_value": 1, "q": 0.25}, [0, 0.25, 0.5, 0.75, 1]),
        ({"type": "quniform", "min_value": 0.5, "max_value": 2.5, "q": 1}, [1, 2]),
        ({"type": "quniform", "min_value": -1.4, "max_value": 1.4, "q": 1}, [-1, 0, 1]),
        ({"type": "qloguniform", "min_value": -5, "max_value": -4, "q": 1}, [0]),
        ({"type": "qloguniform", "min_value": 0, "max_value": 1.5, "q": 1}, [1, 2, 3, 4]),
    ],
)
def test_steps_of_quantised_ranges_are_counted(doc: dict[str, Any], values: list[float]) -> None:
    space = parse_space({"x": doc})
    size = size_of(space)
    assert size == len(values)
    assert [point(space, rank)["x"] for rank in range(size)] == values
    drawn = {realise(space, prior_draw(space, uniforms(1, k)))["x"] for k in range(500)}
    assert drawn == set(values)


@pytest.mark.parametrize("kind", ["uniform", "normal"])
def test_continuous_spaces_have_no_numbered_points(kind: str) -> None:
    names = ("min_value", "max_value") if kind == "uniform" else ("mu", "sigma")
    doc = {"type": kind, names[0]: 0, names[1]: 1}
    inside = {"type": "choice", "values": [1, {"x": doc}]}
    for item in (doc, inside):
        space = parse_space({"p": item})
        assert size_of(space) is None
        with pytest.raises(ValueError, match="no numbered points"):
            point(space, 0)


def test_too_many_steps_count_as_infinite() -> None:
    doc = {"type": "quniform", "min_value": 0, "max_value": 1e300, "q": 1e-300}
    assert size_of(parse_space({"x": doc})) is None


def test_hash_is_the_same_for_ever() -> None:
    """Stored sweeps go on after an upgrade: these numbers must never change."""
    assert stable_hash(7, 3) == 1232913860685451959
    assert uniforms(2, 7, 3) == [0.6615786193494234, 0.5338146459753812]


def test_registry_and_job_name_the_same_algorithms() -> None:
    assert tuple(ALGORITHMS) == JOB_ALGORITHMS
    with pytest.raises(KeyError, match="one of random, grid, bayesian, but got “annealing”"):
        get_sampler("annealing")


def test_checking_forms_loads_no_numerical_library() -> None:
    code = """
import sys
from sweeps.domain import command, naming, preview
from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.samplers.registry import ALGORITHMS, get_sampler
from sweeps.domain.space_doc import parse_space
space = parse_space({"x": {"type": "loguniform", "min_value": -7, "max_value": 0}})
for name in ALGORITHMS:
    get_sampler(name).check(space, Sampling(name, rule="sobol", logbase=10))
    get_sampler(name).advise(space, Limits(20, 4))
preview.draws(space.parameters[0][1], 1)
preview.density(space.parameters[0][1])
heavy = {"numpy", "scipy", "hyperopt", "django"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)
