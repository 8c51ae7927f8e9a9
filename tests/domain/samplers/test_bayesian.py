"""Bayesian: what Hyperopt is told, what is done with its answers, and that it helps."""

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.records import TrialRecord
from sweeps.domain.samplers.base import Exhausted, Suggestion, SuggestRequest
from sweeps.domain.samplers.bayesian import BayesianSampler, lessons_of
from sweeps.domain.samplers.draws import prior_draw, stable_hash, uniforms
from sweeps.domain.samplers.estimator import Estimator, estimator_of, expression
from sweeps.domain.samplers.known import Known
from sweeps.domain.samplers.registry import get_sampler
from sweeps.domain.space import SearchSpace, leaves, realise
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import TrialStatus
from tests.domain.samplers.contract import (
    ALL_KINDS,
    LOSS,
    NESTED,
    NESTED_SIZE,
    SamplerContract,
    spaces,
)

MAXIMIZE = Objective("score", Goal.MAXIMIZE)
LINE = parse_space({"x": {"type": "uniform", "min_value": -3, "max_value": 3}})
MIXED = parse_space(
    {
        "x": {"type": "uniform", "min_value": -3, "max_value": 3},
        "y": {"type": "quniform", "min_value": -5, "max_value": 5, "q": 1},
        "z": {"type": "loguniform", "min_value": -7, "max_value": 0},
    }
)


class TestBayesian(SamplerContract):
    sampling = Sampling("bayesian")
    sequence = False


def trial(number: int, status: TrialStatus, objective: float | None = None) -> TrialRecord:
    draw = prior_draw(LINE, uniforms(1, 99, number))
    return TrialRecord(number, status, realise(LINE, draw), draw, objective=objective)


def learned(
    history: Iterable[TrialRecord], objective: Objective = LOSS
) -> list[tuple[int, list[float], float]]:
    """By trial: its number, its point, its loss."""
    lessons = lessons_of(Known.of(LINE, history), objective)
    columns = (lessons.numbers.tolist(), lessons.values.tolist(), lessons.losses.tolist())
    return list(zip(*columns, strict=True))


@pytest.mark.parametrize(
    ("status", "objective", "loss", "pending"),
    [
        (TrialStatus.COMPLETED, 2.0, -2.0, False),
        (TrialStatus.EARLY_TERMINATED, 2.0, -2.0, False),
        (TrialStatus.TIMED_OUT, 2.0, -2.0, False),
        (TrialStatus.TIMED_OUT, None, None, False),
        (TrialStatus.COMPLETED, math.nan, None, False),
        (TrialStatus.FAILED, None, None, False),
        (TrialStatus.FAILED, 2.0, None, False),
        (TrialStatus.LOST, 2.0, None, False),
        (TrialStatus.QUEUED, None, None, True),
        (TrialStatus.STARTING, None, None, True),
        (TrialStatus.RUNNING, 2.0, None, True),
    ],
)
def test_each_status_is_learned_from_in_its_way(
    status: TrialStatus, objective: float | None, loss: float | None, pending: bool
) -> None:
    [seen] = Known.of(LINE, [trial(4, status, objective)]).lessons()
    assert seen.pending is pending
    assert learned([trial(4, status, objective)], MAXIMIZE) == [
        (4, [trial(4, status).draw["x"]], math.inf if loss is None else loss)
    ]


def test_cancelled_trials_are_left_out() -> None:
    assert learned([trial(0, TrialStatus.CANCELED, 1.0)]) == []


def test_points_that_people_picked_count_where_the_space_has_them() -> None:
    inside = TrialRecord(0, TrialStatus.COMPLETED, {"x": 1}, objective=0.5)
    outside = TrialRecord(1, TrialStatus.COMPLETED, {"x": 4.0}, objective=0.1)
    assert learned([outside, inside]) == [(0, [1.0], 0.5)]


def asked_of_hyperopt(
    space: SearchSpace, history: Sequence[TrialRecord], number: int, seed: int
) -> dict[str, float]:
    """Hyperopt's own answer, by label: failed trials are done and unfinished ones new, without a
    loss (in state ERROR it would drop them), and the start-up phase counts losses only."""
    from hyperopt import base, tpe

    domain = base.Domain(None, [expression(name, item) for name, item in space])
    labels = [leaf.label for leaf in leaves(space)]
    documents = []
    for one in sorted(history, key=lambda one: one.number):
        known = one.status is TrialStatus.COMPLETED and one.objective is not None
        documents.append(
            {
                "state": base.JOB_STATE_DONE if one.status.is_final else base.JOB_STATE_NEW,
                "tid": one.number,
                "result": {"status": "ok", "loss": one.objective} if known else {"status": "fail"},
                "misc": {
                    "tid": one.number,
                    "idxs": {label: [one.number] * (label in one.draw) for label in labels},
                    "vals": {name: [one.draw[name]] if name in one.draw else [] for name in labels},
                },
                **dict.fromkeys(("spec", "exp_key", "owner", "book_time", "refresh_time")),
                "version": 0,
            }
        )
    without = sum(one.status is not TrialStatus.COMPLETED for one in history)
    [answer] = tpe.suggest(
        [number], domain, base.trials_from_docs(documents, validate=False), seed,
        n_startup_jobs=20 + without, gamma=0.5, verbose=False,
    )  # fmt: skip
    return {label: float(found[0]) for label, found in answer["misc"]["vals"].items() if len(found)}


