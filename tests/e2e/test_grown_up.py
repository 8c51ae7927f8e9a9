"""The same studio on PostgreSQL and Redis: real queue, real engine, killed in the middle."""

from pathlib import Path

import pytest

from tests.e2e import jobs
from tests.e2e.invariants import check
from tests.e2e.studios import Studio, until
from tests.run import postgresql, redis

TRIALS = 6


@pytest.mark.postgresql
@pytest.mark.timeout(300)
def test_a_sweep_survives_a_killed_engine_and_an_emptied_queue(tmp_path: Path) -> None:
    with postgresql() as database_url, redis() as redis_url:
        studio = Studio(tmp_path / "home", DATABASE_URL=database_url, REDIS_URL=redis_url)
        try:
            studio.start()
            name = studio.submit(jobs.quick(0.5, trials=TRIALS))
            until(
                lambda: any(t["status"] == "Completed" for t in studio.trials(name)),
                "a completed trial",
                40,
            )
            studio.kill("engine")
            studio.kill("queue")
            sweep = studio.wait_final(name, 60)
            trials = studio.trials(name)
            check(studio, name, TRIALS, jobs.oracle)
        finally:
            studio.close()
    assert not (tmp_path / "home" / "studio.db").exists(), "it did not use PostgreSQL"
    assert not (tmp_path / "home" / "huey.db").exists(), "it did not use Redis"
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": TRIALS})
    best = min(trials, key=lambda trial: trial["objective"])
    assert sweep["best_trial"]["number"] == best["number"]
