"""Writing a sweep that nobody ran: no command starts and MLflow hears nothing of it.

While it is being written it is paused, so that an engine that runs meanwhile leaves it alone. What
runs in it has attempts that are over: the engine looks for the ends of open ones only.
"""

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F

from studio.models import Compute, User, Workspace
from sweeps.domain.job import FailurePolicy, Sampling, SweepJob
from sweeps.domain.limits import MAX_SECONDS, Limits
from sweeps.domain.made_up import MadeUp
from sweeps.domain.objective import Objective
from sweeps.domain.samplers.base import Suggestion, SuggestRequest
from sweeps.domain.samplers.random_search import RandomSampler
from sweeps.domain.signature import signature_of
from sweeps.domain.space import SearchSpace, flatten
from sweeps.domain.space_doc import parse_space
from sweeps.domain.states import Desired, PausedBy, SweepStatus, TrialStatus
from sweeps.domain.verdict import Ending, Logged, Outcome, Tries, judge
from sweeps.models import (
    Attempt,
    MetricPoint,
    MetricSummary,
    StateChange,
    Sweep,
    Trial,
)
from sweeps.services import rows
from sweeps.services.metrics import Value, append, update_objective
from sweeps.services.state import lock, move_sweep
from sweeps.services.sweeps import advance, create_sweep

NOTE = "Made up: no command ran, and MLflow knows none of its runs."
CONCURRENT = 8
# Of one transaction: some 100 ms of writing.
_TRIALS, _POINTS = 500, 10_000


