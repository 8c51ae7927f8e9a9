"""Jobs that Azure's own client builds run here, and come back to it as what they were."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.azure.conftest import AZURES_PYTHON
from tests.azure.test_azures_client import normal
from tests.e2e.jobs import SCRIPTS
from tests.e2e.studios import Studio
from tests.e2e.test_client import run

PROGRAM = (SCRIPTS / "sdk_jobs.py").read_text()


def told(line: str) -> dict[str, Any]:
    return dict(json.loads(line.removeprefix("SWEEP ")))


def same(found: dict[str, Any]) -> dict[str, Any]:
    """`normal`, where an algorithm without options is its name."""
    doc = normal(found)
    if isinstance(doc["sampling_algorithm"], str):
        doc["sampling_algorithm"] = {"type": doc["sampling_algorithm"]}
    return doc


@pytest.mark.timeout(300)
def test_every_kind_of_sweep_runs_and_is_exported_as_it_was_submitted(
    studio: Studio, tmp_path: Path
) -> None:
    (tmp_path / "src").mkdir()
    for name in ("quick.py", "tracked.py"):
        shutil.copy(SCRIPTS / name, tmp_path / "src")
    lines = run(studio, AZURES_PYTHON, PROGRAM, tmp_path)
    found = [told(line) for line in lines if line.startswith("SWEEP ")]
    assert len(found) == 6
    for sweep in found:
        own, back = same(sweep["own"]), same(sweep["back"])
        assert sweep["status"] == "Completed"
        # The code that was uploaded, by its content.
        assert back["trial"].pop("code").startswith("azureml:studio:")
        del own["trial"]["code"]
        assert back == own
        trials = studio.trials(own["name"])
        assert [set(trial["params"]) for trial in trials] == [set(own["search_space"])] * 2
        # A policy may well have stopped one.
        assert {trial["status"] for trial in trials} <= {"Completed", "EarlyTerminated"}
