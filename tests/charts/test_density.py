"""Very many lines of parallel coordinates: what is counted where."""

import base64
import json
import random

import numpy as np
import pytest

from sweeps.charts.density import ROWS, density
from sweeps.charts.parallel_coordinates import BEST_LINES, build_parallel_info
from sweeps.charts.parallel_figure import parallel_figure
from sweeps.domain.states import TrialStatus as S
from tests.charts.cast import LOSS, SPACE, board, check, dart, gbdt

ALL = np.ones(3, dtype=np.bool_)
PLACES = np.array([[0.0, 0.5, 1.0], [1.0, 0.5, 1.0], [0.0, 0.5, 0.2]])


def records(count):
    rng = random.Random(3)
    made = [
        gbdt(i, rng.random() + i / count, lr=10 ** -(3 * rng.random()), leaves=rng.randint(2, 10))
        for i in range(count - 7)
    ]
    made += [dart(count - 7, None, S.FAILED)]
    return made + [gbdt(count - 6 + k, 0.5, S.RUNNING) for k in range(6)]


def info_of(made, **options):
    return build_parallel_info(board(made), SPACE, LOSS, **options)


def test_every_line_weighs_one_in_every_column_however_steep():
    picture = density(PLACES, np.array([0.1, 0.2, np.nan]), ALL, -0.1, 1.1, ground=False)
    assert picture.lines.sum(axis=0) == pytest.approx(3)
    assert picture.lines.shape[0] == ROWS
    assert picture.ground is None


def test_what_is_left_out_is_the_ground():
    kept = np.array([True, False, True])
    picture = density(PLACES, np.zeros(3), kept, -0.1, 1.1, ground=True)
    assert picture.lines.sum(axis=0) == pytest.approx(2)
    assert picture.ground.sum(axis=0) == pytest.approx(1)


def test_the_colour_is_the_mean_of_lines_with_a_value():
    level = np.full((2, 3), 0.5)
    picture = density(level, np.array([0.2, 0.6, np.nan]), ALL, 0, 1, ground=False)
    known = picture.strength[~np.isnan(picture.strength)]
    assert known == pytest.approx(0.4)
    bare = density(level, np.full(3, np.nan), ALL, 0, 1, ground=False)
    assert np.isnan(bare.strength).all()


def test_packed_it_is_a_byte_per_cell_the_most_crowded_full():
    packed = density(PLACES, np.zeros(3), ALL, -0.1, 1.1, ground=False).packed()
    levels = base64.b64decode(packed["level"])
    assert len(levels) == packed["rows"] * packed["columns"]
    assert max(levels) == 255
    strengths = set(base64.b64decode(packed["strength"]))
    assert strengths == {0, 1}


def test_beyond_five_hundred_trials_the_density_holds_all_and_the_best_are_lines():
    made = records(1200)
    info = info_of(made)
    assert info.note == "density of all 1,200 trials; the best 50 and 6 running as lines"
    assert info.density.lines.sum(axis=0) == pytest.approx(1200)
    finished = sorted((r.objective, r.number) for r in made if r.status == S.COMPLETED)
    best = {number for _, number in finished[:BEST_LINES]}
    assert {line.number for line in info.lines if line.kind == "valued"} == best
    figure = parallel_figure(info)
    assert len(json.dumps(figure)) < 100_000
    check(figure)


def test_five_hundred_trials_are_lines_without_a_density():
    info = info_of(records(500))
    assert (info.density, len(info.lines)) == (None, 500)


def test_few_selected_of_many_are_lines_over_the_others():
    made = records(1200)
    kept = np.arange(1200) < 20
    info = info_of(made, kept=kept, filtered=True)
    assert info.note == "20 of 1,200 trials selected, a line each; the others as a ground"
    assert {line.number for line in info.lines if not line.out} == set(range(20))
    assert info.density.lines.sum(axis=0) == pytest.approx(20)
    assert info.density.ground.sum(axis=0) == pytest.approx(1180)


def test_many_selected_are_a_density_over_the_others():
    made = records(1500)
    info = info_of(made, kept=np.arange(1500) >= 600, filtered=True)
    assert info.note == (
        "density of 900 selected of 1,500 trials, the others as a ground; "
        "the best 50 and 6 running as lines"
    )
    assert info.density.lines.sum(axis=0) == pytest.approx(900)
    assert all(line.number >= 600 or line is info.best for line in info.lines)


def test_picked_trials_stay_lines():
    info = info_of(records(1200), picked=[1000, 4])
    picked = {line.number for line in info.lines if line.picked}
    assert picked == {1000, 4}
    assert "2 picked" in info.note


def test_one_axis_alone_is_drawn_too():
    info = info_of(records(600), order=["lr", "-"])
    assert info.density.lines.sum(axis=0) == pytest.approx(600)
    check(parallel_figure(info))
