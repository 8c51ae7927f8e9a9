"""`manage.py sweep`: what each verb does and prints."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import CommandError, call_command

from studio.models import User, Workspace
from sweeps.domain.states import PausedBy
from sweeps.management import watch
from sweeps.models import Sweep
from sweeps.services import control, sweeps
from tests.api.acts import play, start
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


@pytest.fixture
def job_file(tmp_path: Path, compute: Any) -> Path:
    """A job file whose code lies beside it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("print(1)")
    file = tmp_path / "job.yml"
    file.write_text(yaml.safe_dump({**JOB, "trial": {**JOB["trial"], "code": "src"}}))
    return file


def test_list_has_a_line_per_sweep(running: Sweep) -> None:
    assert run("list") == f"{'tuned':<32}  Running    0 of 4 trials done, 1 running\n"
    assert run("list", "--status", "Failed") == ""


def test_show_tells_how_it_stands_and_why_it_waits(running: Sweep) -> None:
    text = run("show", "tuned")
    assert "sweep    tuned (Tuned)\nstatus   Running\n" in text
    assert "waiting  The engine process is not running" in text
    assert text.rstrip().endswith("/w/default/sweeps/tuned/")


def test_show_tells_the_best_trial_and_the_failures(sweep: Sweep, now: Any) -> None:
    play(sweep, now, [0.4, None, 0.2, None])
    text = run("show", sweep.name)
    assert "best     #2: loss 0.2 with lr=" in text
    failed = sweep.trials.get(number=1)
    assert f"failed   2 × {failed.reason}\n" in text


@pytest.mark.parametrize(
    ("verb", "status"),
    [("pause", "Paused"), ("stop", "Stopping"), ("cancel", "Stopping")],
)
def test_steering_happens_once_in_the_first_administrators_name(
    running: Sweep, verb: str, status: str
) -> None:
    User.objects.filter(username="alice").update(is_superuser=True)
    first = run(verb, "tuned")
    assert f"status   {status}\n" in first
    assert "by alice" in first
    assert "already" not in first
    assert run(verb, "tuned") == f"That was so already.\n{first}"


def test_a_paused_sweep_is_resumed(running: Sweep) -> None:
    run("pause", "tuned")
    assert "status   Running\n" in run("resume", "tuned")


def test_steering_wakes_the_queue(running: Sweep, wake_ups: Any) -> None:
    run("stop", "tuned")
    assert wake_ups() == [("advance_sweep", running.pk)]


def test_failed_trials_run_again(sweep: Sweep, now: Any) -> None:
    play(sweep, now, [None, 0.2, None, 0.3])
    assert run("rerun-failed", sweep.name).startswith("trials that run again: 2\n")
    sweep.refresh_from_db()
    assert sweep.status == "Running"
    assert run("rerun-failed", sweep.name).startswith("trials that run again: 0\n")


def test_trials_run_again_in_a_paused_sweep_wait_for_resume(sweep: Sweep, now: Any) -> None:
    play(sweep, now, [None, 0.2])
    run("pause", sweep.name)
    text = run("rerun-failed", sweep.name)
    assert text.startswith("trials that run again: 1, once it is resumed\n")


def test_a_job_file_is_submitted_with_the_code_beside_it(
    job_file: Path, alice: User, wake_ups: Any
) -> None:
    assert run("submit", str(job_file)) == "tuned\n"
    sweep = Sweep.objects.get()
    assert (str(sweep.created_by), sweep.workspace.name) == ("alice", "default")
    assert sweep.code is not None
    assert sweep.code.file_count == 1
    assert wake_ups() == [("advance_sweep", sweep.pk)]
    spec = yaml.safe_load(run("export", "tuned"))
    assert spec["search_space"] == JOB["search_space"]


def test_watching_tells_the_progress_and_fails_with_the_sweep(
    job_file: Path, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([[None, None], [None]])

    def sleep(_: float) -> None:
        for score in next(scores):
            play(Sweep.objects.get(), now, [score])

    monkeypatch.setattr(watch, "sleep", sleep)
    err = StringIO()
    with pytest.raises(CommandError, match="ended as Failed"):
        call_command("sweep", "submit", str(job_file), "--watch", stdout=StringIO(), stderr=err)
    lines = err.getvalue().splitlines()
    assert "0 of 3 trials done, 0 running" in lines
    assert lines[-1] == "3 of 3 trials done, 0 running, 3 not completed"


def test_watching_ends_with_a_code_of_its_own_when_the_sweep_pauses_itself(
    job_file: Path, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = yaml.safe_load(job_file.read_text())
    job["studio"] = {"failure_policy": {"max_consecutive_failures": 2}}
    job["limits"] = {"max_total_trials": 9, "max_concurrent_trials": 1}
    job_file.write_text(yaml.safe_dump(job))
    left = iter(range(3))

    def sleep(_: float) -> None:
        next(left)  # it never waits for ever
        play(Sweep.objects.get(), now, [None])

    monkeypatch.setattr(watch, "sleep", sleep)
    out, err = StringIO(), StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("sweep", "submit", str(job_file), "--watch", stdout=out, stderr=err)
    assert caught.value.returncode == watch.PAUSED_CODE == 3
    assert "run `sweep resume --workspace default tuned`, or end it by" in str(caught.value)
    assert "Paused after 2 failures in a row" in err.getvalue()
    assert "status   Paused\n" in out.getvalue()


def test_watching_waits_for_what_still_runs_and_through_other_pauses(
    running: Sweep, now: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []

    def sleep(_: float) -> None:
        steps.pop(0)()

    def by_breaker() -> None:
        Sweep.objects.update(paused_by=PausedBy.BREAKER, reason="Paused after 2 failures.")

    steps = [
        lambda: control.pause_sweep(running, actor="ann", now=now),
        by_breaker,  # trial 0 still runs
        lambda: running.trials.update(status="Failed"),
    ]
    monkeypatch.setattr(watch, "sleep", sleep)
    watch.watch(running, lines.append)
    assert steps == []
    assert "1 running. Paused by ann" in lines[1]
    assert lines[2].endswith("1 running. Paused after 2 failures.")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "nothing"), "No sweep “nothing” in default"),
        (("list", "--workspace", "nowhere"), "No workspace “nowhere”. There are: default."),
        (("submit", "/no/such.yml"), "/no/such.yml cannot be read"),
        (("resume", "over"), "The sweep has ended as Completed; nothing to resume."),
    ],
)
def test_what_cannot_be_is_one_sentence(
    make_sweep: Any, now: Any, words: tuple[str, ...], told: str
) -> None:
    play(make_sweep(name="over"), now, [0.4, 0.3, 0.2, 0.1])
    with pytest.raises(CommandError) as error:
        run(*words)
    assert told in str(error.value)


def test_every_problem_of_a_job_file_is_told_with_its_line(
    workspace: Workspace, tmp_path: Path
) -> None:
    file = tmp_path / "job.yml"
    file.write_text("type: sweep\nlimits: {max_total_trials: 0}\n")
    with pytest.raises(CommandError) as error:
        run("submit", str(file))
    assert "line 2: limits.max_total_trials: Must be from 1" in str(error.value)
    assert "trial.command" in str(error.value)


def test_code_that_is_not_there_is_told_at_its_key(job_file: Path) -> None:
    job_file.write_text(job_file.read_text().replace("code: src", "code: lib"))
    with pytest.raises(CommandError, match=r"trial\.code: There is no .*lib on this machine"):
        run("submit", str(job_file))
    assert not Sweep.objects.exists()
