"""A file of another tool becomes a job file that reads as the same job."""

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from studio.models import Workspace
from sweeps.spec.reader import read_job
from tests.spec.test_katib import RANDOM as KATIB
from tests.spec.test_wandb import SWEEP as WANDB

pytestmark = pytest.mark.django_db


def typed(*words: str) -> tuple[int, str, str]:
    out, err, code = StringIO(), StringIO(), 0
    try:
        call_command("sweep", "convert", *words, stdout=out, stderr=err)
    except SystemExit as end:
        code = int(str(end.code))
    return code, out.getvalue(), err.getvalue()


@pytest.mark.parametrize("text", [KATIB, WANDB])
def test_the_printed_file_is_the_same_job_without_the_notes(
    text: str, tmp_path: Path, workspace: Workspace
) -> None:
    file = tmp_path / "theirs.yml"
    file.write_text(text)
    code, out, err = typed(str(file))
    job = read_job(text)
    assert code == 0
    assert err.splitlines() == list(job.notes)
    again = read_job(out)
    assert replace(again, notes=()) == replace(job, notes=())
    assert read_job(json.loads(typed(str(file), "--json")[1])) == again


def test_what_is_wrong_is_told_at_its_line(tmp_path: Path, workspace: Workspace) -> None:
    file = tmp_path / "theirs.yml"
    file.write_text(KATIB.replace("maxTrialCount: 12", "maxTrialCount: 0"))
    code, out, err = typed(str(file))
    assert (code, out) == (1, "")
    assert err.startswith(f"{file}:14:3: spec.maxTrialCount: Must be from 1 to ")
