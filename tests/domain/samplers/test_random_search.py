"""Random and Sobol: sequences fixed by seed and number, with the ten distributions' formulas."""

import math
import random
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc

from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.samplers.base import SuggestRequest
from sweeps.domain.samplers.draws import prior_draw, stable_hash, uniforms
from sweeps.domain.samplers.random_search import MAX_SOBOL_DIMENSIONS, RandomSampler
from sweeps.domain.space import SearchSpace, Uniform, leaves, realise
from sweeps.domain.space_doc import parse_space
from tests.domain.samplers.contract import LOSS, NESTED, SamplerContract

DISTRIBUTIONS: dict[str, dict[str, Any]] = {
    "choice": {"type": "choice", "values": ["a", "b", "c"]},
    "randint": {"type": "randint", "upper": 7},
    "uniform": {"type": "uniform", "min_value": -2, "max_value": 5},
    "quniform": {"type": "quniform", "min_value": 1, "max_value": 9, "q": 2},
    "loguniform": {"type": "loguniform", "min_value": -7, "max_value": 2},
    "qloguniform": {"type": "qloguniform", "min_value": 0, "max_value": 3, "q": 0.5},
    "normal": {"type": "normal", "mu": 3, "sigma": 2},
    "qnormal": {"type": "qnormal", "mu": 3, "sigma": 2, "q": 0.5},
    "lognormal": {"type": "lognormal", "mu": 0.5, "sigma": 0.7},
    "qlognormal": {"type": "qlognormal", "mu": 0.5, "sigma": 0.7, "q": 1},
}


class TestRandom(SamplerContract):
    sampling = Sampling("random")


class TestSobol(SamplerContract):
    sampling = Sampling("random", rule="sobol")

    def test_points_are_those_of_scipys_sequence(self) -> None:
        space = parse_space({"a": DISTRIBUTIONS["uniform"], "b": DISTRIBUTIONS["normal"]})
        table = qmc.Sobol(2, scramble=True, rng=stable_hash(7)).random(64)
        for number in (0, 1, 2, 31, 63):
            got = self.ask(self.request(space, number)).draw
            assert got == prior_draw(space, table[number].tolist())

    def test_fills_a_square_more_evenly_than_random_numbers(self) -> None:
        space = parse_space({n: {"type": "randint", "upper": 8} for n in ("a", "b")})
        cells = {tuple(t.params.values()) for t in self.run(space, 64)}
        assert len(cells) == 64

    def test_conditional_leaves_keep_their_own_dimension(self) -> None:
        count = len(leaves(NESTED))
        table = qmc.Sobol(count, scramble=True, rng=stable_hash(7)).random(16)
        for number, trial in enumerate(self.run(NESTED, 16)):
            assert trial.params == realise(NESTED, prior_draw(NESTED, table[number].tolist()))

    def test_too_many_dimensions_are_refused(self) -> None:
        names = [(f"x{i}", Uniform(0, 1)) for i in range(MAX_SOBOL_DIMENSIONS + 1)]
        problems = RandomSampler().check(SearchSpace(tuple(names)), self.sampling)
        assert [p.message for p in problems] == [
            "Sobol takes up to 21,201 parameters, but got 21,202."
        ]
        assert RandomSampler().check(SearchSpace(tuple(names[:-1])), self.sampling) == []


@pytest.mark.parametrize("kind", DISTRIBUTIONS)
def test_quantiles_follow_hyperopts_formula(kind: str) -> None:
    """The same uniform or normal number through both formulas gives the same value."""
    doc = DISTRIBUTIONS[kind]
    space = parse_space({"x": doc})
    for u in np.random.default_rng(3).random(200).tolist():
        got, expected = realise(space, prior_draw(space, [u]))["x"], formula(doc, u)
        if kind != "choice":
            expected = pytest.approx(expected, rel=1e-9, abs=1e-12)
        assert got == expected


def formula(doc: dict[str, Any], u: float) -> Any:
    """hyperopt/pyll/stochastic.py, written down once more, on the quantile scale."""
    from scipy.stats import norm

    kind = doc["type"]
    if kind == "choice":
        return doc["values"][math.floor(u * len(doc["values"]))]
    if kind == "randint":
        return math.floor(u * doc["upper"])
    if "uniform" in kind:
        value = doc["min_value"] + u * (doc["max_value"] - doc["min_value"])
    else:
        value = norm.ppf(u, doc["mu"], doc["sigma"])
    if "log" in kind:
        value = np.exp(value)
    return np.round(value / doc["q"]) * doc["q"] if kind.startswith("q") else value


