"""Parallel coordinates: every trial a line, the best one on top."""

import json
import random

import numpy as np
import pytest

from sweeps.charts.parallel_axes import jitter
from sweeps.charts.parallel_color import Coloring
from sweeps.charts.parallel_coordinates import ABSENT, build_parallel_info
from sweeps.charts.parallel_figure import parallel_figure
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.space import Choice, Normal, Randint, SearchSpace, Uniform
from sweeps.domain.states import TrialStatus as S
from tests.charts.cast import AUC, LOSS, SPACE, board, check, dart, gbdt, trace, trial

TRIALS = [
    gbdt(0, 0.4, lr=0.5),
    dart(1, 0.2),
    gbdt(2, None, S.FAILED),
    gbdt(3, 0.3, S.RUNNING),
    dart(4, None, S.QUEUED),
]


def info_of(records=TRIALS, space=SPACE, objective=LOSS, **options):
    return build_parallel_info(board(records), space, objective, **options)


def keeping(records, *numbers):
    """The options of a selection that keeps these trials."""
    return {"kept": np.isin([r.number for r in records], numbers), "filtered": True}


def test_axes_are_the_flat_columns_and_the_objective_last():
    axes = info_of().axes
    assert [(axis.name, axis.kind) for axis in axes] == [
        ("lr", "log"),
        ("leaves", "integer"),
        ("model.kind", "choice"),
        ("model.drop", "only with dart"),
        ("loss", "minimize"),
    ]
    assert axes[0].scale.kind == "log"
    assert axes[2].scale.categories == ("gbdt", "dart")


def test_axes_span_the_space_and_whatever_lies_outside_it():
    scale = info_of([gbdt(0, 1.0, leaves=40)]).axes[1].scale
    assert (scale.low, scale.high) == (2, 40)
    assert info_of().axes[0].scale.low == pytest.approx(0.001)


def test_lines_carry_places_and_texts():
    line = next(line for line in info_of().lines if line.number == 0)
    assert line.positions[1] == 0.25
    assert line.positions[3] is None
    assert line.positions[2] == pytest.approx(0.25 + jitter(np.array([0]), 2)[0])
    assert info_of().best_texts == ("0.01000", "8", "dart", "0.5000", "0.200000")


def test_queued_trials_are_no_lines_and_worse_ones_lie_further_back():
    assert [line.number for line in info_of().lines] == [2, 0, 3, 1]


def test_the_best_trial_is_the_best_that_may_win():
    assert info_of().best.number == 1
    assert info_of(objective=AUC).best.number == 0


def test_strength_blends_rank_and_value():
    records = [gbdt(i, value) for i, value in enumerate([1.0, 0.1, 0.0])]
    strengths = {line.number: line.strength for line in info_of(records).lines}
    assert strengths[2] > strengths[1] > strengths[0]
    # Rank alone would say 0.5, value alone about 0.9.
    assert strengths[1] == pytest.approx(0.69, abs=0.02)


def test_colour_goes_by_another_column_on_request():
    records = [gbdt(i, 0.5 - i / 10, lr=10.0**-i) for i in range(4)]
    columns = board(records).params
    by_lr = info_of(records, color=Coloring("lr", columns["lr"]))
    strengths = {line.number: line.strength for line in by_lr.lines}
    assert strengths[0] == pytest.approx(1)
    assert strengths[1] == pytest.approx(2 / 3)
    assert by_lr.legend[-1].text == "stronger colour is a higher lr"
    metric = np.array([1.0, np.nan, 3.0, 2.0])
    by_metric = info_of(records, color=Coloring("train", metric))
    assert {line.number: line.strength for line in by_metric.lines} == {
        0: 0,
        1: 0,
        2: 1,
        3: pytest.approx(0.5),
    }


def test_the_objective_axis_is_log_when_its_values_span_much():
    wide = info_of([gbdt(0, 0.01), gbdt(1, 0.9)])
    assert (wide.axes[-1].kind, wide.axes[-1].scale.kind) == ("minimize, log", "log")
    assert info_of([gbdt(0, 0.1), gbdt(1, 0.9)]).axes[-1].kind == "minimize"


def test_unbounded_distributions_span_what_is_seen_and_integers_stay_whole():
    space = SearchSpace((("x", Normal(0, 1)), ("n", Randint(7))))
    axes = info_of([trial(0, 1.0, x=-2.5, n=3), trial(1, 2.0, x=4.5, n=6)], space).axes
    assert (axes[0].kind, axes[0].scale.low, axes[0].scale.high) == ("normal", -2.5, 4.5)
    assert [tick.text for tick in axes[1].scale.ticks()] == ["0", "2", "4", "6"]


