"""Distributions, leaves, draws and columns."""

import math

import pytest

from sweeps.domain.space import (
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
    columns,
    flatten,
    grid_size,
    leaves,
    quantise,
    realise,
)
from sweeps.domain.space_doc import parse_space
from tests.domain.samplers.contract import NESTED


@pytest.mark.parametrize(
    ("value", "q", "expected"),
    [
        (7.4, 2, 8),
        (7.4, 2.0, 8),
        (-0.2, 1, 0),
        (0.30000000000000004, 0.1, 0.3),
        (2.5, 1, 2),
        (3.5, 1, 4),
        (1e300, 1e-300, 1e300),
        (0.7, 0.4, 0.8),
    ],
)
def test_quantised_values_are_clean(value: float, q: float, expected: float) -> None:
    got = quantise(value, q)
    assert got == expected
    assert type(got) is type(expected)


@pytest.mark.parametrize(
    ("distribution", "quartiles"),
    [
        (Uniform(0, 4), (1, 2, 3)),
        (QUniform(0, 4, 2), (0, 2, 4)),
        (LogUniform(0, 4), (math.e, math.e**2, math.e**3)),
        (QLogUniform(0, 4, 5), (5, 5, 20)),
        (Normal(1, 2), (-0.3489795, 1, 2.3489795)),
        (QNormal(1, 2, 1), (0, 1, 2)),
        (LogNormal(0, 1), (0.5094162838, 1, 1.963031084)),
        (QLogNormal(0, 1, 0.5), (0.5, 1, 2)),
        (Randint(8), (2, 4, 6)),
    ],
)
def test_quantiles(distribution: Uniform, quartiles: tuple[float, ...]) -> None:
    got = tuple(distribution.quantile(u) for u in (0.25, 0.5, 0.75))
    assert got == pytest.approx(quartiles, rel=1e-6)
    assert all(math.isfinite(distribution.quantile(u)) for u in (0.0, 1.0))


def test_ends_of_the_unit_interval_stay_in_range() -> None:
    assert (Randint(3).quantile(0), Randint(3).quantile(1)) == (0, 2)
    choice = Choice(("a", "b"))
    assert [choice.index(u) for u in (0, 0.49, 0.5, 1)] == [0, 0, 1, 1]


def test_leaves_come_with_labels_columns_and_conditions() -> None:
    found = [(leaf.label, leaf.column, leaf.condition) for leaf in leaves(NESTED)]
    assert found == [
        ("model", "model", ()),
        ("model[1].c", "model.c", (("model", 1),)),
        ("model[1].kernel", "model.kernel", (("model", 1),)),
        (
            "model[1].kernel[1].degree",
            "model.kernel.degree",
            (("model", 1), ("model[1].kernel", 1)),
        ),
        ("model[2].depth", "model.depth", (("model", 2),)),
        ("flag", "flag", ()),
    ]


def test_draw_becomes_nested_parameters() -> None:
    draw = {"model": 1, "model[1].c": 2, "model[1].kernel": 1, "flag": 0}
    with pytest.raises(KeyError):
        realise(NESTED, draw)
    params = realise(NESTED, {**draw, "model[1].kernel[1].degree": 1.0})
    assert params == {"model": {"name": "svm", "c": 10, "kernel": {"degree": 1}}, "flag": True}
    assert repr(flatten(params)) == repr(
        {"model.name": "svm", "model.c": 10, "model.kernel.degree": 1, "flag": True}
    )


def test_columns_hold_every_flat_name_once() -> None:
    assert columns(NESTED) == [
        "model",
        "model.name",
        "model.c",
        "model.kernel",
        "model.kernel.degree",
        "model.depth",
        "flag",
    ]


def test_grid_size_is_the_number_of_points() -> None:
    assert grid_size(NESTED) == 30
    inside = {
        "type": "choice",
        "values": [1, {"a": {"type": "uniform", "min_value": 0, "max_value": 1}}],
    }
    assert grid_size(parse_space({"x": inside})) is None
