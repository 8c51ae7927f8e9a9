"""What steers a sweep by itself, on real processes: policies, stop rules, the breaker, retries."""

from typing import Any

from tests.e2e import jobs
from tests.e2e.invariants import check
from tests.e2e.studios import Studio, until
from tests.runners.processes import pids_with

GOOD_AND_BAD = {"x": {"type": "choice", "values": [0.3, 1.3]}}


def slow(x_first: bool = True, **more: Any) -> dict[str, Any]:
    """Trials of three seconds and six reports, at x = 0.3 (the best there is) and then at 1.3."""
    return jobs.job(
        "python quick.py ${{search_space.x}} 3 6",
        trials=2,
        at_once=1,
        space=GOOD_AND_BAD,
        sampling_algorithm="grid",
        **more,
    )


def test_a_hopeless_trial_is_ended_early_with_its_numbers_and_leaves_no_process(
    studio: Studio,
) -> None:
    policy = {"type": "bandit", "slack_amount": 0.5, "evaluation_interval": 2}
    name = studio.submit(slow(early_termination=policy))
    sweep = studio.wait_final(name)
    good, bad = studio.trials(name)
    assert (good["status"], bad["status"]) == ("Completed", "EarlyTerminated")
    # At report 2 the good one stood at 4, the other at 5.
    assert bad["reason"] == "5 at report 2, needed 4.5: bandit, slack 0.5 from best 4"
    assert bad["duration_s"] < good["duration_s"]
    assert (sweep["status"], sweep["best_trial"]["number"]) == ("Completed", 0)
    [row] = studio.rows(
        "SELECT d.* FROM sweeps_terminationdecision d "
        "JOIN sweeps_attempt a ON a.id = d.attempt_id JOIN sweeps_trial t ON t.id = a.trial_id "
        "JOIN sweeps_sweep s ON s.id = t.sweep_id WHERE s.name = ? AND d.stop",
        name,
    )
    assert (row["report"], row["value"], row["threshold"]) == (2, 5.0, 4.5)
    assert not pids_with(f".{name}.")
    check(studio, name, 2)


def test_a_reached_target_ends_the_sweep_before_its_total(studio: Studio) -> None:
    job = jobs.quick(0, trials=50, at_once=1)
    job["studio"] = {"stop_rules": {"target_value": 0.2}}
    name = studio.submit(job)
    sweep = studio.wait_final(name)
    trials = studio.trials(name)
    assert (sweep["status"], len(trials) < 50) == ("Completed", True)
    assert "target" in sweep["reason"]
    assert [t["number"] for t in trials if (t["objective"] or 9) <= 0.2] == [trials[-1]["number"]]
    check(studio, name, len(trials), jobs.oracle)


def test_a_poisoned_sweep_is_paused_after_five_failures_and_not_spawned_two_hundred_times(
    studio: Studio,
) -> None:
    name = studio.submit(jobs.job("python bad.py crash ${{search_space.x}}", trials=200))

    def paused() -> dict[str, Any] | None:
        found = studio.get(f"sweeps/{name}")
        return found if found["status"] == "Paused" else None

    sweep = until(paused, "the pause", 60)
    assert sweep["reason"].startswith("Paused after 5 failures in a row")
    assert "the data has no column “species”" in sweep["reason"]
    count = len(studio.trials(name))
    assert 5 <= count <= 7
    assert studio.ask("POST", f"sweeps/{name}/cancel").status_code == 200
    assert studio.wait_final(name)["status"] == "Canceled"
    assert len(studio.trials(name)) == count
    check(studio, name, count)


def test_a_failed_script_is_tried_again_where_the_job_asks_for_it(studio: Studio) -> None:
    job = jobs.job("python bad.py crash ${{search_space.x}}", trials=1)
    job["studio"] = {"failure_policy": {"retries": 1}}
    name = studio.submit(job)
    until(lambda: studio.trials(name) and studio.trials(name)[0]["attempt"] == 1, "attempt 1", 20)
    sweep = studio.wait_final(name)
    [trial] = studio.trials(name)
    assert (sweep["status"], trial["status"], trial["attempt"]) == ("Failed", "Failed", 2)
    check(studio, name, 1)


def test_first_trials_come_first(studio: Studio) -> None:
    job = jobs.quick(0, trials=3, at_once=1)
    job["studio"] = {"first_trials": [{"x": 0.3}, {"x": 0.9}]}
    name = studio.submit(job)
    studio.wait_final(name)
    points = [trial["params"]["x"] for trial in studio.trials(name)]
    assert points[:2] == [0.3, 0.9]
    assert points[2] not in (0.3, 0.9)
    check(studio, name, 3, jobs.oracle)