def test_lines_that_the_selection_leaves_out_step_back():
    records = [gbdt(i, 1.0 + i) for i in range(4)]
    info = info_of(records, **keeping(records, 0, 1))
    assert {line.number for line in info.lines if line.out} == {2, 3}
    assert info.note == "2 of 4 trials selected, the others faint"
    traces = parallel_figure(info)["data"]
    backs = [one for one in traces if one.get("line", {}).get("color") == "@border"]
    assert [set(one["customdata"]) - {None} for one in backs] == [{2, 3}]


def test_a_best_trial_that_is_left_out_steps_back_with_its_values():
    records = [gbdt(i, 1.0 + i) for i in range(4)]
    figure = parallel_figure(info_of(records, **keeping(records, 1, 2)))
    assert trace(figure, "best")["line"]["width"] < 2
    assert not any(one["uid"] == "best-values" for one in figure["data"])


def test_picked_trials_are_lines_of_their_own_colour_above_the_others():
    figure = parallel_figure(info_of(picked=[0, 3, 99]))
    line = trace(figure, "picked-3")
    assert line["line"] == {"color": "@trial-3", "width": 2.6, "dash": "solid"}
    assert [key.text for key in info_of(picked=[0, 3]).legend][:3] == ["best trial", "#0", "#3"]
    check(figure)


def test_axes_stand_as_asked_and_the_objective_stays_last():
    info = info_of(order=["model.kind", "nonsense", "lr"])
    assert [axis.name for axis in info.axes] == ["model.kind", "lr", "loss"]
    assert [choice.axis.name for choice in info.choices if not choice.shown] == [
        "leaves",
        "model.drop",
    ]
    assert len(info.lines[0].positions) == 3
    assert len(info_of(order=["nonsense"]).axes) == 5


def test_constants_are_hidden_unless_asked_for_and_it_says_so():
    space = SearchSpace((("x", Uniform(0, 1)), ("seed", Choice((7,)))))
    records = [trial(0, 1.0, x=0.5, seed=7)]
    info = info_of(records, space)
    assert [axis.name for axis in info.axes] == ["x", "loss"]
    assert info.note == "1 trial; constant seed hidden"
    assert len(info_of(records, space, order=["seed", "x"]).axes) == 3
    assert "seed" in info.table.header


def test_a_page_can_brush_every_axis():
    meta = parallel_figure(info_of())["layout"]["meta"]
    lr, leaves, kind, drop, loss = meta["axes"]
    assert (lr["key"], lr["scale"], lr["high"]) == ("params.lr", "log", 1.0)
    assert (leaves["integer"], leaves["low"], leaves["high"]) == (True, 2, 10)
    assert kind["categories"] == [
        {"text": "gbdt", "words": ["gbdt"]},
        {"text": "dart", "words": ["dart"]},
    ]
    assert (drop["absent"], drop["absentText"]) == (True, "none")
    assert (loss["key"], loss["word"], loss["absentText"]) == ("objective", "*", "no value")
    mixed = SearchSpace((("x", Choice((1, 1.0, True))),))
    [axis, _] = parallel_figure(info_of([trial(0, 1.0, x=1)], mixed))["layout"]["meta"]["axes"]
    assert [word for one in axis["categories"] for word in one["words"]] == ["1", "1.0", "true"]


def test_without_trials_it_says_what_it_waits_for():
    info = info_of([], seen_metrics=["train-auc"])
    assert info.empty == "No value yet. Waiting for loss; seen so far: train-auc."
    check(parallel_figure(info))


def test_trials_alike_are_one_trace_with_gaps_and_numbers_at_every_point():
    figure = parallel_figure(info_of([gbdt(i, 0.5) for i in range(4)]))
    check(figure)
    bundle = figure["data"][0]
    assert bundle["customdata"] == [3] * 5 + [None] + [2] * 5 + [None] + [1] * 5 + [None]
    assert bundle["x"][:6] == [0, 1, 2, 3, 4, None]
    assert bundle["y"][3] == ABSENT


def test_five_hundred_trials_stay_a_handful_of_traces():
    rng = random.Random(1)
    records = [gbdt(i, rng.random(), lr=rng.random()) for i in range(500)]
    assert len(parallel_figure(info_of(records))["data"]) <= 17


