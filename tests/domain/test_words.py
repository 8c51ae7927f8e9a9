"""Objective, limits, durations, states, problems, records, names: the small words."""

import math
import random
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.domain.durations import format_duration, parse_duration
from sweeps.domain.limits import DEFAULT_TIMEOUT_S, Limits
from sweeps.domain.naming import name_problem, new_name, slug, valid_name
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.problems import InvalidInput, Problem
from sweeps.domain.records import TrialRecord
from sweeps.domain.states import (
    FINAL_SWEEP,
    FINAL_TRIAL,
    LIVE_SWEEP,
    LIVE_TRIAL,
    SWEEP_TRANSITIONS,
    TRIAL_TRANSITIONS,
    WINNING_TRIAL,
    SweepStatus,
    TrialStatus,
    sweep_sources,
    trial_sources,
)

LOW, HIGH = Objective("loss", Goal.MINIMIZE), Objective("acc", Goal.MAXIMIZE)
NONFINITE = (math.nan, math.inf, -math.inf)


@pytest.mark.parametrize("bad", NONFINITE)
def test_non_finite_values_never_win(bad: float) -> None:
    for objective in (LOW, HIGH):
        assert not objective.is_better(bad, None)
        assert not objective.is_better(bad, 1.0)
        assert objective.is_better(1.0, bad)
        assert objective.best([bad, 3.0, bad]) == 3.0
        assert objective.best([bad]) is None


def test_best_follows_the_goal_and_ties_do_not_win() -> None:
    values = [3.0, 1.0, math.nan, 2.0]
    assert (LOW.best(values), HIGH.best(values), LOW.best([])) == (1.0, 3.0, None)
    assert not LOW.is_better(1.0, 1.0)
    assert not HIGH.is_better(1.0, 1.0)
    assert (LOW.loss(2.0), HIGH.loss(2.0)) == (2.0, -2.0)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("max_total_trials", 0, "Must be from 1 to 100,000, but got 0."),
        ("max_total_trials", -1, "Must be from 1 to 100,000, but got -1."),
        ("max_total_trials", 100_001, "Must be from 1 to 100,000, but got 100001."),
        ("max_concurrent_trials", 0, "Must be from 1 to 1,000, but got 0."),
        ("max_concurrent_trials", 1001, "Must be from 1 to 1,000, but got 1001."),
        ("timeout", 0, "Must be at least 1 second, but got 0."),
        ("trial_timeout", -1, "Must be at least 1 second, but got -1."),
    ],
)
def test_limits_out_of_range_are_named(field: str, value: int, message: str) -> None:
    numbers = {"max_total_trials": 1, "max_concurrent_trials": 1, field: value}
    with pytest.raises(InvalidInput) as caught:
        Limits(**numbers)
    assert [(p.field, p.message) for p in caught.value.problems] == [(field, message)]


def test_limits_at_their_ends_are_fine_and_all_problems_are_told() -> None:
    assert Limits(1, 1).timeout == DEFAULT_TIMEOUT_S
    assert Limits(100_000, 1_000, 1, 1).trial_timeout == 1
    with pytest.raises(InvalidInput) as caught:
        Limits(0, 0, 0, 0)
    assert len(caught.value.problems) == 4


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90),
        (" 0 ", 0),
        ("90s", 90),
        ("5m", 300),
        ("2h 30m", 9000),
        ("2h30m", 9000),
        ("1d", 86400),
        ("1.5h", 5400),
        ("1 Day 2 hours 3 min 4 secs", 93784),
    ],
)
def test_durations_are_read_as_typed(text: str, seconds: int) -> None:
    assert parse_duration(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "-5",
        "5x",
        "h",
        "1h 30",
        "500ms",
        "5 months",
        "1e3",
        "nan",
        "9" * 5000,
        "9" * 400 + "d",
    ],
)
def test_other_texts_are_no_durations(text: str) -> None:
    with pytest.raises(ValueError, match=r"Write it like 90s, 5m or 2h 30m\.$"):
        parse_duration(text)


@settings(max_examples=50, deadline=None, derandomize=True, database=None)
@given(st.integers(0, 10**8))
def test_durations_survive_the_round_trip(seconds: int) -> None:
    assert parse_duration(format_duration(seconds)) == seconds


def test_durations_are_written_short() -> None:
    assert [format_duration(s) for s in (0, 59, 60, 9000, 86401)] == [
        "0s", "59s", "1m", "2h 30m", "1d 1s",
    ]  # fmt: skip


