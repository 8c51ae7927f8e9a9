"""A sweep knows the commit that its code came from when it was submitted."""

import random
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from studio.models import Workspace
from sweeps import intake
from sweeps.models import Sweep
from sweeps.spec.reader import read_job
from tests.stores.test_git import make_repo, run

JOB = (
    "type: sweep\ntrial: {command: 'python train.py ${{search_space.lr}}'}\n"
    "search_space: {lr: {type: uniform, min_value: 0, max_value: 1}}\n"
    "objective: {goal: minimize, primary_metric: loss}\nlimits: {max_total_trials: 1}\n"
)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return make_repo(tmp_path)


@pytest.fixture
def home(settings: Any, tmp_path: Path) -> Path:
    settings.STUDIO_HOME = tmp_path / "home"
    return settings.STUDIO_HOME


def submit(workspace: Workspace, folder: Path, now: datetime) -> Sweep:
    code = intake.keep_folder(workspace, str(folder))
    rng = random.Random(1)
    return intake.submit(workspace, read_job(JOB), code=code, user=None, now=now, rng=rng)


def test_each_sweep_keeps_its_own_commit_though_the_code_is_equal(
    workspace: Workspace,
    compute: Any,
    repo: Path,
    now: datetime,
    home: Path,
) -> None:
    one = submit(workspace, repo, now)
    (repo.parent / "other.txt").write_text("2\n")
    run(repo, "commit", "-qam", "elsewhere")
    one.name = "other"
    Sweep.objects.filter(pk=one.pk).update(name="other")
    two = submit(workspace, repo, now)
    assert one.code == two.code
    one.refresh_from_db()
    assert one.git["commit"] != two.git["commit"]


def test_what_was_changed_is_kept_and_read_back(
    workspace: Workspace,
    compute: Any,
    repo: Path,
    now: datetime,
    home: Path,
) -> None:
    (repo / "train.py").write_text("print('changed')\n")
    sweep = submit(workspace, repo, now)
    assert sweep.git["changed"] == 1
    assert "+print('changed')" in intake.diff_of(sweep.git["diff"])
    assert intake.diff_of("../../etc/passwd") == intake.diff_of("0" * 64) == ""
