"""kill -9 at every named point of a trial's and a sweep's life: the end is always the same.

Each point is called by name (module:function), and dies right before or right after that call: in
between lies what a transaction makes one step. Once everything dies, the queue is lost and scripts
end while nobody watches; once a single process dies, at the second call, and the others go on.

CRASH_POINTS=all (as `make chaos` has it) takes every combination.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from sweeps.domain.limits import Limits
from sweeps.domain.states import TRIAL_TRANSITIONS, TrialStatus
from sweeps.models import Attempt, EngineLease, OutboxEntry, Sweep, Trial
from sweeps.services import sweeps as sweep_services
from sweeps.services import trials as trial_services
from tests.engine.conftest import Stage
from tests.engine.world import REPORTS, World, value_of

TRIALS = 3
THOROUGH = os.environ.get("CRASH_POINTS") == "all"


@dataclass(frozen=True)
class Story:
    """What happens besides the crash, and how it must end."""

    happens: Callable[[World], None]
    statuses: tuple[str, ...] = ("Completed",) * TRIALS
    sweep: str = "Completed"
    # Trials whose command may be started twice, because an attempt of theirs came to nothing.
    again: tuple[int, ...] = ()
    # Names of attempts that end in another way.
    exits: tuple[tuple[str, Any], ...] = ()


def plain(world: World) -> None:
    """Nothing."""


def cancel_the_sweep(world: World) -> None:
    """With two trials running, somebody has had enough."""
    world.until_running(2)
    world.person(lambda: sweep_services.cancel_sweep(world.sweep, actor="ann", now=world.now))


def cancel_a_trial(world: World) -> None:
    """One of two running trials is cancelled."""
    trial = world.until_running(2)[1].trial
    world.person(lambda: trial_services.cancel_trial(trial, actor="ann", now=world.now))


def run_again(world: World) -> None:
    """The first trial failed; after the end of the sweep somebody gives it another chance."""
    world.until_over()
    trial = Trial.objects.get(sweep=world.sweep, number=0)

    def click() -> None:
        trial.refresh_from_db()
        if trial.status == TrialStatus.FAILED:
            trial_services.rerun_trial(trial, actor="ann", now=world.now)

    world.person(click)


STORIES = {
    "plain": Story(plain),
    "cancelled": Story(cancel_the_sweep, ("Canceled", "Canceled"), "Canceled"),
    "one cancelled": Story(cancel_a_trial, ("Completed", "Canceled", "Completed")),
    "lost": Story(plain, again=(0,), exits=(("0.1", "lost"),)),
    "run again": Story(run_again, again=(0,), exits=(("0.1", 1),)),
}
# A finished script of a cancelled trial may have been quicker than the cancellation.
QUICKER = {"Canceled": {"Canceled", "Completed"}}

POINTS = {
    "plain": [
        # the sweep's run
        "tracking:get_or_create_experiment", "tracking:create_run", "services.sweeps:record_run",
        # suggesting
        "services.sweeps:plan", "services.sweeps:_suggest", "services.sweeps:_add_trials",
        "services.sweeps:_insert_trial", "queue:enqueue",
        # claiming and starting
        "services.trials:claim", "services.trials:_reset", "engine.runs:open_attempt",
        "services.trials:record_run", "engine.start:spec_of", "services.trials:about_to_start",
        "runner:start", "services.trials:record_started",
        # logging, and bringing it to MLflow
        "services.metrics:record", "services.metrics:_store", "services.metrics:_update_objective",
        "services.metrics:next_batch", "tracking:send_batch", "services.metrics:delivered",
        # the end of a command
        "runner:poll", "engine.steps:_settle", "services.trials:finish",
        "services.trials:_end_attempt", "engine.steps:Waker.wake",
        # closing
        "engine.runs:close_attempt", "engine.forward:drain", "tracking:log_params_missing",
        "tracking:set_tags", "tracking:set_terminated", "services.trials:mark_run_closed",
        "engine.start:forget", "runner:cleanup",
        "services.sweeps:move_sweep", "engine.runs:close_sweep",
        "services.sweeps:mark_run_closed",
        # the engine's own
        "engine.steps:reconcile", "services.leases:acquire",
    ],
    "cancelled": [
        "services.sweeps:cancel_sweep", "services.sweeps:_cancel_trials", "runner:stop",
        "engine.steps:grant_wishes", "services.trials:mark_stop_sent", "services.trials:finish",
        "services.trials:_end_attempt", "tracking:set_terminated", "services.sweeps:move_sweep",
    ],
    "one cancelled": [
        "services.trials:cancel_trial", "runner:stop", "services.trials:mark_stop_sent",
        "services.trials:finish",
    ],
    "lost": [
        "engine.steps:_settle", "services.trials:finish", "services.trials:_end_attempt",
        "services.trials:claim", "runner:start", "services.trials:record_started",
        "tracking:set_terminated",
    ],
    "run again": [
        "services.trials:rerun_trial", "services.trials:move_sweep", "services.trials:move_trial",
    ],
}  # fmt: skip
# Called only once in a whole life.
ONCE = {
    "tracking:get_or_create_experiment", "services.sweeps:record_run",
    "engine.runs:close_sweep", "services.sweeps:mark_run_closed", "services.sweeps:cancel_sweep",
    "services.sweeps:_cancel_trials", "services.trials:cancel_trial",
    "services.trials:rerun_trial", "services.trials:move_sweep",
}  # fmt: skip


def cases(*sides: bool) -> list[Any]:
    """Every point of every story, right before and right after."""
    return [
        pytest.param(story, point, before, id=f"{story}-{'before' if before else 'after'} {point}")
        for story, points in POINTS.items()
        for point in points
        for before in (sides if not THOROUGH else (True, False))
    ]


@pytest.fixture
def world(stage: Stage, make_sweep: Callable[..., Sweep], monkeypatch: pytest.MonkeyPatch) -> World:
    """A sweep of three trials, two at a time."""
    return World(stage, make_sweep(limits=Limits(TRIALS, 2, 3600)), monkeypatch)


def live(world: World, story: Story) -> None:
    """Live the story to its end, whoever dies in it."""
    for name, how in story.exits:
        world.exits[f"default.{world.sweep.name}.{name}"] = how
    story.happens(world)
    world.until_over()


@pytest.mark.parametrize(("story", "point", "before"), cases(True, False))
def test_a_death_of_everything_changes_nothing_about_the_end(
    world: World, story: str, point: str, before: bool
) -> None:
    world.scripts_end_meanwhile = world.queue_dies_too = True
    world.crash_at(point, before=before)
    live(world, STORIES[story])
    assert world.crashes == 1, f"{point} is no point of this story"
    check_end(world, STORIES[story])


@pytest.mark.parametrize("nth", [2, 3] if THOROUGH else [2])
@pytest.mark.parametrize(("story", "point", "before"), cases(False))
def test_the_death_of_one_process_changes_nothing_about_the_end(
    world: World, story: str, point: str, before: bool, nth: int
) -> None:
    once = point in ONCE or story == "one cancelled"
    world.crash_at(point, before=before, nth=1 if once else nth)
    live(world, STORIES[story])
    # A third call there need not be.
    assert world.crashes == 1 or nth == 3, f"{point} is no point of this story"
    check_end(world, STORIES[story])


# Where the first death came, and the points on the way of making it good.
RECOVERY = [
    (first, before, point)
    for first, before, points in (
        ("services.trials:record_run", True, ["engine.start:recover", "engine.runs:find_attempt",
                                              "services.trials:record_run", "runner:poll",
                                              "services.trials:put_back"]),
        ("runner:start", False, ["engine.start:recover", "services.trials:record_started"]),
    )
    for point in points
]  # fmt: skip


@pytest.mark.parametrize("second", [True, False], ids=["before", "after"])
@pytest.mark.parametrize(("first", "before", "point"), RECOVERY)
def test_a_death_while_the_first_one_is_being_made_good(
    world: World, first: str, before: bool, point: str, second: bool
) -> None:
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
        assert trial.objective == value_of(trial.number, REPORTS)
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


def test_the_log_of_a_life_without_a_crash_is_without_gaps(world: World) -> None:
    """The checks themselves hold for a life in which nobody dies, and find what is wrong."""
    live(world, STORIES["plain"])
    check_end(world, STORIES["plain"])
    changes = list(Trial.objects.first().changes.order_by("id"))
    assert all(one.after == two.before for one, two in pairwise(changes))
    world.stage.tracking.create_run("1", "twin", {})
    with pytest.raises(AssertionError):
        check_end(world, STORIES["plain"])
