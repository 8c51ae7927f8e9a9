"""`make bench`: every benchmark, one after the other, and what they tell in bench/RESULTS.md.

    python bench/run.py [--quick] [--only start,tutorial]

A script that fails makes this fail, and is named; a goal that is missed stands in the results. A
quick run, or one of a few scripts, goes to bench/RESULTS.partial.md: its figures are for trying.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import report
from report import ROOT

BENCH = ROOT / "bench"
# A script that takes so much longer than it should hangs.
LIMIT_S = 1800.0
# From the signal to stop until a script has stopped its studio.
GRACE_S = 90.0


@dataclass(frozen=True)
class Script:
    """A benchmark: its words in a full run, and in a quick one (None: it is left out).

    `program` is its file's name where that is not its own.
    """

    name: str
    full: tuple[str, ...] = ()
    quick: tuple[str, ...] | None = None
    program: str = ""

    @property
    def file(self) -> Path:
        """What is run."""
        return BENCH / f"{self.program or self.name}.py"


SCRIPTS = (
    Script("start", quick=("--rounds", "1")),
    Script("first_trial", quick=("2",)),
    Script("tutorial", quick=("--rounds", "1", "--trials", "4", "--models", "off")),
    Script("quick_trials", quick=("--trials", "20", "--shell", "4")),
    Script("log_metric", quick=("--quick", "--calls", "40", "--at-once", "4")),
    Script("suggestions", quick=("--trials", "1000", "--asks", "3")),
    Script(
        "suggestions_100k", ("--trials", "100000", "--asks", "6", "--alone"), program="suggestions"
    ),
    Script("memory", quick=("--quick",)),
    Script("slot_refill", quick=("6", "0.2")),
    Script("engine_cost", quick=("20", "2")),
    Script("reconcile", quick=("1000",)),
    Script("cancel", full=("9",), quick=None),
    Script("idle", quick=("5",)),
    Script("live_poll", quick=("50",)),
    Script("pages", full=("--loads", "3"), quick=None),
    Script("watchers", quick=None),
)


@dataclass
class Outcome:
    """What a script told, and how it ended."""

    script: str
    command: str
    figures: list[report.Figure] = field(default_factory=list)
    took_s: float = 0.0
    failure: str = ""


def run(script: Script, words: tuple[str, ...]) -> Outcome:
    """Run one to its end; what it prints goes to our terminal."""
    outcome = Outcome(script.name, " ".join((f".venv/bin/python bench/{script.file.name}", *words)))
    print(f"\n== {outcome.command}", flush=True)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "figures"
        told.touch()
        # Without byte code each start would compile everything anew, as no user's does.
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        process = subprocess.Popen(
            [sys.executable, str(script.file), *words],
            cwd=ROOT, env={**kept, "BENCH_FIGURES": str(told)}, restore_signals=True,
        )  # fmt: skip
        outcome.failure = _ended(process)
        rows = [json.loads(line) for line in told.read_text().splitlines()]
        outcome.figures = [report.Figure(script=script.name, **row) for row in rows]
    outcome.took_s = time.monotonic() - began
    if not outcome.failure and not rows:
        outcome.failure = "it told no figure"
    return outcome


def _ended(process: "subprocess.Popen[bytes]") -> str:
    """Wait for it; why it failed, or nothing."""
    try:
        code = process.wait(timeout=LIMIT_S)
    except subprocess.TimeoutExpired:
        process.terminate()  # it stops its studio, and is told by `common` how
        try:
            process.wait(timeout=GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return f"not done after {LIMIT_S / 60:g} minutes"
    return f"exit code {code}" if code else ""


def main(only: list[str], *, quick: bool) -> int:
    """Run them, write the results; the exit code."""
    names = [script.name for script in SCRIPTS]
    if unknown := sorted(set(only) - set(names)):
        print(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(names)}.")
        return 2
    machine = report.machine()
    outcomes = []
    for script in SCRIPTS:
        words = script.quick if quick else script.full
        if script.name in only or (not only and words is not None):
            outcomes.append(run(script, script.full if words is None else words))
    is_whole = not quick and not only
    path = BENCH / ("RESULTS.md" if is_whole else "RESULTS.partial.md")
    path.write_text(report.results(outcomes, machine, quick=quick))
    if is_whole and not any(outcome.failure for outcome in outcomes):
        report.write_into_readme()
    return _told(outcomes, path)


def _told(outcomes: list[Outcome], path: Path) -> int:
    figures = [figure for outcome in outcomes for figure in outcome.figures]
    missed = [figure for figure in figures if figure.met is False]
    seconds = sum(outcome.took_s for outcome in outcomes)
    goals = sum(figure.met is not None for figure in figures)
    print(f"\n{len(figures)} figures in {seconds / 60:.1f} minutes, in {path.relative_to(ROOT)}")
    print(f"{goals - len(missed)} of {goals} goals met")
    for figure in missed:
        print(f"MISSED: {figure.script}: {figure.name}: {figure.told()}, goal {figure.limit()}")
    failed = [outcome for outcome in outcomes if outcome.failure]
    for outcome in failed:
        print(f"FAILED: {outcome.script}: {outcome.failure}")
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="", help="names, with commas between them")
    given = parser.parse_args()
    chosen = [name.strip() for name in given.only.split(",") if name.strip()]
    sys.exit(main(chosen, quick=given.quick))