@given(spaces(ALL_KINDS), st.integers(0, 60), st.integers(0, 2**31 - 1))
@settings(max_examples=60, deadline=None)
def test_points_are_those_of_hyperopt_itself(space: SearchSpace, count: int, seed: int) -> None:
    unusual = {0: TrialStatus.RUNNING, 1: TrialStatus.FAILED}
    history = []
    for number in range(count):
        draw = prior_draw(space, uniforms(len(leaves(space)), seed, number))
        status = unusual.get(number % 10, TrialStatus.COMPLETED)
        loss = float(stable_hash(seed, number) % 1000)
        history.append(TrialRecord(number, status, realise(space, draw), draw, objective=loss))
    lessons = lessons_of(Known.of(space, history), LOSS)
    ours = estimator_of(space).draw(lessons, count, seed)
    theirs = asked_of_hyperopt(space, history, count, seed)
    assert ours is not None
    assert ours == pytest.approx(theirs, rel=1e-9)


def good_at(x: float, count: int = 25, start: int = 0) -> tuple[TrialRecord, ...]:
    """Trials whose loss is the distance from `x`."""
    history = []
    for number in range(start, start + count):
        draw = prior_draw(LINE, uniforms(1, 5, number))
        params = realise(LINE, draw)
        loss = abs(float(draw["x"]) - x)
        history.append(TrialRecord(number, TrialStatus.COMPLETED, params, draw, objective=loss))
    return tuple(history)


def ask_many(history: tuple[TrialRecord, ...], objective: Objective = LOSS) -> list[float]:
    """Suggestions for the same history by forty seeds."""
    answers = []
    for seed in range(40):
        request = SuggestRequest(LINE, objective, Sampling("bayesian"), seed, 100, history)
        answer = BayesianSampler().suggest(request)
        assert isinstance(answer, Suggestion)
        answers.append(float(answer.draw["x"]))
    return answers


def test_suggestions_gather_where_the_loss_is_low() -> None:
    assert statistics.median(abs(x - 2) for x in ask_many(good_at(2))) < 0.5


def test_maximize_turns_the_search_round() -> None:
    points = ask_many(good_at(2), MAXIMIZE)
    assert statistics.median(points) < -1.5


def test_failures_do_not_end_the_start_up_phase() -> None:
    """Twenty failures and one result: the next points still come from the prior."""
    failed = tuple(trial(n, TrialStatus.FAILED) for n in range(20))
    points = ask_many((*failed, *good_at(2, 1, start=20)))
    assert statistics.stdev(points) > 1.2


def test_failed_trials_repel_and_cancelled_ones_do_nothing() -> None:
    base = good_at(2)
    crash = tuple(
        TrialRecord(50 + n, TrialStatus.FAILED, {"x": 2 + n / 50}, {"x": 2 + n / 50})
        for n in range(-8, 9)
    )
    cancelled = tuple(replace(t, status=TrialStatus.CANCELED) for t in crash)
    assert ask_many((*base, *cancelled)) == ask_many(base)
    near = [sum(abs(x - 2) < 0.2 for x in ask_many((*base, *extra))) for extra in ((), crash)]
    assert near[1] < near[0] / 2


def test_pending_trials_change_the_next_point() -> None:
    base = good_at(2)
    pending = tuple(
        TrialRecord(50 + n, TrialStatus.RUNNING, {"x": 2 + n / 20}, {"x": 2 + n / 20})
        for n in range(-4, 5)
    )
    assert ask_many((*base, *pending)) != ask_many(base)


def test_own_row_is_not_learned_from() -> None:
    history = good_at(2)
    request = SuggestRequest(LINE, LOSS, Sampling("bayesian"), 3, 24, history)
    assert BayesianSampler().suggest(request) == BayesianSampler().suggest(
        replace(request, history=history[:24])
    )


def test_finite_space_is_tried_out_without_repeats() -> None:
    suite = TestBayesian()
    history = suite.run(NESTED, NESTED_SIZE + 5)
    assert len(history) == NESTED_SIZE
    assert len({frozenset(t.draw.items()) for t in history}) == NESTED_SIZE
    answer = BayesianSampler().suggest(suite.request(number=NESTED_SIZE, history=history))
    assert answer == Exhausted("all 30 points of the search space have been tried")


