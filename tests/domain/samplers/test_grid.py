"""Grid: every point once, in a fixed order."""

import json

import pytest

from sweeps.domain.job import Sampling
from sweeps.domain.limits import Limits
from sweeps.domain.records import TrialRecord
from sweeps.domain.samplers.base import Exhausted
from sweeps.domain.samplers.grid import GridSampler
from sweeps.domain.space import grid_size
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import TrialStatus
from tests.domain.samplers.contract import NESTED, NESTED_SIZE, SamplerContract


class TestGrid(SamplerContract):
    sampling = Sampling("grid")
    kinds = ("choice", "randint")

    def test_last_parameter_varies_fastest(self) -> None:
        space = parse_space(
            {
                "a": {"type": "choice", "values": ["x", "y"]},
                "b": {"type": "randint", "upper": 3},
            }
        )
        points = [tuple(trial.params.values()) for trial in self.run(space, 10)]
        assert points == [("x", 0), ("x", 1), ("x", 2), ("y", 0), ("y", 1), ("y", 2)]

    def test_nested_space_is_covered_once(self) -> None:
        points = [json.dumps(trial.params) for trial in self.run(NESTED, 1000)]
        assert len(points) == len(set(points)) == NESTED_SIZE == grid_size(NESTED)

    def test_end_of_the_grid_is_said(self) -> None:
        answer = GridSampler().suggest(self.request(number=NESTED_SIZE))
        assert answer == Exhausted("all 30 points of the grid have been tried")

    def test_points_that_people_picked_do_not_use_the_grid_up(self) -> None:
        picked = tuple(
            TrialRecord(n, TrialStatus.COMPLETED, {"model": "mine", "flag": True}) for n in (2, 5)
        )
        assert self.ask(self.request(number=6, history=picked)) == self.ask(self.request(number=4))
        assert self.ask(self.request(number=3, history=picked)) == self.ask(self.request(number=2))

    def test_far_points_cost_as_little_as_near_ones(self) -> None:
        space = parse_space({f"p{i}": {"type": "randint", "upper": 1000} for i in range(20)})
        params = self.ask(self.request(space, number=1_002_003)).params
        assert list(params.values())[-3:] == [1, 2, 3]


def test_ranges_are_refused_by_name() -> None:
    space = parse_space(
        {
            "learning_rate": {"type": "uniform", "min_value": 0, "max_value": 1},
            "m": {
                "type": "choice",
                "values": ["a", {"c": {"type": "normal", "mu": 0, "sigma": 1}}],
            },
        }
    )
    problems = GridSampler().check(space, Sampling("grid"))
    assert [str(p) for p in problems] == [
        "search_space.learning_rate: Grid needs every parameter to be a choice; "
        "learning_rate is uniform.",
        "search_space.m.values[1].c: Grid needs every parameter to be a choice; m.c is normal.",
    ]


@pytest.mark.parametrize(
    ("trials", "expected"),
    [(50, "ends after 30 trials"), (10, "only the first 10 are tried")],
)
def test_difference_between_grid_and_trials_is_said(trials: int, expected: str) -> None:
    notes = GridSampler().advise(NESTED, Limits(trials, 1))
    assert expected in notes[0]
    assert "model.kernel.degree is randint" in notes[-1]
    assert not any(
        "only" in n and "tried" in n for n in GridSampler().advise(NESTED, Limits(30, 1))
    )
