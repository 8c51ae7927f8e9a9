"""The engine's steps. Each looks at rows and reality, brings them together, says if it did."""

import logging
import math
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from sweeps import tasks
from sweeps.domain.states import Desired, TrialStatus
from sweeps.domain.verdict import Ending, Outcome
from sweeps.engine.holders import has_died
from sweeps.engine.how import how_of
from sweeps.engine.logs import last_words
from sweeps.engine.places import Place, place_of
from sweeps.engine.trouble import TROUBLE
from sweeps.models import Attempt
from sweeps.queries import work
from sweeps.queries.places import handle_of, spool_of
from sweeps.queries.pruning import prunable_models
from sweeps.queries.registry import waiting_versions
from sweeps.runners.base import Ended, Event, Lost, Result, Runner, Running
from sweeps.runners.registry import get_runner
from sweeps.services import submitted, time_limits, trials

log = logging.getLogger(__name__)

# A wake-up is repeated only after this long: the queue may be behind, or have lost it.
REPEAT_S = 3.0
# What a process asked of MLflow before it was killed, a run say, is there after this long.
IN_FLIGHT = timedelta(seconds=3)
# A sweep that seems to need nothing is looked at all the same.
QUIET_S = 30.0


class Waker:
    """Wakes the queue for a piece of work, not again within `REPEAT_S` seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._woken: dict[Hashable, float] = {}
        # Runs that had values for MLflow at the last look.
        self.waiting: set[str] = set()

    def wake(
        self,
        task: Callable[[Any], Any],
        key: Any,
        *,
        again: bool = False,
        every_s: float = REPEAT_S,
    ) -> None:
        """Enqueue `task(key)`; `again` says that there is news, so at once."""
        if again or self._clock() - self._woken.get((task, key), -math.inf) >= every_s:
            self.note(task, key)
            task(key)

    def note(self, task: Callable[[Any], Any], key: Any) -> None:
        """Remember that the work is being done, by whomever."""
        self._woken[task, key] = self._clock()

    def forget_old(self) -> None:
        """Drop what would not hold back a wake-up any more."""
        now = self._clock()
        self._woken = {k: at for k, at in self._woken.items() if now - at < QUIET_S}


def poll(waker: Waker, now: datetime) -> dict[Place, list[str]]:
    """Bring ended commands to their verdict, and to running ones what is wanted of them.

    Returns the handles of those that run, by place.
    """
    attempts = {handle_of(attempt): attempt for attempt in work.running_attempts()}
    places: dict[Place, list[str]] = defaultdict(list)
    for handle, attempt in attempts.items():
        places[place_of(attempt.trial.sweep.compute)].append(handle)
    return {place: _look(place, places[place], attempts, waker, now) for place in places}


def _look(
    place: Place, handles: list[str], attempts: dict[str, Attempt], waker: Waker, now: datetime
) -> list[str]:
    running, runner = [], get_runner(*place)
    for event in _events(runner, handles, attempts):
        attempt = attempts[event.handle]
        with _alone(attempt):
            if isinstance(event, Running):
                running.append(event.handle)
                _note_begin(event, attempt, now)
                _steer(runner, event.handle, attempt, now)
            else:
                if isinstance(event, Ended):
                    _note_late_begin(event.result, attempt)
                _settle(runner, attempt, event, now)
                # The next command first, which one of them may be waiting for.
                waker.wake(tasks.follow_up, attempt.pk, again=True)
                waker.note(tasks.close_run, attempt.pk)
                waker.note(tasks.advance_sweep, attempt.trial.sweep_id)
    return running


def _note_begin(event: Running, attempt: Attempt, now: datetime) -> None:
    """Of a command that a cluster has: that it began, or what it waits for."""
    if attempt.trial.status != TrialStatus.STARTING:
        return
    if not event.waits:
        submitted.begin(attempt, now)
    elif attempt.trial.reason != event.waits:
        submitted.wait(attempt, event.waits)


def _note_late_begin(result: Result, attempt: Attempt) -> None:
    """It began and ended between two looks."""
    began = result.ended_at > result.started_at
    if began and attempt.trial.status == TrialStatus.STARTING:
        submitted.begin(attempt, datetime.fromtimestamp(result.started_at, UTC))


def _events(runner: Runner, handles: list[str], attempts: dict[str, Attempt]) -> Iterator[Event]:
    """What is true of each; one whose records are damaged must not hide the others."""
    try:
        yield from runner.poll(handles)
    except TROUBLE:
        raise
    except Exception:
        log.exception("a record in a spool is damaged; each is looked at by itself")
        for handle in handles:
            with _alone(attempts[handle]):
                yield from runner.poll([handle])


def _steer(runner: Runner, handle: str, attempt: Attempt, now: datetime) -> None:
    """Stop a command that somebody wants stopped; tell it of a changed time limit."""
    if attempt.trial.desired != Desired.RUN and attempt.stop_sent_at is None:
        runner.stop(handle, reason=attempt.trial.reason)
        trials.mark_stop_sent(attempt, now)
    limit = attempt.trial.sweep.trial_timeout_s
    if limit != attempt.time_limit_s:
        runner.set_time_limit(handle, limit)
        time_limits.mark_time_limit(attempt, limit)


@contextmanager
def _alone(attempt: Attempt) -> Iterator[None]:
    """One attempt's trouble (a full disk, a damaged file) must not keep others from their end."""
    try:
        yield
    except TROUBLE:
        raise
    except Exception:
        log.exception("attempt %s could not be dealt with; it is tried again", attempt.pk)