def test_steps_of_a_bounded_range_can_be_exhausted_too() -> None:
    space = parse_space({"q": {"type": "quniform", "min_value": 0.5, "max_value": 3.5, "q": 1}})
    history = TestBayesian().run(space, 10)
    assert sorted(t.params["q"] for t in history) == [1, 2, 3]  # type: ignore[type-var]


def test_repeats_of_the_estimator_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    space = parse_space({"c": {"type": "choice", "values": list("abcdef")}})
    seeds: list[int] = []

    def stubborn(*args: Any) -> dict[str, int | float]:
        seeds.append(args[-1])
        return {"c": 3}

    monkeypatch.setattr(Estimator, "draw", stubborn)
    history = TestBayesian().run(space, 6)
    assert sorted(t.draw["c"] for t in history) == [0, 1, 2, 3, 4, 5]
    assert history[0].draw["c"] == 3
    assert len(seeds) == len(set(seeds)) == 1 + 5 * 11


def test_unusable_answers_of_the_estimator_are_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Estimator, "draw", lambda *args: None)
    (only,) = TestBayesian().run(LINE, 1)
    assert -3 <= float(only.draw["x"]) <= 3


def test_numbers_outside_floating_point_are_refused() -> None:
    labels = {"x": [math.nan], "y": [1.0], "z": [0.5]}
    checked = estimator_of(MIXED)._checked
    assert checked(labels) is None
    assert checked({**labels, "x": [9.0]}) == {"x": 3, "y": 1, "z": 0.5}


def test_large_ranges_of_whole_numbers_are_searched_as_numbers() -> None:
    space = parse_space({"n": {"type": "randint", "upper": 10**12}})
    known = Known(space)
    for number in range(30):
        draw = prior_draw(space, uniforms(1, 3, number))
        loss = abs(draw["n"] / 10**12 - 0.25)
        known.learn(TrialRecord(number, TrialStatus.COMPLETED, {}, draw, objective=loss))
    lessons = lessons_of(known, LOSS)
    answers = [estimator_of(space).draw(lessons, 40, seed) for seed in range(30)]
    values = [answer["n"] for answer in answers if answer]
    assert len(values) == 30
    assert all(type(value) is int and 0 <= value < 10**12 for value in values)
    assert abs(statistics.median(values) / 10**12 - 0.25) < 0.1


def test_extreme_ranges_give_finite_points() -> None:
    space = parse_space(
        {
            "wide": {"type": "uniform", "min_value": -8e307, "max_value": 8e307},
            "log": {"type": "loguniform", "min_value": -700, "max_value": 700},
            "one": {"type": "choice", "values": ["only"]},
            "single": {"type": "randint", "upper": 1},
        }
    )
    for t in TestBayesian().run(space, 26):
        assert all(math.isfinite(value) for value in t.draw.values())


def quadratic(params: dict[str, Any]) -> float:
    return (params["x"] - 1) ** 2 + (params["y"] + 2) ** 2 / 4 + (math.log(params["z"]) + 3) ** 2


def best_of(algorithm: str, seed: int, trials: int, space: SearchSpace = MIXED) -> float:
    sampler, sampling = get_sampler(algorithm), Sampling(algorithm)
    history: tuple[TrialRecord, ...] = ()
    for number in range(trials):
        answer = sampler.suggest(SuggestRequest(space, LOSS, sampling, seed, number, history))
        assert isinstance(answer, Suggestion)
        loss = quadratic(answer.params)
        history += (
            TrialRecord(number, TrialStatus.COMPLETED, answer.params, answer.draw, objective=loss),
        )
    return min(t.objective for t in history if t.objective is not None)


def test_beats_random_search_on_a_smooth_bowl() -> None:
    medians = {
        algorithm: statistics.median(best_of(algorithm, seed, 60) for seed in range(7))
        for algorithm in ("random", "bayesian")
    }
    assert medians["bayesian"] < medians["random"] / 2


def test_advice_names_budget_concurrency_and_what_azure_refuses() -> None:
    notes = BayesianSampler().advise(MIXED, Limits(40, 20))
    assert notes[0].endswith("60 for 3, but max_total_trials is 40.")
    assert "at most 10 of 40 at a time, but max_concurrent_trials is 20" in notes[1]
    assert notes[2].endswith("it would refuse z (loguniform).")
    assert BayesianSampler().advise(LINE, Limits(40, 10)) == []
    assert BayesianSampler().advise(LINE, Limits(5, 1), known=35) == []
    (few,) = BayesianSampler().advise(LINE, Limits(5, 1), known=3)
    assert few.endswith("but max_total_trials is 5, after 3 earlier trials.")


def test_every_leaf_reaches_hyperopt_under_its_label() -> None:
    from hyperopt.base import Domain

    space = parse_space(
        {"m": {"type": "choice", "values": [1, {"c": {"type": "randint", "upper": 2}}]}}
    )
    domain = Domain(None, [expression(name, item) for name, item in space])
    assert set(domain.params) == {leaf.label for leaf in leaves(space)} == {"m", "m[1].c"}
