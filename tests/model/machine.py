"""The real services and steps, driven at random beside the model; they must never part."""

import math
import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from huey.contrib.djhuey import HUEY
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from studio.models import Compute, Workspace
from sweeps.domain.job import EarlyTermination, FailurePolicy
from sweeps.domain.limits import Limits
from sweeps.domain.problems import InvalidInput
from sweeps.domain.states import SWEEP_TRANSITIONS, TRIAL_TRANSITIONS, SweepStatus, TrialStatus
from sweeps.models import Attempt, OutboxEntry, Sweep, TerminationDecision, Trial
from sweeps.runners.base import EndedBy
from sweeps.services import control, edits, picks, trials
from sweeps.services.metrics import Superseded
from sweeps.services.sweeps import create_sweep
from tests.conftest import NOW, job
from tests.engine.conftest import set_up
from tests.engine.stories import POINTS
from tests.engine.world import World
from tests.model.model import (
    CANCEL,
    EARLY,
    LIVE,
    PAUSE,
    PROBLEMS,
    REFUSED,
    RUN,
    STOP,
    SweepModel,
    TrialModel,
)

BANDIT = EarlyTermination("bandit", {"slack_amount": 1.0, "evaluation_interval": 2})
VALUES = st.one_of(st.integers(-5, 5).map(float), st.sampled_from([math.nan, math.inf, -math.inf]))
# How a command may end, and what its watchers write down then.
ENDINGS: dict[str, tuple[EndedBy, int | None, int | None]] = {
    "exit 0": (EndedBy.EXIT, 0, None),
    "exit 1": (EndedBy.EXIT, 1, None),
    "signal": (EndedBy.SIGNAL, None, 11),
    "SIGKILL": (EndedBy.SIGNAL, None, 9),
}
CRASHES = sorted({*POINTS["plain"], *POINTS["cancelled"], "services.trials:put_back"})
PICK = st.integers(0, 100)


