"""Reads broken files and watches: nothing but InvalidInput, in little time and memory."""

import random
import re
import resource
import time
from dataclasses import dataclass, field

from sweeps.domain.problems import InvalidInput
from sweeps.spec.reader import read_job
from tests.fuzz.inputs import CORPUS, file_of

MAX_MS = 100
MAX_MB = 64


@dataclass
class Report:
    """What came of the inputs; `failures` say the number of the input, its seed and what it did."""

    inputs: int = 0
    read: int = 0
    refused: int = 0
    slowest_ms: float = 0.0
    peak_mb: float = 0.0
    messages: set[str] = field(default_factory=set)
    failures: list[str] = field(default_factory=list)


def fuzzed(inputs: int, seed: int) -> Report:
    """The report on so many inputs; each is made of `seed` and its number alone."""
    report = Report()
    for text in CORPUS:
        _read(text.encode(), report, "")  # what is imported at first use
    report = Report()
    start = _peak_mb()
    for number in range(inputs):
        raw = file_of(random.Random(f"{seed}/{number}"))
        name = f"input {number} of seed {seed}"
        took = _read(raw, report, name)
        if took > MAX_MS:
            # A machine that does other things takes longer once, not three times.
            took = min(took, *(_read(raw, Report(), name) for _ in range(2)))
        if took > MAX_MS:
            report.failures.append(f"{name}: took {took:.0f} ms for {len(raw):,} bytes")
        report.slowest_ms = max(report.slowest_ms, took)
        report.inputs += 1
    report.peak_mb = _peak_mb() - start
    if report.peak_mb > MAX_MB:
        report.failures.append(f"{report.peak_mb:.0f} MB of memory")
    return report


def _read(raw: bytes, report: Report, name: str) -> float:
    """Milliseconds of processor time for one input."""
    start = time.process_time()
    try:
        read_job(raw)
        report.read += 1
    except InvalidInput as error:
        report.refused += 1
        told = {re.sub(r"“[^”]*”|[\d,.]+", "…", problem.message) for problem in error.problems}
        report.messages |= told
        if any((problem.line or 0) < 1 and len(raw) < 200_000 for problem in error.problems[:100]):
            report.failures.append(f"{name}: a problem without a line")
    except Exception as error:  # the very thing that is looked for
        report.failures.append(f"{name}: {type(error).__name__}: {error}"[:300])
    return (time.process_time() - start) * 1000


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
