"""What the form shows of a distribution."""

import math
from typing import Any

import pytest

from sweeps.domain.preview import density, draws, log_bounds, log_notes, real_bounds
from sweeps.domain.problems import InvalidInput
from sweeps.domain.space import (
    Choice,
    Distribution,
    LogNormal,
    LogUniform,
    Normal,
    QLogUniform,
    QNormal,
    QUniform,
    Randint,
    Uniform,
)
from sweeps.domain.space_doc import parse_space
from tests.domain.samplers.contract import NESTED


def test_draws_are_typed_short_and_repeatable() -> None:
    assert draws(Uniform(0, 1), 1) == draws(Uniform(0, 1), 1) != draws(Uniform(0, 1), 2)
    assert len(draws(Uniform(0, 1), 1, 9)) == 9
    assert all(text.isdigit() for text in draws(QUniform(0, 100, 5), 1))
    assert all(len(text) <= 12 for text in draws(LogUniform(-12, 0), 1, 50))
    assert set(draws(Choice((True, False)), 1, 20)) == {"True", "False"}


def test_draws_of_a_nested_choice_are_json() -> None:
    texts = draws(NESTED.parameters[0][1], 3, 40)
    assert "plain" in texts
    assert '{"name":"tree","depth":2}' in texts


@pytest.mark.parametrize("distribution", [Choice((1, 2, 3)), Randint(3)])
def test_equal_chances_are_equal_bars(distribution: Distribution) -> None:
    shape = density(distribution)
    assert (shape.x0, shape.x1, shape.log, shape.heights) == (0, 2, False, (1.0, 1.0, 1.0))


def test_many_values_have_as_many_bars_as_fit() -> None:
    shape = density(Randint(10**9), bins=40)
    assert (shape.x1, len(shape.heights)) == (10**9 - 1, 40)


def test_uniform_is_flat_and_log_uniform_is_flat_on_its_scale() -> None:
    flat = density(Uniform(-1, 3))
    assert (flat.x0, flat.x1, flat.log) == (-1, 3, False)
    logs = density(LogUniform(math.log(1e-5), math.log(0.1)))
    assert (logs.x0, logs.x1, logs.log) == (1e-05, 0.1, True)
    for shape in (flat, logs):
        assert len(shape.heights) == 40
        assert shape.heights == pytest.approx([1.0] * 40)


@pytest.mark.parametrize(
    ("distribution", "log"),
    [(Normal(2, 3), False), (LogNormal(2, 3), True), (QNormal(2, 3, 1), False)],
)
def test_bells_are_symmetric_and_highest_in_the_middle(
    distribution: Distribution, log: bool
) -> None:
    shape = density(distribution, bins=20)
    assert shape.log is log
    assert shape.heights == pytest.approx(shape.heights[::-1])
    assert max(shape.heights) == shape.heights[9] == 1.0
    assert shape.heights[0] < 0.02
    ends = (2 - 9, 2 + 9)
    assert (shape.x0, shape.x1) == pytest.approx([math.exp(e) for e in ends] if log else ends)


def test_few_steps_have_a_bar_each_with_half_of_it_at_the_ends() -> None:
    shape = density(QUniform(0, 4, 1))
    assert shape.heights == pytest.approx((0.5, 1, 1, 1, 0.5))
    assert (shape.x0, shape.x1, shape.log) == (0, 4, False)
    falling = density(QLogUniform(0, math.log(8), 1)).heights
    assert len(falling) == 8
    assert list(falling[1:]) == sorted(falling[1:], reverse=True)
    shares = [math.log(1.5), math.log(2.5 / 1.5)]
    assert falling[0] / falling[1] == pytest.approx(shares[0] / shares[1])


def test_many_steps_are_drawn_like_the_range_beneath() -> None:
    assert density(QUniform(0, 100, 1)).heights == pytest.approx([1.0] * 40)
    assert density(QLogUniform(0, 10, 1)).log is True


def test_very_wide_bells_stay_finite() -> None:
    shape = density(LogNormal(600, 12))
    assert all(math.isfinite(x) for x in (shape.x0, shape.x1, *shape.heights))


@pytest.mark.parametrize("low", [1e-5, 0.1, 1e-300, 3, 0.001, 123456.789])
def test_real_bounds_come_back_as_typed(low: float) -> None:
    assert real_bounds(*log_bounds(low, low * 10)) == (low, float(f"{low * 10:.12g}"))


@pytest.mark.parametrize(
    ("low", "high", "field", "message"),
    [
        (0, 1, "min_value", "A log scale needs a lower bound above 0, but got 0."),
        (-0.5, 1, "min_value", "A log scale needs a lower bound above 0, but got -0.5."),
        (0.1, 0.01, "max_value", "Must be greater than the minimum 0.1, but got 0.01."),
        (0.1, math.inf, "max_value", "Must be a finite number, but got Infinity."),
        (math.nan, 1, "min_value", "Must be a finite number, but got NaN."),
    ],
)
def test_bounds_without_a_logarithm_are_refused(
    low: float, high: float, field: str, message: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        log_bounds(low, high)
    problem = caught.value.problems[0]
    assert (problem.field, problem.message) == (field, message)


def test_real_bounds_in_place_of_logarithms_are_noticed() -> None:
    def note(low: float, high: float) -> list[str]:
        doc: dict[str, Any] = {"type": "loguniform", "min_value": low, "max_value": high}
        return log_notes(parse_space({"lr": doc}))

    assert note(1e-5, 0.1) == [
        "The bounds of lr are logarithms: as written it runs from 1 to 1.105."
    ]
    assert note(-7, 0) == note(0, 1) == note(0.5, 3) == []
