"""Sparklines, densities, and places within a range."""

import re

import pytest

from sweeps.charts.placement import place_params
from sweeps.charts.sparkline import best_so_far, density_path
from sweeps.domain.preview import Density
from tests.charts.cast import AUC, LOSS, SPACE


def test_the_best_so_far_is_a_staircase_to_the_last_trial():
    spark = best_so_far([4.0, None, 2.0, 3.0, 1.0], LOSS, width=104, height=24)
    assert spark.path == "M2 2H52V15.3H102V22H102"
    assert spark.end == (102, 22)
    assert spark.summary == "Best loss so far: from 4.00000 to 1.00000."


def test_a_maximized_objective_climbs():
    assert best_so_far([1.0, 2.0], AUC, width=104, height=24).path == "M2 22H102V2H102"


def test_without_values_there_is_nothing_to_draw():
    spark = best_so_far([None, None], LOSS)
    assert (spark.path, spark.end) == ("", None)
    assert spark.summary == "No value of loss yet."


@pytest.mark.parametrize("values", [[1.0], [1.0, 1.0], [1e308, -1e308], [None, 5e-324]])
def test_a_sparkline_stays_in_its_box(values):
    spark = best_so_far(values, LOSS)
    numbers = [float(n) for n in re.findall(r"[\d.]+", spark.path)]
    assert numbers
    assert all(0 <= n <= 96 for n in numbers)


def test_few_bars_stand_apart_and_many_make_a_skyline():
    assert density_path(Density(0, 1, False, (1.0, 0.5)), width=20, height=11) == (
        "M1 11V1H9V11ZM11 11V6H19V11Z"
    )
    skyline = density_path(Density(0, 1, False, (1.0,) * 20), width=20, height=11)
    assert skyline.count("M") == 1
    assert skyline.startswith("M0 11V1H1V1H2")


def test_numbers_are_placed_on_their_track_and_choices_on_their_segment():
    places = {
        place.name: place
        for place in place_params(SPACE, {"lr": 0.01, "leaves": 10, "model": {"kind": "gbdt"}})
    }
    assert places["lr"].fraction == pytest.approx(1 / 3, abs=1e-3)
    assert (places["lr"].low, places["lr"].high, places["lr"].kind) == ("0.001", "1", "log")
    assert (places["leaves"].fraction, places["leaves"].edge) == (1.0, "upper")
    kind = places["model.kind"]
    assert (kind.segments, kind.taken, kind.kind) == (("gbdt", "dart"), 0, "choice")


def test_an_inactive_parameter_says_when_it_would_be_active():
    drop = place_params(SPACE, {"lr": 0.01, "leaves": 3, "model": {"kind": "gbdt"}})[-1]
    assert (drop.name, drop.active, drop.text, drop.kind) == (
        "model.drop",
        False,
        "none",
        "only with dart",
    )
