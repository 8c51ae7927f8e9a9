"""Parameter importance on functions of which it is known, and on what is awkward."""

import math
import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from sweeps.domain.analyses import ped_anova
from sweeps.domain.analyses.ped_anova import FEWEST, MOST_AXES, importance
from sweeps.domain.importance import (
    MOST_TRIALS,
    Importance,
    Weight,
    axes_of,
    most_trials,
    observe,
    read_importance,
)
from sweeps.domain.space import (
    Branch,
    Choice,
    LogNormal,
    LogUniform,
    Normal,
    QLogUniform,
    QUniform,
    Randint,
    SearchSpace,
    Uniform,
    flatten,
    leaves,
    realise,
)

UNIT = Uniform(0, 1)


def drawn(space: SearchSpace, rng: random.Random) -> dict[str, Any]:
    """A random draw of all leaves that are active."""
    draw: dict[str, Any] = {}
    for leaf in leaves(space):
        if all(draw.get(label) == index for label, index in leaf.condition):
            kind = leaf.distribution
            u = rng.random()
            draw[leaf.label] = kind.index(u) if isinstance(kind, Choice) else kind.quantile(u)
    return draw


def weigh(
    space: SearchSpace, loss: Callable[[Mapping[str, Any]], float], count: int = 160
) -> tuple[Importance, dict[str, Weight]]:
    """The importance of a loss of flat parameters over random trials."""
    rng = random.Random(3)
    rows = []
    for _ in range(count):
        draw = drawn(space, rng)
        flat = flatten(realise(space, draw))
        rows.append((draw, flat, loss(flat)))
    found = importance(observe(space, rows, trials=count), seed=1)
    return found, {weight.name: weight for weight in found.weights}


def test_ten_times_the_weight_comes_first_and_what_does_nothing_is_chance() -> None:
    space = SearchSpace((("c", UNIT), ("b", UNIT), ("a", UNIT)))
    found, by_name = weigh(space, lambda p: 10 * p["a"] + p["b"], 500)
    assert [weight.name for weight in found.weights] == ["a", "b", "c"]
    assert by_name["a"].share > 0.9
    assert by_name["a"].is_clear
    dead = by_name["c"]
    assert not dead.is_clear
    assert dead.low < 0.01
    assert dead.high < by_name["a"].low
    assert sum(weight.share for weight in found.weights) == pytest.approx(1)
    assert all(0 <= w.low <= w.share <= w.high <= 1 for w in found.weights)
    assert found.quantile == pytest.approx(0.1)


def test_the_same_trials_give_the_same_answer_which_json_keeps() -> None:
    space = SearchSpace((("a", UNIT), ("b", UNIT)))
    once, _ = weigh(space, lambda p: p["a"], 40)
    again, _ = weigh(space, lambda p: p["a"], 40)
    assert once == again
    assert read_importance(once.document()) == once


def test_of_few_trials_five_are_good_ones() -> None:
    found, _ = weigh(SearchSpace((("a", UNIT),)), lambda p: p["a"], 20)
    assert found.quantile == pytest.approx(5 / 20)


def test_all_kinds_of_distributions_are_weighed_on_their_own_scale() -> None:
    space = SearchSpace(
        (
            ("lr", LogUniform(-12, 0)),
            ("q", QLogUniform(0, 6, 1)),
            ("width", QUniform(32, 512, 32)),
            ("layers", Randint(8)),
            ("seed", Randint(10_000)),
            ("noise", Normal(0, 1)),
            ("scale", LogNormal(0, 1)),
            ("kind", Choice(("sgd", "adam", True))),
        )
    )
    _, by_name = weigh(space, lambda p: abs(math.log(p["lr"]) + 6))
    assert by_name["lr"].share > 0.8
    assert not any(one.is_clear for one in by_name.values() if one.share < 0.01)
    # Of equal values all are good ones.
    _, by_name = weigh(space, lambda p: float(p["kind"] != "adam"))
    assert by_name["kind"].share > 0.5
    _, by_name = weigh(space, lambda p: abs(p["layers"] - 3))
    assert max(by_name.values(), key=lambda one: one.share).name == "layers"


