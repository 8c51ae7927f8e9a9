"""The objective of every trial and the best so far."""

import json
import time

import pytest

from sweeps.charts.cards import trial_cards
from sweeps.charts.figure import payload
from sweeps.charts.history_figure import objective_figure
from sweeps.charts.objective_history import (
    MAX_DOTS,
    Dot,
    Edit,
    Step,
    build_objective_info,
)
from sweeps.domain.states import TrialStatus as S
from tests.charts.cast import AUC, LOSS, check, gbdt, trace, trial

MIXED = [
    trial(0, 0.5),
    trial(1, 0.2, S.EARLY_TERMINATED),
    trial(2, None, S.FAILED),
    trial(3, 0.1, S.TIMED_OUT),
    trial(4, 0.05, S.RUNNING),
    trial(5, None, S.QUEUED),
    trial(6, None, S.CANCELED),
]


def test_every_trial_but_the_queued_is_a_dot():
    info = build_objective_info(MIXED, LOSS, total=10)
    assert info.dots == (
        Dot(0, 0.5, S.COMPLETED),
        Dot(1, 0.2, S.EARLY_TERMINATED),
        Dot(2, None, S.FAILED),
        Dot(3, 0.1, S.TIMED_OUT),
        Dot(4, 0.05, S.RUNNING),
        Dot(6, None, S.CANCELED),
    )
    assert info.to_go == 3


def test_only_trials_that_can_win_are_the_best_so_far():
    assert build_objective_info(MIXED, LOSS, total=10).steps == (Step(0, 0.5), Step(1, 0.2))


def test_the_best_so_far_follows_the_goal_and_ties_change_nothing():
    records = [trial(2, 0.9), trial(0, 0.5), trial(1, 0.5), trial(3, 0.9)]
    assert build_objective_info(records, AUC, total=4).steps == (Step(0, 0.5), Step(2, 0.9))
    assert build_objective_info(records, LOSS, total=4).best == Step(0, 0.5)


@pytest.mark.parametrize(
    ("values", "scale", "drawn"),
    [([0.01, 0.8], "auto", "log"), ([0.1, 0.8], "auto", "linear"), ([0.1, 0.8], "log", "log"),
     ([0.01, 0.8], "linear", "linear"), ([-1.0, -2.0], "log", "linear")],
)  # fmt: skip
def test_the_scale_is_log_where_asked_for_or_worth_it(values, scale, drawn):
    records = [trial(i, value) for i, value in enumerate(values)]
    assert build_objective_info(records, LOSS, total=2, scale=scale).scale == drawn


def test_the_emptiness_says_what_it_waits_for():
    waiting = build_objective_info(
        [trial(0, None, S.RUNNING)], LOSS, total=4, seen_metrics=["train-auc"]
    )
    assert waiting.empty == "No value yet. Waiting for loss; seen so far: train-auc."
    over = build_objective_info([trial(0, None, S.FAILED)], LOSS, total=1, final=True)
    assert over.empty == "No trial logged a value of loss."
    assert build_objective_info(MIXED, LOSS, total=9).empty is None


def test_the_figure_is_valid_and_draws_each_status_in_its_way():
    figure = objective_figure(build_objective_info(MIXED, LOSS, total=10))
    check(figure)
    assert trace(figure, "Completed-value")["marker"]["color"] == "@green-mark"
    assert trace(figure, "Running-value")["marker"]["symbol"] == "circle-open"
    failed = trace(figure, "Failed-none")
    assert (failed["x"], failed["y"], failed["yaxis"]) == ([2], [0], "y2")
    assert failed["customdata"] == [2]
    assert figure["layout"]["yaxis2"]["ticktext"] == ["no value"]


def test_the_star_names_the_best_trial_and_its_value():
    star = trace(objective_figure(build_objective_info(MIXED, LOSS, total=10)), "best")
    assert (star["x"], star["y"]) == ([1], [0.2])
    assert star["text"] == ["<b>#1</b>  0.200000"]
    assert star["marker"]["color"] == "@best"


def test_the_best_line_runs_to_the_end_of_the_sweep():
    line = trace(objective_figure(build_objective_info(MIXED, LOSS, total=10)), "best-so-far")
    assert line["x"] == [0, 1, 9.5]
    assert line["y"] == [0.5, 0.2, 0.2]


