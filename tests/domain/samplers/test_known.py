"""What samplers know of the other trials, and which of very many they look at."""

import math
import random
import statistics

import pytest

from sweeps.domain.records import TrialRecord
from sweeps.domain.samplers import thinning
from sweeps.domain.samplers.bayesian import lessons_of
from sweeps.domain.samplers.draws import prior_draw, uniforms
from sweeps.domain.samplers.estimator import GAMMA, estimator_of
from sweeps.domain.samplers.known import Known
from sweeps.domain.samplers.thinning import MOST_GOOD, NEWEST, gamma_for, good
from sweeps.domain.space import Draw, leaves
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import TrialStatus
from tests.domain.samplers.contract import LOSS

LINE = parse_space({"x": {"type": "uniform", "min_value": 0, "max_value": 1}})


def trial(
    number: int, x: float, status: TrialStatus = TrialStatus.COMPLETED, loss: float = 1.0
) -> TrialRecord:
    return TrialRecord(number, status, {"x": x}, {"x": x}, objective=loss)


def test_what_is_learned_last_holds() -> None:
    known = Known.of(LINE, [trial(0, 0.5, TrialStatus.RUNNING), trial(1, 0.25)])
    known.learn(trial(0, 0.5, loss=3.0))
    assert [(s.number, s.objective, s.pending) for s in known.lessons()] == [
        (0, 3.0, False),
        (1, 1.0, False),
    ]
    assert (len(known), known.points) == (2, 2)


def test_two_trials_at_one_point_are_one_point() -> None:
    known = Known.of(LINE, [trial(0, 0.5), trial(1, 0.5), trial(2, 0.5, TrialStatus.CANCELED)])
    assert (len(known), known.points) == (3, 1)
    assert known.tried({"x": 0.5})
    assert not known.tried({"x": 0.6})
    assert [s.number for s in known.lessons()] == [0, 1]


def test_what_is_supposed_holds_until_its_end_whatever_ends_it() -> None:
    known = Known.of(LINE, [trial(0, 0.5), trial(1, 0.25, TrialStatus.RUNNING)])
    before = known.lessons()

    def suppose() -> None:
        with known.supposing():
            known.learn(trial(1, 0.75))
            known.learn(trial(2, 0.1))
            assert known.tried({"x": 0.75})
            assert known.tried({"x": 0.1})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        suppose()
    assert known.lessons() == before
    assert known.tried({"x": 0.25})
    assert not known.tried({"x": 0.1})


def test_points_that_people_picked_are_counted_by_number() -> None:
    picked = TrialRecord(3, TrialStatus.COMPLETED, {"x": 0.5}, {}, objective=1.0)
    known = Known.of(LINE, [trial(0, 0.1), picked, trial(4, 0.2)])
    assert [known.picked_before(number) for number in (3, 4, 9)] == [0, 1, 1]


def many(count: int) -> list[TrialRecord]:
    """Every tenth is running, and every eleventh failed."""
    rng = random.Random(5)
    found = []
    for number in range(count):
        status = TrialStatus.COMPLETED
        if number % 10 == 0:
            status = TrialStatus.RUNNING
        elif number % 11 == 0:
            status = TrialStatus.FAILED
        found.append(trial(number, rng.random(), status, rng.random()))
    return found


@pytest.fixture
def most(monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(thinning, "MOST", 1_000)
    return 1_000


def test_of_many_trials_the_best_the_newest_and_the_unfinished_are_looked_at(most: int) -> None:
    history = many(2_000)
    lessons = lessons_of(Known.of(LINE, history), LOSS)
    numbers = lessons.numbers.tolist()
    assert len(numbers) == most
    assert numbers == sorted(set(numbers))
    done = [t for t in history if t.status is TrialStatus.COMPLETED]
    best = sorted(done, key=lambda t: t.objective or 0.0)[: good(2_000, GAMMA)]
    running = [t for t in history if t.status is TrialStatus.RUNNING]
    assert {t.number for t in (*best, *running, *history[-NEWEST:])} <= set(numbers)
    assert (lessons.count, lessons.measured) == (2_000, len(done))


def test_the_sample_changes_as_little_as_it_can(most: int) -> None:
    """One more trial moves the sample by that one and what it takes the place of."""
    history = many(2_000)
    known = Known.of(LINE, history[:-1])
    before = set(lessons_of(known, LOSS).numbers.tolist())
    known.learn(history[-1])
    after = set(lessons_of(known, LOSS).numbers.tolist())
    assert len(before) == len(after) == most
    assert len(before - after) <= 3


def test_few_trials_are_all_looked_at(most: int) -> None:
    lessons = lessons_of(Known.of(LINE, many(most)), LOSS)
    assert lessons.numbers.tolist() == list(range(most))


def test_nothing_is_known_at_first() -> None:
    lessons = lessons_of(Known(LINE), LOSS)
    assert (len(lessons.numbers), lessons.count, lessons.measured) == (0, 0, 0)


@pytest.mark.parametrize("count", [5_001, 7_000, 100_000])
def test_as_many_trials_are_good_as_without_a_sample(count: int) -> None:
    kept = thinning.MOST
    taken = min(math.ceil(gamma_for(kept, count, GAMMA) * math.sqrt(kept)), MOST_GOOD)
    assert taken == good(count, GAMMA)
    assert gamma_for(count, count, GAMMA) == GAMMA


SPACE = parse_space(
    {
        "x": {"type": "uniform", "min_value": -3, "max_value": 3},
        "n": {"type": "quniform", "min_value": 0, "max_value": 20, "q": 1},
        "c": {"type": "choice", "values": ["a", "b", "c"]},
    }
)


def loss_at(draw: Draw) -> float:
    return (draw["x"] - 1) ** 2 + (draw["n"] - 7) ** 2 / 40 + (draw["c"] != 1)


def proposed(known: Known) -> float:
    """How good the points are that are proposed for the next trial."""
    lessons = lessons_of(known, LOSS)
    asked = (estimator_of(SPACE).draw(lessons, 4_000, seed) for seed in range(5))
    return statistics.median(loss_at(draw) for draw in asked if draw is not None)


def test_a_sample_proposes_as_good_points_as_all_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    """In small; bench/suggestions.py --quality has it in large."""
    histories = []
    for seed in range(3):
        known = Known(SPACE)
        for number in range(4_000):
            draw = prior_draw(SPACE, uniforms(len(leaves(SPACE)), seed, number))
            done = TrialRecord(number, TrialStatus.COMPLETED, {}, draw, objective=loss_at(draw))
            known.learn(done)
        histories.append(known)
    whole = statistics.mean(map(proposed, histories))
    monkeypatch.setattr(thinning, "MOST", 1_000)
    sampled = statistics.mean(map(proposed, histories))
    assert sampled < whole + 0.01
    assert whole < 0.05
