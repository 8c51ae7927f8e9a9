"""Numbers as people write them, and where values stand on an axis."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.charts.scales import (
    Scale,
    Tick,
    linear_ticks,
    log_ticks,
    numeric_scale,
    prefers_log,
)
from sweeps.charts.text import (
    duration_text,
    escape,
    objective_text,
    param_text,
    tick_text,
    wrap_name,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0111131, "0.0111131"), (0.03038, "0.0303800"), (0.8833984, "0.883398"), (1.0, "1.00000"),
     (123456.789, "123457"), (3.37e-8, "3.37000e-8"), (0.0, "0"), (None, "–"), (float("nan"), "–")],
)  # fmt: skip
def test_an_objective_has_six_significant_digits(value, text):
    assert objective_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.100234, "0.1002"), (0.05956, "0.05956"), (3.3712e-4, "3.37e-4"), (256, "256"),
     (True, "True"), ("gbdt", "gbdt"), (None, "none"), (-0.69361, "−0.6936"), (0.99999, "1.000"),
     (float("nan"), "NaN")],
)  # fmt: skip
def test_a_parameter_has_four_significant_digits(value, text):
    assert param_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.001, "0.001"), (1e-4, "1e-4"), (1e-6, "1e-6"), (20000.0, "20000"), (2e6, "2e6"),
     (-0.5, "−0.5"), (0.0, "0"), (100.0, "100")],
)  # fmt: skip
def test_ticks_are_written_plainly(value, text):
    assert tick_text(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(4.31, "4.3 s"), (48, "48 s"), (175, "2m 55s"), (6360, "1h 46m")]
)
def test_durations_name_their_units(seconds, text):
    assert duration_text(seconds) == text


def test_nothing_of_a_name_is_markup():
    assert escape("<b>&amp;</b>") == "&lt;b&gt;&amp;amp;&lt;/b&gt;"


@given(st.text(min_size=1, max_size=120))
def test_a_wrapped_name_loses_no_character(name):
    lines = wrap_name(name)
    assert "".join(lines) == name
    assert all(0 < len(line) <= 22 for line in lines)


def test_log_ticks_are_one_two_five_then_decades_then_every_few():
    assert log_ticks(0.01, 0.8, 6) == [0.01, 0.02, 0.05, 0.1, 0.2, 0.5]
    assert log_ticks(0.001, 0.5, 5) == [0.001, 0.005, 0.01, 0.05, 0.1, 0.5]
    assert log_ticks(1e-6, 10, 5) == [1e-6, 1e-4, 1e-2, 1.0]


def test_a_log_axis_of_less_than_a_decade_has_linear_steps():
    assert log_ticks(0.62, 0.89, 6) == [0.7, 0.8]
    assert linear_ticks(0.62, 0.89, 6) == [0.65, 0.7, 0.75, 0.8, 0.85]


@given(st.floats(1e-300, 1e300), st.floats(1.0001, 1e300))
def test_log_ticks_lie_within_their_range_and_are_few(low, ratio):
    high = min(low * ratio, 1.7e308)
    ticks = log_ticks(low, high, 7)
    assert 1 <= len(ticks) <= 9 + 2
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)


def test_bounds_are_ticks_and_push_away_what_is_too_near():
    ticks = numeric_scale(0.01, 0.9).ticks()
    assert [tick.text for tick in ticks] == ["0.01", "0.2", "0.4", "0.6", "0.8", "0.9"]
    assert (ticks[0].position, ticks[-1].position) == (0.0, 1.0)


def test_an_integer_axis_has_whole_ticks():
    assert [t.text for t in numeric_scale(0, 3, integer=True).ticks()] == ["0", "1", "2", "3"]


def test_seen_ends_are_no_ticks():
    texts = [tick.text for tick in numeric_scale(0.7123, 0.8834, bounded=False).ticks()]
    assert texts == ["0.75", "0.80", "0.85"]


def test_a_log_scale_places_by_ratio():
    scale = numeric_scale(0.001, 10, log=True)
    assert scale.position(0.1) == pytest.approx(0.5)
    assert scale.position(0) is None
    assert scale.position("text") is None


def test_a_log_scale_needs_positive_ends():
    assert numeric_scale(0, 10, log=True).kind == "linear"


def test_categories_are_evenly_spaced_with_their_names():
    scale = Scale("category", categories=("63", "127"))
    assert scale.ticks() == (Tick(0.25, "63"), Tick(0.75, "127"))
    assert scale.position(127) == 0.75
    assert scale.position("other") is None


def test_a_scale_of_one_value_places_it_in_the_middle():
    assert numeric_scale(5.0, 5.0).position(5.0) == 0.5
    assert numeric_scale(5.0, 5.0).ticks() == (Tick(0.5, "5.000"),)


@given(st.floats(-1.7e308, 1.7e308), st.floats(-1.7e308, 1.7e308), st.floats(0, 1))
def test_a_linear_place_is_within_the_axis(a, b, share):
    low, high = min(a, b), max(a, b)
    position = numeric_scale(low, high).position(low * (1 - share) + high * share)
    assert position is not None
    assert -1e-6 <= position <= 1 + 1e-6


def test_log_is_preferred_for_positive_values_of_wide_span():
    assert prefers_log([0.01, 0.31])
    assert not prefers_log([0.01, 0.29])
    assert not prefers_log([-1, 1000])
    assert not prefers_log([])