def test_trials_to_come_are_a_sunken_area_with_their_number():
    layout = objective_figure(build_objective_info(MIXED, LOSS, total=10))["layout"]
    assert [note["text"] for note in layout["annotations"]] == ["3 to go"]
    assert layout["shapes"][0]["fillcolor"] == "@sunken"
    assert layout["shapes"][0]["x0"] == 6.5
    finished = objective_figure(build_objective_info(MIXED, LOSS, total=7))["layout"]
    assert finished["shapes"] == []


def test_of_an_ended_sweep_no_trial_is_to_go():
    info = build_objective_info(MIXED, LOSS, total=100, final=True)
    layout = objective_figure(info)["layout"]
    assert (info.to_go, layout["annotations"], layout["shapes"]) == (0, [], [])
    assert layout["xaxis"]["range"][1] < 8  # and what happened has all the room


def test_both_scales_come_with_ticks_as_people_write_them():
    records = [trial(0, 0.011), trial(1, 0.8)]
    layout = objective_figure(build_objective_info(records, LOSS, total=2))["layout"]
    scales = layout["meta"]["scales"]
    assert scales["log"]["yaxis"]["ticktext"] == ["0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"]
    assert scales["linear"]["yaxis"]["ticktext"] == ["0.0", "0.2", "0.4", "0.6", "0.8"]
    assert layout["yaxis"]["type"] == layout["meta"]["scale"] == "log"


def test_negative_values_offer_no_log_scale():
    figure = objective_figure(build_objective_info([trial(0, -1.0)], LOSS, total=1))
    assert list(figure["layout"]["meta"]["scales"]) == ["linear"]


@pytest.mark.parametrize("value", [1e308, -1e308, 5e-324, 0.0, 1e-300])
def test_extreme_values_are_drawn(value):
    check(objective_figure(build_objective_info([trial(0, value), trial(1, 1.0)], LOSS, total=2)))


def test_hostile_names_are_text():
    name = "<b>x</b>&"
    hostile = type(LOSS)(name, LOSS.goal)
    edits = [Edit(1, "<i>by</i>\nanna")]
    info = build_objective_info([trial(0, 1.0), trial(1, 2.0)], hostile, total=2, edits=edits)
    layout = objective_figure(info)["layout"]
    assert layout["yaxis"]["title"]["text"] == "&lt;b&gt;x&lt;/b&gt;&amp;"
    assert layout["annotations"][0]["text"] == "&lt;i&gt;by&lt;/i&gt;<br>anna"


def test_the_payload_is_json_with_words_table_and_key():
    info = build_objective_info(MIXED, LOSS, total=10)
    cards = trial_cards(MIXED, LOSS, [])
    sent = json.loads(json.dumps(payload(info, objective_figure(info), cards=cards)))
    assert sent["summary"] == (
        "6 trials, 4 with a value of loss. The best is 0.200000, from trial 1; "
        "trial 0 began with 0.500000."
    )
    assert sent["table"]["header"] == ["Trial", "Status", "loss"]
    assert sent["table"]["rows"][2] == ["2", "Failed", "–"]
    best = {"mark": "step", "color": "@best", "text": "best so far", "status": "", "missing": ""}
    assert sent["legend"][0] == best
    assert sent["legend"][1]["status"] == "Completed"
    assert [key["text"] for key in sent["legend"]][1:] == [
        "completed", "early-terminated", "running, best so far of its own", "timed out", "failed",
        "canceled",
    ]  # fmt: skip
    assert set(sent["cards"]) == {str(record.number) for record in MIXED}


def test_a_hover_card_shows_two_parameters_and_counts_the_rest():
    card = trial_cards([gbdt(7, 0.25)], LOSS, ["leaves", "lr", "model.kind"])["7"]
    assert card["rows"] == [["loss", "0.250000"], ["leaves", "4"], ["lr", "0.1000"]]
    assert card["more"] == "and 1 more, click to open"
    assert card["status"] == "Completed"


@pytest.mark.parametrize(
    ("objective", "heights", "anchor"), [(LOSS, (0.98, 0.82), "top"), (AUC, (0.18, 0.34), "bottom")]
)
def test_words_of_edits_keep_off_the_best_line_the_edge_and_each_other(objective, heights, anchor):
    edits = [Edit(2, "early"), Edit(16, "late")]
    trials = [trial(n, float(n)) for n in range(20)]
    info = build_objective_info(trials, objective, total=20, edits=edits)
    layout = objective_figure(info)["layout"]
    found = {note["text"]: note for note in layout["annotations"] if note["text"] in "early late"}
    assert [found[text]["xanchor"] for text in ("early", "late")] == ["left", "right"]
    assert [found[text]["y"] for text in ("early", "late")] == pytest.approx(heights)
    assert {note["yanchor"] for note in found.values()} == {anchor}
    lines = [shape["x0"] for shape in layout["shapes"] if shape["type"] == "line"]
    assert lines == [1.5, 15.5]


