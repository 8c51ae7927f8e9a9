"""The tutorial's code, with nothing changed but where `MLClient` comes from, against a studio."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.azure.conftest import AZURES_PYTHON
from tests.e2e.jobs import SCRIPTS
from tests.e2e.studios import CHECKOUT, Studio, manage

TUTORIAL = (SCRIPTS / "tutorial.py").read_text()
# What the client leaves with a person who has only its words.
OURS = TUTORIAL.replace("from azure.ai.ml", "from sweeps.client").replace(
    "from sweeps.client.sweep import", "from sweeps.client import"
)
# Takes what the tutorial's script takes, and saves the time of LightGBM.
MAIN = """
import sys
from tracked import log
log("test-multi_logloss", float(sys.argv[sys.argv.index("--learning-rate") + 1]))
print("read", open(sys.argv[sys.argv.index("--iris-csv") + 1]).read())
"""
LOOK = """
ended = ml_client.jobs.stream(returned_sweep_job.name)
best = ended.properties["best_child_run_id"]
trials = list(ml_client.jobs.list(parent_job_name=ended.name))
assert best in [trial.run_id for trial in trials], best
files = ml_client.jobs.download(ended.name, download_path="brought", all=True)
print(*files, sep="\\n")
"""


def run(studio: Studio, python: Path, code: str, folder: Path) -> list[str]:
    """The lines that a program prints, run beside the tutorial's code and data."""
    script = folder / "program.py"
    script.write_text(code)
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(CHECKOUT), "HOME": str(folder)}
    environment = kept | {"STUDIO_URL": studio.url, "STUDIO_TOKEN": studio.token}
    done = subprocess.run(
        [str(python), str(script)],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()


def opened(studio: Studio, url: str) -> str:
    """The page behind a link, for somebody who is signed in."""
    link = re.search(r"http\S+", manage(studio.home, studio.port, "signin").stdout)
    assert link
    with httpx.Client(follow_redirects=True) as browser:
        browser.get(link[0])
        if browser.get(url).url != url:  # the link asks for a click first
            raise AssertionError("Not signed in.")
        return browser.get(url).text


def beside(folder: Path) -> None:
    """The tutorial's code and data, as small as they can be."""
    src = folder / "src"
    src.mkdir()
    (src / "main.py").write_text(MAIN)
    (src / "iris.csv").write_text("1,2\n")
    shutil.copy(SCRIPTS / "tracked.py", src)


def looked(lines: list[str], folder: Path) -> None:
    """`LOOK` has streamed both trials to their end and brought the best one's files."""
    assert any(line.startswith("2 of 2 trials done, 0 running, best ") for line in lines)
    files = [Path(folder, line) for line in lines if line.startswith("brought/")]
    assert {"stdout.log", "stderr.log"} <= {file.name for file in files}
    assert "read 1,2" in next(f for f in files if f.name == "stdout.log").read_text()


@pytest.mark.timeout(300)
def test_the_tutorial_runs_with_azures_own_objects(studio: Studio, tmp_path: Path) -> None:
    beside(tmp_path)
    fewer = "\nsweep_job.set_limits(max_total_trials=2)\n"
    submit = TUTORIAL.replace("\n# submit", f"{fewer}# submit")
    lines = run(studio, AZURES_PYTHON, submit + LOOK, tmp_path)
    looked(lines, tmp_path)
    page = next(line for line in lines if line.startswith(studio.url))
    name = page.rstrip("/").rsplit("/", 1)[1]
    ended = studio.get(f"sweeps/{name}")
    limits = {"max_total_trials": 2, "max_concurrent_trials": 10, "timeout": 7200}
    assert (ended["status"], ended["limits"]) == ("Completed", ended["limits"] | limits)
    # The best is the trial with the lowest value, which is the learning rate itself.
    rates = [trial["params"]["learning_rate"] for trial in studio.trials(name)]
    assert ended["best_trial"]["params"]["learning_rate"] == min(rates)
    spec = studio.ask("GET", f"sweeps/{name}/spec").text
    assert "${{search_space.learning_rate}}" in spec
    assert name in opened(studio, page)


@pytest.mark.timeout(300)
def test_the_tutorial_runs_with_the_clients_words(studio: Studio, tmp_path: Path) -> None:
    beside(tmp_path)
    short = OURS.replace("max_total_trials=20", "max_total_trials=2")
    assert "azure" not in short
    looked(run(studio, Path(sys.executable), short + LOOK, tmp_path), tmp_path)
