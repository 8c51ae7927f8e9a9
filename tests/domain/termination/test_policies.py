"""Every policy exactly at its thresholds, one below and one beyond."""

import math

import pytest

from sweeps.domain.job import EarlyTermination
from sweeps.domain.objective import Objective
from sweeps.domain.termination.base import Decision, Interval, Standing
from sweeps.domain.termination.registry import POLICIES, decide, describe, get_policy, is_due
from tests.domain.termination.cases import LESS, MORE, at, from_values, standing

ANY = {
    "bandit": {"slack_factor": 0.1},
    "median_stopping": {},
    "truncation_selection": {"truncation_percentage": 50},
    "successive_halving": {},
}


def judged(name: str, interval: Interval, **options: float) -> Decision:
    decision = decide(EarlyTermination(name, options), interval)
    assert decision is not None
    return decision


@pytest.mark.parametrize(
    ("options", "due"),
    [
        ({}, [1, 2, 3, 4, 5, 6, 7]),
        ({"evaluation_interval": 0}, [1, 2, 3, 4, 5, 6, 7]),
        ({"evaluation_interval": 1, "delay_evaluation": 0}, [1, 2, 3, 4, 5, 6, 7]),
        ({"evaluation_interval": 3}, [3, 6]),
        ({"delay_evaluation": 5}, [5, 6, 7]),
        ({"evaluation_interval": 3, "delay_evaluation": 3}, [3, 6]),
        ({"evaluation_interval": 3, "delay_evaluation": 4}, [6]),
        ({"evaluation_interval": 2, "delay_evaluation": 6}, [6]),
        ({"evaluation_interval": 2, "delay_evaluation": 7}, []),
    ],
)
@pytest.mark.parametrize("name", [name for name in ANY if name != "successive_halving"])
def test_due_at_multiples_of_the_interval_from_the_delay_on(name, options, due):
    early = EarlyTermination(name, options)
    assert [report for report in range(8) if is_due(early, report)] == due


@pytest.mark.parametrize(
    ("options", "due"),
    [
        ({}, [1, 4, 16, 64]),
        ({"min_reports": 3, "reduction_factor": 2}, [3, 6, 12, 24, 48]),
        ({"min_reports": 5}, [5, 20]),
        ({"evaluation_interval": 2, "delay_evaluation": 9}, [1, 4, 16, 64]),
    ],
)
def test_halving_is_due_at_its_rungs(options, due):
    early = EarlyTermination("successive_halving", options)
    assert [report for report in range(66) if is_due(early, report)] == due


@pytest.mark.parametrize(("name", "options"), ANY.items())
@pytest.mark.parametrize("objective", [LESS, MORE])
@pytest.mark.parametrize(
    ("own", "others"),
    [(None, [1.0]), (1.0, []), (1.0, [None, None]), (None, []), (math.nan, [1.0]), (1, [math.inf])],
)
def test_nothing_is_decided_without_two_values(name, options, objective, own, others):
    assert decide(EarlyTermination(name, options), at(objective, own, others)) is None


BANDIT = [
    # objective, options, own, others, threshold, stops
    (MORE, {"slack_factor": 0.2}, 0.6667, [0.8], 0.8 / 1.2, False),
    (MORE, {"slack_factor": 0.2}, 0.8 / 1.2, [0.8], 0.8 / 1.2, False),
    (MORE, {"slack_factor": 0.2}, 0.6666, [0.8], 0.8 / 1.2, True),
    (MORE, {"slack_amount": 0.2}, 0.61, [0.8, 0.7], 0.6, False),
    (MORE, {"slack_amount": 0.2}, 0.6, [0.8, 0.7], 0.6, False),
    (MORE, {"slack_amount": 0.2}, 0.59, [0.8, 0.7], 0.6, True),
    (LESS, {"slack_factor": 0.1}, 0.394, [0.359, 0.5], 0.3949, False),
    (LESS, {"slack_factor": 0.1}, 0.3949, [0.359, 0.5], 0.3949, False),
    (LESS, {"slack_factor": 0.1}, 0.395, [0.359, 0.5], 0.3949, True),
    (LESS, {"slack_amount": 0.2}, 0.3, [0.1], 0.3, False),
    (LESS, {"slack_amount": 0.2}, 0.300001, [0.1], 0.3, True),
    # Negative and zero bests: a gap, not the literal formula.
    (MORE, {"slack_factor": 0.25}, -1.2, [-1.0], -1.2, False),
    (MORE, {"slack_factor": 0.25}, -1.21, [-1.0], -1.2, True),
    (MORE, {"slack_factor": 0.25}, -1.0, [-1.0], -1.2, False),
    (LESS, {"slack_factor": 0.25}, -0.75, [-1.0], -0.75, False),
    (LESS, {"slack_factor": 0.25}, -0.74, [-1.0], -0.75, True),
    (MORE, {"slack_factor": 0.25}, 0.0, [0.0], 0.0, False),
    (MORE, {"slack_factor": 0.25}, -1e-9, [0.0], 0.0, True),
    (LESS, {"slack_factor": 0.25}, 1e-9, [0.0], 0.0, True),
    (LESS, {"slack_amount": 0.5}, -0.5, [-1.0], -0.5, False),
    (LESS, {"slack_amount": 0.5}, -0.49, [-1.0], -0.5, True),
    # The best may be its own; a slack of 0 is one not given.
    (MORE, {"slack_factor": 0.2}, 0.9, [0.8], 0.75, False),
    (LESS, {"slack_factor": 0.0, "slack_amount": 0.2}, 0.3, [0.1], 0.3, False),
    (LESS, {"slack_factor": 0.5, "slack_amount": 0.0}, 0.16, [0.1], 0.15, True),
    (LESS, {"slack_factor": 0.1}, 1.2, [1.0, None], 1.1, True),
    # A zero threshold that arithmetic misses by dust.
    (MORE, {"slack_amount": 0.3}, 0.0, [0.1 + 0.2], 0.0, False),
]


