"""Statuses of sweeps and trials, and which may follow which.

Values are stored and shown; they may be added to, never renamed.
"""

from collections.abc import Mapping
from enum import StrEnum


class SweepStatus(StrEnum):
    """Where a sweep job stands."""

    QUEUED = "Queued"
    RUNNING = "Running"
    PAUSED = "Paused"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"

    @property
    def is_final(self) -> bool:
        """True when no trial will ever start again by itself."""
        return self in FINAL_SWEEP


class TrialStatus(StrEnum):
    """Where a trial stands."""

    QUEUED = "Queued"
    STARTING = "Starting"
    RUNNING = "Running"
    COMPLETED = "Completed"
    FAILED = "Failed"
    CANCELED = "Canceled"
    EARLY_TERMINATED = "EarlyTerminated"
    TIMED_OUT = "TimedOut"
    LOST = "Lost"

    @property
    def is_final(self) -> bool:
        """True when the trial has its one accepted result."""
        return self in FINAL_TRIAL

    @property
    def is_active(self) -> bool:
        """True while an attempt of the trial takes a slot."""
        return self in ACTIVE_TRIAL


class Desired(StrEnum):
    """What people or policies want of something that runs; the engine makes it so."""

    RUN = "run"
    PAUSE = "pause"
    STOP = "stop"
    CANCEL = "cancel"
    TERMINATE_EARLY = "terminate_early"


class PausedBy(StrEnum):
    """Who paused a sweep."""

    PERSON = "person"
    BREAKER = "breaker"
    DISK = "disk"


_S, _T = SweepStatus, TrialStatus

FINAL_SWEEP = frozenset({_S.COMPLETED, _S.FAILED, _S.CANCELED})
LIVE_SWEEP = frozenset(_S) - FINAL_SWEEP
FINAL_TRIAL = frozenset(
    {_T.COMPLETED, _T.FAILED, _T.CANCELED, _T.EARLY_TERMINATED, _T.TIMED_OUT, _T.LOST}
)
ACTIVE_TRIAL = frozenset({_T.STARTING, _T.RUNNING})
LIVE_TRIAL = frozenset(_T) - FINAL_TRIAL
# Only these can win: a trial that crashed after a lucky report is not a result to take away.
WINNING_TRIAL = frozenset({_T.COMPLETED, _T.EARLY_TERMINATED})
# What these came to is no result, whatever they logged before.
FALLEN_TRIAL = FINAL_TRIAL - WINNING_TRIAL

SWEEP_TRANSITIONS: Mapping[SweepStatus, frozenset[SweepStatus]] = {
    _S.QUEUED: frozenset({_S.RUNNING, _S.PAUSED, _S.STOPPING, *FINAL_SWEEP}),
    _S.RUNNING: frozenset({_S.PAUSED, _S.STOPPING, *FINAL_SWEEP}),
    # Back to Queued: it was paused before its first trial.
    _S.PAUSED: frozenset({_S.QUEUED, _S.RUNNING, _S.STOPPING, *FINAL_SWEEP}),
    _S.STOPPING: FINAL_SWEEP,
    # A finished sweep comes back to life when it is extended or one of its trials is re-run.
    _S.COMPLETED: frozenset({_S.RUNNING}),
    _S.FAILED: frozenset({_S.RUNNING}),
    _S.CANCELED: frozenset({_S.RUNNING}),
}

TRIAL_TRANSITIONS: Mapping[TrialStatus, frozenset[TrialStatus]] = {
    _T.QUEUED: frozenset({_T.STARTING, _T.CANCELED, _T.FAILED}),
    _T.STARTING: frozenset({_T.RUNNING, _T.QUEUED, *FINAL_TRIAL}),
    # Back to Queued: the attempt was lost (or put back by Ctrl-C) and will be tried again.
    _T.RUNNING: frozenset({_T.QUEUED, *FINAL_TRIAL}),
    _T.COMPLETED: frozenset(),
    # Re-run: a new attempt of an ended trial that did not complete.
    _T.FAILED: frozenset({_T.QUEUED}),
    _T.CANCELED: frozenset({_T.QUEUED}),
    _T.EARLY_TERMINATED: frozenset({_T.QUEUED}),
    _T.TIMED_OUT: frozenset({_T.QUEUED}),
    _T.LOST: frozenset({_T.QUEUED}),
}


def sweep_sources(to: SweepStatus) -> frozenset[SweepStatus]:
    """The statuses from which a sweep may go to `to`."""
    return frozenset(s for s, targets in SWEEP_TRANSITIONS.items() if to in targets)


def trial_sources(to: TrialStatus) -> frozenset[TrialStatus]:
    """The statuses from which a trial may go to `to`."""
    return frozenset(s for s, targets in TRIAL_TRANSITIONS.items() if to in targets)
