"""Scatter, slices and contour: places, colours, what is missing, and what is thinned."""

import json
import math

import numpy as np
import pytest

from sweeps.charts.colouring import colour_by
from sweeps.charts.contour import GRID, build_contour_info, contour_figure
from sweeps.charts.figure import payload
from sweeps.charts.scales import Scale, numeric_scale
from sweeps.charts.scatter import MAX_DOTS, build_scatter_info, scatter_figure
from sweeps.charts.slices import build_slice_info, slice_figure
from sweeps.charts.text import objective_text, param_text
from sweeps.charts.values import Trials, Values, plot_axis, spread_first, thin
from sweeps.domain.board import CODES
from sweeps.domain.states import TrialStatus as S
from sweeps.views.charts import csv_text
from tests.charts.cast import check, trace

HOSTILE = "<img src=x onerror=alert(1)> & a name that is very long indeed"
NAN = math.nan


def numbers(name, at, *, log=False, low=None, high=None, key="", none="none"):
    at = np.array(at, dtype=np.float64)
    low = np.nanmin(at) if low is None else low
    scale = numeric_scale(float(low), float(np.nanmax(at) if high is None else high), log=log)
    return Values(key or f"params.{name}", name, "log" if log else "", scale, at, param_text, none)


def words(name, at, categories):
    scale = Scale("category", categories=tuple(categories))
    return Values(f"params.{name}", name, "choice", scale, np.array(at, dtype=np.float64), str)


def loss(at):
    return numbers("loss", at, key="objective", none="no value")._replace(write=objective_text)


def trials(count, *, out=(), best=0):
    flags = np.zeros(count, dtype=np.bool_)
    flags[list(out)] = True
    return Trials(np.arange(count) + 10, flags, best)


def scatter(axes, color, *, minimize=True, **options):
    colours = colour_by(color, objective=color.key == "objective", minimize=minimize)
    count = len(color.at)
    merit = np.arange(count, dtype=np.float64)
    return build_scatter_info(
        trials(count, **options), tuple(axes), colours, merit, minimize=minimize
    )


LR = numbers("lr", [0.001, 0.01, 0.1, NAN], log=True, low=1e-4, high=1.0)
KIND = words("kind", [0, 1, 1, 0], ["gbdt", HOSTILE])
LOSS = loss([0.1, 0.2, NAN, 0.4])


def test_dots_stand_at_their_values_and_missing_ones_on_an_edge_that_says_so():
    figure = scatter_figure(scatter([LR, LOSS], LOSS))
    check(figure)
    layout = figure["layout"]
    assert layout["xaxis"]["type"] == "log"
    assert (layout["xaxis"]["ticktext"][0], layout["yaxis"]["ticktext"][0]) == ("none", "no value")
    ramp = trace(figure, "ramp")
    assert ramp["customdata"] == [11, 13]
    assert ramp["x"] == [0.01, pytest.approx(layout["xaxis"]["tickvals"][0], rel=1e-3)]
    low, high = layout["xaxis"]["range"]
    assert low < math.log10(ramp["x"][1]) < -4 < 0 < high
    assert trace(figure, "best")["customdata"] == [10]


def test_the_best_has_the_dark_end_of_the_ramp_for_either_goal():
    values = loss([0.1, 0.2, 0.4])
    small = scatter([values, values], values, best=None).colours.shares
    large = scatter([values, values], values, best=None, minimize=False).colours.shares
    assert small.tolist() == sorted(small.tolist(), reverse=True)
    assert large.tolist() == sorted(large.tolist())
    assert (small[0], large[-1]) == (1.0, 1.0)


def test_what_has_no_value_to_colour_by_is_a_ring_and_the_key_says_so():
    info = scatter([LR, KIND], LOSS, best=None)
    assert trace(scatter_figure(info), "bare")["customdata"] == [12]
    assert [key.text for key in info.legend] == ["loss: 0.400000 to 0.100000", "loss: no value"]