def _settle(runner: Runner, attempt: Attempt, event: Ended | Lost, now: datetime) -> None:
    if isinstance(event, Lost):
        outcome = Outcome(Ending.LOST, message=event.reason)
        trials.finish(attempt, outcome, peak_memory=None, now=now)
        return
    result = event.result
    outcome = Outcome(
        ending=Ending(result.ended_by.value),
        exit_code=result.exit_code,
        signal=result.signal,
        message=result.message,
        last_words="" if result.exit_code == 0 else last_words(spool_of(attempt)),
        # Known for good only now: a child may find at the last moment that it must start afresh.
        how=how_of(runner, event.handle),
    )
    ended_at = datetime.fromtimestamp(result.ended_at, UTC)
    # A wrong clock on the machine must not make a trial end before it began.
    ended_at = max(ended_at, attempt.started_at or ended_at)
    memory = result.peak_memory_bytes
    trials.finish(attempt, outcome, peak_memory=memory, now=ended_at, seen=now)


def forward(waker: Waker) -> None:
    """Wake a forwarder for each run with logged values that MLflow lacks, at the second look.

    Most of what a short trial logs is gone by then, with the closing of its run.
    """
    waiting = set(work.runs_with_outbox())
    for run_id in sorted(waiting & waker.waiting):
        waker.wake(tasks.forward_run, run_id)
    waker.waiting = waiting


def abandoned_claims(now: datetime) -> list[Attempt]:
    """Claims that ran out, or whose starter died `IN_FLIGHT` ago or earlier."""
    claims = work.claims_until(now + trials.CLAIM_LEASE - IN_FLIGHT)
    return [
        claim
        for claim in claims
        if (claim.lease_expires_at or now) < now or has_died(claim.lease_owner)
    ]


def reconcile(waker: Waker, now: datetime) -> None:
    """Derive from rows all work there is, whatever became of earlier wake-ups."""
    for trial in work.unwanted_trials():
        reason = trial.reason if trial.desired != Desired.RUN else trial.sweep.reason
        trials.cancel_trial(trial, actor="studio", now=now, reason=reason)
    for attempt in abandoned_claims(now):
        waker.wake(tasks.recover_attempt, attempt.pk)
    live = work.live_sweeps(now)
    for sweep_id in live.due:
        waker.wake(tasks.advance_sweep, sweep_id)
    for sweep_id in live.quiet:
        waker.wake(tasks.advance_sweep, sweep_id, every_s=QUIET_S)
    for trial_id in work.startable_trials(now):
        waker.wake(tasks.run_trial, trial_id)
    for attempt_id in work.unclosed_attempts():
        waker.wake(tasks.close_run, attempt_id)
    for sweep_id in work.unclosed_sweeps():
        waker.wake(tasks.close_sweep, sweep_id)
    for version_id in waiting_versions():
        waker.wake(tasks.register_model, version_id)
    for model_id in prunable_models():
        waker.wake(tasks.prune_model, model_id)
    waker.forget_old()
