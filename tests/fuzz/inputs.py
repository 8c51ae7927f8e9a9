"""Job files that went wrong: real ones, changed as bytes, as lines and as documents."""

import copy
import json
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sweeps.spec.writer import to_yaml
from sweeps.spec.yaml_text import load
from tests.spec.test_katib import RANDOM as KATIB
from tests.spec.test_optuna import JOB as OPTUNA
from tests.spec.test_python_writer import RICH
from tests.spec.test_reader import COMPONENT, IRIS, JOB
from tests.spec.test_wandb import SWEEP

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "iris_lightgbm" / "job-sweep.yml"
_OPTUNA = OPTUNA.replace("VALUE", "{type: int, low: 1, high: 64, log: true}")
CORPUS = (
    SWEEP, KATIB, _OPTUNA.replace("ALGORITHM", "random"), JOB, IRIS, to_yaml(RICH),
    EXAMPLE.read_text(), f"type: sweep\n{COMPONENT}",
)  # fmt: skip
WHOLE = len(CORPUS) - 1  # so many of them are read as they are
DOCUMENTS = tuple(load(text).document for text in CORPUS)

TOKENS = (
    b"&a ", b"*a", b"<<: ", b"!!python/object:os.system ", b"---\n", b"? ", b"- ", b"[", b"]", b"{",
    b"}", b": ", b"#", b"|\n", b">\n", b"'", b'"', b"\t", b"\0", b"\xff\xfe", b"\xed\xa0\x80",
    b"\xef\xbb\xbf", b"${{", b"}}", b"$[[", b"]]", b"${{search_space.lr}}", b"{inputs.a}", b"1e999",
    b".nan", b"-.inf", b"9" * 400, b"%YAML 1.1\n", b"\\", b";", b"\xe2\x80\xa8", b"0x1f", b"null",
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**63, 10**400, 1e308, -1e-320, float("nan"), float("inf"), "",
    " ", "x", "\0", "\ud800", "1e-3", "NaN", "-5", "${{search_space.lr}}", "${{", "$[[", "a; b",
    "'", "x" * 5000, "random", "sobol", "choice", "uniform", "bandit", "PT1H", "azureml:", [], {},
    [[]], [{}], [None], {"type": "choice"},
    {"type": "choice", "values": [{"a": {"type": "choice"}}]},
    {"": ""}, {"type": None}, {"a": {"a": {"a": {}}}}, ["x"] * 300,
)  # fmt: skip


def truncated(draw: random.Random, raw: bytes) -> bytes:
    return raw[: draw.randrange(len(raw) + 1)]


def flipped(draw: random.Random, raw: bytes) -> bytes:
    changed = bytearray(raw)
    for _ in range(draw.randint(1, 8)):
        changed[draw.randrange(len(changed))] = draw.randrange(256)
    return bytes(changed)


def with_tokens(draw: random.Random, raw: bytes) -> bytes:
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(raw) + 1)
        raw = raw[:at] + draw.choice(TOKENS) * draw.choice((1, 1, 1, 3, 50)) + raw[at:]
    return raw


def with_lines(draw: random.Random, raw: bytes) -> bytes:
    """Lines dropped, doubled, indented, shuffled and from another file."""
    lines = raw.split(b"\n")
    for _ in range(draw.randint(1, 5)):
        at = draw.randrange(len(lines))
        other = draw.choice(CORPUS).encode().split(b"\n")
        lines[at : at + 1] = draw.choice(
            ([], [lines[at]] * 2, [b"  " + lines[at]], [lines[at].strip()], [draw.choice(other)])
        ) or [b""]
    return b"\n".join(lines)


def huge(draw: random.Random, raw: bytes) -> bytes:
    at, size = draw.randrange(len(raw)), draw.randint(1, 30)
    piece = raw[at : at + size] or b"["
    return raw[:at] + piece * draw.randint(1, 300_000 // len(piece)) + raw[at:]


def noise(draw: random.Random, raw: bytes) -> bytes:
    return draw.randbytes(draw.randint(0, 2000))


BYTES: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    truncated, flipped, with_tokens, with_lines, noise,
)  # fmt: skip
# One in so many inputs is a huge one, for these take the longest.
RARE = 50


def document(draw: random.Random, documents: Sequence[Any] = DOCUMENTS) -> Any:
    """One of the documents, with wrong things at some of its keys."""
    doc = copy.deepcopy(draw.choice(documents))
    for _ in range(draw.randint(1, 4)):
        part = doc
        while True:
            keys = list(part) if isinstance(part, dict) else list(range(len(part)))
            if not keys:
                break
            key = draw.choice(keys)
            if not isinstance(part[key], dict | list) or draw.random() < 0.3:
                _spoil(draw, part, key)
                break
            part = part[key]
    return doc


def _spoil(draw: random.Random, part: Any, key: Any) -> None:
    """Another value at a key, the key away, another key, or all of it deep inside."""
    kind = draw.randrange(6)
    if kind == 0:
        del part[key]
    elif kind == 1 and isinstance(part, dict):
        part[draw.choice((f"{key}s", str(key)[:-1], "k" * 3000, ""))] = part[key]
    elif kind == 2:
        for _ in range(draw.choice((1, 9, 40))):
            part[key] = {draw.choice(("type", "values", "a")): part[key]}
    else:
        part[key] = copy.deepcopy(draw.choice(ODD))


def file_of(draw: random.Random) -> bytes:
    """One file: spoiled as bytes, or as a document that is written as JSON (which is YAML)."""
    if draw.random() < 0.4:
        return json.dumps(document(draw)).encode()
    raw = draw.choice(CORPUS).encode()
    if draw.randrange(RARE) == 0:
        return huge(draw, raw)
    for _ in range(draw.randint(1, 2)):
        raw = draw.choice(BYTES)(draw, raw) or b"\n"
    return raw
