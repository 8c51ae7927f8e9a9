"""A space is cut down to a region or around points, and widened as the doctor advises."""

import math

import pytest

from sweeps.domain.doctor import changed, findings
from sweeps.domain.narrowing import Cut, around, cuts_of, narrowed
from sweeps.domain.selection import read_selection
from sweeps.domain.space import (
    Branch,
    Choice,
    LogUniform,
    Normal,
    QUniform,
    Randint,
    Scalar,
    SearchSpace,
    Uniform,
)

LR = LogUniform(math.log(1e-4), math.log(1.0))
SPACE = SearchSpace((
    ("lr", LR),
    ("drop", Uniform(0, 0.8)),
    ("layers", Randint(9)),
    ("width", QUniform(16, 512, 16)),
    ("mix", Normal(0, 1)),
    ("model", Choice((
        Branch((("kind", "gbdt"),)),
        Branch((("kind", "dart"), ("rate", Uniform(0, 1)))),
    ))),
    ("act", Choice(("relu", "gelu", 3))),
))  # fmt: skip


def one(space: SearchSpace, name: str) -> object:
    return dict(space.parameters)[name]


def test_a_region_cuts_every_kind_of_parameter() -> None:
    query = [
        ("in", "params.lr:0.001..0.01"), ("in", "params.lr:0.05..0.1"),
        ("in", "params.drop:..0.3"), ("in", "params.layers:2.5..6"),
        ("in", "params.width:100..200"), ("in", "params.mix:-0.5..0.5"),
        ("is", "params.model.kind:dart"), ("in", "params.model.rate:0.2..0.4"),
        ("is", "params.act:gelu"), ("is", "params.act:3"), ("in", "objective:..0.2"),
    ]  # fmt: skip
    cut = narrowed(SPACE, cuts_of(read_selection(query).conditions))
    lr = one(cut, "lr")
    assert isinstance(lr, LogUniform)
    assert (math.exp(lr.min_value), math.exp(lr.max_value)) == pytest.approx((0.001, 0.1))
    assert one(cut, "drop") == Uniform(0, 0.3)
    assert one(cut, "layers") == QUniform(3, 6, 1)
    assert one(cut, "width") == QUniform(112, 192, 16)
    assert one(cut, "mix") == Uniform(-0.5, 0.5)
    assert one(cut, "model") == Choice((Branch((("kind", "dart"), ("rate", Uniform(0.2, 0.4)))),))
    assert one(cut, "act") == Choice(("gelu", 3))


def test_a_cut_that_leaves_nothing_is_not_made() -> None:
    cuts = {"lr": Cut(5, 9), "act": Cut(words=("tanh",)), "width": Cut(101, 110)}
    assert narrowed(SPACE, cuts) == SPACE
    assert narrowed(SPACE, {}) == SPACE
    assert one(narrowed(SPACE, {"layers": Cut(high=4)}), "layers") == Randint(5)


def test_another_base_of_the_logarithm() -> None:
    space = SearchSpace((("lr", LogUniform(-4, 0)),))
    lr = one(narrowed(space, {"lr": Cut(0.001, 0.1)}, base=10), "lr")
    assert isinstance(lr, LogUniform)
    assert (lr.min_value, lr.max_value) == pytest.approx((-3, -1))


def test_around_points_there_is_a_tenth_more() -> None:
    points: list[dict[str, Scalar]] = [
        {"lr": 0.01, "drop": 0.2, "act": "relu"}, {"lr": 0.1, "drop": 0.4, "act": 3},
    ]  # fmt: skip
    cuts = around(SPACE, points)
    assert (cuts["lr"].low, cuts["lr"].high) == pytest.approx((0.01 / 10**0.1, 0.1 * 10**0.1))
    assert (cuts["drop"].low, cuts["drop"].high) == pytest.approx((0.18, 0.42))
    assert cuts["act"] == Cut(None, None, ("relu", "3"))
    assert one(narrowed(SPACE, cuts), "act") == Choice(("relu", 3))


# --- The doctor ---------------------------------------------------------------------------------


def said(space: SearchSpace, best: list[dict[str, Scalar]], **given: object) -> list[str]:
    options = {"valued": 100, "max_total_trials": 100} | given
    return [found.key for found in findings(space, best, **options)]  # type: ignore[arg-type]


def test_best_trials_at_an_edge() -> None:
    space = SearchSpace((("lr", LR), ("x", Uniform(1, 2))))
    low = [{"lr": 1e-4 * (1 + i / 10), "x": 1.5} for i in range(6)]
    assert said(space, low) == ["low_edge:lr"]
    high = [{"lr": 1e-2, "x": 1.99}] * 6
    assert said(space, high) == ["high_edge:x"]
    assert said(space, [{"lr": 1e-2, "x": 1.5}] * 6) == []
    assert said(space, low[:4]) == []
    assert said(space, low, valued=19) == []
    wider = one(changed(space, "low_edge", "lr", {}), "lr")
    assert isinstance(wider, LogUniform)
    assert (math.exp(wider.min_value), math.exp(wider.max_value)) == pytest.approx((1e-8, 1.0))
    assert one(changed(space, "high_edge", "x", {}), "x") == Uniform(1, 3)
    assert one(changed(space, "low_edge", "x", {}), "x") == Uniform(0.1, 2)


def test_where_values_end_is_no_edge() -> None:
    space = SearchSpace((("drop", Uniform(0, 1)), ("layers", Randint(9))))
    assert said(space, [{"drop": 0.01, "layers": 0}] * 6) == []
    assert said(space, [{"drop": 0.99, "layers": 8}] * 6) == ["high_edge:layers"]
    assert one(changed(space, "high_edge", "layers", {}), "layers") == Randint(17)


def test_a_wide_linear_range_whose_best_lie_at_its_foot() -> None:
    space = SearchSpace((("lr", Uniform(0.001, 1)), ("n", QUniform(1, 1000, 1))))
    best: list[dict[str, Scalar]] = [{"lr": 0.02, "n": 30}] * 6
    assert said(space, best) == ["log:lr", "log:n"]
    lr = one(changed(space, "log", "lr", {}), "lr")
    assert isinstance(lr, LogUniform)
    assert (math.exp(lr.min_value), math.exp(lr.max_value)) == pytest.approx((0.001, 1))


def test_a_parameter_that_did_nothing_is_kept_at_the_best_value() -> None:
    space = SearchSpace((("lr", LR), ("act", Choice(("relu", "gelu"))), SPACE.parameters[5]))
    best: list[dict[str, Scalar]] = [{"lr": 0.01, "act": "gelu", "model.rate": 0.5}] * 6
    dead = {"act", "model.rate"}
    assert said(space, best, dead=dead) == ["dead:act", "dead:model.rate"]
    fixed = changed(space, "dead", "act", best[0])
    assert one(fixed, "act") == Choice(("gelu",))
    nested = one(changed(space, "dead", "model.rate", best[0]), "model")
    assert nested == Choice((
        Branch((("kind", "gbdt"),)),
        Branch((("kind", "dart"), ("rate", Choice((0.5,))))),
    ))  # fmt: skip


def test_a_space_smaller_than_its_budget() -> None:
    space = SearchSpace((("a", Choice((1, 2))), ("b", Choice((1, 2, 3)))))
    assert said(space, [], max_total_trials=10, valued=0) == ["small"]
    assert said(space, [], max_total_trials=6) == []
    assert changed(space, "small", "", {}) == space