def test_categories_have_names_colours_and_jitter_and_are_escaped():
    info = scatter([KIND, LR], KIND, best=None)
    figure = scatter_figure(info)
    check(figure)
    assert [key.text for key in info.legend] == ["gbdt", HOSTILE]
    assert trace(figure, "category-1")["marker"]["color"] == "@trial-1"
    assert "<img" not in json.dumps(figure)
    xs = trace(figure, "category-1")["x"]
    assert xs[0] != xs[1]
    assert all(0.7 < x < 1.3 for x in xs)


def test_left_out_trials_step_behind_the_others():
    figure = scatter_figure(scatter([LR, LOSS], LOSS, out=[1], best=None))
    assert figure["data"][0]["uid"] == "out"
    assert figure["data"][0]["customdata"] == [11]


def test_a_trial_with_no_value_at_all_is_counted_not_drawn():
    info = scatter([numbers("a", [1, 2, NAN]), numbers("b", [1, 2, NAN])], loss([1, 2, 3]))
    assert info.note == "2 trials; 1 without these values left out"
    nothing = numbers("a", [NAN, NAN], low=0, high=1)
    empty = scatter([nothing, nothing], loss([1, 2]))
    assert empty.empty
    check(scatter_figure(empty))


@pytest.mark.parametrize("axes", [2, 3])
def test_many_trials_are_thinned_and_that_is_said(axes):
    rng = np.random.default_rng(0)
    columns = [numbers(f"p{i}", rng.random(10_000)) for i in range(axes)]
    info = scatter(columns, loss(rng.random(10_000)), best=7)
    assert 0.4 * MAX_DOTS < len(info.rows) <= MAX_DOTS
    assert info.note == f"10,000 trials; {len(info.rows):,} dots, the best of each spot"
    figure = scatter_figure(info)
    assert 17 in trace(figure, "best")["customdata"]
    assert len(json.dumps(payload(info, figure, with_table=False))) < 150_000
    assert len(info.table.rows) == 10_000


def test_thinning_keeps_the_first_of_each_spot():
    unit = np.array([0.1, 0.1, 0.9, NAN, NAN])
    assert thin([unit], np.array([2.0, 1.0, 0.0, 4.0, 3.0]), 4).tolist() == [1, 2, 4]
    first = spread_first(np.arange(5), np.array([True] + [False] * 4), 3)
    assert np.argmin(first) == 3
    assert np.argmax(first) == 0


def test_space_has_log_axes_and_no_wheel_of_its_own():
    figure = scatter_figure(scatter([LR, KIND, LOSS], LOSS))
    check(figure)
    assert figure["layout"]["scene"]["xaxis"]["type"] == "log"
    assert {one["type"] for one in figure["data"]} == {"scatter3d"}


def test_texts_in_space_begin_no_tag_and_have_no_entities():
    space = scatter_figure(scatter([KIND, LR, LOSS], LOSS))["layout"]["scene"]
    [written] = [text for text in space["xaxis"]["ticktext"] if "img" in text]
    assert "&lt;" not in written
    assert "<\u200bimg" in written


@pytest.mark.parametrize("at", [[5.0], [1e308, -1e308], [5e-324, 1.0], [0.0, 0.0]])
def test_ends_of_floats_have_an_axis(at):
    made = plot_axis(numbers("x", at), edge=True)
    assert made["range"][0] < made["range"][1]
    assert all(map(math.isfinite, [*made["range"], *made["tickvals"]]))


# --- Slices -------------------------------------------------------------------------------------


def slices(params, values, final=False, **options):
    count = len(values.at)
    by = numbers("trial number", np.arange(count), key="number")
    colours = colour_by(by, objective=False, minimize=False)
    own = trials(count, **options)
    return build_slice_info(own, values, tuple(params), colours, final=final)


def test_each_parameter_has_a_small_chart_on_one_value_axis():
    info = slices([LR, KIND], LOSS)
    figure = slice_figure(info)
    check(figure)
    assert {one["xaxis"] for one in figure["data"]} == {"x", "x2"}
    assert figure["layout"]["xaxis2"]["anchor"] == "y"
    assert set(figure["layout"]["meta"]["scales"]) == {"linear", "log"}
    assert info.note == "3 trials"
    assert figure["layout"]["xaxis"]["ticktext"][0] == "none"