@pytest.mark.parametrize("kind", DISTRIBUTIONS)
def test_draws_are_distributed_like_hyperopts(kind: str) -> None:
    """Two samples, ours and hp.*'s: their distribution functions stay close (Kolmogorov)."""
    from hyperopt import hp
    from hyperopt.pyll.stochastic import sample

    doc = DISTRIBUTIONS[kind]
    space = parse_space({"x": doc})
    arguments = [value for key, value in doc.items() if key != "type"]
    node = getattr(hp, kind)("x", *arguments)
    rng = np.random.default_rng(11)
    count = 1500
    theirs = [sample(node, rng=rng) for _ in range(count)]
    ours = [realise(space, prior_draw(space, uniforms(1, 5, k)))["x"] for k in range(count)]
    values = sorted({*theirs, *ours})
    gap = max(
        abs(sum(o <= v for o in ours) - sum(t <= v for t in theirs)) for v in values[::30] or values
    )
    # Kolmogorov's two-sample bound at 1 in 10,000.
    assert gap / count < 2.23 * math.sqrt(2 / count)


def test_numbers_of_neighbouring_seeds_and_trials_are_independent() -> None:
    columns = [uniforms(1, seed, k)[0] for seed in range(30) for k in range(30)]
    assert len(set(columns)) == 900
    assert abs(np.mean(columns) - 0.5) < 0.03
    assert abs(np.corrcoef(columns[:-1], columns[1:])[0, 1]) < 0.1


def test_logbase_changes_the_log_distributions_only() -> None:
    space = parse_space({n: DISTRIBUTIONS[n] for n in ("loguniform", "lognormal", "uniform")})
    request = SuggestRequest(space, LOSS, Sampling("random"), 7, 0)
    natural = RandomSampler().suggest(request).params  # type: ignore[union-attr]
    ten = Sampling("random", logbase=10)
    got = RandomSampler().suggest(replace(request, sampling=ten)).params  # type: ignore[union-attr]
    assert got["uniform"] == natural["uniform"]
    for name in ("loguniform", "lognormal"):
        assert math.log10(got[name]) == pytest.approx(math.log(natural[name]))


@pytest.mark.parametrize("logbase", [0, -2, 1, math.nan, math.inf])
def test_impossible_bases_are_refused(logbase: float) -> None:
    problems = RandomSampler().check(NESTED, Sampling("random", logbase=logbase))
    assert [p.field for p in problems] == ["sampling_algorithm.logbase"]
    assert "positive number other than 1" in problems[0].message


def test_base_too_large_for_the_bounds_is_refused() -> None:
    space = parse_space(
        {
            "m": {
                "type": "choice",
                "values": [{"c": {"type": "loguniform", "min_value": 0, "max_value": 400}}],
            },
            "n": {"type": "qlognormal", "mu": 300, "sigma": 1, "q": 1},
            "fine": {"type": "uniform", "min_value": 0, "max_value": 1e6},
        }
    )
    assert RandomSampler().check(space, Sampling("random", logbase=2)) == []
    problems = RandomSampler().check(space, Sampling("random", logbase=10))
    assert [p.field for p in problems] == ["search_space.m.values[0].c", "search_space.n"]


def test_unknown_rule_is_refused() -> None:
    problems = RandomSampler().check(NESTED, Sampling("random", rule="halton"))
    assert [str(p) for p in problems] == [
        "sampling_algorithm.rule: Must be one of random, sobol, but got “halton”."
    ]


def test_repeats_on_a_small_space_are_foretold() -> None:
    space = parse_space({"x": {"type": "choice", "values": [1, 2, 3]}})
    (note,) = RandomSampler().advise(space, Limits(20, 1))
    assert "3 points" in note
    assert RandomSampler().advise(space, Limits(3, 1)) == []


def test_global_generators_are_left_alone() -> None:
    random.seed(1)
    expected = random.Random(1).random()
    RandomSampler().suggest(SuggestRequest(NESTED, LOSS, Sampling("random"), 7, 0))
    assert random.random() == expected
