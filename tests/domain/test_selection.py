"""A selection is read from a query string and written back; a board is filtered by it."""

import numpy as np
import pytest

from sweeps.domain.board import Board, Column, holds
from sweeps.domain.problems import InvalidInput
from sweeps.domain.selection import Condition, Selection, read_selection, word_of, write_selection

PAIRS = [
    ("status", "Completed"),
    ("status", "Failed"),
    ("q", "out of memory"),
    ("in", "params.lr:0.02..0.2"),
    ("in", "params.lr:0.5.."),
    ("is", "params.boosting:dart"),
    ("is", "params.boosting:a:b"),
    ("no", "params.drop"),
    ("no", "params.boosting"),
    ("in", "metrics.val%3Aauc:..0.9"),
    ("tag", "keep"),
    ("pinned", "1"),
    ("only", "1"),
    ("t", "3,7"),
    ("sort", "-objective"),
]


def test_a_query_string_is_read_and_written_back() -> None:
    found = read_selection(iter(PAIRS))
    assert found.conditions == (
        Condition("params.lr", ((0.02, 0.2), (0.5, None))),
        Condition("metrics.val:auc", ((None, 0.9),)),
        Condition("params.boosting", words=("dart", "a:b"), missing=True),
        Condition("params.drop", missing=True),
    )
    assert (found.statuses, found.text, found.picked) == (
        ("Completed", "Failed"), "out of memory", (3, 7),
    )  # fmt: skip
    assert read_selection(write_selection(found)) == found
    assert read_selection([]) == Selection()
    assert write_selection(Selection()) == []


def test_an_empty_signature_is_meant() -> None:
    assert read_selection([("signature", "")]).signature == ""
    assert read_selection([("signature", "")]).is_filtered
    assert not read_selection([("t", "3")]).is_filtered


@pytest.mark.parametrize(
    ("word", "text", "said"),
    [
        ("in", "params.lr", "Write a range like"),
        ("in", "params.lr:..", "Write a range like"),
        ("in", "params.lr:a..b", "“a” is no number"),
        ("in", "params.lr:nan..1", "“nan” is no number"),
        ("in", "speed:1..2", "“speed” is nothing to filter by"),
        ("in", "params.:1..2", "“params.” is nothing to filter by"),
        ("is", "params.kind", "Write a value like"),
        ("no", "kind", "nothing to filter by"),
        ("status", "Gone", "“Gone” is not a status"),
    ],
)
def test_what_makes_no_sense_is_said_of_its_word(word: str, text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_selection([(word, text)])
    [problem] = caught.value.problems
    assert problem.field == word
    assert said in problem.message


def test_conditions_hold_of_numbers_words_and_nothing() -> None:
    column = Column([0.1, 5, None, "dart", True, "5"])
    kept = lambda **given: holds(Condition("params.x", **given), column).tolist()  # noqa: E731
    assert kept(spans=((0.1, 5.0),)) == [True, True, False, False, False, False]
    assert kept(spans=((None, 1.0),)) == [True, False, False, False, False, False]
    assert kept(words=("dart", "true")) == [False, False, False, True, True, False]
    assert kept(words=("5",)) == [False, True, False, False, False, True]
    assert kept(missing=True) == [False, False, True, False, False, False]
    assert kept(spans=((None, 1.0),), missing=True) == [True, False, True, False, False, False]
    floats = np.array([1.0, np.nan, 3.0])
    assert holds(Condition("objective", ((2.0, None),)), floats).tolist() == [False, False, True]
    assert holds(Condition("objective", missing=True), floats).tolist() == [False, True, False]


def test_words_are_the_values_themselves() -> None:
    assert [word_of(value) for value in ("dart", 5, 0.1, True)] == ["dart", "5", "0.1", "true"]


def board(numbers: list[int], objective: list[float], status: list[int]) -> Board:
    nothing = np.full(len(numbers), np.nan)
    whole = np.array(numbers, dtype=np.int64)
    times = (nothing, nothing)
    return Board(
        1, whole, np.array(status), np.array(objective), nothing, whole, nothing, *times, {}
    )


def test_the_best_come_first_the_lower_number_among_equals() -> None:
    done, failed = 3, 4
    found = board([0, 1, 2, 3], [0.5, 0.2, 0.2, 0.1], [done, done, done, failed])
    assert found.best_first(minimize=True).tolist() == [1, 2, 0]
    assert found.best_first(minimize=False).tolist() == [0, 1, 2]
    assert found.having(["Failed"]).tolist() == [False, False, False, True]
    assert found.rows_of([3, 9, 0]).tolist() == [3, 0]
    assert board([], [], []).rows_of([3]).tolist() == []