def test_what_is_the_same_for_all_has_no_slice():
    same = numbers("same", [1, 1, 1, 1])
    info = slices([LR, same], LOSS)
    assert [values.name for values in info.params] == ["lr"]
    assert "1 parameter the same for all left out" in info.note
    assert slices([same], LOSS).empty == "All trials have the same parameters."


def test_slices_say_how_many_more_they_need():
    info = slices([LR], loss([0.1, NAN, NAN, NAN]))
    assert info.empty == (
        "Not enough data yet: 1 trial with a value of loss so far, 1 more trial needed."
    )
    assert info.summary == info.empty
    ended = slices([LR], loss([0.1, NAN, NAN, NAN]), final=True)
    assert ended.empty == "Not enough data: 1 trial with a value of loss, 1 more trial needed."
    check(slice_figure(info))


def test_slices_of_many_trials_stay_small():
    rng = np.random.default_rng(0)
    params = [numbers(f"p{i}", rng.random(10_000)) for i in range(8)]
    info = slices(params, loss(rng.random(10_000)))
    figure = slice_figure(info)
    assert "dots in one spot drawn once" in info.note
    assert len(json.dumps(payload(info, figure, with_table=False))) < 150_000


# --- Contour ------------------------------------------------------------------------------------


def contour(x, y, values, *, minimize=True, final=False, **options):
    count = len(values.at)
    merit = np.arange(count, dtype=np.float64)
    own = trials(count, **options)
    return build_contour_info(own, x, y, values, merit, minimize=minimize, final=final)


def test_the_map_is_best_where_the_best_trials_are():
    rng = np.random.default_rng(1)
    x, y = rng.random(300), rng.random(300)
    info = contour(
        numbers("x", x, low=0, high=1), numbers("y", y, low=0, high=1), loss((x - 0.2) ** 2 + y)
    )
    best = np.unravel_index(np.argmax(info.z), info.z.shape)
    assert best[0] < 0.2 * GRID
    assert best[1] == pytest.approx(0.2 * GRID, abs=0.2 * GRID)
    figure = contour_figure(info)
    check(figure)
    assert figure["data"][0]["type"] == "contour"
    assert info.note == "interpolated between 300 trials"


def test_with_a_choice_it_is_means_of_cells():
    kind = words("kind", [0, 0, 1, 1] * 3, ["a", "b", "never"])
    at = numbers("x", [0.1, 0.2, 0.8, 0.9] * 3, low=0, high=1)
    info = contour(kind, at, loss([1, 3, 4, 8] * 3), best=None)
    figure = contour_figure(info)
    check(figure)
    field = figure["data"][0]
    assert (field["type"], len(field["x"]), len(field["y"])) == ("heatmap", 4, 9)
    column = [row[2] for row in field["z"]]
    assert column == [None] * 8
    assert sum(value is not None for row in field["z"] for value in row) == 4


def test_a_map_says_how_many_trials_more_it_needs():
    few = loss([1, 2, 3, NAN])
    info = contour(LR, numbers("b", [1, 2, 3, 4]), few)
    assert info.empty is not None
    assert "3 trials with lr, b and loss so far, 7 more trials needed" in info.empty
    ended = contour(LR, numbers("b", [1, 2, 3, 4]), few, final=True)
    assert ended.empty == "Not enough data: 3 trials with lr, b and loss, 7 more trials needed."
    check(contour_figure(info))
    assert "two different" in str(contour(LR, LR, few).empty)


def test_a_map_leaves_out_what_is_not_selected():
    values = loss(list(range(20)))
    x = numbers("x", np.linspace(0, 1, 20))
    y = numbers("y", np.linspace(1, 2, 20))
    assert len(contour(x, y, values, out=range(5)).placed) == 15


