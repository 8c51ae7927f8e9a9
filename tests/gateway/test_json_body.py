"""Values of a body are counted before they are made."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeps.gateway.json_body import TooManyValues, read

LISTS = b'{"run_id":"a","x":[' + b",".join([b"[[[]]]"] * 200_000) + b"]}"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=6), inner),
)


def count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(map(count, value.values()))
    return 1 + sum(map(count, value)) if isinstance(value, list) else 1


@given(VALUES, st.booleans())
def test_what_holds_no_more_values_than_it_may_is_read(value: Any, plain: bool) -> None:
    text = json.dumps({"": value}, ensure_ascii=plain)
    assert read(text.encode(errors="surrogatepass"), count({"": value})) == {"": value}
    twice = json.dumps(text).encode()
    assert read(twice, count({"": value})) == {"": value}, "as old clients encode it"


@pytest.mark.parametrize(
    "body",
    [
        LISTS,
        json.dumps(LISTS.decode()).encode(),
        b"[" * 200_000,
        b'{"":' * 200_000,
        b"[" + b'"",' * 200_000,
        b"[1" + b",1" * 200_000 + b"]",
        b'["a\\"",' + b'"b",' * 200_000 + b'"c]',
        b'["' + b'\\"' * 100_000 + b'",' + b"[]," * 200_000 + b'"',
    ],
)
def test_more_are_not_made(body: bytes) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(TooManyValues, match=r"too many values: 20,000 at most"):
            read(body, 20_000)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(body) + 2**20
    finally:
        tracemalloc.stop()


def test_commas_and_brackets_within_texts_are_no_values() -> None:
    text = {"schema": json.dumps({"columns": [[1, 2], {}] * 20_000}), "end": "\\"}
    assert read(json.dumps(text).encode(), 5) == text


@pytest.mark.parametrize("code", ["utf-16", "utf-32", "utf-16-le"])
def test_other_encodings_are_not_json(code: str) -> None:
    with pytest.raises(ValueError):
        read('{"a": "∀"}'.encode(code), 100)


@pytest.mark.parametrize("body", [b'{"a": "b', b'"a', b"", b'{"a": "\\'])
def test_what_breaks_off_is_not_json(body: bytes) -> None:
    with pytest.raises(ValueError):
        read(body, 100)
