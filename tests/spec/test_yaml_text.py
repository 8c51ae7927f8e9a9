"""YAML from strangers: plain data with positions, and refusals that come quickly."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sweeps.domain.problems import InvalidInput, Problem
from sweeps.spec.yaml_text import MAX_BYTES, MAX_DEPTH, load


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 0.001), ("1.0e-3", 0.001), ("1E5", 1e5), (".5", 0.5), ("5.", 5.0), ("-2.5", -2.5),
        ("010", 10), ("-7", -7), ("+7", 7), ("0", 0), ("1_000", "1_000"), ("0x10", "0x10"),
        ("0o7", "0o7"), ("1:30", "1:30"), ("12345678901234567890", 12345678901234567890),
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"), ("NO", "NO"),
        ("true", True), ("True", True), ("FALSE", False), ("tRue", "tRue"),
        ("null", None), ("~", None), ("", None), ('""', ""), ("'1'", "1"), ('"true"', "true"),
        ("2024-01-01", "2024-01-01"), ("1.2.3", "1.2.3"), ("-", [None]), ("=", "="),
        (".inf", float("inf")), ("-.Inf", float("-inf")), ("e", "e"), ("1e", "1e"), (".", "."),
        ("|\n  a\n  b\n", "a\nb\n"), ("[1, a, 2.0]", [1, "a", 2.0]),
        ("{a: {b: 1}}", {"a": {"b": 1}}),
        ("# only a comment", None), ("1: a\n2: b", {"1": "a", "2": "b"}), ("'<<': 1", {"<<": 1}),
        ("١", "١"),
    ],
)  # fmt: skip
def test_scalars_are_read_as_in_yaml_1_2(text: str, value: object) -> None:
    found = load(text).document
    assert found == value
    assert type(found) is type(value)


def test_nan_is_a_number() -> None:
    value = load(".nan").document
    assert value != value


def test_positions_are_those_of_keys_and_items() -> None:
    loaded = load("limits:\n  timeout: 7200\nvalues:\n  - a\n  - {b: 1}\n")
    assert loaded.positions == {
        (): (1, 1),
        ("limits",): (1, 1),
        ("limits", "timeout"): (2, 3),
        ("values",): (3, 1),
        ("values", 0): (4, 5),
        ("values", 1): (5, 5),
        ("values", 1, "b"): (5, 6),
    }


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\x85", "\u2028"])
def test_what_is_missing_at_the_end_is_told_in_the_text(end: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(f"a: [1{end}")
    [problem] = caught.value.problems
    assert (problem.line, problem.column) == ((2, 1) if end else (1, 6))


def test_a_value_that_is_missing_at_the_end_stands_in_the_text() -> None:
    assert load("---\n  ").positions == {(): (2, 3)}


REFUSED = {
    "anchor": ("a: &x 1\n", 1, 4, "Anchors and aliases"),
    "alias": ("a: 1\nb: *x\n", 2, 4, "Anchors and aliases"),
    "merge key": ("a:\n  <<: {b: 1}\n", 2, 3, "Merge keys"),
    "the same key": ("a: 1\nb: 2\na: 3\n", 3, 1, "“a” is there twice"),
    "the same key quoted": ('a: 1\n"a": 3\n', 2, 1, "“a” is there twice"),
    "the same key deeper": ("a:\n  b: 1\n  b: 2\n", 3, 3, "“b” is there twice"),
    "key of a mapping": ("? {a: 1}\n: 2\n", 1, 3, "A key must be plain text"),
    "key of a list": ("? [a]\n: 2\n", 1, 3, "A key must be plain text"),
    "python tag": ("a: !!python/object/apply:os.system [x]\n", 1, 4, "Tags like !!python"),
    "own tag": ("a:\n - !env HOME\n", 2, 4, "Tags like !env are not read"),
    "set": ("a: !!set {b}\n", 1, 4, "Tags like !!set"),
    "binary": ("a: !!binary aGk=\n", 1, 4, "Tags like !!binary"),
    "tag on a key": ("!!python/name:os.system a: 1\n", 1, 1, "Tags like !!python"),
    "open bracket": ("a: [1, 2\n", 2, 1, "This is not YAML"),
    "open quote": ('a: "x\n', 2, 1, "This is not YAML"),
    "tab": ("a:\n\tb: 1\n", 2, 1, "not YAML: a tab cannot indent"),
    "tab in a list": ("a:\n  - b\n\t- c\n", 3, 1, "not YAML: a tab cannot indent"),
    "colon twice": ("a: b: c\n", 1, 5, "not YAML: quote a text with “: ” in it"),
    "two documents": ("a: 1\n---\nb: 2\n", 2, 1, "one document only"),
    "control character": ("a: \x00\n", 1, 4, "This is not YAML"),
    "half a character": ("a: \ud800\n", 1, 4, "This is not YAML"),
    "unknown directive": ("%YAML 3.0\n---\na: 1\n", 1, 1, "This is not YAML"),
}


@pytest.mark.parametrize(("text", "line", "column", "why"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_plain_data_is_refused_where_it_stands(
    text: str, line: int, column: int, why: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(text)
    (problem,) = caught.value.problems
    assert why in problem.message
    assert (problem.line, problem.column) == (line, column)


LAUGHS = "a0: &a0 lol\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n}\n  <<: [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)
BOMBS = {
    "billion laughs": LAUGHS,
    "merge keys": MERGES,
    "brackets": "[" * 20_000,
    "closed brackets": "[" * 20_000 + "]" * 20_000,
    "braces": "{a: " * 20_000,
    "dashes": "- " * 20_000,
    "question marks": "? " * 20_000,
    "stairs": "".join(f"{' ' * n}a:\n" for n in range(600)),
    "too long": "a: " + "x" * MAX_BYTES,
    "too long in bytes": "é" * (MAX_BYTES // 2 + 1),
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_bombs_are_refused_quickly(text: str) -> None:
    start = time.process_time()
    with pytest.raises(InvalidInput):
        load(text)
    assert time.process_time() - start < 1


def test_the_depth_limit_is_the_last_that_fits() -> None:
    assert load("[" * MAX_DEPTH + "]" * MAX_DEPTH).document != []
    with pytest.raises(InvalidInput, match=f"nested more than {MAX_DEPTH} deep"):
        load("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


def test_the_size_limit_is_the_last_that_fits() -> None:
    assert load("#" * MAX_BYTES).document is None
    with pytest.raises(InvalidInput, match="256 KiB"):
        load("#" * (MAX_BYTES + 1))


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from(list("ab1:-?[]{},&*!|>'\"%@`#\n \t~<=.\0\ud800é")), max_size=40))
def test_any_text_is_read_or_refused_with_a_position(text: str) -> None:
    problems: tuple[Problem, ...] = ()
    try:
        load(text)
    except InvalidInput as error:
        problems = error.problems
    assert all((p.line or 0) >= 1 and (p.column or 0) >= 1 for p in problems)