@pytest.mark.parametrize(("objective", "options", "own", "others", "threshold", "stops"), BANDIT)
def test_bandit(objective: Objective, options, own, others, threshold, stops):
    decision = judged("bandit", at(objective, own, others), **options)
    assert decision.stop is stops
    assert decision.threshold == pytest.approx(threshold, abs=1e-15)
    assert (decision.policy, decision.report, decision.value) == ("bandit", 6, own)


def test_bandit_of_the_largest_numbers_stays_within_floats():
    decision = judged("bandit", at(LESS, 1e308, [1e307]), slack_factor=1e300)
    assert not decision.stop
    assert all(math.isfinite(number) for number in decision.numbers.values())
    assert math.isfinite(decision.threshold)


MEDIAN = [
    # objective, own, others' averages, median, stops
    (MORE, 0.6, [0.5, 0.6, 0.7], 0.6, False),
    (MORE, 0.61, [0.5, 0.6, 0.7], 0.6, False),
    (MORE, 0.59, [0.5, 0.6, 0.7], 0.6, True),
    (LESS, 0.6, [0.5, 0.6, 0.7], 0.6, False),
    (LESS, 0.59, [0.5, 0.6, 0.7], 0.6, False),
    (LESS, 0.61, [0.5, 0.6, 0.7], 0.6, True),
    (LESS, 0.56, [0.5, 0.6], 0.55, True),
    (LESS, 0.54, [0.5, 0.6], 0.55, False),
    (LESS, 0.6, [0.5], 0.5, True),
    (LESS, -0.4, [-0.5, None], -0.5, True),
    (MORE, 0.0, [0.0, 0.0], 0.0, False),
    (LESS, 1e308, [1.5e308, 1.7e308], 1.6e308, False),
]


@pytest.mark.parametrize(("objective", "own", "others", "median", "stops"), MEDIAN)
def test_median_stopping(objective, own, others, median, stops):
    decision = judged("median_stopping", at(objective, own, others))
    assert (decision.stop, decision.threshold) == (stops, pytest.approx(median))
    assert decision.numbers["median"] == decision.threshold


def test_median_compares_the_best_with_running_averages():
    # Best 0.4 against averages 0.5 and 0.3: the median is 0.4.
    assert not judged("median_stopping", from_values(LESS, (0.9, 0.4), (0.8, 0.2), (0.5, 0.1))).stop
    assert judged("median_stopping", from_values(LESS, (0.9, 0.41), (0.8, 0.2), (0.5, 0.1))).stop


def test_the_average_of_equal_values_is_no_better_than_they_are():
    assert sum([0.1] * 3) / 3 > 0.1
    assert not judged("median_stopping", from_values(MORE, [0.1] * 3, [0.1] * 3)).stop
    # A sum of millions of values is off by more than dust.
    sloppy = Standing(1, best=0.1, mean=0.1000001)
    assert not judged("median_stopping", Interval(6, MORE, standing(0, 0.1), (sloppy,))).stop


