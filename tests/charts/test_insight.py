"""Importance, distributions, timelines and savings: what they draw and what they say."""

import numpy as np
import pytest

from sweeps.charts.clock import time_axis, time_ticks
from sweeps.charts.edf import MOST_STEPS, Sample, build_edf_info, edf_figure
from sweeps.charts.importance import MOST_BARS, build_importance_info, importance_figure, percent
from sweeps.charts.savings import MOST_STEMS, Stopped, Totals, build_savings_info, savings_figure
from sweeps.charts.timeline import (
    BINS,
    Run,
    build_busy_info,
    build_timeline_info,
    timeline_figure,
)
from sweeps.domain.importance import Importance, Weight
from sweeps.domain.states import TrialStatus as S
from tests.charts.cast import AUC, LOSS, check, trace

HOSTILE = "<b>x</b>&"


# --- Importance ---------------------------------------------------------------------------------


def weights(*shares: float) -> tuple[Weight, ...]:
    return tuple(Weight(f"p{n}", share, share / 2, share, 0.05) for n, share in enumerate(shares))


def importance_of(*shares, used=60, trials=60, **options):
    found = Importance(used, trials, 0.1, 20, weights(*shares))
    known = {"valued": trials, "failed": 0, "final": False, "metric": "loss"}
    return build_importance_info(found, **(known | options))


def test_bars_below_what_chance_reaches_step_back_and_the_summary_says_so():
    info = importance_of(0.7, 0.28, 0.02)
    [bars] = check(importance_figure(info)).data
    assert list(bars.x) == [0.7, 0.28, 0.02]
    colors = importance_figure(info)["data"][0]["marker"]["color"]
    assert colors == ["@primary", "@primary", "@neutral-mark"]
    assert "p0 70 %, p1 28 %. 1 parameter no more than chance explains." in info.summary
    assert info.table.rows[2] == ("p2", "2.0 %", "1.0 % to 2.0 %", "5.0 %", "no")


def test_where_nothing_beats_chance_no_parameter_is_named_a_cause():
    assert "is no parameter more than chance explains; p0 comes" in importance_of(0.04).summary


def test_a_sample_and_trials_left_out_are_said():
    info = importance_of(1.0, used=500, trials=9700, valued=9700, failed=1)
    assert info.note == (
        "PED-ANOVA over 500 trials (a random sample of 9,700); 1 trial without a result left out"
    )


def test_the_first_ten_are_drawn_and_the_table_has_all():
    info = importance_of(*[0.05] * 30)
    assert len(info.bars) == MOST_BARS
    assert len(info.table.rows) == 30
    assert "the first 10 drawn" in info.note


def test_names_are_shown_as_they_are_and_cut_where_too_long():
    found = Importance(60, 60, 0.1, 20, (Weight(HOSTILE, 1, 1, 1, 0), Weight("x" * 90, 0, 0, 0, 0)))
    info = build_importance_info(found, valued=60, failed=0, final=True, metric="loss")
    first, second = importance_figure(info)["layout"]["annotations"]
    assert first["text"].startswith("&lt;b&gt;x&lt;/b&gt;&amp;")
    assert len(second["text"]) < 60


@pytest.mark.parametrize(
    ("valued", "final", "words"),
    [
        (
            7,
            False,
            "Not enough data yet: importance needs 20 trials with a result; "
            "7 trials have one so far.",
        ),
        (1, True, "Not enough data: importance needs 20 trials with a result; 1 trial has one."),
        (20, False, "Working it out…"),
    ],
)
def test_until_there_is_enough_it_says_what_is_missing(valued, final, words):
    info = build_importance_info(None, valued=valued, failed=0, final=final, metric="loss")
    assert (info.empty, info.table.rows) == (words, ())
    check(importance_figure(info))


def test_those_that_failed_are_left_out_whatever_they_had_logged():
    info = build_importance_info(None, valued=13, failed=5, final=False, metric="loss")
    assert info.empty.endswith("13 trials have one so far, 5 without a result left out.")