class SweepMachine(RuleBasedStateMachine):
    """One sweep. Every rule is one act of a person, a script, a process or fate."""

    @initialize(
        total=st.integers(1, 4),
        at_once=st.integers(1, 3),
        retries=st.integers(0, 1),
        losses=st.integers(0, 2),
        breaker=st.integers(0, 2),
        early=st.sampled_from([None, BANDIT]),
    )
    def begin(self, total: int, at_once: int, retries: int, losses: int, breaker: int, early: Any):
        self.patch = pytest.MonkeyPatch()
        self.around = transaction.atomic()
        self.around.__enter__()
        self.model = SweepModel(total, at_once, retries, losses, breaker)
        workspace = Workspace.objects.create(name="default", created_at=NOW)
        compute = Compute.objects.create(workspace=workspace, name="local", slots=3)
        wanted = job(
            limits=Limits(total, at_once, 10**7),
            failure_policy=FailurePolicy(breaker, retries, losses),
            early_termination=early,
        )
        sweep = create_sweep(
            workspace, wanted, compute=compute, code=None, user=None, now=NOW, rng=random.Random(1)
        )
        self.world = World(set_up(self.patch, NOW), sweep, self.patch)
        self.reports: dict[str, int] = {}
        self.endings: dict[str, str] = {}
        self.revision = 0
        self.most_active = 0

    def teardown(self) -> None:
        if not hasattr(self, "around"):
            return
        try:
            self.live_on()
        finally:
            transaction.set_rollback(True)
            self.around.__exit__(None, None, None)
            self.patch.undo()

    # --- processes ------------------------------------------------------------------------------
    @rule(seconds=st.integers(1, 4))
    def engine_looks(self, seconds: int) -> None:
        self.world.now += timedelta(seconds=seconds)
        self.world.engine_steps()

    @rule(count=st.integers(1, 5))
    def queue_works(self, count: int) -> None:
        self.world.queue_works(count)

    @rule(rounds=st.integers(1, 3))
    def life_goes_on(self, rounds: int) -> None:
        for _ in range(rounds):
            self.engine_looks(2)
            self.the_model_agrees()
            self.queue_works(10)
            self.the_model_agrees()

    @rule()
    def queue_is_lost(self) -> None:
        HUEY.flush()

    @rule(
        point=st.sampled_from(CRASHES),
        before=st.booleans(),
        nth=st.integers(1, 2),
        queue_dies=st.booleans(),
    )
    def somebody_is_killed(self, point: str, before: bool, nth: int, queue_dies: bool) -> None:
        self.world.queue_dies_too = queue_dies
        with self.world.deadly(point, before=before, nth=nth):
            self.world.now += timedelta(seconds=1)
            self.world.engine_steps()
            self.the_model_agrees()
            self.world.queue_works(20)

    @rule()
    def everything_is_killed(self) -> None:
        self.world.queue_dies_too = True
        self.world.restart()

    @rule()
    def ctrl_c_and_a_new_start(self) -> None:
        self.world.stop_and_start()

    @rule(seconds=st.sampled_from([-60, -5, 15, 90]))
    def the_clock_jumps(self, seconds: int) -> None:
        """By 15 s all leases run out; back, they last longer."""
        self.world.now += timedelta(seconds=seconds)

    @rule()
    def tracking_goes_or_comes(self) -> None:
        self.world.stage.tracking.down = not self.world.stage.tracking.down

    # --- scripts --------------------------------------------------------------------------------
    @precondition(lambda self: self.alive())
    @rule(pick=PICK, value=VALUES, twice=st.booleans())
    def a_script_reports(self, pick: int, value: float, twice: bool) -> None:
        name = self.one(self.alive(), pick)
        attempt = self.world.attempt_called(name)
        self.reports[name] = report = self.reports.get(name, 0) + 1
        for _ in range(1 + twice):  # The answer to the first one never came.
            self.world.log(attempt, value, report)
        known = self.model.trials[attempt.trial.number]
        known.logged.append(value)
        if known.wish == RUN:
            known.counted.append(value)

    @precondition(lambda self: self.alive())
    @rule(pick=PICK, ending=st.sampled_from([*ENDINGS, "exit 0", "lost"]))
    def a_script_ends(self, pick: int, ending: str) -> None:
        name = self.one(self.alive(), pick)
        if ending == "lost":
            self.world.stage.runner.lose(name, "power cut")
        else:
            by, code, number = ENDINGS[ending]
            self.world.stage.now = self.world.now
            message = "killed" if number else ""
            attempt = self.world.attempt_called(name)
            self.world.stage.end(attempt, by, code, signal=number, message=message)
        self.endings[name] = ending

    @precondition(lambda self: Attempt.objects.filter(ended_at__isnull=False).exists())
    @rule(pick=PICK)
    def a_script_reports_too_late(self, pick: int) -> None:
        ended = Attempt.objects.filter(ended_at__isnull=False).select_related("trial__sweep")
        with pytest.raises(Superseded):
            self.world.log(self.one(list(ended), pick), -1e9, 99)

    # --- people ---------------------------------------------------------------------------------
    @rule(wish=st.sampled_from([PAUSE, RUN, RUN, STOP, CANCEL]))
    def steer(self, wish: str) -> None:
        verbs: dict[str, Callable[..., bool]] = {
            PAUSE: control.pause_sweep, RUN: control.resume_sweep,
            STOP: control.stop_sweep, CANCEL: control.cancel_sweep,
        }  # fmt: skip
        due = self.model.answer(wish)
        got = self.ask(lambda: verbs[wish](self.world.sweep, actor="ann", now=self.world.now))
        assert got == due, f"{wish} of a sweep wanted {self.model.wish}: {got}, not {due}"
        if due is True:
            self.model.want(wish)

    @precondition(lambda self: self.model.trials)
    @rule(pick=PICK)
    def cancel_a_trial(self, pick: int) -> None:
        number = self.one(sorted(self.model.trials), pick)
        trial, known = self.trial(number), self.model.trials[number]
        got = self.ask(lambda: trials.cancel_trial(trial, actor="ann", now=self.world.now))
        if known.status in LIVE:
            assert got is (known.wish != CANCEL)
            known.wish = CANCEL if known.status != "Queued" else known.wish
            known.status = "Canceled" if known.status == "Queued" else known.status
        else:
            assert got is (False if known.status == "Canceled" else REFUSED)

    @precondition(lambda self: self.model.trials)
    @rule(pick=PICK)
    def run_a_trial_again(self, pick: int) -> None:
        number = self.one(sorted(self.model.trials), pick)
        trial, known = self.trial(number), self.model.trials[number]
        refused = known.status in {*LIVE, "Completed"} or (
            self.model.is_ending and not self.model.over
        )
        got = self.ask(lambda: trials.rerun_trial(trial, actor="ann", now=self.world.now))
        assert got is (REFUSED if refused else True)
        if not refused:
            fresh = TrialModel(attempt=known.attempt, logged=known.logged, counted=known.counted)
            self.model.trials[number] = fresh
            self.model.revive(alone=True)

    @rule(more=st.integers(-1, 1))
    def change_the_total(self, more: int) -> None:
        total = self.model.total + more
        self.edit({"max_total_trials": total}, total >= max(1, len(self.model.trials)))
        if self.world.sweep.max_total_trials == total:
            if more > 0:
                self.model.alone = False
                self.model.revive(alone=False)
            self.model.total = total

    @rule(at_once=st.integers(1, 3))
    def change_the_concurrency(self, at_once: int) -> None:
        self.edit({"max_concurrent_trials": at_once}, not self.model.over)
        self.model.at_once = self.world.sweep.max_concurrent_trials

    @precondition(lambda self: len(self.model.trials) < 6)
    @rule()
    def pick_a_point(self) -> None:
        point = {"lr": 0.5, "boosting": "dart"}
        refused = self.model.is_ending and not self.model.over
        got = self.ask(
            lambda: picks.add_trial(self.world.sweep, point, actor="ann", now=self.world.now)
        )
        assert (got is REFUSED) == refused
        if not refused:
            assert got.number == len(self.model.trials)
            self.model.trials[got.number] = TrialModel()
            self.model.total = max(self.model.total, len(self.model.trials))
            self.model.revive(alone=True)

    # --- what must hold, always -----------------------------------------------------------------
    @invariant()
    def the_model_agrees(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.sweep.refresh_from_db()
        self.take_notice()
        sweep, model = self.world.sweep, self.model
        rows = list(sweep.trials.order_by("number"))
        assert [row.number for row in rows] == list(range(len(model.trials)))
        assert sweep.planned == len(rows) <= sweep.max_total_trials == model.total
        for row in rows:
            self.check_trial(row, model.trials[row.number])
        assert sweep.revision >= self.revision
        self.revision = sweep.revision
        active = sum(row.status in ("Starting", "Running") for row in rows)
        assert active <= max(model.at_once, self.most_active), "more than may run at once"
        self.most_active = active
        self.check_commands()

    def take_notice(self) -> None:
        """Follow what the studio does by itself, as far as the model allows it."""
        sweep, model = self.world.sweep, self.model
        for row in sweep.trials.order_by("ended_at", "number"):
            known = model.trials.get(row.number)
            if known is None:
                assert not model.is_ending, "a trial of a sweep that is being ended"
                known = model.trials[row.number] = TrialModel()
            self.follow(row, known)
        if sweep.desired != model.wish:
            assert (model.wish, sweep.desired) == (RUN, PAUSE), "a wish of nobody's"
            assert sweep.paused_by == "breaker"
            failed = sum(trial.status in PROBLEMS for trial in model.trials.values())
            assert 0 < model.breaker <= failed, "the breaker had no reason"
            model.wish = PAUSE
        if SweepStatus(sweep.status).is_final != model.over:
            assert not any(trial.status in LIVE for trial in model.trials.values())
            full = len(model.trials) >= model.total or model.alone
            assert full or model.is_ending, "it ended too early"
            assert not Attempt.objects.filter(trial__sweep=sweep, run_closed=False).exists()
            model.end()
            assert sweep.status == model.ended_as

    def follow(self, row: Trial, known: TrialModel) -> None:
        """From the model's status of a trial to what the row says, if there is a way."""
        cut = TerminationDecision.objects.filter(
            attempt__trial=row, attempt__number=known.attempt, stop=True
        )
        if known.wish == RUN and known.attempt and cut.exists():
            known.wish = EARLY
        if row.attempt != known.attempt:
            if known.status != "Queued":
                self.end(known, row.number)
            assert (row.attempt, known.status) == (known.attempt + 1, "Queued")
            assert self.model.wish == RUN, f"started while the sweep was wanted {self.model.wish}"
            known.attempt, known.status = row.attempt, "Starting"
            known.logged, known.counted = [], []
        if known.status == "Starting" and row.status == "Running":
            known.status = "Running"
        if known.status in ("Starting", "Running") and row.status != known.status:
            self.end(known, row.number)

    def end(self, known: TrialModel, number: int) -> None:
        """The newest attempt of the trial is over: by its command's end, or before it began."""
        name = f"default.{self.world.sweep.name}.{number}.{known.attempt}"
        ending = self.endings.get(name)
        if name in self.world.stage.runner.stopped:
            ending = "stopped"
        if ending is None:
            assert name not in self.world.stage.runner.started, f"{name} still runs"
            unwanted = known.wish != RUN or self.model.is_ending
            known.status = "Canceled" if unwanted else "Queued"
        else:
            self.model.settle(known, ending)

    def check_trial(self, row: Trial, known: TrialModel) -> None:
        """Row and model say the same, and there is one accepted result or none."""
        assert row.status == known.status, f"{row.number}: {row.status}, not {known.status}"
        if row.attempt:
            assert row.reports == len(known.logged), f"{row.number}: values lost or doubled"
            assert row.objective == known.best
        accepted = list(row.attempts.filter(accepted=True).values_list("number", flat=True))
        is_final = row.status not in LIVE
        assert len(accepted) <= 1
        assert not accepted or (is_final and accepted == [row.attempt])
        if row.status in ("Completed", "Failed", "Lost", "EarlyTerminated"):
            assert accepted
        if is_final and row.status != "Completed":
            assert row.reason, f"{row.number} is {row.status} for no reason"
        self.check_log(row)

    def check_log(self, row: Trial) -> None:
        """Every change of status is an allowed one and follows the one before."""
        status = ""
        for before, after in row.changes.order_by("id").values_list("before", "after"):
            assert before == status
            assert not status or after in TRIAL_TRANSITIONS[TrialStatus(status)]
            status = after
        assert status == row.status

    def check_commands(self) -> None:
        """Whatever runs belongs to an open attempt: nobody else would ever end it."""
        for name in self.alive():
            assert self.world.attempt_called(name).ended_at is None, f"{name} runs for nobody"

    # --- the end --------------------------------------------------------------------------------
    def live_on(self) -> None:
        """With nobody interfering every sweep comes to its end, and nothing is left."""
        self.world.stage.tracking.down = False
        self.world.queue_dies_too = False
        for _ in range(150):
            self.the_model_agrees()
            if self.model.over and self.world.sweep.run_closed:
                break
            if self.model.wish == PAUSE and not self.model.over:
                self.steer(RUN)
            while self.alive():
                self.a_script_reports(0, 1.0, False)
                self.a_script_ends(0, "exit 0")
            self.world.now += timedelta(seconds=2)
            self.world.engine_steps()
            self.the_model_agrees()
            self.world.queue_works(60)
        assert self.model.over, f"no end: {self.world.sweep.status}, {self.world.statuses()}"
        assert not OutboxEntry.objects.exists()
        runs = self.world.stage.tracking.runs
        assert "RUNNING" not in {run["status"] for run in runs.values()}
        known = set(Attempt.objects.values_list("run_id", flat=True)) | {self.world.sweep.run_id}
        assert set(runs) <= known, "a run that nobody knows"
        self.check_sweep_log()

    def check_sweep_log(self) -> None:
        status = ""
        changes = self.world.sweep.changes.filter(trial=None).order_by("id")
        for before, after in changes.values_list("before", "after"):
            assert before == status
            assert not status or after in SWEEP_TRANSITIONS[SweepStatus(status)]
            status = after

    # --- helpers --------------------------------------------------------------------------------
    def alive(self) -> list[str]:
        """Names of attempts whose commands run."""
        if not hasattr(self, "world"):
            return []
        runner = self.world.stage.runner
        return [name for name in runner.started if not runner.is_over(name)]

    def one(self, things: list[Any], pick: int) -> Any:
        return things[pick % len(things)]

    def trial(self, number: int) -> Trial:
        return Trial.objects.get(sweep=self.world.sweep, number=number)

    def ask(self, act: Callable[[], Any]) -> Any:
        try:
            return act()
        except InvalidInput:
            return REFUSED

    def edit(self, changes: dict[str, Any], allowed: bool) -> None:
        sweep = self.world.sweep
        sweep.refresh_from_db()
        name, value = next(iter(changes.items()))
        differs = getattr(sweep, name) != value
        got = self.ask(lambda: edits.edit_sweep(sweep, changes, actor="ann", now=self.world.now))
        if not differs:
            assert got is None
        elif got is REFUSED:
            assert not allowed or self.model.over
        else:
            assert allowed
        self.world.sweep = Sweep.objects.get(pk=sweep.pk)