TRUNCATION = [
    # objective, percentage, own, others, cut, stops
    (LESS, 19, 9.0, [1, 2, 3, 4], 0, False),
    (LESS, 20, 9.0, [1, 2, 3, 4], 1, True),
    (LESS, 21, 9.0, [1, 2, 3, 4], 1, True),
    (LESS, 39, 3.5, [1, 2, 3, 4], 1, False),
    (LESS, 40, 3.5, [1, 2, 3, 4], 2, True),
    (LESS, 41, 3.5, [1, 2, 3, 4], 2, True),
    (LESS, 40, 2.5, [1, 2, 3, 4], 2, False),
    (MORE, 40, 1.5, [1, 2, 3, 4], 2, True),
    (MORE, 40, 2.5, [1, 2, 3, 4], 2, False),
    # Ties: all of them are in the cut, or none goes.
    (LESS, 40, 4.0, [1, 2, 3, 4], 2, True),
    (LESS, 40, 4.0, [1, 2, 4, 4], 2, False),
    (LESS, 60, 4.0, [1, 2, 4, 4], 3, True),
    (LESS, 99, 1.0, [1, 1, 1, 1], 4, False),
    (LESS, 99, 1.0, [1.5, 2, 3, 4], 4, False),
    (LESS, 50, 2.0, [1, None], 1, True),
    (LESS, 49, 2.0, [1, None], 0, False),
    (MORE, 50, -2.0, [-1], 1, True),
]


@pytest.mark.parametrize(("objective", "percentage", "own", "others", "cut", "stops"), TRUNCATION)
def test_truncation_selection(objective, percentage, own, others, cut, stops):
    decision = judged(
        "truncation_selection", at(objective, own, others), truncation_percentage=percentage
    )
    assert (decision.numbers["cut"], decision.stop) == (cut, stops)
    worse_or_equal = 1 + sum(
        other is not None and not objective.is_better(other, own) for other in others
    )
    assert decision.stop is (worse_or_equal <= cut)


HALVING = [
    # objective, factor, own, others, kept, stops
    (LESS, 4, 2.0, [1], 1, True),
    (LESS, 4, 1.0, [1], 1, False),
    (LESS, 4, 0.9, [1], 1, False),
    (LESS, 4, 1.5, [1, 2, 3, 4, 5, 6], 1, True),  # n = 7
    (LESS, 4, 1.5, [1, 2, 3, 4, 5, 6, 7], 2, False),  # n = 8
    (LESS, 4, 2.5, [1, 2, 3, 4, 5, 6, 7], 2, True),
    (LESS, 4, 2.0, [1, 2, 3, 4, 5, 6, 7], 2, False),
    (LESS, 4, 2.5, [1, 2, 3, 4, 5, 6, 7, 8], 2, True),  # n = 9
    (MORE, 2, 2.5, [1, 2, 3], 2, False),
    (MORE, 2, 1.5, [1, 2, 3], 2, True),
    (MORE, 2, 2.5, [3, 4, None], 1, True),
    (LESS, 3, -1.0, [-2, -3], 1, True),
]


@pytest.mark.parametrize(("objective", "factor", "own", "others", "kept", "stops"), HALVING)
def test_successive_halving(objective, factor, own, others, kept, stops):
    decision = judged("successive_halving", at(objective, own, others), reduction_factor=factor)
    assert (decision.numbers["kept"], decision.stop) == (kept, stops)


@pytest.mark.parametrize(
    ("name", "options", "own", "others", "reason"),
    [
        ("bandit", {"slack_factor": 0.1}, 0.412, [0.359],
         "0.412 at report 6, needed 0.3949: bandit, slack 10 % of best 0.359"),
        ("bandit", {"slack_factor": 0.1}, 0.37, [0.359],
         "0.37 at report 6 meets 0.3949: bandit, slack 10 % of best 0.359"),
        ("bandit", {"slack_amount": 0.05}, 0.412, [0.359],
         "0.412 at report 6, needed 0.409: bandit, slack 0.05 from best 0.359"),
        ("median_stopping", {}, 0.412, [0.359],
         "0.412 at report 6, needed 0.359: median stopping, the average of one other trial"),
        ("median_stopping", {}, 0.3, [0.1, 0.359, 0.5],
         "0.3 at report 6 meets 0.359: median stopping, the median of the averages of "
         "3 other trials"),
        ("truncation_selection", {"truncation_percentage": 40}, 4.5, [1, 2, 3, 4],
         "4.5 at report 6, needed 3: truncation selection, worst 40 % (the worst 2 of 5), rank 5"),
        ("truncation_selection", {"truncation_percentage": 10}, 4.5, [1, 2],
         "4.5 at report 6: truncation selection, worst 10 % (none of 3 yet), rank 3"),
        ("successive_halving", {}, 2, [1, 3],
         "2 at report 6, needed 1: successive halving, best 1 of 3 at this rung go on, rank 2"),
        ("median_stopping", {}, 0.35900000004, [0.359],
         "0.35900000004 at report 6, needed 0.359: median stopping, the average of one other "
         "trial"),
    ],
)  # fmt: skip
def test_a_decision_says_what_made_it(name, options, own, others, reason):
    assert judged(name, at(LESS, own, others), **options).reason == reason


