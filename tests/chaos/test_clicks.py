"""Fifty identical clicks at once do it once, and nobody sees a server error."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.e2e import jobs, journal
from tests.e2e.invariants import check
from tests.e2e.studios import Studio, until

pytestmark = pytest.mark.timeout(300)  # the start of a studio on a busy machine counts too
CLICKS = 50


def click(studio: Studio, path: str, **more: Any) -> Counter[int]:
    """Fifty requests at once; how often each status was the answer."""
    headers = {"Authorization": f"Bearer {studio.token}"} | more.pop("headers", {})
    url = f"{studio.url}/api/v1/workspaces/default/{path}"

    def one(_number: int) -> int:
        return httpx.post(url, headers=headers, timeout=60, **more).status_code

    with ThreadPoolExecutor(CLICKS) as pool:
        return Counter(pool.map(one, range(CLICKS)))


def changes(studio: Studio, name: str, number: int | None = None) -> list[str]:
    """The statuses that the state log has for the sweep, or for one of its trials."""
    rows = studio.rows(
        "SELECT c.after, t.number FROM sweeps_statechange c "
        "JOIN sweeps_sweep s ON s.id = c.sweep_id LEFT JOIN sweeps_trial t ON t.id = c.trial_id "
        "WHERE s.name = ? ORDER BY c.id",
        name,
    )
    return [row["after"] for row in rows if row["number"] == number]


def settled(studio: Studio, name: str, status: str) -> Callable[[], bool]:
    return lambda: studio.get(f"sweeps/{name}")["status"] == status


def test_pause_resume_and_stop_happen_once(studio: Studio) -> None:
    go = studio.home / "clicks"
    go.unlink(missing_ok=True)
    name = studio.submit(jobs.patient(go, trials=4))
    studio.wait_running(name, 2)
    for verb in ("pause", "resume", "stop"):
        assert click(studio, f"sweeps/{name}/{verb}") == {200: CLICKS}, verb
    assert changes(studio, name) == ["Queued", "Running", "Paused", "Running", "Stopping"]
    go.touch()
    sweep = studio.wait_final(name)
    assert (sweep["status"], sweep["counts"]) == ("Completed", {"Completed": 2})
    check(studio, name, 2, jobs.oracle)


def test_cancelling_and_running_again_happen_once(studio: Studio) -> None:
    go = studio.home / "again"
    go.unlink(missing_ok=True)
    name = studio.submit(jobs.patient(go, trials=2))
    studio.wait_running(name, 2)
    assert click(studio, f"sweeps/{name}/trials/0/cancel") == {200: CLICKS}
    assert click(studio, f"sweeps/{name}/cancel") == {200: CLICKS}
    until(settled(studio, name, "Canceled"), "the end of the cancelled sweep", 30)
    assert changes(studio, name) == ["Queued", "Running", "Stopping", "Canceled"]
    assert changes(studio, name, 0)[-1] == "Canceled"

    go.touch()
    answers = click(studio, f"sweeps/{name}/trials/0/rerun")
    assert set(answers) == {200, 409}
    assert answers[200] == 1
    assert changes(studio, name, 0).count("Queued") == 2
    sweep = studio.wait_final(name)
    assert sweep["counts"] == {"Completed": 1, "Canceled": 1}
    assert studio.trials(name)[0]["attempt"] == 2
    check(studio, name, 2, jobs.oracle)


def test_one_key_adds_one_trial_however_often_it_comes(studio: Studio) -> None:
    name = studio.submit(jobs.toy(1, 1))
    studio.wait_final(name)
    body = {"params": {"x": 0.5}}
    answers = click(
        studio, f"sweeps/{name}/trials", json=body, headers={"Idempotency-Key": "fifty-at-once"}
    )
    assert sum(answers.values()) == answers[201] + answers[200] + answers[409], answers
    assert answers[201] >= 1
    sweep = studio.wait_final(name)
    assert sweep["counts"] == {"Completed": 2}
    check(studio, name, 2, curve=jobs.toy_curve())


def test_no_task_of_a_whole_sweep_keeps_a_worker_for_longer_than_a_second(studio: Studio) -> None:
    studio.wait_healthy()
    studio.news()
    name = studio.submit(jobs.toy(24, 4, "--reports", "3", "--seconds", "0.2"))
    studio.wait_final(name, 90)
    said = studio.news()
    late = [line for line in said.splitlines() if "the task" in line and "took" in line]
    assert not late, late
    assert journal.unaccounted(said) == []
    check(studio, name, 24, curve=jobs.toy_curve(0, 3))