def test_trials_that_the_selection_leaves_out_step_back():
    dots = [Dot(0, 0.5, S.COMPLETED), Dot(1, 0.7, S.COMPLETED, out=True), Dot(2, 0.4, S.COMPLETED)]
    figure = objective_figure(build_objective_info(dots, LOSS, total=3))
    assert trace(figure, "Completed-value-out")["x"] == [1]
    assert trace(figure, "Completed-value-out")["marker"]["color"] == "@border"
    assert trace(figure, "Completed-value")["x"] == [0]


def test_very_many_trials_are_one_dot_per_spot_and_the_note_says_so():
    dots = [Dot(i, 1.0 + i % 7, S.COMPLETED) for i in range(20_000)]
    info = build_objective_info(dots, LOSS, total=20_000)
    drawn = trace(objective_figure(info), "Completed-value")
    assert 120 < len(drawn["x"]) <= 120 * 7
    assert set(drawn["y"]) == {1.0 + i for i in range(7)}
    assert info.note.startswith("20,000 trials, dots in one spot drawn once")
    assert len(info.table.rows) == 20_000


def test_by_time_the_best_so_far_is_that_of_the_moment():
    dots = [Dot(0, 0.2, S.COMPLETED, at=90.0), Dot(1, 0.3, S.COMPLETED, at=30.0)]
    edits = [Edit(1, "max trials 2 → 9", at=60.0)]
    info = build_objective_info(dots, LOSS, total=9, by="time", edits=edits)
    assert [(step.number, step.x) for step in info.steps] == [(1, 30.0), (0, 90.0)]
    figure = objective_figure(info)
    check(figure)
    layout = figure["layout"]
    assert layout["xaxis"]["ticktext"][:2] == ["0", "15 s"]
    assert layout["shapes"][0]["x0"] == 60.0
    assert not any("to go" in note["text"] for note in layout["annotations"])
    assert info.table.header[-1] == "End, since the start"
    assert info.table.rows[0] == ("1", "Completed", "0.300000", "30 s")


def test_very_many_trials_by_time_take_no_time():
    dots = [Dot(i, 1.0 + i % 7, S.COMPLETED, at=float(i)) for i in range(20_000)]
    began = time.process_time()
    info = build_objective_info(dots, LOSS, total=20_000, by="time")
    assert len(trace(objective_figure(info), "Completed-value")["x"]) < 5000
    assert time.process_time() - began < 2


def test_picked_trials_stand_out_in_their_own_colour_with_their_number():
    info = build_objective_info(MIXED, LOSS, total=10, picked=[1, 3, 2])
    figure = objective_figure(info)
    check(figure)
    own = trace(figure, "picked-3")
    assert (own["marker"]["color"], own["text"]) == ("@trial-3", ["#3"])
    assert trace(figure, "picked-2")["yaxis"] == "y2"
    # The best has its star.
    assert not any(one["uid"] == "picked-1" for one in figure["data"])


@pytest.mark.parametrize(("trials", "first"), [(20, "best-so-far"), (400, "Completed-value")])
def test_the_best_so_far_lies_over_dots_that_would_cover_it(trials: int, first: str) -> None:
    dots = [Dot(i, 1.0 + i % 7, S.COMPLETED) for i in range(trials)]
    figure = objective_figure(build_objective_info(dots, LOSS, total=trials))
    assert figure["data"][0]["uid"] == first
    assert figure["data"][-1]["uid"] not in ("best-so-far", "Completed-value")


def test_in_a_crowd_the_completed_lie_above_the_failed():
    def order(count):
        records = [
            trial(n, 1.0 + n % 97, S.FAILED if n % 5 == 0 else S.COMPLETED) for n in range(count)
        ]
        traces = objective_figure(build_objective_info(records, LOSS, total=count))["data"]
        return [one["uid"] for one in traces if one["uid"].endswith("-value")]

    assert order(40) == ["Completed-value", "Failed-value"]
    assert order(MAX_DOTS + 1) == ["Failed-value", "Completed-value"]
