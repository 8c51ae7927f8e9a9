"""Which trials start from a preloaded process, and why others do not."""

from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import LazySettings

from sweeps.engine import warm
from sweeps.models import Sweep
from sweeps.runners.base import LaunchSpec, Warm
from sweeps.runners.run_as import RunAs

PYTHON = "/opt/env/bin/python"
SCRIPT = "import lightgbm\nimport helper\nfrom sklearn.svm import SVC\n"


@pytest.fixture
def spec(tmp_path: Path, settings: LazySettings) -> LaunchSpec:
    settings.STUDIO_HOME = tmp_path / "home"
    work = tmp_path / "work"
    work.mkdir()
    (work / "train.py").write_text(SCRIPT)
    (work / "helper.py").write_text("import pandas")
    return LaunchSpec("a", tmp_path / "spool", (PYTHON, "train.py", "--lr", "0.1"), work, {})


def plan(sweep: Sweep, spec: LaunchSpec, **env: str) -> Warm | str:
    sweep.command = " ".join(("python", *spec.argv[1:]))
    return warm.plan(sweep, spec, PYTHON, env)


def test_a_script_gets_a_parent_with_what_it_imports(sweep: Sweep, spec: LaunchSpec) -> None:
    found = plan(sweep, spec, A="1")
    assert isinstance(found, Warm)
    assert found.modules == ("lightgbm", "pandas", "sklearn.svm.SVC")
    assert (found.before, found.env) == (2, {"A": "1"})


def test_trials_share_a_parent_whatever_their_arguments(sweep: Sweep, spec: LaunchSpec) -> None:
    one, two = plan(sweep, spec), plan(sweep, replace(spec, argv=(PYTHON, "train.py", "--lr", "9")))
    assert isinstance(one, Warm)
    assert isinstance(two, Warm)
    assert one.key == two.key


@pytest.mark.parametrize("change", ["environment", "modules", "script", "option"])
def test_what_a_parent_is_made_of_makes_another(
    sweep: Sweep, spec: LaunchSpec, change: str
) -> None:
    before = plan(sweep, spec)
    match change:
        case "environment":
            after = plan(sweep, spec, OMP_NUM_THREADS="2")
        case "modules":
            sweep.compute.preload_modules = "numpy"
            after = plan(sweep, spec)
        case "script":
            (spec.cwd / "other.py").write_text(SCRIPT)
            after = plan(sweep, replace(spec, argv=(PYTHON, "other.py")))
        case _:
            after = plan(sweep, replace(spec, argv=(PYTHON, "-O", "train.py")))
    assert isinstance(before, Warm)
    assert isinstance(after, Warm)
    assert before.key != after.key


def test_the_key_tells_nothing_of_secrets(
    sweep: Sweep, spec: LaunchSpec, settings: LazySettings
) -> None:
    one = plan(sweep, spec, TOKEN="secret")
    settings.SECRET_KEY = "of another studio"
    two = plan(sweep, spec, TOKEN="secret")
    assert isinstance(one, Warm)
    assert isinstance(two, Warm)
    assert one.key != two.key


def test_the_modules_of_the_compute_take_the_place_of_the_scripts(
    sweep: Sweep, spec: LaunchSpec
) -> None:
    sweep.compute.preload_modules = "numpy, scipy.stats"
    found = plan(sweep, spec)
    assert isinstance(found, Warm)
    assert found.modules == ("numpy", "scipy.stats")


@pytest.mark.parametrize(
    ("argv", "reason"),
    [
        ((PYTHON, "-I", "train.py"), "The command starts Python with -I."),
        ((PYTHON, "-m", "nothing"), "Its script imports nothing that"),
        ((PYTHON, "missing.py"), "Its script imports nothing that"),
        (("/usr/bin/env", "python", "train.py"), "does not start with the sweep's Python"),
    ],
)
def test_other_commands_start_afresh(
    sweep: Sweep, spec: LaunchSpec, argv: tuple[str, ...], reason: str
) -> None:
    found = plan(sweep, replace(spec, argv=argv))
    assert isinstance(found, str)
    assert reason in found


def test_a_script_that_differs_from_trial_to_trial_starts_afresh(
    sweep: Sweep, spec: LaunchSpec
) -> None:
    sweep.command = "python ${{search_space.lr}} --lr 1"
    found = warm.plan(sweep, spec, PYTHON, {})
    assert found == "The script is another one for each trial."


def test_a_command_for_a_shell_starts_afresh(sweep: Sweep, spec: LaunchSpec) -> None:
    sweep.command = "python train.py && true"
    assert warm.plan(sweep, spec, PYTHON, {}) == "The command needs a shell."


def test_isolated_trials_and_those_for_which_it_is_off_start_afresh(
    sweep: Sweep, spec: LaunchSpec
) -> None:
    assert "isolated" in str(plan(sweep, replace(spec, user=RunAs(200000, 200000))))
    sweep.compute.preload = False
    assert "turned off on compute local" in str(plan(sweep, spec))
    sweep.compute.preload, sweep.preload = True, False
    assert "turned off for this sweep" in str(plan(sweep, spec))


def test_folders_of_the_path_within_the_code_are_its_own(sweep: Sweep, spec: LaunchSpec) -> None:
    (spec.cwd / "src" / "kit").mkdir(parents=True)
    (spec.cwd / "src" / "kit" / "model.py").write_text("import einops")
    (spec.cwd / "train.py").write_text("from kit.model import Net")
    found = plan(sweep, spec, PYTHONPATH="src:/elsewhere")
    assert isinstance(found, Warm)
    assert found.modules == ("einops",)
