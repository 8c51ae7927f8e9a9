"""bench/RESULTS.md, and what the README says of it."""

import os
import platform
import re
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).resolve().parent.parent
RESULTS, README = ROOT / "bench" / "RESULTS.md", ROOT / "README.md"
PACKAGES = (
    "django", "gunicorn", "huey", "mlflow", "hyperopt", "optuna", "optuna-dashboard", "lightgbm",
    "scikit-learn", "numpy",
)  # fmt: skip
BEGIN, END = "<!-- figures of bench/RESULTS.md -->", "<!-- end of the figures -->"
# What the README tells: in its words, by script and name of the figure.
IN_README = (
    ("`make run` to the first page", "start", "make run to the first page"),
    (
        "the tutorial's 20 trials, as fast as the same commands in a shell's loop",
        "tutorial",
        "as it stands: as fast as the shell's loop",
    ),
    ("the same without logged models", "tutorial", "without models: as fast as the shell's loop"),
    ("trials that only log one metric", "quick_trials", "500 trials in the studio"),
    ("… as fast as a shell's loop", "quick_trials", "as fast as the shell's loop"),
    (
        "1,000 metrics one by one, as fast as against a default `mlflow server`",
        "log_metric",
        "one script, 1,000 calls: as fast as mlflow server",
    ),
    (
        "the same against `mlflow server -w 1`",
        "log_metric",
        "one script, 1,000 calls: as fast as mlflow server -w 1",
    ),
    (
        "one bayesian suggestion at 10,000 trials of ten parameters",
        "suggestions",
        "studio, mixed",
    ),
    ("job page of 10,000 trials, three charts drawn", "pages", "job page, three charts drawn"),
)


@dataclass(frozen=True)
class Figure:
    """One measured figure, its range, and its goal."""

    script: str
    name: str
    figure: float
    low: float
    high: float
    n: int
    unit: str
    goal: float | None = None
    at_least: bool = False
    met: bool | None = None

    def told(self) -> str:
        """The figure with its unit."""
        return f"{number(self.figure)} {self.unit}".strip()

    def limit(self) -> str:
        """The goal in words."""
        if self.goal is None:
            return ""
        return f"{'≥' if self.at_least else '<'} {self.goal:g} {self.unit}".strip()

    def verdict(self) -> str:
        """Whether the goal is met."""
        return "" if self.met is None else "met" if self.met else "**missed**"


class Told(Protocol):
    """How a script ended."""

    script: str
    command: str
    figures: list[Figure]
    took_s: float
    failure: str


def number(value: float) -> str:
    """Three digits that count, never an exponent."""
    size = abs(value)
    return f"{value:,.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def machine() -> list[str]:
    """What the figures were taken on; asked before anything runs."""
    cpu = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    kilobytes = re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())
    memory = int(kilobytes[1]) / 2**20 if kilobytes else 0
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    model = cpu[1] if cpu else platform.machine()
    return [
        f"Begun: {datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        f"Machine: {len(os.sched_getaffinity(0))} cores of {model}, "
        f"{memory:.1f} GiB, Linux {platform.release()}; load before: {load}",
        f"Commit: {_commit()}",
        f"Versions: Python {platform.python_version()}, {_versions()}",
    ]


def _commit() -> str:
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=ROOT, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    changed = [line for line in git("status", "--porcelain").splitlines() if "RESULTS" not in line]
    return f"{git('rev-parse', '--short=10', 'HEAD') or 'unknown'}" + (
        f", with {len(changed)} files changed" if changed else ""
    )


def _versions() -> str:
    places = [str(path) for path in ROOT.glob(".venv/bench/lib/python*/site-packages")]
    found = []
    for name in PACKAGES:
        there = list(metadata.distributions(name=name, path=places)) if places else []
        try:
            version = there[0].version if there else metadata.version(name)
        except metadata.PackageNotFoundError:
            version = "missing"
        found.append(f"{name} {version}")
    return ", ".join(found)


def results(outcomes: Sequence[Told], about: Iterable[str], *, quick: bool) -> str:
    """The whole text."""
    figures = [figure for outcome in outcomes for figure in outcome.figures]
    lines = ["# Results", "", "Made by `make bench`, which writes this file anew each time.", ""]
    if quick:
        lines += ["**A quick run: few repeats, small sizes. Its figures are for trying.**", ""]
    lines += [f"- {line}" for line in about]
    minutes = sum(outcome.took_s for outcome in outcomes) / 60
    lines += [f"- Took {minutes:.1f} minutes", "", "## Goals", ""]
    goals = [figure for figure in figures if figure.met is not None]
    lines += table(
        ("script", "figure", "measured", "goal", ""),
        [(f.script, f.name, f.told(), f.limit(), f.verdict()) for f in goals],
    )
    failed = [outcome for outcome in outcomes if outcome.failure]
    lines += [f"\n**Failed: {one.script}: {one.failure}**" for one in failed]
    for outcome in outcomes:
        lines += ["", f"## {outcome.script}", ""]
        lines += [f"`{outcome.command}` ({outcome.took_s:.0f} s)", ""]
        lines += table(
            ("figure", "measured", "range", "n"),
            [
                (f.name, f.told(), f"{number(f.low)} to {number(f.high)}", str(f.n))
                for f in outcome.figures
            ],
        )
    return "\n".join(lines) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table of Markdown."""
    return [_row(head), "|" + "---|" * len(head), *map(_row, rows)]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def read(text: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Measured figure and range of each figure in a text of ours, by script and name."""
    found, script = {}, ""
    for line in text.splitlines():
        if line.startswith("## "):
            script = line[3:]
        elif line.startswith("| ") and script != "Goals":
            name, measured, spread, _ = (cell.strip() for cell in line.strip("|").split(" | "))
            if measured != "measured":  # the head
                found[script, name] = measured, spread
    return found


def for_readme(text: str) -> str:
    """The README's lines between the marks, from a text of ours."""
    found = read(text)
    none = ("not measured", "")
    rows = [(words, *found.get((script, name), none)) for words, script, name in IN_README]
    return "\n".join((BEGIN, *table(("figure", "median", "range"), rows), END))


def write_into_readme() -> None:
    """Let the README say what bench/RESULTS.md says."""
    text = README.read_text()
    block = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    README.write_text(block.sub(lambda _: for_readme(RESULTS.read_text()), text))
