"""What every sampling algorithm keeps, whatever it does inside; each one's test subclasses this."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace
from typing import Any, ClassVar

from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.records import TrialRecord
from sweeps.domain.samplers.base import Exhausted, Suggestion, SuggestRequest
from sweeps.domain.samplers.draws import bounds
from sweeps.domain.samplers.registry import get_sampler
from sweeps.domain.space import (
    Branch,
    Choice,
    Distribution,
    ParamValue,
    Randint,
    SearchSpace,
    leaves,
    realise,
)
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import TrialStatus

LOSS = Objective("loss", Goal.MINIMIZE)

NESTED = parse_space(
    {
        "model": {
            "type": "choice",
            "values": [
                "plain",
                {
                    "name": "svm",
                    "c": {"type": "choice", "values": [0.1, 1, 10]},
                    "kernel": {
                        "type": "choice",
                        "values": ["rbf", {"degree": {"type": "randint", "upper": 3}}],
                    },
                },
                {"name": "tree", "depth": {"type": "choice", "values": [2, 4]}},
            ],
        },
        "flag": {"type": "choice", "values": [True, False]},
    }
)
NESTED_SIZE = (1 + 3 * 4 + 2) * 2


def flat_spaces(kinds: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """Documents of distributions of these kinds, in modest ranges."""
    low, width = st.floats(-4, 2), st.floats(0.5, 4)
    constant = st.one_of(st.integers(-5, 5), st.floats(-1, 1), st.text("ab-$ ", max_size=3))

    def ranged(kind: str) -> st.SearchStrategy[dict[str, Any]]:
        return st.builds(
            lambda a, w, q: {"type": kind, "min_value": a, "max_value": a + w, "q": q * w},
            low,
            width,
            st.floats(0.05, 0.5),
        ).map(lambda doc: doc if kind.startswith("q") else drop_q(doc))

    def bell(kind: str) -> st.SearchStrategy[dict[str, Any]]:
        return st.builds(
            lambda mu, s, q: {"type": kind, "mu": mu, "sigma": s, "q": q},
            low,
            width,
            st.sampled_from([0.25, 0.5, 1, 2]),
        ).map(lambda doc: doc if kind.startswith("q") else drop_q(doc))

    def build(kind: str) -> st.SearchStrategy[dict[str, Any]]:
        if kind == "choice":
            values = st.lists(constant, min_size=1, max_size=4, unique_by=repr)
            return values.map(lambda found: {"type": "choice", "values": found})
        if kind == "randint":
            return st.integers(1, 6).map(lambda upper: {"type": "randint", "upper": upper})
        return ranged(kind) if "uniform" in kind else bell(kind)

    return st.one_of([build(kind) for kind in kinds])


def drop_q(doc: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in doc.items() if key != "q"}


def spaces(kinds: tuple[str, ...]) -> st.SearchStrategy[SearchSpace]:
    """Spaces of one to three parameters, with branches up to two deep."""
    flat = flat_spaces(kinds)
    nested = st.recursive(flat, branching, max_leaves=4) if "choice" in kinds else flat
    return st.dictionaries(st.sampled_from(["a", "b", "c"]), nested, min_size=1).map(parse_space)


def branching(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    branch = st.dictionaries(st.sampled_from(["x", "y"]), inner, min_size=1, max_size=2)
    return st.lists(branch, min_size=1, max_size=2, unique_by=repr).map(
        lambda found: {"type": "choice", "values": ["none", *found]}
    )


ALL_KINDS = (
    "choice",
    "randint",
    "uniform",
    "quniform",
    "loguniform",
    "qloguniform",
    "normal",
    "qnormal",
    "lognormal",
    "qlognormal",
)


def record(
    number: int, point: Suggestion, status: TrialStatus, objective: float | None = None
) -> TrialRecord:
    return TrialRecord(number, status, point.params, point.draw, objective=objective)


def assert_fits(distribution: Distribution, value: ParamValue) -> None:
    """`value` is one that the distribution can give, in the type that scripts are promised."""
    if isinstance(distribution, Choice):
        assert any(fits_option(option, value) for option in distribution.values), value
        return
    low, high = bounds(distribution)
    assert isinstance(value, int | float)
    assert not isinstance(value, bool)
    assert math.isfinite(value)
    assert low - 1e-9 * abs(low) <= value <= high + 1e-9 * abs(high)
    q = 1 if isinstance(distribution, Randint) else getattr(distribution, "q", None)
    assert type(value) is (int if q is not None and float(q).is_integer() else float)
    if q is not None:
        assert math.isclose(round(value / q) * q, value, rel_tol=1e-9, abs_tol=1e-12)


def fits_option(option: object, value: ParamValue) -> bool:
    if not isinstance(option, Branch):
        return type(option) is type(value) and option == value
    if not isinstance(value, dict) or list(value) != [key for key, _ in option.items]:
        return False
    for key, item in option.items:
        if isinstance(item, str | int | float | bool):
            if value[key] != item:
                return False
        else:
            try:
                assert_fits(item, value[key])
            except AssertionError:
                return False
    return True


class SamplerContract:
    """Subclasses set `sampling`, `kinds` (distributions it takes) and `sequence`.

    `sequence`: the k-th point is a function of (seed, k), whatever happened before.
    """

    sampling: ClassVar[Sampling]
    kinds: ClassVar[tuple[str, ...]] = ALL_KINDS
    sequence: ClassVar[bool] = True

    def request(
        self,
        space: SearchSpace = NESTED,
        number: int = 0,
        history: tuple[TrialRecord, ...] = (),
        seed: int = 7,
        objective: Objective = LOSS,
    ) -> SuggestRequest:
        return SuggestRequest(space, objective, self.sampling, seed, number, history)

    def ask(self, request: SuggestRequest) -> Suggestion:
        answer = get_sampler(self.sampling.algorithm).suggest(request)
        assert isinstance(answer, Suggestion), answer
        return answer

    def run(self, space: SearchSpace, count: int, seed: int = 7) -> tuple[TrialRecord, ...]:
        """Trials asked and finished one by one; the loss is made from the draw."""
        history: tuple[TrialRecord, ...] = ()
        for number in range(count):
            answer = get_sampler(self.sampling.algorithm).suggest(
                self.request(space, number, history, seed)
            )
            if isinstance(answer, Exhausted):
                break
            loss = float(sum(answer.draw.values()))
            history += (record(number, answer, TrialStatus.COMPLETED, loss),)
        return history

    def test_same_request_gives_the_same_point(self) -> None:
        history = self.run(NESTED, 24)
        request = self.request(number=24, history=history)
        assert self.ask(request) == self.ask(request)
        assert self.run(NESTED, 24) == history

    def test_parameters_are_what_the_draw_stands_for_and_survive_json(self) -> None:
        for trial in self.run(NESTED, 12):
            assert trial.params == realise(NESTED, trial.draw)
            assert json.loads(json.dumps(trial.params)) == trial.params
            assert json.loads(json.dumps(dict(trial.draw))) == trial.draw

    def test_draw_holds_active_leaves_only(self) -> None:
        conditions = {leaf.label: leaf.condition for leaf in leaves(NESTED)}
        seen = set()
        for trial in self.run(NESTED, NESTED_SIZE):
            for label, condition in conditions.items():
                active = all(trial.draw.get(choice) == index for choice, index in condition)
                assert (label in trial.draw) == active
            seen |= set(trial.draw)
        assert seen == set(conditions)

    def test_values_fit_their_distributions_in_any_space(self) -> None:
        @settings(max_examples=25, deadline=None, derandomize=True, database=None)
        @given(spaces(self.kinds), st.integers(0, 2**31 - 1))
        def check(space: SearchSpace, seed: int) -> None:
            for trial in self.run(space, 3, seed):
                assert list(trial.params) == list(space.names())
                for name, distribution in space:
                    assert_fits(distribution, trial.params[name])

        check()

    def test_order_of_the_history_does_not_matter(self) -> None:
        history = self.run(NESTED, 24)
        answer = self.ask(self.request(number=24, history=history))
        assert self.ask(self.request(number=24, history=history[::-1])) == answer

    def test_history_of_any_kind_is_survived(self) -> None:
        history = list(self.run(NESTED, 24))
        losses = (None, math.nan, math.inf, -math.inf, 1.5, None, 1e308, -1e308, 0.0)
        for trial, status, loss in zip(history, TrialStatus, losses, strict=False):
            history[trial.number] = replace(trial, status=status, objective=loss)
        history[10] = replace(history[10], draw={}, params={"made": "up"})
        history[11] = replace(history[11], draw={})
        answer = self.ask(self.request(number=24, history=tuple(history)))
        assert answer.params == realise(NESTED, answer.draw)

    def test_sequence_does_not_look_at_results(self) -> None:
        if not self.sequence:
            seeds = [self.ask(self.request(number=3, seed=seed)).draw for seed in range(8)]
            assert any(draw != seeds[0] for draw in seeds)
            return
        finished = self.run(NESTED, 12)
        pending = tuple(
            replace(trial, status=TrialStatus.RUNNING, objective=None) for trial in finished[:5]
        )
        alone = self.ask(self.request(number=12))
        assert self.ask(self.request(number=12, history=finished)) == alone
        assert self.ask(self.request(number=12, history=pending)) == alone

    def test_checks_and_advice_are_sentences(self) -> None:
        sampler = get_sampler(self.sampling.algorithm)
        assert sampler.check(NESTED, self.sampling) == []
        for limits in (Limits(5, 1), Limits(5000, 1000)):
            for sentence in sampler.advise(NESTED, limits):
                assert sentence.endswith(".")

    def test_asking_in_another_process_gives_the_same_point(self) -> None:
        """Neither hash randomisation nor a global generator's state takes part."""
        code = (
            "from tests.domain.samplers.contract import *\n"
            f"class C(SamplerContract): sampling = {self.sampling!r}\n"
            "print(json.dumps([dict(t.draw) for t in C().run(NESTED, 23)]))"
        )
        other = subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": "1", "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        )
        assert json.loads(other.stdout) == [dict(trial.draw) for trial in self.run(NESTED, 23)]