def test_equal_values_are_no_ranking():
    assert "Every trial came to the same loss" in importance_of(0, 0).empty


def test_percents_have_the_digits_that_matter():
    assert [percent(x) for x in (0.734, 0.0417, 0.0, 0.0995)] == ["73 %", "4.2 %", "0 %", "10 %"]


# --- Distribution -------------------------------------------------------------------------------


def edf_of(*values, objective=LOSS, **options):
    return build_edf_info([Sample("own", np.array(values), own=True)], objective, **options)


def test_the_share_at_least_this_good_follows_the_goal():
    [curve] = edf_of(0.3, 0.1, 0.2, 0.2).curves
    assert curve.points == ((0.1, 0.25), (0.2, 0.75), (0.2, 0.75), (0.3, 1.0))
    [curve] = edf_of(0.3, 0.1, 0.2, 0.2, objective=AUC).curves
    assert curve.points == ((0.3, 0.25), (0.2, 0.75), (0.2, 0.75), (0.1, 1.0))


def test_any_size_is_thinned_to_quantiles_and_keeps_both_ends():
    values = np.random.default_rng(1).random(50_000)
    [curve] = build_edf_info([Sample("own", values, own=True)], LOSS).curves
    assert len(curve.points) == MOST_STEPS
    assert curve.points[0][0] == values.min()
    assert curve.points[-1] == (values.max(), 1.0)
    for value, share in curve.points[::20]:
        assert share == pytest.approx((values <= value).mean())


def test_sweeps_are_told_apart_and_this_one_lies_on_top():
    samples = [Sample("own", np.array([1.0, 2.0]), own=True)]
    samples += [Sample(name, np.array([n + 1.0, n + 3.0])) for n, name in enumerate([HOSTILE, "b"])]
    info = build_edf_info([*samples, Sample("empty", np.array([]))], LOSS)
    assert [curve.name for curve in info.curves] == ["b", HOSTILE, "own"]
    assert len({(curve.color, curve.dash) for curve in info.curves}) == 3
    assert info.note == "3 sweeps, lower is better; steps are coarse below 20 trials"
    assert "own: best 1.00000, half of 2 trials reach 1.00000" in info.summary
    drawn = check(edf_figure(info))
    assert drawn.data[1].name == "&lt;b&gt;x&lt;/b&gt;&amp;"
    assert [row[0] for row in info.table.rows] == ["own", HOSTILE, "b"]


@pytest.mark.parametrize("values", [(), (0.5,)])
def test_a_distribution_needs_two_values(values):
    info = edf_of(*values)
    assert "Not enough data yet: a distribution needs 2 trials with a value of loss" in info.empty
    check(edf_figure(info))


def test_values_over_decades_are_drawn_on_a_log_axis():
    assert edf_figure(edf_of(1e-6, 1e-2, 10))["layout"]["xaxis"]["type"] == "log"
    assert edf_figure(edf_of(-1.0, 2.0))["layout"]["xaxis"]["type"] == "linear"


# --- Timeline -----------------------------------------------------------------------------------


RUNS = [
    Run(0, 1, S.COMPLETED, 0, 10, 0.0),
    Run(1, 1, S.LOST, 0, 5, 0.0),
    Run(1, 2, S.RUNNING, 8, 20, 3.0),
    Run(2, 1, S.FAILED, 12, 20, 12.0, out=True),
]


def test_every_attempt_is_a_bar_in_a_lane_of_its_own_time():
    info = build_timeline_info(RUNS, slots=4, final=False)
    assert info.lanes == (0, 1, 1, 0)
    assert info.note == "44 % of 4 slots used over 20 s"
    assert "half of them waited 1.5 s or more" in info.summary
    assert info.table.rows[2] == ("1", "2", "Running", "2", "8 s", "12 s", "3 s")
    figure = timeline_figure(info)
    check(figure)
    lost = trace(figure, "Lost")
    assert lost["y"] == [2, 2, None]
    assert lost["customdata"] == [1, 1, None]
    assert trace(figure, "Failed-out")["line"]["color"] == "@border"
    assert [key.status for key in info.legend] == ["Completed", "Running", "Lost", "Failed"]