def test_the_best_line_is_drawn_last_wide_in_the_reserved_colour_over_a_halo():
    figure = parallel_figure(info_of())
    halo, best = figure["data"][-4:-2]
    assert halo["line"] == {"color": "@surface", "width": 6}
    assert best["line"] == {"color": "@best", "width": 3}
    values = figure["data"][-1]
    assert values["text"] == [f"<b>{text}</b>" for text in info_of().best_texts]
    others = [t for t in figure["data"][:-4] if t["mode"] == "lines"]
    assert all(t["line"]["color"] != "@best" for t in others)


def test_running_is_dashed_and_without_a_value_red_and_dotted():
    styles = {
        tuple(sorted(set(t["customdata"]) - {None})): (t["line"]["color"], t["line"].get("dash"))
        for t in parallel_figure(info_of())["data"]
        if "customdata" in t
    }
    assert styles[(2,)] == ("@red-mark", "2px,3px")
    assert styles[(3,)][1] == "7px,5px"
    assert styles[(0,)][1] == "solid"


def test_what_is_missing_ends_on_a_tick_below_the_axis():
    figure = parallel_figure(info_of())
    ticks = trace(figure, "ticks")
    below = [
        (x, text.strip("\u00a0"))
        for x, y, text in zip(ticks["x"], ticks["y"], ticks["text"], strict=True)
        if y == ABSENT
    ]
    assert below == [(3, "none"), (4, "no value")]


def test_ticks_stand_left_and_those_of_the_objective_right():
    ticks = trace(parallel_figure(info_of()), "ticks")
    sides = {(x == 4, side) for x, side in zip(ticks["x"], ticks["textposition"], strict=True)}
    assert sides == {(False, "middle left"), (True, "middle right")}


def test_a_label_of_the_best_trial_replaces_the_tick_it_equals():
    ticks = trace(parallel_figure(info_of()), "ticks")
    written = [t.strip("\u00a0") for x, t in zip(ticks["x"], ticks["text"], strict=True) if x == 2]
    assert written == ["gbdt"]


def test_wide_spaces_ask_for_their_width():
    space = SearchSpace(tuple((f"a_parameter_{i}", Uniform(0, 1)) for i in range(12)))
    info = info_of([trial(0, 1.0, **{f"a_parameter_{i}": 0.5 for i in range(12)})], space)
    assert parallel_figure(info)["layout"]["meta"]["minWidth"] > 12 * 106


def test_hostile_names_and_values_are_text():
    space = SearchSpace((("<b>x", Choice(("<script>", "a&b"))),))
    hostile = Objective("<i>m", Goal.MINIMIZE)
    records = [trial(0, 1.0, **{"<b>x": "<script>"}), trial(1, 2.0, **{"<b>x": "a&b"})]
    figure = parallel_figure(info_of(records, space, hostile))
    shown = json.dumps([figure["layout"]["annotations"], [t.get("text") for t in figure["data"]]])
    for raw in ("<script", "<b>x", "<i>", "a&b"):
        assert raw not in shown
    assert "&lt;script&gt;" in shown
    assert "<b>&lt;b&gt;x</b>" in shown


def test_a_value_that_fits_no_axis_counts_as_missing():
    info = info_of([gbdt(0, 1.0, lr="auto"), gbdt(1, 2.0, lr=float("nan"))])
    assert [line.positions[0] for line in info.lines] == [None, None]


def test_the_summary_and_the_table_say_the_same():
    info = info_of()
    assert info.summary == (
        "4 trials over 4 parameters and loss; 1 without a value. Best trial 1: lr 0.01000, "
        "leaves 8, model.kind dart, model.drop 0.5000, loss 0.200000."
    )
    assert info.table.header == (
        "Trial",
        "Status",
        "lr",
        "leaves",
        "model.kind",
        "model.drop",
        "loss",
    )
    assert info.table.rows[2] == ("2", "Failed", "0.1000", "4", "gbdt", "none", "no value")


def test_the_table_holds_what_the_selection_keeps():
    rows = info_of(**keeping(TRIALS, 1, 3)).table.rows
    assert [row[0] for row in rows] == ["1", "3"]


def test_jitter_is_small_and_always_the_same():
    offsets = jitter(np.arange(200), 2)
    assert np.abs(offsets).max() <= 0.03
    assert len(set(offsets.tolist())) == 200
    assert jitter(np.array([7]), 2)[0] == offsets[7]


