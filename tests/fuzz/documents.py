"""Whole job documents by Hypothesis: fine ones of every dialect, and slightly broken ones."""

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from sweeps.spec.writer import dump, job_to_doc
from tests.fuzz.inputs import DOCUMENTS, ODD, TOKENS, WHOLE
from tests.fuzz.reading import Report, read_one
from tests.spec.spaces import jobs

Path = tuple[str | int, ...]
# Jobs that the studio wrote, and files as people and other tools write them.
fine = jobs.map(job_to_doc) | st.sampled_from(DOCUMENTS[:WHOLE])
KEYS = (
    "type", "values", "trial", "studio", "search_space", "limits", "properties", "component",
    "method", "parameters", "metric", "environment", "inputs", "min_value", "$schema", "<<",
)  # fmt: skip
plain = (
    st.sampled_from(ODD).map(copy.deepcopy)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
)
anything = st.recursive(
    plain,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(
        st.sampled_from(KEYS) | st.text(max_size=6), inner, max_size=4
    ),
    max_leaves=8,
)  # fmt: skip


def paths(part: Any, path: Path = ()) -> Iterator[Path]:
    """Where every value of a document stands, the outermost first."""
    items = part.items() if isinstance(part, dict) else enumerate(part)
    for key, value in items:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from paths(value, (*path, key))


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A fine document with one to three of its parts gone, renamed, replaced or buried."""
    doc = copy.deepcopy(draw(fine | st.sampled_from(DOCUMENTS)))
    for _ in range(draw(st.integers(1, 3))):
        found = list(paths(doc))
        if not found:
            return draw(anything)
        *parents, key = draw(st.sampled_from(found))
        part = doc
        for parent in parents:
            part = part[parent]
        _spoil(draw, part, key)
    return doc


def _spoil(draw: st.DrawFn, part: Any, key: str | int) -> None:
    kind = draw(st.sampled_from(("gone", "other", "other", "unknown", "renamed", "deep", "listed")))
    if kind == "gone":
        del part[key]
    elif kind == "other":
        part[key] = draw(anything)
    elif kind == "deep":
        for _ in range(draw(st.sampled_from((1, 5, 31, 33, 200)))):
            part[key] = {draw(st.sampled_from(KEYS)): part[key]}
    elif kind == "listed":
        large = isinstance(part[key], dict | list)
        part[key] = [part[key]] * draw(st.sampled_from((1, 2, 2 if large else 300)))
    elif isinstance(part, dict):
        name = draw(st.sampled_from(KEYS) | st.text(max_size=8) | st.just("k" * 3000))
        part[name] = part.pop(key) if kind == "renamed" else draw(anything)


def _bombs(depth: int) -> list[bytes]:
    """What grows when it is read: aliases of aliases, brackets, keys, digits."""
    lines = [f"k{n}: &k{n} [" + ", ".join([f"*k{n - 1}"] * 9) + "]" for n in range(1, depth)]
    return [
        "\n".join(["k0: &k0 x", *lines]).encode(),
        b"[" * 10**depth, b"{a: " * 10**depth, b"- " * 10**depth, b"? " * 10**depth,
        b"a:\n" * 10**depth, b"9" * 10**depth, b'"' + b"\\x41" * 10**depth, b"- 1\n" * 10**depth,
        b"x: " + b"!" * 10**depth, b"a: |\n" + b" x\n" * 10**depth, b"<<: " * 10**depth,
    ]  # fmt: skip


bombs = st.integers(1, 4).flatmap(lambda depth: st.sampled_from(_bombs(depth)))
tokens = st.sampled_from(TOKENS) | st.binary(max_size=4) | bombs


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """The bytes of a file: a document as YAML or JSON, perhaps cut off or with a token in it."""
    doc = draw(fine | spoiled())
    raw = _written(doc)
    if draw(st.booleans()):
        return raw
    at = draw(st.integers(0, len(raw)))
    rest = draw(st.sampled_from((raw[at:], raw[at + 1 :], b"")))
    return raw[:at] + draw(tokens) + rest


def searched(examples: int, seed: int) -> Report:
    """The report on so many files; `seed` makes them all."""
    report = Report()

    @seeded(seed)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(files())
    def one(raw: bytes) -> None:
        report.inputs += 1
        read_one(raw, report, f"{raw[:2000]!r}")

    one()
    return report


def _written(doc: Any) -> bytes:
    """As YAML where that can say it, else as JSON with what it cannot say either."""
    try:
        return dump(doc).encode()
    except (AttributeError, TypeError, ValueError, RecursionError):
        return json.dumps(doc).encode()
