"""Cancelled, out of time, or wrong from the start: every sweep ends, and says why."""

import sys
import time
from pathlib import Path

import pytest

from tests.e2e import jobs
from tests.e2e.invariants import check
from tests.e2e.processes import carriers
from tests.e2e.studios import Studio, until
from tests.runners.processes import pids_with

HOSTILE = Path(__file__).parents[1] / "runners" / "hostile.py"


def hostile(token: str) -> str:
    """A command and four descendants that ignore SIGTERM; some shed session and environment."""
    return f"python {HOSTILE} {token} 600 plain setsid clean daemon"


def test_cancelling_a_sweep_ends_processes_that_ignore_sigterm(studio: Studio) -> None:
    token = "e2e-cancel-me"
    name = studio.submit(jobs.job(hostile(token), trials=6))
    studio.wait_running(name, 2)
    until(lambda: len(pids_with(token)) >= 10, "all ten hostile processes", 30)
    answer = studio.ask("POST", f"sweeps/{name}/cancel")
    assert answer.status_code == 200
    sweep = studio.wait_final(name)
    assert pids_with(token) == set()
    assert (sweep["status"], sweep["reason"]) == ("Canceled", "Canceled by owner.")
    assert set(sweep["counts"]) == {"Canceled"}
    assert studio.ask("POST", f"sweeps/{name}/cancel").status_code == 200
    check(studio, name, len(studio.trials(name)))


def test_cancelling_one_trial_leaves_the_others(studio: Studio) -> None:
    name = studio.submit(jobs.quick(4, trials=2))
    studio.wait_running(name, 2)
    assert studio.ask("POST", f"sweeps/{name}/trials/0/cancel").status_code == 200
    sweep = studio.wait_final(name)
    zero, one = studio.trials(name)
    assert (zero["status"], zero["reason"]) == ("Canceled", "Canceled by owner.")
    assert (one["status"], sweep["status"]) == ("Completed", "Completed")
    assert zero["duration_s"] < one["duration_s"]
    check(studio, name, 2, jobs.oracle)
    assert studio.ask("POST", f"sweeps/{name}/trials/1/cancel").status_code == 409


def test_a_trial_is_ended_at_its_time_limit_and_what_it_logged_is_kept(studio: Studio) -> None:
    job = jobs.job("python quick.py ${{search_space.x}} 60 60", trials=1)
    job["limits"]["trial_timeout"] = 3
    name = studio.submit(job)
    sweep = studio.wait_final(name)
    [trial] = studio.trials(name)
    assert trial["status"] == "TimedOut"
    assert trial["reason"] == "Ran longer than the trial timeout of 3s."
    assert 2.5 <= trial["duration_s"] <= 40
    assert trial["metrics"]["loss"]["last"] > 1
    assert sweep["status"] == "Failed"
    assert "Most often: Ran longer than the trial timeout" in sweep["reason"]
    check(studio, name, 1)


def test_a_sweep_is_ended_at_its_time_limit_with_what_it_has(studio: Studio) -> None:
    command = f"{sys.executable} quick.py ${{{{search_space.x}}}} ${{{{search_space.seconds}}}}"
    space = jobs.X | {"seconds": {"type": "choice", "values": [0, 600]}}
    job = jobs.job(command, trials=50, space=space, sampling_algorithm="random")
    job["limits"]["timeout"] = 6
    name = studio.submit(job)
    began = time.monotonic()
    sweep = studio.wait_final(name)
    assert 4 < time.monotonic() - began < 60
    assert sweep["reason"].startswith("The sweep's timeout of 6s was reached.")
    assert sweep["counts"].get("Canceled", 0) >= 1
    assert carriers(f".{name}.") == {}
    check(studio, name, len(studio.trials(name)))


BAD = {
    "no such command": (
        "no-such-program --x ${{search_space.x}}",
        ["no-such-program"],
    ),
    "no such script": (
        "python no_such.py ${{search_space.x}}",
        ["exit code 2", "No such file or directory"],
    ),
    "crash at once": (
        "python bad.py crash ${{search_space.x}}",
        ["exit code 1: ValueError: the data has no column “species”"],
    ),
    "silent": (
        "python bad.py nothing ${{search_space.x}}",
        ["Primary metric “loss” was never logged; the script logged no metric at all."],
    ),
    "another name": (
        "python bad.py other-names ${{search_space.x}}",
        ["Primary metric “loss” was never logged; logged: accuracy, val_acc."],
    ),
    "not a number": (
        "python bad.py not-a-number ${{search_space.x}}",
        ["Primary metric “loss” was logged once, never as a finite number (last: NaN)."],
    ),
    "odd name": (
        "python bad.py odd-name ${{search_space.x}}",
        ["exit code 1", "loss?!"],
    ),
    "lucky, then crash": (
        "python bad.py lucky-then-crash ${{search_space.x}}",
        ["The command ended with exit code 3."],
    ),
    "killed": (
        "sh -c 'kill -SEGV $$' ${{search_space.x}}",
        ["11", "SIGSEGV"],
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_on_the_trial_and_the_sweep_ends(studio: Studio, case: str) -> None:
    command, said = BAD[case]
    name = studio.submit(jobs.job(command))
    sweep = studio.wait_final(name)
    trials = studio.trials(name)
    assert [trial["status"] for trial in trials] == ["Failed"] * 2
    for trial in trials:
        assert all(words in trial["reason"] for words in said), trial["reason"]
    assert sweep["status"] == "Failed"
    # The commonest one; two that differ in their peak memory are equally common.
    assert any(trial["reason"] in sweep["reason"] for trial in trials)
    assert sweep["best_trial"] is None
    check(studio, name, 2)