def synthesize(
    workspace: Workspace,
    made: MadeUp,
    *,
    compute: Compute,
    user: User | None,
    now: datetime,
    rng: random.Random,
) -> Sweep:
    """Write a made-up sweep that ended at `now`, or runs; `rng` gives its name alone."""
    times = _times(made)
    length = max([ended for _, ended in times if ended is not None], default=0.0)
    began = now - timedelta(seconds=length + 1)
    sweep = _begun(workspace, made, compute, user, began, rng)
    failures, space = made.failures(), parse_space(sweep.search_space)
    finite = made.divergence()
    size = max(1, min(_TRIALS, _POINTS // (made.metrics * made.points)))
    for first in range(0, made.trials, size):
        last = min(first + size, made.trials)
        lives = [
            _Life.of(
                sweep, made, _drawn(sweep, made, space, n), n, began, times[n],
                failures.get(n), finite.get(n, 1.0),
            )
            for n in range(first, last)
        ]  # fmt: skip
        with transaction.atomic():
            lock(sweep.pk)
            _insert(sweep, lives)
            if last == made.trials:
                _end(sweep, made, began, now)
    sweep.refresh_from_db()
    return sweep


def _times(made: MadeUp) -> list[tuple[float, float | None]]:
    """When each trial started and ended, in seconds: as many at a time as may be."""
    free = [0.0] * max(CONCURRENT, made.running)
    found: list[tuple[float, float | None]] = []
    for number in range(made.trials):
        start = heapq.heappop(free)
        end = start + made.duration_s(number)
        found.append((start, end if number < made.trials - made.running else None))
        heapq.heappush(free, end)
    return found


def _objective(made: MadeUp) -> Objective:
    return Objective(made.primary, made.goal)


def _begun(
    workspace: Workspace,
    made: MadeUp,
    compute: Compute,
    user: User | None,
    began: datetime,
    rng: random.Random,
) -> Sweep:
    space = made.space()
    given = " ".join(f"--{name} ${{{{search_space.{name}}}}}" for name in space)
    job = SweepJob(
        command=f"python train.py {given}",
        search_space=parse_space(space),
        objective=_objective(made),
        limits=Limits(made.trials, max(CONCURRENT, made.running), MAX_SECONDS),
        sampling=Sampling("random", seed=made.seed),
        display_name=f"made up: {made.trials:,} trial{'s' * (made.trials != 1)}",
        experiment_name="made-up",
        failure_policy=FailurePolicy(max_consecutive_failures=0),
        notes=(NOTE,),
    )
    with transaction.atomic():
        sweep = create_sweep(
            workspace, job, compute=compute, code=None, user=user, now=began, rng=rng
        )
        halted: dict[str, Any] = {"desired": Desired.PAUSE, "paused_by": PausedBy.PERSON}
        halted |= {"run_id": sweep.uid, "run_closed": True}
        move_sweep(sweep, SweepStatus.PAUSED, began, reason="It is being written.", **halted)
    return sweep


@dataclass(slots=True)
class _Life:
    """The rows of one trial, before they have their keys."""

    trial: Trial
    attempt: Attempt
    summaries: list[MetricSummary] = field(default_factory=list)
    points: list[MetricPoint] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        sweep: Sweep,
        made: MadeUp,
        point: Suggestion,
        number: int,
        began: datetime,
        times: tuple[float, float | None],
        failure: Outcome | None,
        finite: float,
    ) -> "_Life":
        """A trial from its start to its end, if it has one."""
        started = began + timedelta(seconds=times[0])
        ended = None if times[1] is None else began + timedelta(seconds=times[1])
        trial = Trial(
            sweep=sweep, number=number, params=point.params, flat_params=flatten(point.params),
            draw=point.draw, attempt=1, created_at=started, started_at=started, ended_at=ended,
        )  # fmt: skip
        attempt = Attempt(
            number=1, spool=f"/made-up/{sweep.uid}/{number}.1", created_at=started,
            started_at=started, ended_at=ended or started, run_closed=True,
            # No digest: no token can have it.
            token_digest=f"made-up {sweep.uid}.{number}",
        )  # fmt: skip
        life = cls(trial, attempt)
        share = 1.0 if ended and not failure else 0.5
        length = (ended or started + timedelta(seconds=60)) - started
        life._log(made, share, finite, started, length)
        life._settle(failure or Outcome(Ending.EXIT, exit_code=0), made.primary)
        return life

    def _log(
        self, made: MadeUp, share: float, finite: float, started: datetime, length: timedelta
    ) -> None:
        """The first part of what the trial would log in all."""
        objective = _objective(made)
        count = max(1, round(made.points * share))
        step = length / (made.points + 1)
        at = [int((started + step * (n + 1)).timestamp() * 1000) for n in range(count)]
        for name, values in made.curves(self.trial.number, self.trial.params, finite).items():
            summary = MetricSummary(name=name)
            logged = [
                append(summary, self.attempt, Value(name, values[n], n, at[n]), objective)
                for n in range(count)
            ]
            self.summaries.append(summary)
            self.points += logged
            if name == made.primary:
                update_objective(self.trial, logged, objective)

    def _settle(self, outcome: Outcome, metric: str) -> None:
        trial, attempt = self.trial, self.attempt
        if trial.ended_at is None:
            trial.status = TrialStatus.RUNNING
            return
        verdict = judge(
            outcome,
            Logged(trial.reports, trial.objective is not None, (metric,), last="nan"),
            metric=metric,
            desired=Desired.RUN,
            wish_reason="",
            tries=Tries(),
            policy=FailurePolicy(),
            trial_timeout_s=None,
        )
        trial.status, trial.reason = verdict.status, verdict.reason
        attempt.reason, attempt.accepted = verdict.reason, True
        attempt.outcome, attempt.exit_code = outcome.ending, outcome.exit_code
        attempt.run_status = "FAILED" if verdict.failed else "FINISHED"
        if verdict.failed:
            trial.signature = attempt.signature = signature_of(outcome, verdict.reason)

    def changes(self) -> Iterator[StateChange]:
        """What the state log tells of it."""
        trial, states = self.trial, [("", TrialStatus.QUEUED), (TrialStatus.QUEUED, "Running")]
        if trial.ended_at:
            states.append(("Running", trial.status))
        for before, after in states:
            at = trial.ended_at if trial.ended_at and after == trial.status else trial.created_at
            yield StateChange(
                sweep=trial.sweep, trial_id=trial.pk, attempt=1, before=before, after=after, at=at,
                reason=trial.reason if after == trial.status else "", actor="studio",
            )  # fmt: skip


def _drawn(sweep: Sweep, made: MadeUp, space: SearchSpace, number: int) -> Suggestion:
    """The point that the random sampler would have tried, which always has one."""
    sampling = Sampling(**sweep.sampling)
    asked = SuggestRequest(space, _objective(made), sampling, sweep.seed, number)
    return RandomSampler().suggest(asked)  # type: ignore[return-value]


def _insert(sweep: Sweep, lives: list[_Life]) -> None:
    """Give all rows of some trials their places. Call in a transaction."""
    for index, life in enumerate(lives, start=1):
        life.trial.revision = sweep.revision + index
    Trial.objects.bulk_create([life.trial for life in lives])
    # Old databases do not tell keys when many rows come at once.
    between = {"trial__number__gte": lives[0].trial.number, "trial__sweep": sweep}
    numbers = sweep.trials.filter(number__gte=lives[0].trial.number)
    trials = dict(numbers.values_list("number", "pk"))
    for life in lives:
        life.trial.pk = life.attempt.trial_id = trials[life.trial.number]
    Attempt.objects.bulk_create([life.attempt for life in lives])
    attempts = dict(Attempt.objects.filter(**between).values_list("trial__number", "pk"))
    for life in lives:
        life.attempt.pk = attempts[life.trial.number]
        for summary in life.summaries:
            summary.trial_id, summary.attempt_id = life.trial.pk, life.attempt.pk
        for point in life.points:
            point.attempt_id = life.attempt.pk
    rows.insert_plain([row for life in lives for row in life.summaries])
    rows.insert_plain([row for life in lives for row in life.points])
    StateChange.objects.bulk_create([row for life in lives for row in life.changes()])
    count = len(lives)
    Sweep.objects.filter(pk=sweep.pk).update(
        planned=F("planned") + count, revision=F("revision") + count
    )
    sweep.planned, sweep.revision = sweep.planned + count, sweep.revision + count


def _end(sweep: Sweep, made: MadeUp, began: datetime, now: datetime) -> None:
    """It has begun, and has ended if nothing of it runs. Call in a transaction."""
    clock: dict[str, Any] = {"started_at": began, "timed_from": began}
    move_sweep(sweep, SweepStatus.RUNNING, began, desired=Desired.RUN, paused_by="", **clock)
    if not made.running:
        advance(sweep.pk, now)
