"""Testing a compute runs a real command and says step by step what worked."""

import os
import sys

import pytest

from sweeps.domain.problems import InvalidInput
from sweeps.engine import compute_test
from sweeps.stores.trash import NAME


def steps_of(compute, folder):
    found = compute_test.run(compute, folder, lambda steps: None)
    return {step["name"]: step for step in found}


def test_a_working_compute_passes_every_step(compute, settings, tmp_path):
    settings.STUDIO_HOME = tmp_path
    compute_test.test(compute.pk)
    compute.refresh_from_db()
    assert compute.last_test["ok"] is True
    details = {step["name"]: step["detail"] for step in compute.last_test["steps"]}
    assert details["Interpreter"].startswith(f"Python {sys.version.split()[0]} at ")
    assert details["MLflow"][0].isdigit()
    assert "exit code 0" in details["Command"]
    assert details["Log"] == "its output arrived"
    assert set(os.listdir(tmp_path / "tests")) <= {NAME}


def test_a_python_without_mlflow_fails_that_step_alone(compute, tmp_path):
    bare = tmp_path / "python"
    # -S leaves out the folder where packages are installed.
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    compute.python = str(bare)
    steps = steps_of(compute, tmp_path / "tests")
    assert "No module named 'mlflow'" in steps["MLflow"]["detail"]
    assert {name: step["ok"] for name, step in steps.items()} == {
        "Interpreter": True, "MLflow": False, "Command": True, "Log": True,
    }  # fmt: skip


def test_whether_an_isolated_computes_program_is_there_is_not_looked_at(
    compute, tmp_path, monkeypatch
):
    def refuse(*_):
        raise InvalidInput.one("", "not started here")

    monkeypatch.setattr(compute_test.isolation, "user_for", refuse)
    compute.isolated = True
    (tmp_path / "there").write_text("#!/bin/sh\n")
    (tmp_path / "there").chmod(0o755)
    said = []
    for name in ("there", "gone"):
        compute.python = str(tmp_path / name)
        steps = compute_test.run(compute, tmp_path / "tests", lambda steps: None)
        said.append(str(steps).replace(compute.python, "PATH"))
    assert said[0] == said[1]


def test_an_interpreter_that_is_gone_is_named(compute, tmp_path):
    compute.python = "/no/such/python"
    [step] = compute_test.run(compute, tmp_path, lambda steps: None)
    assert step == {
        "name": "Interpreter", "ok": False, "detail": "There is no program /no/such/python here.",
    }  # fmt: skip


@pytest.mark.parametrize("body", ["echo broken >&2; exit 3"])
def test_a_program_that_fails_shows_its_last_line(compute, tmp_path, body):
    wrong = tmp_path / "python"
    wrong.write_text(f"#!/bin/sh\n{body}\n")
    wrong.chmod(0o755)
    compute.python = str(wrong)
    steps = steps_of(compute, tmp_path / "tests")
    assert steps["Command"] == {"name": "Command", "ok": False, "detail": "exit code 3 broken"}
    assert not steps["Log"]["ok"]


def test_a_compute_deleted_meanwhile_is_no_error(compute):
    key = compute.pk
    compute.delete()
    assert compute_test.test(key) is None
