"""How messages echo values: in nobody's programming language, and never at length."""

import math
from datetime import date

import pytest

from sweeps.domain.wording import LONGEST, cut, kind_of, listed, plain, shown

LOOP: list[object] = []
LOOP.append(LOOP)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("dart", "“dart”"),
        ("", "“”"),
        ("two\nlines\tand \0", "“two lines and \ufffd”"),
        ("\ud800", "“\ufffd”"),
        (None, "nothing"),
        (True, "true"),
        (False, "false"),
        (5, "5"),
        (0.05, "0.05"),
        (1e-05, "1e-05"),
        (math.nan, "NaN"),
        (math.inf, "Infinity"),
        (-math.inf, "-Infinity"),
        ([True, None, "ä"], '[true, null, "ä"]'),
        ((1, 2), "[1, 2]"),
        ({"a": {"b": False}}, '{"a": {"b": false}}'),
        ({"day": date(2026, 3, 1)}, '{"day": "2026-03-01"}'),
        (date(2026, 3, 1), "2026-03-01"),
        ({(1, 2): 3}, "a mapping"),
        (LOOP, "a list"),
        pytest.param(10**5000, "a number", id="a mile of digits"),
    ],
)
def test_values_are_shown_as_people_write_them(value, text):
    assert shown(value) == text


@pytest.mark.parametrize(
    "value",
    ["x" * 10_000, pytest.param(10**300, id="300 digits"), ["x"] * 10_000, {"k": "v" * 500}],
)
def test_long_values_are_cut(value):
    text = shown(value)
    assert text.removesuffix("”").endswith("…")
    assert len(text) <= LONGEST + 3


def test_what_just_fits_is_whole():
    assert cut("x" * LONGEST) == "x" * LONGEST
    assert cut("x" * (LONGEST + 1)) == "x" * LONGEST + "…"


def test_values_of_a_list_have_no_quotes():
    assert (plain("dart"), plain(True), plain(5)) == ("dart", "true", "5")


def test_many_names_are_counted():
    assert listed(["a", "b"]) == "a, b"
    assert listed(map(str, range(1010))) == "0, 1, 2, 3, 4, 5, 6, 7 and 1,002 more"
    assert listed(["x" * 99]).endswith("…")


@pytest.mark.parametrize(
    ("value", "word"),
    [("x", "text"), (1, "a number"), (0.5, "a number"), (True, "true or false"), ([], "a list"),
     ({}, "a mapping"), (None, "nothing"), (object(), "something else")],
)  # fmt: skip
def test_kinds_have_words(value, word):
    assert kind_of(value) == word