@pytest.mark.parametrize(
    ("name", "options", "fields"),
    [
        ("bandit", {"slack_factor": 0.1}, []),
        ("bandit", {"slack_amount": 1e-9, "slack_factor": 0.0}, []),
        ("bandit", {}, ["slack_factor"]),
        ("bandit", {"slack_amount": 0.0, "slack_factor": 0.0}, ["slack_factor"]),
        ("bandit", {"slack_amount": 0.1, "slack_factor": 0.1}, ["slack_amount"]),
        ("bandit", {"slack_amount": -0.1}, ["slack_amount"]),
        ("bandit", {"slack_factor": 0.1, "evaluation_interval": -1}, ["evaluation_interval"]),
        ("bandit", {"slack_factor": 0.1, "evaluation_interval": 0}, []),
        ("median_stopping", {"delay_evaluation": -1}, ["delay_evaluation"]),
        ("median_stopping", {"delay_evaluation": 10**9}, []),
        ("median_stopping", {"delay_evaluation": 10**9 + 1}, ["delay_evaluation"]),
        ("median_stopping", {"delay_evaluation": 1.5}, ["delay_evaluation"]),
        ("median_stopping", {"slack_factor": 0.1}, ["slack_factor"]),
        ("truncation_selection", {}, ["truncation_percentage"]),
        ("truncation_selection", {"truncation_percentage": 0}, ["truncation_percentage"]),
        ("truncation_selection", {"truncation_percentage": 1}, []),
        ("truncation_selection", {"truncation_percentage": 99}, []),
        ("truncation_selection", {"truncation_percentage": 100}, ["truncation_percentage"]),
        ("truncation_selection", {"truncation_percentage": 9.5}, ["truncation_percentage"]),
        ("successive_halving", {}, []),
        ("successive_halving", {"min_reports": 0}, ["min_reports"]),
        ("successive_halving", {"min_reports": True}, ["min_reports"]),
        ("successive_halving", {"reduction_factor": 1}, ["reduction_factor"]),
        ("successive_halving", {"reduction_factor": 2}, []),
        ("successive_halving", {"reduction_factor": 1001}, ["reduction_factor"]),
        ("successive_halving", {"delay_evaluation": 1}, ["delay_evaluation"]),
    ],
)
def test_options_are_checked_at_their_key(name, options, fields):
    assert [problem.field for problem in get_policy(name).check(options)] == fields


@pytest.mark.parametrize(
    ("name", "options", "objective", "text"),
    [
        ("bandit", {"slack_factor": 0.08, "evaluation_interval": 10, "delay_evaluation": 20}, MORE,
         "From report 20 on, every 10 reports, stop a trial whose best auc is below 92.6 % of the "
         "best so far."),
        ("bandit", {"slack_factor": 0.08, "delay_evaluation": 3, "evaluation_interval": 2}, LESS,
         "From report 4 on, every 2 reports, stop a trial whose best loss is more than 8 % above "
         "the best so far."),
        ("bandit", {"slack_amount": 0.5, "delay_evaluation": 1}, MORE,
         "At every report, stop a trial whose best auc is more than 0.5 below the best so far."),
        ("median_stopping", {"delay_evaluation": 5}, LESS,
         "From report 5 on, at every report, stop a trial whose best loss is above the median of "
         "the other trials' averages up to there."),
        ("truncation_selection", {"truncation_percentage": 20, "evaluation_interval": 5}, LESS,
         "Every 5 reports, stop a trial whose best loss is among the worst 20 % of all trials at "
         "that report."),
        ("successive_halving", {}, LESS,
         "At reports 1, 4, 16, …, stop a trial whose best loss is not among the best 1/4 of those "
         "that have come as far."),
    ],
)  # fmt: skip
def test_a_policy_explains_itself(name, options, objective, text):
    assert get_policy(name).explain(options, objective) == text


def test_policies_are_described_in_a_few_words():
    found = [describe(EarlyTermination(name, options)) for name, options in ANY.items()]
    assert found == [
        "bandit, slack 10 %",
        "median stopping",
        "truncation selection, worst 50 %",
        "successive halving, best 1/4 from report 1 on",
    ]
    assert describe(EarlyTermination("bandit", {"slack_amount": 0.5})) == "bandit, slack 0.5"
    assert describe(None) == "none"


def test_an_unknown_policy_is_told_with_those_there_are():
    with pytest.raises(KeyError, match="successive_halving"):
        get_policy("hyperband")
    assert set(POLICIES) == set(ANY)
