"""What a command finds around it."""

import sys
from pathlib import Path

from django.conf import LazySettings
from packaging.requirements import Requirement

from studio.models import Compute
from sweeps.engine.launch import base_environment


def test_pip_in_a_trial_cannot_replace_what_the_studio_runs_on(
    compute: Compute, settings: LazySettings, tmp_path: Path
) -> None:
    settings.STUDIO_HOME = tmp_path
    path = Path(base_environment(compute)["PIP_CONSTRAINT"])
    pinned = [Requirement(line) for line in path.read_text().splitlines()]
    assert {"django", "mlflow", "huey"} <= {one.name.lower() for one in pinned}
    assert all(str(one.specifier).startswith("==") for one in pinned)


def test_another_python_and_a_computes_own_variable_are_left_alone(
    compute: Compute, settings: LazySettings, tmp_path: Path
) -> None:
    settings.STUDIO_HOME = tmp_path
    assert "PIP_CONSTRAINT" not in base_environment(compute, "/opt/python/bin/python")
    assert Path(base_environment(compute)["PATH"].split(":")[0]) == Path(sys.executable).parent
    compute.environment_variables = {"PIP_CONSTRAINT": "mine.txt"}
    assert base_environment(compute)["PIP_CONSTRAINT"] == "mine.txt"
