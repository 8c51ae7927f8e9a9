"""kill -9 at every named point of a trial's and a sweep's life: the end is always the same.

Each point is called by name (module:function), and dies right before or right after that call: in
between lies what a transaction makes one step. Once everything dies, the queue is lost and scripts
end while nobody watches; once a single process dies, at the second call, and the others go on.

CRASH_POINTS=all (as `make chaos` has it) takes every combination.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from sweeps.domain.limits import Limits
from sweeps.domain.objective import Goal
from sweeps.domain.states import TRIAL_TRANSITIONS, TrialStatus
from sweeps.models import Attempt, EngineLease, OutboxEntry, Sweep, Trial
from tests.engine.conftest import Stage
from tests.engine.stories import ONCE, ONCE_IN, POINTS, QUICKER, STORIES, TRIALS, Story
from tests.engine.world import REPORTS, World, value_of

Enter = Callable[[str], World]
THOROUGH = os.environ.get("CRASH_POINTS") == "all"


def cases(*stories: str) -> list[Any]:
    """Right after every point: what is right before one is right after another."""
    return [
        pytest.param(story, point, before, id=f"{story}-{'before' if before else 'after'} {point}")
        for story in POINTS
        if story in stories or THOROUGH
        for point in POINTS[story]
        for before in ((False, True) if THOROUGH else (False,))
    ]


@pytest.fixture
def enter(
    stage: Stage, make_sweep: Callable[..., Sweep], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], World]:
    """A world for a story: a sweep of three trials, two at a time."""

    def make(story: str) -> World:
        sweep = make_sweep(limits=Limits(TRIALS, 2, 3600), **STORIES[story].job)
        return World(stage, sweep, monkeypatch)

    return make


def live(world: World, story: Story) -> None:
    """Live the story to its end, whoever dies in it."""
    for name, how in story.exits.items():
        world.exits[f"default.{world.sweep.name}.{name}"] = how
    story.happens(world)
    world.until_over()


@pytest.mark.parametrize(("story", "point", "before"), cases(*POINTS))
def test_a_death_of_everything_changes_nothing_about_the_end(
    enter: Enter, story: str, point: str, before: bool
) -> None:
    world = enter(story)
    world.scripts_end_meanwhile = world.queue_dies_too = True
    world.crash_at(point, before=before)
    live(world, STORIES[story])
    assert world.crashes == 1, f"{point} is no point of this story"
    check_end(world, STORIES[story])


@pytest.mark.parametrize("nth", [2, 3] if THOROUGH else [2])
@pytest.mark.parametrize(("story", "point", "before"), cases("plain"))
def test_the_death_of_one_process_changes_nothing_about_the_end(
    enter: Enter, story: str, point: str, before: bool, nth: int
) -> None:
    world = enter(story)
    once = point in ONCE or story in ONCE_IN
    world.crash_at(point, before=before, nth=1 if once else nth)
    live(world, STORIES[story])
    # A third call there need not be.
    assert world.crashes == 1 or nth == 3, f"{point} is no point of this story"
    check_end(world, STORIES[story])


# Where the first death came, and the points on the way of making it good.
RECOVERY = [
    (first, before, point)
    for first, before, points in (
        ("services.trials:about_to_start", True, [
            "engine.start:recover", "engine.runs:find_attempt", "services.trials:record_run",
            "runner:poll", "services.trials:put_back",
        ]),
        ("runner:start", False, ["engine.start:recover", "services.trials:record_started"]),
    )
    for point in points
]  # fmt: skip


@pytest.mark.parametrize("second", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(("first", "before", "point"), RECOVERY)
def test_a_death_while_the_first_one_is_being_made_good(
    enter: Enter, first: str, before: bool, point: str, second: bool
) -> None:
    world = enter("plain")
    world.queue_dies_too = True
    world.crash_at(first, before=before)
    world.until(lambda: world.crashes, "the first death")
    world.crash_at(point, before=second)
    live(world, STORIES["plain"])
    assert world.crashes == 2
    check_end(world, STORIES["plain"])


# --- What must hold at the end -------------------------------------------------------------------
def check_end(world: World, story: Story) -> None:
    """The promises, whatever died: as if nothing had."""
    world.sweep.refresh_from_db()
    assert world.sweep.status == story.sweep
    trials = list(world.sweep.trials.order_by("number"))
    assert [trial.number for trial in trials] == list(range(len(story.statuses)))
    for trial, status in zip(trials, story.statuses, strict=True):
        assert trial.status in QUICKER.get(status, {status}), (trial.number, trial.reason)
        _check_trial(world, trial)
        again = trial.number in story.again
        assert starts(world, trial) <= 1 + again, f"{trial.number}: a living command ran twice"
    _check_runs(world)
    assert world.sweep.revisions.count() == story.revisions
    assert not Attempt.objects.open().exists()
    assert not OutboxEntry.objects.exists()
    _check_leases(world)


def starts(world: World, trial: Trial) -> int:
    """How often the trial's command was started."""
    prefix = f"default.{world.sweep.name}.{trial.number}."
    return sum(name.startswith(prefix) for name in world.stage.runner.started)