def test_the_objective_stands_where_it_is_asked_for_or_nowhere():
    info = info_of(order=["model.kind", "*", "lr"])
    assert [axis.name for axis in info.axes] == ["model.kind", "loss", "lr"]
    assert info.best_texts == ("dart", "0.200000", "0.01000")
    assert "3 parameters" not in info.summary
    assert info.summary.startswith("4 trials over 2 parameters and loss; 1 without a value.")
    figure = check(parallel_figure(info))
    ticks = next(trace for trace in figure.data if trace.uid == "ticks")
    missing = [x for x, text in zip(ticks.x, ticks.text, strict=True) if "no value" in text]
    assert missing == [1]
    hidden = info_of(order=["lr", "leaves", "-"])
    assert [axis.name for axis in hidden.axes] == ["lr", "leaves"]
    assert hidden.summary.startswith("4 trials over 2 parameters; 1 without")
    assert [axis.name for axis in info_of(order=["*"]).axes] == ["loss"]
    # The others as they are declared.
    assert [axis.name for axis in info_of(order=["-"]).axes][-1] == "model.drop"


def test_long_words_are_broken_into_lines_that_stay_whole():
    long = "a_pretrained_encoder_with_frozen_embeddings"
    space = SearchSpace((("init", Choice((long, "none"))), ("lr", Uniform(0, 1))))
    records = [trial(n, 0.1 + n, init=long, lr=0.5) for n in range(3)]
    figure = check(parallel_figure(info_of(records, space, order=["lr", "init"])))
    ticks = next(trace for trace in figure.data if trace.uid == "best-values")
    written = next(text for text in ticks.text if "embeddings" in text)
    assert max(map(len, written.replace("<b>", "").split("<br>"))) < 28
    assert written.replace("<br>", "").replace("<b>", "").replace("</b>", "") == long
    plain = [trial(n, 0.1 + n, init="none", lr=0.5) for n in range(3)]
    short = SearchSpace((("init", Choice(("x", "none"))), ("lr", Uniform(0, 1))))
    least = parallel_figure(info_of(plain, short))["layout"]["meta"]["minWidth"]
    assert figure.layout.meta["minWidth"] < least + 250


def test_a_selection_of_nothing_is_said():
    assert info_of(**keeping(TRIALS)).note == "no trial matches the selection, all 4 faint"


def test_an_objective_without_any_value_has_no_ticks_but_where_it_is_missing():
    figure = parallel_figure(info_of([gbdt(0, None, S.FAILED), gbdt(1, None, S.RUNNING)]))
    ticks = trace(figure, "ticks")
    last = [
        text.strip("\u00a0") for x, text in zip(ticks["x"], ticks["text"], strict=True) if x == 4
    ]
    assert last == ["no value"]


def test_what_failed_after_a_value_is_no_line_like_the_others():
    info = info_of([gbdt(0, 0.4), gbdt(1, 0.1, S.FAILED), gbdt(2, 0.3), gbdt(3, 0.2, S.CANCELED)])
    failed = next(line for line in info.lines if line.number == 1)
    assert (failed.kind, failed.strength) == ("bare", None)
    assert failed.positions[-1] is not None
    dotted = trace(parallel_figure(info), "@red-mark2px,3px")
    assert {1, 3} <= set(dotted["customdata"])
    keys = [key for key in info.legend if key.mark == "dot"]
    assert [(key.text, key.status, key.missing) for key in keys] == [
        ("no result: failed or canceled", "", "")
    ]


def test_a_click_on_the_key_of_the_failed_filters_by_them():
    [key] = [k for k in info_of([gbdt(0, 0.4), gbdt(1, 0.1, S.FAILED)]).legend if k.mark == "dot"]
    assert (key.text, key.status) == ("no result: failed", "Failed")
    [key] = [k for k in info_of([gbdt(0, 0.4), gbdt(1, None, S.FAILED)]).legend if k.mark == "dot"]
    assert (key.text, key.missing) == ("no value: failed", "objective")


def test_a_value_of_a_trial_that_failed_takes_nothing_from_the_colours_of_the_others():
    lines = info_of([gbdt(0, 0.4), gbdt(1, 0.001, S.FAILED), gbdt(2, 0.3)]).lines
    assert {line.number: line.strength for line in lines}[2] > 0.5
