"""Environments built for real, by a real studio whose engine is killed in the middle of it."""

from pathlib import Path
from typing import Any

from tests.e2e import jobs
from tests.e2e.invariants import check
from tests.e2e.jobs import SCRIPTS
from tests.e2e.studios import Studio, until
from tests.environments.wheels import make_slow_source, make_wheel, offline

TRAIN = """
import sys, sweep_slow
from tracked import log
log("loss", float(sys.argv[1]))
print(sweep_slow.VERSION, sys.executable)
"""


def code(folder: Path) -> Path:
    folder.mkdir()
    (folder / "train.py").write_text(TRAIN)
    (folder / "tracked.py").write_text((SCRIPTS / "tracked.py").read_text())
    return folder


def job(folder: Path, lines: list[str], trials: int) -> dict[str, Any]:
    (folder / "requirements.txt").write_text("\n".join(lines))
    doc = jobs.job("python train.py ${{search_space.x}}", trials=trials, at_once=trials)
    conda = {"dependencies": ["python", {"pip": ["-r requirements.txt"]}]}
    doc["trial"] |= {"code": str(folder), "environment": {"conda_file": conda}}
    return doc


def test_ten_trials_of_two_sweeps_wait_for_one_build_that_outlives_the_engine(
    studio: Studio, tmp_path: Path
) -> None:
    wheels, begun, gate = tmp_path / "wheels", tmp_path / "begun", tmp_path / "gate"
    make_slow_source(wheels, "sweep-slow", begun, gate)
    make_wheel(wheels, "mlflow-skinny", "1.0")
    lines = [*offline(wheels), "sweep-slow"]
    folder = code(tmp_path / "code")
    names = [studio.submit(job(folder, lines, 10)) for _ in range(2)]
    until(begun.exists, "the build", 30)
    studio.kill("engine")
    assert [studio.get(f"sweeps/{name}")["counts"] for name in names] == [{}, {}]
    gate.touch()
    for name in names:
        sweep = studio.wait_final(name)
        assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 10})
        check(studio, name, 10)
        log = studio.ask("GET", f"sweeps/{name}/trials/0/logs/stdout").text
        version, python = log.split()
        assert version == "1.0"
        assert Path(python).is_relative_to(studio.home / "environments")
    assert begun.read_text() == "build\n"


def test_a_build_that_fails_ends_the_sweep_with_the_installers_reason(
    studio: Studio, tmp_path: Path
) -> None:
    make_wheel(tmp_path / "wheels", "mlflow-skinny", "1.0")
    lines = [*offline(tmp_path / "wheels"), "sweep-nowhere"]
    name = studio.submit(job(code(tmp_path / "code"), lines, 2))
    sweep = studio.wait_final(name)
    assert sweep["status"] == "Failed"
    assert "sweep-nowhere was not found" in sweep["reason"]
    assert studio.trials(name) == []
