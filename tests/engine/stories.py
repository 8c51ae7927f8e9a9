"""What a sweep may live through besides a death, and the points at which it may die."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sweeps.domain.job import EarlyTermination, FailurePolicy
from sweeps.domain.objective import Goal, Objective
from sweeps.domain.states import TrialStatus
from sweeps.models import Attempt, Sweep, Trial
from sweeps.services import control, edits, picks
from sweeps.services import trials as trial_services
from tests.engine.world import World

TRIALS = 3


@dataclass(frozen=True)
class Story:
    """What happens besides the crash, and how it must end."""

    happens: Callable[[World], None]
    statuses: tuple[str, ...] = ("Completed",) * TRIALS
    sweep: str = "Completed"
    # Trials whose command may be started twice, because an attempt of theirs came to nothing.
    again: tuple[int, ...] = ()
    # Names of attempts that end in another way.
    exits: Mapping[str, Any] = field(default_factory=dict)
    job: Mapping[str, Any] = field(default_factory=dict)
    revisions: int = 0


def plain(world: World) -> None:
    """Nothing."""


def cancel_the_sweep(world: World) -> None:
    """With two trials running, somebody has had enough."""
    world.until_running(2)
    world.person(lambda: control.cancel_sweep(world.sweep, actor="ann", now=world.now))


def cancel_a_trial(world: World) -> None:
    """One of two running trials is cancelled."""
    trial = world.until_running(2)[1].trial
    world.person(lambda: trial_services.cancel_trial(trial, actor="ann", now=world.now))


def pause_and_resume(world: World) -> None:
    """While paused, running trials finish and none starts."""
    world.until_running(2)
    world.person(lambda: control.pause_sweep(world.sweep, actor="ann", now=world.now))
    world.until(lambda: not Attempt.objects.open().exists(), "the end of the running ones")
    started = len(world.stage.runner.started)
    for _ in range(3):
        world.round()
    assert len(world.stage.runner.started) == started == 2
    world.person(lambda: control.resume_sweep(world.sweep, actor="ann", now=world.now))


def stop_the_sweep(world: World) -> None:
    """What runs may finish; the third trial never comes."""
    world.until_running(2)
    world.person(lambda: control.stop_sweep(world.sweep, actor="ann", now=world.now))


def one_trial_more(world: World) -> None:
    """The total is raised while the sweep runs."""
    world.until_running(2)
    _raise_total(world)


def extend(world: World) -> None:
    """The total is raised after the end."""
    world.until_over()
    _raise_total(world)


def _raise_total(world: World) -> None:
    more = {"max_total_trials": TRIALS + 1}
    world.person(lambda: edits.edit_sweep(world.sweep, more, actor="ann", now=world.now))


def pick(world: World) -> None:
    """Somebody adds a point, and looks whether it is there before they click again."""
    world.until_running(2)

    def click() -> None:
        if not world.sweep.trials.filter(picked_by="ann").exists():
            point = {"lr": 0.5, "boosting": "gbdt"}
            picks.add_trial(world.sweep, point, actor="ann", now=world.now)

    world.person(click)
    Sweep.objects.filter(pk=world.sweep.pk).update(max_total_trials=TRIALS)


def mend(world: World) -> None:
    """The breaker has paused the sweep; somebody mends the cause and resumes it.

    Where the third script ended well while the engine was dead, nothing is left to pause.
    """

    def paused() -> bool:
        world.sweep.refresh_from_db()
        return world.sweep.status in ("Paused", "Completed")

    world.until(paused, "the breaker's pause")
    if world.sweep.status == "Completed":
        assert world.crashes
        return
    assert world.sweep.paused_by == "breaker"
    world.person(lambda: control.resume_sweep(world.sweep, actor="ann", now=world.now))


def run_again(world: World) -> None:
    """The first trial failed; after the end of the sweep somebody gives it another chance."""
    world.until_over()
    trial = Trial.objects.get(sweep=world.sweep, number=0)

    def click() -> None:
        trial.refresh_from_db()
        if trial.status == TrialStatus.FAILED:
            trial_services.rerun_trial(trial, actor="ann", now=world.now)

    world.person(click)


DONE, GONE, CUT = "Completed", "Canceled", "EarlyTerminated"
BANDIT = EarlyTermination("bandit", {"slack_amount": 0.5, "evaluation_interval": 1})
STORIES = {
    "plain": Story(plain),
    "cancelled": Story(cancel_the_sweep, (GONE, GONE), "Canceled"),
    "one cancelled": Story(cancel_a_trial, (DONE, GONE, DONE)),
    "paused": Story(pause_and_resume),
    "stopped": Story(stop_the_sweep, (DONE, DONE)),
    "edited": Story(one_trial_more, (DONE,) * 4, revisions=1),
    "extended": Story(extend, (DONE,) * 4, revisions=1),
    "picked": Story(pick),
    "broken": Story(
        mend,
        ("Failed", "Failed", DONE),
        exits={"0.1": 1, "1.1": 1},
        job={"failure_policy": FailurePolicy(max_consecutive_failures=2)},
    ),
    "lost": Story(plain, again=(0,), exits={"0.1": "lost"}),
    "retried": Story(
        plain, again=(0,), exits={"0.1": 3}, job={"failure_policy": FailurePolicy(retries=1)}
    ),
    "run again": Story(run_again, again=(0,), exits={"0.1": 1}),
    "cut short": Story(
        plain,
        (DONE, CUT, CUT),
        job={"early_termination": BANDIT, "objective": Objective("loss", Goal.MAXIMIZE)},
    ),
}
# A script may be done before the wish to end it gets there.
QUICKER = {GONE: {GONE, DONE}, CUT: {CUT, DONE}}

POINTS = {
    "plain": [
        # the sweep's run
        "tracking:get_or_create_experiment", "tracking:create_run", "services.sweeps:record_run",
        # suggesting
        "services.sweeps:plan", "services.sweeps:_suggest", "services.sweeps:_add_trials",
        "services.sweeps:insert_trial", "queue:enqueue",
        # claiming and starting
        "services.trials:claim", "services.trials:_reset", "engine.runs:new_attempt_run",
        "engine.start:spec_of", "services.trials:about_to_start",
        "runner:start", "services.trials:record_started",
        # logging, and bringing it to MLflow
        "services.metrics:record", "services.metrics:_store", "services.metrics:update_objective",
        "services.metrics:next_batch", "tracking:send_batch", "services.metrics:delivered",
        # the end of a command
        "runner:poll", "engine.steps:_settle", "services.trials:finish",
        "services.trials:_end_attempt", "engine.steps:Waker.wake",
        # closing
        "tasks:_close", "engine.runs:close_attempt", "engine.forward:drain",
        "tracking:log_params_missing",
        "tracking:set_tags", "tracking:set_terminated", "services.trials:mark_run_closed",
        "engine.start:forget", "runner:cleanup",
        "services.control:begin", "services.sweeps:move_sweep", "engine.runs:close_sweep",
        "services.sweeps:mark_run_closed",
        # the engine's own
        "engine.steps:reconcile", "services.leases:acquire",
    ],
    "cancelled": [
        "services.control:cancel_sweep", "services.control:_cancel_trials", "runner:stop",
        "engine.steps:_steer", "services.trials:mark_stop_sent", "services.trials:finish",
        "services.trials:_end_attempt", "tracking:set_terminated", "services.sweeps:move_sweep",
    ],
    "one cancelled": [
        "services.trials:cancel_trial", "runner:stop", "services.trials:mark_stop_sent",
        "services.trials:finish",
    ],
    "paused": [
        "services.control:pause_sweep", "services.control:resume_sweep",
        "services.control:move_sweep", "services.trials:finish",
    ],
    "stopped": [
        "services.control:stop_sweep", "services.control:_begin_end", "services.trials:finish",
        "services.sweeps:move_sweep",
    ],
    "edited": ["services.edits:edit_sweep", "services.edits:_write"],
    "extended": [
        "services.edits:edit_sweep", "services.edits:_bring_back", "services.edits:revive",
        "services.edits:record_revision",
    ],
    "picked": ["services.picks:add_trial", "services.picks:insert_trial"],
    "broken": [
        "services.trials:finish", "services.control:pause_sweep", "services.control:resume_sweep",
    ],
    "lost": [
        "engine.steps:_settle", "services.trials:finish", "services.trials:_end_attempt",
        "services.trials:claim", "runner:start", "services.trials:record_started",
        "tracking:set_terminated",
    ],
    "retried": ["services.trials:finish", "services.trials:_end_attempt"],
    "run again": [
        "services.trials:rerun_trial", "services.trials:revive", "services.trials:move_trial",
    ],
    "cut short": [
        "services.metrics:record", "services.metrics:judge_reports",
        "services.termination:_want_stopped", "engine.steps:_steer", "runner:stop",
        "services.trials:mark_stop_sent", "services.trials:finish",
    ],
}  # fmt: skip
# Called only once in a whole life.
ONCE = {
    "tracking:get_or_create_experiment", "services.sweeps:record_run",
    "services.control:begin", "services.sweeps:move_sweep",
    "engine.runs:close_sweep", "services.sweeps:mark_run_closed",
    "services.control:pause_sweep", "services.control:resume_sweep",
    "services.control:stop_sweep", "services.control:_begin_end",
    "services.control:cancel_sweep", "services.control:_cancel_trials",
    "services.trials:cancel_trial", "services.trials:rerun_trial", "services.trials:revive",
}  # fmt: skip
ONCE_IN = {"one cancelled", "edited", "extended", "picked"}
