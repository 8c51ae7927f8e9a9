"""`make fuzz-coverage SECONDS=600`: job files that libFuzzer breeds by the code they reach.

The search runs in a process of its own, with the reader instrumented, which slows it, and libFuzzer
ends that process. Afterwards every file that it kept is read again here, as people's files are, and
watched like those of `make fuzz`.
"""

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

MAX_LEN = 20_000
WORDS = (
    "search_space", "objective", "primary_metric", "sampling_algorithm", "early_termination",
    "properties", "studio", "first_trials", "parameters", "parallelTrialCount", "distributions",
    "min_value", "max_value", "choice", "values", "loguniform", "qnormal", "bandit", "environment",
)  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(prog="make fuzz-coverage", description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--inside", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.inside:
        _search(asked.inside, asked.seconds, asked.seed)  # does not come back
    with tempfile.TemporaryDirectory(prefix="fuzz-coverage-") as folder:
        return _searched(Path(folder), asked.seconds, asked.seed)


def _searched(folder: Path, seconds: int, seed: int) -> int:
    from tests.fuzz.inputs import CORPUS, TOKENS
    from tests.fuzz.reading import MAX_MB, MAX_MS, watched

    for name in ("corpus", "found"):
        (folder / name).mkdir()
    for text in CORPUS:
        _keep(folder / "corpus", text.encode())
    tokens = (*TOKENS, *(word.encode() for word in WORDS))
    entries = ("".join(f"\\x{byte:02x}" for byte in token[:60]) for token in tokens)
    (folder / "words").write_text("\n".join(f'"{entry}"' for entry in entries))
    words = ["--inside", str(folder), "--seconds", str(seconds), "--seed", str(seed)]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.coverage_guided", *words],
        stderr=subprocess.PIPE, check=False, text=True, errors="replace",
    )  # fmt: skip
    print("\n".join(_figures(done.stderr)))
    files = [*(folder / "corpus").iterdir(), *(folder / "found").iterdir()]
    report = watched((repr(raw[:2000]), raw) for raw in (file.read_bytes() for file in files))
    print(
        f"{report.inputs:,} files reach something of their own: {report.read:,} read, "
        f"{report.refused:,} refused with {len(report.messages):,} distinct problems.\n"
        f"Slowest {report.slowest_ms:.1f} ms, peak {report.peak_mb:.1f} MB above the start "
        f"(at most {MAX_MS} ms and {MAX_MB} MB)."
    )
    for failure in report.failures:
        print(f"FAILED {failure}")
    if done.returncode:
        print(f"FAILED: the search ended with {done.returncode}\n{done.stderr[-3000:]}")
    return 1 if report.failures or done.returncode else 0


def _figures(told: str) -> list[str]:
    """What libFuzzer says of its runs: of each kind of line the first and the last."""
    covered = re.findall(r"#\d+\s+\w+\s+cov: \d+ ft: \d+ corp: \S+", told)
    return [*covered[:1], *covered[-1:], *re.findall(r"stat::\w+:\s+\d+", told)]


def _keep(folder: Path, raw: bytes) -> None:
    (folder / sha256(raw).hexdigest()).write_bytes(raw)


def _search(folder: Path, seconds: int, seed: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["sweeps"]):
        from tests.fuzz import inputs, reading
    kinds: set[str] = set()

    def one(raw: bytes) -> None:
        report = reading.Report()
        reading.read_one(raw, report, "")
        for failure in report.failures:
            kind = re.sub(r"[^a-z ]", "", failure.lower())[:40]
            if kind not in kinds:  # one file of each kind is enough to see what is wrong
                kinds.add(kind)
                _keep(folder / "found", raw)

    def mutated(raw: bytes, most: int, number: int) -> bytes:
        chance = random.Random(number)
        way = chance.random()
        if way < 0.5:
            return bytes(atheris.Mutate(raw, most))
        if way < 0.75:
            return chance.choice(inputs.BYTES)(chance, raw or b"\n")[:most]
        return _document(chance, raw, inputs)[:most]

    atheris.Setup(
        [
            "make fuzz-coverage", str(folder / "corpus"), f"-max_total_time={seconds}",
            f"-seed={seed + 1}", f"-max_len={MAX_LEN}", f"-dict={folder / 'words'}",
            f"-artifact_prefix={folder / 'found'}/", "-timeout=20", "-print_final_stats=1",
        ],
        one,
        custom_mutator=mutated,
    )  # fmt: skip
    atheris.Fuzz()


def _document(chance: random.Random, raw: bytes, inputs: Any) -> bytes:
    """The document in a file with parts of it spoiled; another one where there is none."""
    from sweeps.domain.problems import InvalidInput
    from sweeps.spec import yaml_text

    try:
        found = yaml_text.load(yaml_text.decoded(raw)).document
    except InvalidInput:
        found = None
    whole = isinstance(found, dict) and bool(found)
    doc = inputs.document(chance, [found] if whole else inputs.DOCUMENTS)
    return json.dumps(doc, ensure_ascii=chance.random() < 0.9).encode(errors="surrogatepass")


if __name__ == "__main__":
    sys.exit(main())