def test_files_have_numbers_to_the_last_digit_and_the_unit_of_times_and_formulas_disarmed():
    lr = numbers("lr", [0.28507556576, NAN])
    took = numbers("duration", [7.7123456, 8.0], key="duration_s")
    took = took._replace(write=lambda v: f"{v:.1f} s")
    by = words("=1+1", [0, 1], ["=cmd", "-0.5"])
    colours = colour_by(by, objective=False, minimize=True)
    info = build_scatter_info(trials(2), (lr, took), colours, np.arange(2.0), minimize=True)
    assert info.table.rows[0] == ("10", "Completed", "0.2851", "7.7 s", "=cmd")
    assert csv_text(info.table).splitlines() == [
        "Trial,Status,lr,duration (s),'=1+1",
        "10,Completed,0.28507556576,7.7123456,'=cmd",
        "11,Completed,,8.0,-0.5",
    ]


# --- Trials whose values are no results ---------------------------------------------------------

STATUSES_OF_SIX = [S.COMPLETED, S.EARLY_TERMINATED, S.FAILED, S.CANCELED, S.RUNNING, S.COMPLETED]


def standing(statuses, **options):
    codes = np.array([CODES[status] for status in statuses])
    return trials(len(statuses), **options)._replace(status=codes)


def test_slices_mark_what_failed_or_runs_and_say_so():
    values = loss([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    x = numbers("x", [1, 2, 3, 4, 5, 6])
    number = numbers("trial number", [10, 11, 12, 13, 14, 15], key="number")
    colours = colour_by(number, objective=False, minimize=False)
    info = build_slice_info(standing(STATUSES_OF_SIX), values, (x,), colours)
    figure = slice_figure(info)
    check(figure)
    assert trace(figure, "x-fallen")["customdata"] == [12, 13]
    assert trace(figure, "x-fallen")["marker"]["symbol"] == "x-thin-open"
    assert trace(figure, "x-running")["customdata"] == [14]
    assert trace(figure, "x-ramp")["customdata"] == [11, 15]
    assert trace(figure, "x-ramp")["marker"]["symbol"] == ["diamond-open", "circle"]
    assert info.note == "6 trials; 2 canceled or failed; 1 running"
    assert [key.text for key in info.legend][2:] == [
        "early-terminated",
        "running",
        "no result: canceled or failed",
    ]
    assert info.table.rows[2][:2] == ("12", "Failed")


def test_scatter_marks_them_in_the_plane_and_in_space():
    x, y = numbers("x", [1, 2, 3, 4, 5, 6]), numbers("y", [6, 5, 4, 3, 2, 1])
    values = loss([0.1, 0.2, 0.3, 0.4, 0.5, NAN])
    colours = colour_by(values, objective=True, minimize=True)
    for axes, cross in (((x, y), "x-thin-open"), ((x, y, values), "x")):
        info = build_scatter_info(
            standing(STATUSES_OF_SIX), axes, colours, np.arange(6.0), minimize=True
        )
        figure = scatter_figure(info)
        check(figure)
        assert trace(figure, "fallen")["customdata"] == [12, 13]
        assert trace(figure, "fallen")["marker"]["symbol"] == cross
        drawn = trace(figure, "best")["marker"]["symbol"]
        assert (info.legend[0].mark, drawn) in (("star", "star"), ("gem", "diamond"))
        assert "2 canceled or failed; 1 running" in info.note
        # The ramp's ends are results.
        assert "loss: 0.200000 to 0.100000" in [key.text for key in info.legend]


def test_the_map_lies_between_results_alone():
    statuses = [S.COMPLETED] * 9 + [S.EARLY_TERMINATED] + [S.FAILED] * 2 + [S.RUNNING]
    at = np.arange(13.0)
    values = loss(at)
    info = build_contour_info(
        standing(statuses), numbers("x", at), numbers("y", at * at), values, at, minimize=True
    )
    assert info.placed.tolist() == list(range(10))
    assert info.note == "interpolated between 10 trials; 2 failed and 1 running left out"
    assert len(info.table.rows) == 10