def test_a_trial_of_no_time_is_still_seen():
    info = build_timeline_info([Run(0, 1, S.COMPLETED, 0, 1000), RUNS[1]._replace(end=0)],
                               slots=2, final=True)  # fmt: skip
    [start, end, _] = trace(timeline_figure(info), "Lost")["x"]
    assert end > start


def test_of_very_many_trials_the_busy_slots_are_drawn_and_it_says_so():
    starts = np.arange(2000, dtype=float)
    info = build_busy_info(starts, starts + 2.0, trials=2000, slots=4, final=True)
    assert "2,000 trials are too many for bars" in info.note
    assert len(info.steps) == BINS
    assert np.median(info.steps) == pytest.approx(2.0, abs=0.01)
    assert info.table.rows[100][2:] == ("2.00", "50 %")
    check(timeline_figure(info))


def test_more_slots_than_allowed_were_allowed_at_that_time():
    assert build_timeline_info(RUNS, slots=1, final=True).slots == 2
    starts = np.zeros(3)
    assert build_busy_info(starts, starts + 1, trials=3, slots=1, final=True).slots == 3


def test_before_the_first_trial_there_is_no_time():
    assert build_timeline_info([], slots=1, final=False).empty == "No trial has started yet."
    info = build_busy_info(np.empty(0), np.empty(0), trials=0, slots=1, final=True)
    assert info.empty == "No trial was run."
    check(timeline_figure(info))


@pytest.mark.parametrize("end", [0, 0.4, 3, 59, 400, 4e3, 5e4, 1e6, 1e9, 1e14])
def test_times_are_written_at_round_moments(end):
    ticks = time_ticks(end)
    assert ticks[0] == 0
    assert 1 <= len(ticks) <= 9
    assert ticks[-1] <= end or end == 0
    assert len(set(time_axis(end)["ticktext"])) == len(ticks)


# --- Savings ------------------------------------------------------------------------------------


def stopped(count: int) -> list[Stopped]:
    return [Stopped(n, 20.0 + n % 30, 100.0 - n % 30, 3, 0.5) for n in range(count)]


TOTALS = Totals(4000, 0.25, 120, 90, 12, 2, 0)


def savings_of(count, totals=TOTALS, policy="median", final=False):
    options = {"metric": "loss", "policy": policy, "final": final}
    return build_savings_info(stopped(count), totals, **options)


def test_the_saving_is_called_an_estimate_and_its_price_is_told():
    info = savings_of(30)
    assert info.note == "about 1h 06m saved, 25 % of the work"
    assert "2 of them had a better loss than the median of the completed trials, 0" in info.summary
    figure = savings_figure(info)
    check(figure)
    assert trace(figure, "stems")["y"][:3] == [20.0, 120, None]
    assert trace(figure, "stopped")["customdata"] == list(range(30))


def test_few_completed_trials_are_little_to_go_by():
    assert "few completed trials to go by" in savings_of(3, TOTALS._replace(completed=4)).note


def test_very_many_are_counted_in_bars():
    info = savings_of(MOST_STEMS + 1)
    [bars] = check(savings_figure(info)).data
    assert sum(bars.y) == MOST_STEMS + 1
    assert "301 trials in bars" in info.note


@pytest.mark.parametrize(
    ("count", "totals", "policy", "words"),
    [
        (0, TOTALS, "", "This sweep has no early-termination policy."),
        (0, TOTALS, "median", "No trial has been terminated early (median)."),
        (2, None, "median", "2 trials terminated early; none has completed yet"),
    ],
)
def test_without_a_measure_it_says_why(count, totals, policy, words):
    info = savings_of(count, totals, policy)
    assert words in info.empty
    check(savings_figure(info))


def test_importance_says_that_it_is_of_all_trials_where_some_are_selected():
    assert importance_of(0.7, 0.3, filtered=True).note.startswith("whatever is selected: PED-ANOVA")
    assert importance_of(0.7, 0.3).note.startswith("PED-ANOVA")
