"""A sweep of toy trials during which processes are killed at random, and what must hold after it.

Seeded: the same seed kills the same kinds at the same shares of the sweep.
"""

import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tests.chaos import victims
from tests.e2e import jobs
from tests.e2e.invariants import check
from tests.e2e.processes import Watch
from tests.e2e.studios import FINAL, Studio

REPORTS = 3
SLOTS = 8
# What may stand in the log of a studio whose parts are killed, and why.
EXPECTED: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """How large a sweep, and how much befalls it."""

    trials: int
    kills: int
    at_once: int = SLOTS
    limit_s: float = 600.0
    longest_s: float = 1.0  # of a trial; the shortest takes 0.05 s


@dataclass
class Outcome:
    """What came of one drill."""

    seed: int
    killed: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    most_at_once: int = 0
    attempts: int = 0
    statuses: dict[str, int] = field(default_factory=dict)


def sweep_of(plan: Plan, seed: int) -> dict[str, Any]:
    """A random sweep of toys with early termination, whose losses never use up its retries."""
    words = ("--reports", str(REPORTS), "--seed", str(seed),
             "--seconds", "${{search_space.seconds}}")  # fmt: skip
    space = {
        "x": {"type": "uniform", "min_value": 0.0, "max_value": 1.0},
        "seconds": {"type": "uniform", "min_value": 0.05, "max_value": plan.longest_s},
    }
    job = jobs.toy(plan.trials, plan.at_once, *words, space=space)
    job["sampling_algorithm"] = {"type": "random", "seed": seed}
    job["early_termination"] = {
        "type": "median_stopping", "evaluation_interval": 1, "delay_evaluation": 1,
    }  # fmt: skip
    job["studio"] = {"failure_policy": {"infrastructure_retries": 10}}
    return job


def run(studio: Studio, seed: int, plan: Plan) -> Outcome:
    """One drill. Raises AssertionError with the seed for the first broken promise."""
    outcome, rng = Outcome(seed), random.Random(seed)
    studio.news()
    began = time.monotonic()
    name = studio.submit(sweep_of(plan, seed))
    with Watch(name) as watch:
        for share, kind in victims.schedule(seed, plan.kills):
            _wait_for(studio, name, share * plan.trials, began + plan.limit_s)
            _kill(studio, kind, rng, outcome)
        sweep = _wait_final(studio, name, began + plan.limit_s)
    outcome.seconds = time.monotonic() - began
    outcome.most_at_once, outcome.statuses = watch.most, sweep["counts"]
    studio.wait_healthy()
    curve = jobs.toy_curve(seed, REPORTS)
    check(studio, name, plan.trials, curve=curve, expected=EXPECTED)
    assert set(sweep["counts"]) <= {"Completed", "EarlyTerminated"}, sweep["counts"]
    assert watch.most <= plan.at_once, f"I6: {watch.most} trials at once"
    outcome.attempts = sum(trial["attempt"] for trial in studio.trials(name))
    return outcome


def _kill(studio: Studio, kind: str, rng: random.Random, outcome: Outcome) -> None:
    """Kill one of the kind, as soon as there is one; count only what died."""
    give_up = time.monotonic() + 10
    while not victims.kill(studio, kind, rng):
        if time.monotonic() > give_up:
            return
        time.sleep(0.01)
    outcome.killed[kind] += 1
    if kind in ("studio", "power"):
        studio.start()


def _wait_for(studio: Studio, name: str, ended: float, deadline: float) -> None:
    """Return once so many trials have ended, or the sweep is over."""
    query = (
        "SELECT t.status FROM sweeps_trial t JOIN sweeps_sweep s ON s.id = t.sweep_id "
        "WHERE s.name = ?"
    )
    live = ("Queued", "Starting", "Running")
    while sum(row["status"] not in live for row in studio.rows(query, name)) < ended:
        assert time.monotonic() < deadline, f"the sweep stands still; the log: {studio.log}"
        time.sleep(0.05)


def _wait_final(studio: Studio, name: str, deadline: float) -> dict[str, Any]:
    while True:
        sweep: dict[str, Any] = studio.get(f"sweeps/{name}")
        if sweep["status"] in FINAL:
            return sweep
        assert time.monotonic() < deadline, f"no end; the log: {studio.log}"
        time.sleep(0.2)