def test_a_parameter_that_only_one_branch_has_is_weighed_where_it_is() -> None:
    space = SearchSpace(
        (
            ("lr", UNIT),
            (
                "model",
                Choice(
                    (
                        Branch((("kind", "gbdt"), ("leaves", Randint(9)))),
                        Branch((("kind", "dart"), ("drop", UNIT))),
                    )
                ),
            ),
        )
    )
    found, by_name = weigh(space, lambda p: p.get("model.drop", 0.5), 200)
    assert set(by_name) == {"lr", "model", "model.leaves", "model.drop"}
    assert found.weights[0].name in ("model.drop", "model")
    assert by_name["model.drop"].is_clear
    assert not by_name["lr"].is_clear


def test_branches_that_share_a_column_are_summed_and_kept_apart() -> None:
    shared = Choice((Branch((("x", Uniform(0, 1)),)), Branch((("x", Uniform(100, 101)),))))
    space = SearchSpace((("m", shared), ("dead", UNIT)))
    found, by_name = weigh(space, lambda p: p["m.x"] % 100, 200)
    assert next(weight.name for weight in found.weights) == "m.x"
    assert by_name["m.x"].share > 0.6


def test_constants_weigh_nothing_and_equal_values_nothing_at_all() -> None:
    space = SearchSpace((("a", UNIT), ("one", Choice(("only",))), ("none", Randint(1))))
    _, by_name = weigh(space, lambda p: p["a"], 60)
    assert by_name["one"] == Weight("one", 0, 0, 0, 0)
    assert by_name["none"].share == 0
    flat, _ = weigh(space, lambda p: 1.0, 60)
    assert flat.is_flat
    assert {weight.share for weight in flat.weights} == {0.0}


def test_a_point_that_a_person_picked_counts_where_its_place_is_known() -> None:
    space = SearchSpace((("a", UNIT), ("kind", Choice(("x", "y")))))
    seen = observe(space, [({}, {"a": 0.25, "kind": "y"}, 1.0), ({}, {"a": 7.0}, 2.0)], trials=2)
    assert seen.places == [[0.25, 1.0], [1.0, None]]
    importance(seen, seed=0)


def test_what_no_distribution_can_hold_stands_at_an_end_or_nowhere() -> None:
    axes = axes_of(SearchSpace((("q", QLogUniform(0, 3, 1)), ("n", Normal(0, 1)))))
    assert axes[0].place({"q": 0}, {}, alone=True) == 0.0
    assert axes[1].place({"n": 99.0}, {}, alone=True) == 1.0
    assert axes[1].place({"n": math.nan}, {}, alone=True) is None
    assert axes[1].place({}, {"n": "text"}, alone=True) is None


def test_of_very_many_parameters_the_most_telling_are_weighed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A thousand took most of a minute."""
    monkeypatch.setattr(ped_anova, "RESAMPLES", 3)
    space = SearchSpace(tuple((f"p{n}", UNIT) for n in range(300)))
    found, weights = weigh(space, lambda flat: float(flat["p7"]) + float(flat["p250"]))
    assert len(weights) == 300
    assert sum(weight.share > 0 for weight in weights.values()) <= MOST_AXES
    assert {weight.name for weight in found.weights[:2]} == {"p7", "p250"}
    assert math.isclose(sum(weight.share for weight in found.weights), 1)


def test_where_time_is_up_fewer_resamples_have_to_do() -> None:
    space = SearchSpace((("a", UNIT), ("b", UNIT)))
    rows = [({"a": n / 40, "b": n % 7 / 7}, {}, float(n)) for n in range(40)]
    found = importance(observe(space, rows, trials=40), seed=1, is_late=lambda: True)
    assert found.resamples == FEWEST
    assert found.weights[0].name == "a"


def test_a_sample_is_smaller_with_more_parameters() -> None:
    assert most_trials(1) == MOST_TRIALS
    assert most_trials(8) == 500
    assert most_trials(10_000) == 100
    with pytest.raises(ValueError, match="at least 2 trials"):
        importance(observe(SearchSpace((("a", UNIT),)), [], trials=0), seed=0)
