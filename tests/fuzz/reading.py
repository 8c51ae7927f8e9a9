"""Reads broken files and watches: nothing but InvalidInput, in little time and memory."""

import random
import re
import resource
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, fields

from sweeps.domain.job import SweepJob
from sweeps.domain.problems import InvalidInput
from sweeps.spec.reader import read_job
from sweeps.spec.writer import to_yaml
from sweeps.spec.yaml_text import BREAK, MAX_BYTES
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
    numbers = range(inputs)
    return watched(
        (f"input {number} of seed {seed}", file_of(random.Random(f"{seed}/{number}")))
        for number in numbers
    )


def watched(inputs: Iterable[tuple[str, bytes]]) -> Report:
    """The report on inputs with their names, time and memory of each looked at."""
    for text in CORPUS:
        read_one(text.encode(), Report(), "")  # what is imported at first use
    report = Report()
    start = _peak_mb()
    for name, raw in inputs:
        took = read_one(raw, report, name)
        if took > MAX_MS:
            # A machine that does other things takes longer once, not three times.
            took = min(took, *(read_one(raw, Report(), name) for _ in range(2)))
        if took > MAX_MS:
            report.failures.append(f"{name}: took {took:.0f} ms for {len(raw):,} bytes")
        report.slowest_ms = max(report.slowest_ms, took)
        report.inputs += 1
    report.peak_mb = _peak_mb() - start
    if report.peak_mb > MAX_MB:
        report.failures.append(f"{report.peak_mb:.0f} MB of memory")
    return report


def read_one(raw: bytes, report: Report, name: str) -> float:
    """Milliseconds of processor time for one input; what was wrong goes to the report."""
    start = time.process_time()
    try:
        found: SweepJob | InvalidInput = read_job(raw)
    except InvalidInput as error:
        found = error
    except Exception as error:  # the very thing that is looked for
        report.failures.append(f"{name}: {type(error).__name__}: {error}"[-3000:])
        return (time.process_time() - start) * 1000
    took = (time.process_time() - start) * 1000
    if isinstance(found, InvalidInput):
        report.refused += 1
        told = {re.sub(r"“[^”]*”|[\d,.]+", "…", problem.message) for problem in found.problems}
        report.messages |= told
        complaints = unclear(found, raw)
    else:
        report.read += 1
        complaints = changed(found)
    report.failures += [f"{name}: {text}"[-3000:] for text in complaints]
    return took


def unclear(error: InvalidInput, raw: bytes) -> list[str]:
    """What is amiss with a refusal: every problem has words and a place in the file.

    A file that is too large as a whole is told without one.
    """
    lines = len(BREAK.split(raw.decode(errors="replace")))
    found = [] if error.problems else ["refused without a problem"]
    for problem in error.problems:
        if not problem.message.strip():
            found.append(f"a problem of {problem.field} without words")
        if len(raw) > MAX_BYTES and problem.line is None:
            continue
        if not (1 <= (problem.line or 0) <= lines and (problem.column or 0) >= 1):
            found.append(f"a problem at line {problem.line} of {lines}: {problem}")
    return found


def changed(job: SweepJob) -> list[str]:
    """What is amiss with a job: written, it is read as the same job, but for its notes."""
    text = to_yaml(job)
    if len(text.encode()) > MAX_BYTES:  # it was as large before, in fewer characters
        return []
    try:
        again = read_job(text)
    except InvalidInput as error:
        return [f"what is read is not when it is written: {error}"]
    found = []
    for name in (one.name for one in fields(job) if one.name != "notes"):
        # Azure's mark of a name may be there or not.
        was, is_now = (repr(getattr(one, name)).replace("azureml:", "") for one in (job, again))
        if was != is_now:
            found.append(f"{name} is read as {was}, written and read as {is_now}")
    return found


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
