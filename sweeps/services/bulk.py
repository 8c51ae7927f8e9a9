"""What is done to many trials at once: cancel them, run them again."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from studio import audit
from sweeps.domain.states import FINAL_TRIAL, LIVE_TRIAL, Desired, TrialStatus
from sweeps.models import Sweep, Trial
from sweeps.services.noting import noted_trials
from sweeps.services.state import lock
from sweeps.services.trials import cancel_trial, rerun_trial

# Each takes a few milliseconds, during which nobody else may write.
MOST_AT_ONCE = 1_000
RERUNNABLE = FINAL_TRIAL - {TrialStatus.COMPLETED}


def cancel_trials(sweep: Sweep, numbers: Iterable[int], *, actor: str, now: datetime) -> int:
    """Kill those of these trials that run, take the queued ones from the queue; how many."""
    live = sweep.trials.filter(status__in=LIVE_TRIAL, desired=Desired.RUN)
    with transaction.atomic():
        lock(sweep.pk)
        with audit.quietly():
            count = sum(
                cancel_trial(trial, actor=actor, now=now) for trial in _first(live, numbers)
            )
        noted_trials("canceled", sweep, count)
        return count


def rerun_trials(sweep: Sweep, numbers: Iterable[int], *, actor: str, now: datetime) -> list[int]:
    """Queue those of these trials anew that ended without completing; their ids.

    Raises InvalidInput when the sweep is being ended.
    """
    ended = sweep.trials.filter(status__in=RERUNNABLE)
    with transaction.atomic():
        lock(sweep.pk)
        with audit.quietly():
            again = [
                trial.pk
                for trial in _first(ended, numbers)
                if rerun_trial(trial, actor=actor, now=now)
            ]
        noted_trials("ran again", sweep, len(again))
        return again


def _first(trials: QuerySet[Trial], numbers: Iterable[int]) -> list[Trial]:
    """Those of `trials` with these numbers, by number, MOST_AT_ONCE at most."""
    known = dict(trials.order_by().values_list("number", "pk"))
    wanted = [known[number] for number in sorted(set(numbers) & known.keys())]
    return list(trials.filter(pk__in=wanted[:MOST_AT_ONCE]).order_by("number"))
