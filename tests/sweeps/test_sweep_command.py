"""`manage.py sweep`: what it does on the studio's machine alone. What verbs print: tests/client."""

from io import StringIO
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.db import OperationalError

from studio.models import User, Workspace
from sweeps.models import Sweep
from sweeps.services import sweeps
from tests.api.acts import start
from tests.api.test_submit import JOB


def run(*words: str) -> str:
    out = StringIO()
    call_command("sweep", *words, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.fixture
def running(make_sweep: Any, now: Any, alice: User) -> Sweep:
    """A sweep called “tuned” whose trial 0 runs and whose trial 1 waits."""
    sweep: Sweep = make_sweep(name="tuned", display_name="Tuned")
    [first, _] = sweeps.advance(sweep.pk, now).trials
    start(first, now)
    return sweep


def test_whoever_types_is_the_first_administrator(running: Sweep) -> None:
    User.objects.filter(username="alice").update(is_superuser=True)
    assert "by alice" in run("stop", "tuned")


def test_steering_wakes_the_queue(running: Sweep, wake_ups: Any) -> None:
    run("stop", "tuned")
    assert wake_ups() == [("advance_sweep", running.pk)]


def test_a_submission_wakes_the_queue_and_is_the_administrators(
    alice: User, compute: Any, wake_ups: Any, tmp_path: Any
) -> None:
    file = tmp_path / "job.yml"
    file.write_text(yaml.safe_dump(JOB))
    run("submit", str(file))
    sweep = Sweep.objects.get()
    assert (str(sweep.created_by), sweep.workspace.name) == ("alice", "default")
    assert wake_ups() == [("advance_sweep", sweep.pk)]


def test_a_workspace_that_is_not_there_is_told_with_those_that_are(workspace: Workspace) -> None:
    err = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("sweep", "list", "--workspace", "nowhere", stderr=err)
    assert end.value.code == 1
    assert err.getvalue() == "No workspace “nowhere”. There are: default.\n"


def test_no_verb_touches_another_workspace(running: Sweep, charlie: User) -> None:
    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("sweep", "cancel", "tuned", "--workspace", "elsewhere", stderr=err)
    assert err.getvalue() == "There is no sweep “tuned”.\n"
    running.refresh_from_db()
    assert running.desired == "run"


def test_a_database_that_is_not_there_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone() -> None:
        raise OperationalError("no such table: studio_workspace")

    monkeypatch.setattr(Workspace.objects, "all", gone)
    err = StringIO()
    with pytest.raises(SystemExit) as end:
        call_command("sweep", "list", stderr=err)
    assert end.value.code == 1
    assert err.getvalue().startswith("The studio's database cannot be read (no such table: ")
