"""The engine's steps. Each looks at rows and reality, brings them together, says if it did."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sweeps import tasks
from sweeps.domain.states import Desired
from sweeps.domain.verdict import Ending, Outcome
from sweeps.engine.logs import last_words
from sweeps.engine.trouble import TROUBLE
from sweeps.models import Attempt
from sweeps.queries import work
from sweeps.runners.base import Ended, Event, Lost
from sweeps.runners.registry import get_runner
from sweeps.services import trials

log = logging.getLogger(__name__)

# A wake-up is repeated only after this long: the queue may be behind, or have lost it.
REPEAT_S = 3.0


class Waker:
    """Wakes the queue for a piece of work, not again within `REPEAT_S` seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._woken: dict[Hashable, float] = {}

    def wake(self, task: Callable[[Any], Any], key: Any, *, again: bool = False) -> None:
        """Enqueue `task(key)`; `again` says that there is news, so at once."""
        now, slot = self._clock(), (task, key)
        if not again and now - self._woken.get(slot, -REPEAT_S) < REPEAT_S:
            return
        self._woken[slot] = now
        task(key)

    def forget_old(self) -> None:
        """Drop what would not hold back a wake-up any more."""
        now = self._clock()
        self._woken = {k: at for k, at in self._woken.items() if now - at < REPEAT_S}


def poll(waker: Waker, now: datetime) -> bool:
    """Bring ended commands to their verdict; True if any command is open."""
    attempts = {attempt.handle: attempt for attempt in work.running_attempts()}
    by_kind: dict[str, list[str]] = defaultdict(list)
    for handle, attempt in attempts.items():
        by_kind[attempt.trial.sweep.compute.kind].append(handle)
    for kind, handles in by_kind.items():
        for event in get_runner(kind).poll(handles):
            with _alone(attempts[event.handle]):
                _settle(attempts[event.handle], event, waker, now)
    return bool(attempts)


@contextmanager
def _alone(attempt: Attempt) -> Iterator[None]:
    """One attempt's trouble (a full disk, a damaged file) must not keep others from their end."""
    try:
        yield
    except TROUBLE:
        raise
    except Exception:
        log.exception("attempt %s could not be dealt with; it is tried again", attempt.pk)


def _settle(attempt: Attempt, event: Event, waker: Waker, now: datetime) -> None:
    if isinstance(event, Ended):
        result = event.result
        outcome = Outcome(
            ending=Ending(result.ended_by.value),
            exit_code=result.exit_code,
            signal=result.signal,
            message=result.message,
            last_words=last_words(Path(attempt.spool)),
        )
        ended_at = datetime.fromtimestamp(result.ended_at, UTC)
        # A wrong clock on the machine must not make a trial end before it began.
        ended_at = max(ended_at, attempt.started_at or ended_at)
        trials.finish(attempt, outcome, peak_memory=result.peak_memory_bytes, now=ended_at)
    elif isinstance(event, Lost):
        outcome = Outcome(Ending.LOST, message=event.reason)
        trials.finish(attempt, outcome, peak_memory=None, now=now)
    else:
        return
    waker.wake(tasks.close_run, attempt.pk, again=True)
    waker.wake(tasks.advance_sweep, attempt.trial.sweep_id, again=True)


def grant_wishes(now: datetime) -> None:
    """Stop the commands that somebody wants stopped."""
    for attempt in work.running_attempts():
        if attempt.trial.desired != Desired.RUN and attempt.stop_sent_at is None:
            with _alone(attempt):
                runner = get_runner(attempt.trial.sweep.compute.kind)
                runner.stop(attempt.handle, reason=attempt.trial.reason)
                trials.mark_stop_sent(attempt, now)


def forward(waker: Waker) -> None:
    """Wake a forwarder for each run with logged values that MLflow lacks."""
    for run_id in work.runs_with_outbox():
        waker.wake(tasks.forward_run, run_id)


def reconcile(waker: Waker, now: datetime) -> None:
    """Derive from rows all work there is, whatever became of earlier wake-ups."""
    for trial in work.unwanted_trials():
        reason = trial.reason if trial.desired != Desired.RUN else trial.sweep.reason
        trials.cancel_trial(trial, actor="studio", now=now, reason=reason)
    for attempt in work.unstarted_attempts(now):
        waker.wake(tasks.recover_attempt, attempt.pk)
    for sweep_id in work.live_sweeps():
        waker.wake(tasks.advance_sweep, sweep_id)
    for trial_id in work.startable_trials(now):
        waker.wake(tasks.run_trial, trial_id)
    for attempt_id in work.unclosed_attempts():
        waker.wake(tasks.close_run, attempt_id)
    for sweep_id in work.unclosed_sweeps():
        waker.wake(tasks.close_sweep, sweep_id)
    waker.forget_old()