def _check_trial(world: World, trial: Trial) -> None:
    attempts = list(trial.attempts.all())
    accepted = [attempt.number for attempt in attempts if attempt.accepted]
    assert accepted == [trial.attempt] if trial.attempt else accepted == []
    if trial.status == "Completed":
        best = REPORTS if world.sweep.goal == Goal.MINIMIZE else 1
        assert trial.objective == value_of(trial.number, best)
        assert trial.reports == REPORTS
        assert sent(world, trial.run_id) == [
            value_of(trial.number, report) for report in range(1, REPORTS + 1)
        ]
    status = ""
    for change in trial.changes.order_by("id"):
        assert change.before == status
        assert not status or change.after in TRIAL_TRANSITIONS[TrialStatus(status)]
        status = change.after
    assert status == trial.status


def sent(world: World, run_id: str) -> list[float]:
    """What MLflow has of a run: it keeps one of several equal values of a step."""
    batches = [b for b in world.stage.tracking.batches if b["run_id"] == run_id]
    points = {(m["step"], m["value"]) for b in batches for m in b.get("metrics", ())}
    return [value for _step, value in sorted(points)]


def _check_runs(world: World) -> None:
    """One run per attempt and one for the sweep, each with the end it had."""
    runs = world.stage.tracking.runs
    by_attempt = {run["tags"].get("studio.attempt"): run for run in runs.values()}
    assert len(by_attempt) == len(runs), f"twins: {[r['tags'] for r in runs.values()]}"
    assert "RUNNING" not in {run["status"] for run in runs.values()}
    known = {attempt.run_id for attempt in Attempt.objects.all()} | {world.sweep.run_id}
    assert set(runs) == known - {""}
    for attempt in Attempt.objects.select_related("trial"):
        good = attempt.accepted and attempt.trial.status == "Completed"
        if attempt.run_id:
            assert (runs[attempt.run_id]["status"] == "FINISHED") == good


def _check_leases(world: World) -> None:
    """Whatever the dead held has run out; nobody holds a right for ever."""
    later = world.now + timedelta(seconds=10)
    assert not EngineLease.objects.filter(expires_at__gt=later).exists()


def test_the_log_of_a_life_without_a_crash_is_without_gaps(enter: Enter) -> None:
    """The checks themselves hold for a life in which nobody dies, and find what is wrong."""
    world = enter("plain")
    live(world, STORIES["plain"])
    check_end(world, STORIES["plain"])
    changes = list(Trial.objects.first().changes.order_by("id"))
    assert all(one.after == two.before for one, two in pairwise(changes))
    world.stage.tracking.create_run("1", "twin", {})
    with pytest.raises(AssertionError):
        check_end(world, STORIES["plain"])
