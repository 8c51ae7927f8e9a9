"""`make bench` runs every benchmark, and what the README says of speed comes from its results."""

import importlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "bench"


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[ModuleType, ModuleType]]:
    """bench/report.py and bench/run.py, which find each other beside them."""
    monkeypatch.syspath_prepend(str(BENCH))
    before = set(sys.modules)
    yield importlib.import_module("report"), importlib.import_module("run")
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(BENCH)):
            del sys.modules[name]


Modules = tuple[ModuleType, ModuleType]


def test_every_benchmark_is_run_and_described(modules: Modules) -> None:
    _, run = modules
    programs = {path.stem for path in BENCH.glob("*.py") if "__main__" in path.read_text()} - {
        "run"
    }
    assert {script.file.stem for script in run.SCRIPTS} == programs
    described = set(re.findall(r"^\| `(\w+)\.py` \|", (BENCH / "README.md").read_text(), re.M))
    assert described == programs


def test_peers_are_as_the_studio_has_them() -> None:
    locked = set((ROOT / "requirements.txt").read_text().split())
    pins = re.findall(r"^[\w-]+==\S+", (BENCH / "requirements.txt").read_text(), re.M)
    assert {pin.partition("==")[0] for pin in pins} >= {
        "optuna", "optuna-dashboard", "hyperopt", "mlflow",
    }  # fmt: skip
    assert [pin for pin in pins if pin not in locked] == ["optuna-dashboard==0.21.0"]


def test_the_readme_says_what_the_results_say(modules: Modules) -> None:
    report, _ = modules
    text = report.README.read_text()
    told = text[text.index(report.BEGIN) : text.index(report.END) + len(report.END)]
    if report.RESULTS.exists():
        assert told == report.for_readme(report.RESULTS.read_text())
    else:
        assert told == f"{report.BEGIN}\n{report.END}"
    assert not re.search(r"\d (?:ms|s|times|/s|MiB)\b", text.replace(told, ""))


def figure(report: ModuleType, value: float, **more: object) -> object:
    words = {"script": "start", "name": "a | b", "low": 1.0, "high": 2345.6, "n": 3, "unit": "ms"}
    return report.Figure(**{**words, **more}, figure=value)


def test_results_can_be_read_back(modules: Modules) -> None:
    report, run = modules
    missed = figure(report, 12.345, goal=5.0, met=False)
    outcome = run.Outcome("start", "start.py", [missed], 61.0, "exit code 1")
    text = report.results([outcome], ["Machine: none"], quick=True)
    assert "| start | a \\| b | 12.3 ms | < 5 ms | **missed** |" in text
    assert "**Failed: start: exit code 1**" in text
    assert "A quick run" in text
    assert report.read(text) == {("start", "a \\| b"): ("12.3 ms", "1.00 to 2,346")}


def test_a_benchmark_that_fails_is_named_and_fails_the_run(
    modules: Modules, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    report, run = modules
    tell = "import json, os; row = dict(name='x', figure=1, low=1, high=1, n=1, unit='s')\n"
    tell += "print(json.dumps(row), file=open(os.environ['BENCH_FIGURES'], 'a'))\n"
    for name, text in (("good", tell), ("bad", f"{tell}raise SystemExit(3)"), ("mute", "")):
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.setattr(run, "BENCH", tmp_path)
    monkeypatch.setattr(run, "ROOT", tmp_path)
    monkeypatch.setattr(
        run, "SCRIPTS", [run.Script(name, quick=()) for name in ("good", "bad", "mute")]
    )
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    assert run.main([], quick=True) == 1
    out = capsys.readouterr().out
    assert "FAILED: bad: exit code 3" in out
    assert "FAILED: mute: it told no figure" in out
    assert "FAILED: good" not in out
    assert "**Failed: bad: exit code 3**" in (tmp_path / "RESULTS.partial.md").read_text()
    assert run.main(["good"], quick=True) == 0
    assert run.main(["best"], quick=True) == 2
