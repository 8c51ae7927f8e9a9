"""Random kill -9 of everything, in small; `make chaos` has it in large."""

import pytest

from tests.chaos import drill
from tests.e2e.studios import Studio

PLAN = drill.Plan(trials=30, kills=12, limit_s=150)


@pytest.mark.timeout(300)  # a sweep, and some starts of a whole studio, on a busy machine
def test_a_sweep_survives_kills_at_random(studio: Studio) -> None:
    outcome = drill.run(studio, 1, PLAN)
    assert outcome.killed.total() >= PLAN.kills - 2, "hardly anybody was there to be killed"
    assert sum(outcome.statuses.values()) == PLAN.trials