def test_tables_of_states_are_complete_and_consistent() -> None:
    assert set(SWEEP_TRANSITIONS) == set(SweepStatus)
    assert set(TRIAL_TRANSITIONS) == set(TrialStatus)
    assert set(SweepStatus) == FINAL_SWEEP | LIVE_SWEEP
    assert set(TrialStatus) == FINAL_TRIAL | LIVE_TRIAL
    assert WINNING_TRIAL <= FINAL_TRIAL
    for tables in (SWEEP_TRANSITIONS, TRIAL_TRANSITIONS):
        assert all(status not in targets for status, targets in tables.items())


def test_every_live_state_can_come_to_an_end() -> None:
    for sweep in LIVE_SWEEP:
        assert SWEEP_TRANSITIONS[sweep] >= FINAL_SWEEP
    assert all(TrialStatus.CANCELED in TRIAL_TRANSITIONS[trial] for trial in LIVE_TRIAL)


def test_ended_sweeps_only_come_back_running_and_completed_trials_never() -> None:
    for sweep in FINAL_SWEEP:
        assert SWEEP_TRANSITIONS[sweep] == {SweepStatus.RUNNING}
    assert TRIAL_TRANSITIONS[TrialStatus.COMPLETED] == frozenset()
    for trial in FINAL_TRIAL - {TrialStatus.COMPLETED}:
        assert TRIAL_TRANSITIONS[trial] == {TrialStatus.QUEUED}


def test_stopping_sweeps_start_nothing_again() -> None:
    assert SWEEP_TRANSITIONS[SweepStatus.STOPPING] == FINAL_SWEEP
    assert sweep_sources(SweepStatus.STOPPING) == LIVE_SWEEP - {SweepStatus.STOPPING}


def test_results_come_from_attempts_only() -> None:
    active = {TrialStatus.STARTING, TrialStatus.RUNNING}
    for result in (TrialStatus.COMPLETED, TrialStatus.TIMED_OUT, TrialStatus.LOST):
        assert trial_sources(result) == active
    assert {s for s in TrialStatus if s.is_active} == active
    assert trial_sources(TrialStatus.RUNNING) == {TrialStatus.STARTING}


def test_problems_say_where() -> None:
    inner = Problem("lr.q", "Is required.", line=3)
    assert str(inner) == "line 3: lr.q: Is required."
    assert inner.under("search_space").field == "search_space.lr.q"
    assert Problem("", "Bad.").under("limits") == Problem("limits", "Bad.")
    assert inner.under("") is inner
    error = InvalidInput([inner, Problem("", "Bad.")])
    assert str(error) == "line 3: lr.q: Is required.; Bad."


def test_records_measure_their_duration_when_both_ends_are_known() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    done = TrialRecord(
        0, TrialStatus.COMPLETED, {}, started_at=start, ended_at=start + timedelta(minutes=2)
    )
    assert done.duration_s == 120
    assert TrialRecord(0, TrialStatus.RUNNING, {}, started_at=start).duration_s is None


def test_new_names_are_readable_valid_and_fixed_by_the_generator() -> None:
    names = [new_name(random.Random(seed)) for seed in range(200)]
    assert len(set(names)) == 200
    for name in names:
        adjective, noun, tail = name.split("_")
        assert adjective.isalpha()
        assert noun.isalpha()
        assert len(tail) == 10
        assert valid_name(name)
    assert new_name(random.Random(3)) == names[3]


@pytest.mark.parametrize("name", ["a", "A-1_b", "0", "x" * 255, "newer"])
def test_good_names(name: str) -> None:
    assert valid_name(name)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "Give a name."),
        ("x" * 256, "at most 255 characters long, but got 256"),
        ("a b", "“a b” cannot be a name. Use letters, digits, - and _"),
        ("a/b", "cannot be a name"),
        ("a\n", "cannot be a name"),
        ("é", "cannot be a name"),
        ("-a", "cannot be a name"),
        ("..", "cannot be a name"),
        ("new", "taken by a page"),
    ],
)
def test_bad_names_are_explained(name: str, message: str) -> None:
    assert message in (name_problem(name) or "")
    assert not valid_name(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Iris – LightGBM!", "iris-lightgbm"),
        ("Éa_b  c", "ea_b-c"),
        ("../..", "unnamed"),
        ("日本", "unnamed"),
        ("new", "new-1"),
        ("a" * 59 + "-b", "a" * 59),
    ],
)
def test_slugs_are_names(text: str, expected: str) -> None:
    assert slug(text) == expected
    assert valid_name(slug(text))
