"""Metric curves, their labels and their thinning."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.charts.curves_figure import PLOT_PX, curves_figure, spread
from sweeps.charts.decimate import decimate
from sweeps.charts.gap import build_gap_info
from sweeps.charts.metric_curves import TrialCurve, build_curves_info, build_trial_curves_info
from sweeps.charts.smoothing import quantiles, smoothed
from sweeps.domain.states import TrialStatus as S
from tests.charts.cast import LOSS, check, points, trace


def curve(number, *values, status=S.COMPLETED, objective=None, every=1):
    best = min(values, default=None) if objective is None else objective
    return TrialCurve(number, status, points(*values, every=every), best)


SEVEN = [curve(n, 3.0, 1.0 + n) for n in range(7)]


def info_of(curves=SEVEN, **options):
    return build_curves_info(curves, "loss", LOSS, **({"best": 0} | options))


def test_the_best_five_are_drawn_and_the_best_trial_lies_on_top():
    assert [line.number for line in info_of().lines] == [4, 3, 2, 1, 0]
    assert info_of().note == "best 5"


def test_the_best_trial_has_the_reserved_colour_a_wider_line_and_a_star():
    best = info_of().lines[-1]
    assert (best.color, best.dash, best.strong, best.end) == ("@best", "solid", True, "star")
    other = info_of().lines[0]
    assert (other.color, other.strong, other.end) == ("@trial-4", False, "circle")


def test_compared_trials_keep_their_own_colours():
    compared = info_of(mode="selected", selected=[3, 0], own_colors=True)
    assert [(line.number, line.color) for line in compared.lines] == [
        (3, "@trial-3"),
        (0, "@trial-0"),
    ]
    assert compared.lines[-1].end == "star"


def test_after_ten_trials_the_dash_changes():
    line = info_of([curve(23, 1.0, 2.0)], best=None).lines[0]
    assert (line.color, line.dash) == ("@trial-3", "dot")


def test_all_means_all_and_labels_give_way_to_a_legend_beyond_eight():
    many = info_of([curve(n, 1.0, 2.0 + n) for n in range(9)], mode="all")
    assert len(many.lines) == 9
    assert not many.labelled
    assert [key.text for key in many.legend][:2] == ["#0", "#1"]
    assert curves_figure(many)["layout"]["annotations"] == []
    assert info_of().labelled


def test_x_is_the_report_or_the_step():
    stepped = [curve(0, 5.0, 4.0, 3.0, every=10)]
    assert [x for x, _ in info_of(stepped).lines[0].points] == [1, 2, 3]
    assert [x for x, _ in info_of(stepped, x="step").lines[0].points] == [0, 10, 20]


def test_values_that_are_no_numbers_are_gaps():
    line = info_of([curve(0, 1.0, math.nan, math.inf, 2.0)]).lines[0]
    assert [y for _, y in line.points] == [1.0, None, None, 2.0]


def test_a_trial_with_no_finite_value_has_no_line():
    info = info_of([curve(0, math.nan, objective=1.0)])
    assert (info.lines, info.empty, info.note) == ((), "No values of loss yet.", "")
    check(curves_figure(info))
    ended = info_of([curve(0, math.nan, objective=1.0)], final=True)
    assert ended.empty == "No values of loss over time were kept."


def test_nothing_selected_says_what_to_do():
    assert info_of([], mode="selected").empty == "No trial is selected. Tick some in the table."


def test_long_curves_are_thinned_and_the_note_says_so():
    info = info_of([curve(0, *(math.sin(i / 9) for i in range(5000)))])
    assert len(info.lines[0].points) <= 320
    assert info.note == "best 1, thinned to 320 points a line, peaks kept"


@given(st.lists(st.one_of(st.none(), st.floats(-1e9, 1e9)), min_size=40, max_size=200))
def test_thinning_keeps_ends_extremes_and_order(values):
    given_points = list(enumerate(values))
    kept = decimate(given_points, 20)
    assert len(kept) <= 20
    assert kept == sorted(set(kept), key=lambda point: point[0])
    assert (kept[0], kept[-1]) == (given_points[0], given_points[-1])
    numbers = [value for value in values if value is not None]
    left = [value for _, value in kept if value is not None]
    if numbers:
        assert (min(left), max(left)) == (min(numbers), max(numbers))


def test_thinning_to_almost_nothing_is_refused():
    with pytest.raises(ValueError, match="at least 4, but got 3"):
        decimate([(0, 1.0)], 3)


@given(st.lists(st.floats(0, 300), max_size=8))
def test_labels_stand_apart_and_keep_their_order(heights):
    moved = spread(heights, 14)
    pairs = sorted(zip(heights, moved, strict=True))
    ordered = sorted(moved)
    assert all(b - a >= 14 - 1e-6 for a, b in pairwise(ordered))
    assert all(b[1] >= a[1] - 1e-6 or b[0] == a[0] for a, b in pairwise(pairs))


def test_labels_of_lines_that_end_together_are_fourteen_pixels_apart():
    together = [curve(n, 1.0, 2.0) for n in range(3)] + [curve(9, 1.0, 9.0)]
    notes = curves_figure(info_of(together, best=None, mode="all"))["layout"]["annotations"]
    shifts = sorted(note["yshift"] for note in notes if note["y"] == 2.0)
    assert shifts == [-14, 0, 14]


def test_labels_that_do_not_collide_stay_where_they_are():
    assert spread([0.0, 100.0, 50.0], 14) == [0.0, 100.0, 50.0]


def test_labels_of_curves_that_stopped_early_push_nobody():
    early = curve(0, 1.0, 2.0, status=S.EARLY_TERMINATED)
    late = curve(1, *([2.0] * 40))
    notes = curves_figure(info_of([early, late], best=None))["layout"]["annotations"]
    assert [note["yshift"] for note in notes] == [0, 0]
    assert {note["text"] for note in notes} == {"<b>#0</b> 2", "<b>#1</b> 2"}


def test_the_figure_is_valid_and_marks_ends_by_status():
    stopped = curve(9, 2.0, 2.5, status=S.EARLY_TERMINATED)
    figure = curves_figure(info_of([*SEVEN[:3], stopped]))
    check(figure)
    assert trace(figure, "end-diamond")["customdata"] == [9]
    assert trace(figure, "end-star")["marker"]["color"] == "@best"
    assert trace(figure, "line-0-#0")["line"]["width"] == 2.6
    assert figure["data"].index(trace(figure, "line-0-#0")) == 3


def test_both_scales_bring_their_labels():
    figure = curves_figure(info_of([curve(0, 100.0, 10.0), curve(1, 100.0, 1.0)], best=1))
    scales = figure["layout"]["meta"]["scales"]
    assert [round(note["y"], 6) for note in scales["log"]["annotations"]] == [1, 0]
    assert [note["y"] for note in scales["linear"]["annotations"]] == [10.0, 1.0]


def test_the_metrics_of_one_trial_share_its_colour_and_differ_in_dash():
    info = build_trial_curves_info(
        13,
        S.COMPLETED,
        {"auc": points(0.1, 0.2), "train <b>": points(0.3, 0.4)},
        primary="auc",
        is_best=True,
        title="AUC",
    )
    assert [(ln.label, ln.color, ln.dash, ln.end) for ln in info.lines] == [
        ("train <b>", "@trial-3", "dash", "none"),
        ("auc", "@trial-3", "solid", "star"),
    ]
    figure = curves_figure(info)
    check(figure)
    assert [note["text"] for note in figure["layout"]["annotations"]] == [
        "train &lt;b&gt; 0.4",
        "<b>auc</b> 0.2",
    ]


def test_a_trial_without_metrics_waits_while_it_runs_and_says_so_after():
    running = build_trial_curves_info(1, S.RUNNING, {}, primary="auc")
    assert running.empty == "No value yet. Waiting for auc."
    ended = build_trial_curves_info(1, S.FAILED, {}, primary="auc")
    assert ended.empty == "Trial 1 logged no metric."
    diverged = {"auc": points(math.nan, math.inf)}
    none = build_trial_curves_info(1, S.FAILED, diverged, primary="auc")
    assert none.empty == "Trial 1 logged no finite value of auc."


def test_the_gap_is_the_difference_to_the_baseline_at_the_same_report():
    info = build_gap_info([curve(1, 3.0, 2.0), curve(2, 4.0, 1.0, 9.0)], "loss", LOSS, baseline=1)
    lines = {line.number: line.points for line in info.lines}
    assert lines == {1: ((1, 0.0), (2, 0.0)), 2: ((1, 1.0), (2, -1.0))}
    assert info.note == "loss minus #1 at the same report"
    check(curves_figure(info))


def test_the_summary_names_where_lines_end():
    info = info_of([curve(3, 2.0, 1.5)], best=3)
    assert info.summary == "loss over reports, 1 line: #3 ends at 1.50000 (report 2)."
    assert info.table.rows == (("#3", "1", "2.00000"), ("#3", "2", "1.50000"))


def test_smoothing_fades_what_was_before_and_keeps_gaps():
    points = [(1, 4.0), (2, None), (3, 0.0), (4, 0.0)]
    found = smoothed(points, 0.5)
    assert [x for x, _ in found] == [1, 2, 3, 4]
    assert found[0][1] == 4.0
    assert found[1][1] is None
    assert found[2][1] == pytest.approx(4 / 3)
    assert smoothed(points, 0.0) == points


def test_a_smoothed_curve_lies_over_its_faint_raw_values():
    info = info_of([curve(0, 4.0, 0.0, 4.0, 0.0)], smooth=0.9)
    figure = curves_figure(info)
    check(figure)
    uids = [one["uid"] for one in figure["data"]]
    assert uids.index("raw-0-#0") < uids.index("line-0-#0")
    assert trace(figure, "raw-0-#0")["y"] == [4.0, 0.0, 4.0, 0.0]
    assert trace(figure, "raw-0-#0")["opacity"] < 0.5
    assert "customdata" not in trace(figure, "raw-0-#0")
    low, high = figure["layout"]["yaxis"]["range"]
    assert low < 0 < 4 < high
    assert "smoothed by 0.9" in info.note


def test_x_is_the_time_since_the_trial_started():
    logged = [
        replace(p, timestamp_ms=1000 * (100 + 30 * i)) for i, p in enumerate(points(3.0, 2.0))
    ]
    info = info_of([TrialCurve(0, S.COMPLETED, logged, 2.0, started_s=95.0)], x="time")
    assert [x for x, _ in info.lines[0].points] == [5.0, 35.0]
    layout = curves_figure(info)["layout"]
    assert layout["xaxis"]["ticktext"][1].endswith(" s")
    assert info.table.rows[1][1] == "35 s"


def test_quantiles_need_ten_values_at_a_place():
    many = [[(1, float(k)), (2, None if k < 5 else 1.0), (3, 2.0 * k)] for k in range(11)]
    found = quantiles(many, 11)
    assert found is not None
    assert found.xs == (1, 3)
    assert (found.low[0], found.middle[0], found.high[0]) == (1.0, 5.0, 9.0)
    assert quantiles(many[:9], 9) is None
    info = info_of([curve(n, 1.0, 2.0) for n in range(9)], mode="all", of=500, quantiles=found)
    assert info.note == "9 of 500 trials, from the best to the worst"
    assert info.legend[-2].text == "median of 11 trials"
    check(curves_figure(info))


def test_labels_at_the_foot_of_a_plot_stand_above_the_ticks_of_its_axis() -> None:
    assert spread([2.0, 1.0, 60.0], 14, 7.0) == [21.0, 7.0, 60.0]


def test_labels_at_the_head_of_a_plot_stay_within_it() -> None:
    assert spread([209.0, 208.0, 60.0], 14, 7.0, 210.0) == [210.0, 196.0, 60.0]
    assert spread([209.0, 208.0, 207.0], 14, 7.0, 20.0) == [35.0, 21.0, 7.0]
    risen = [curve(n, 0.1, 0.9 + n / 1000) for n in range(5)]
    layout = curves_figure(info_of(risen, best=None, mode="all"))["layout"]
    low, high = layout["yaxis"]["range"]
    ends = [(n["y"] - low) / (high - low) * PLOT_PX + n["yshift"] for n in layout["annotations"]]
    assert max(ends) == pytest.approx(PLOT_PX, abs=0.1)


def test_a_selection_without_values_is_not_called_a_sweep_without_them():
    of = "No trial of the selection has values of loss."
    for mode in ("best", "selected", "all"):
        assert info_of([], mode=mode, filtered=True).empty == of
    assert info_of([], final=True).empty == "No values of loss over time were kept."


def test_where_none_counts_as_best_it_says_where_the_others_are():
    said = "No trial with values of loss has completed; “all” draws the others."
    assert info_of([], others=True, final=True).empty == said
    assert info_of([], others=True, filtered=True).empty == said
    ticked = info_of([], mode="selected", others=True)
    assert ticked.empty == "No trial is selected. Tick some in the table."


def test_trials_that_are_not_drawn_are_counted():
    both = [curve(0, 2.0, 1.0), curve(1, math.nan, objective=3.0)]
    info = info_of(both, mode="selected", selected=[0, 1])
    assert info.note == "selected trials, 1 without finite values left out"
    assert info_of(both[:1], mode="selected", selected=[0]).note == "selected trials"
