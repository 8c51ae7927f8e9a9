"""What a sweep should do next: a pure function of one snapshot and the clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from sweeps.domain.durations import format_duration
from sweeps.domain.records import FormerEnd, SweepSnapshot
from sweeps.domain.states import LIVE_TRIAL, Desired, SweepStatus, TrialStatus

_NO_RESULT = "No trial completed with a value."


@dataclass(frozen=True, slots=True)
class AddTrials:
    """Draw `count` more points and queue them."""

    count: int


@dataclass(frozen=True, slots=True)
class StopTrials:
    """Cancel every trial that has no result yet, for `reason`, and start no more."""

    reason: str


@dataclass(frozen=True, slots=True)
class StopSweep:
    """Start no more trials, for `reason`; those that run finish."""

    reason: str


@dataclass(frozen=True, slots=True)
class PauseSweep:
    """Start no more trials until a person resumes the sweep, for `reason`."""

    reason: str


@dataclass(frozen=True, slots=True)
class FinishSweep:
    """Give the sweep its final status."""

    status: SweepStatus
    reason: str


Action: TypeAlias = AddTrials | StopTrials | StopSweep | PauseSweep | FinishSweep


def plan(sweep: SweepSnapshot, now: datetime) -> Action | None:
    """The next action, None when there is nothing to do but wait.

    A sweep ends only when no trial is live and every MLflow run of its trials is closed, so that
    whoever sees a final status finds final runs in MLflow.
    """
    if sweep.status.is_final:
        return None
    live = sum(sweep.counts.get(status, 0) for status in LIVE_TRIAL)
    ending = _ending(sweep, live, now)
    if ending is None:
        return _go_on(sweep, live)
    if ending.stops_trials and sweep.going:
        return StopTrials(ending.reason)
    if live or sweep.unclosed_runs:
        return None
    return _finish(sweep, ending)


@dataclass(frozen=True, slots=True)
class _Ending:
    """Why no further trial starts, and whether running ones are stopped for it."""

    reason: str
    stops_trials: bool = False


def _ending(sweep: SweepSnapshot, live: int, now: datetime) -> _Ending | None:
    late = _timeout(sweep, now)
    if sweep.desired in (Desired.CANCEL, Desired.STOP):
        reason = f"{sweep.reason} {late}" if sweep.going and late else sweep.reason
        return _Ending(reason, stops_trials=bool(late))
    no_more = sweep.exhausted or sweep.planned >= sweep.max_total_trials
    # A sweep that has done all its trials is not late, however long its last run takes to close.
    if no_more and not live:
        return _Ending(_said(sweep.former_end) if sweep.former_end else sweep.exhausted_reason)
    if sweep.desired is Desired.PAUSE:
        return None  # the clock of its timeout stands still
    return _Ending(late, stops_trials=True) if late else None


def _timeout(sweep: SweepSnapshot, now: datetime) -> str:
    """What a sweep that is out of time says; "" before that."""
    if sweep.started_at and now >= sweep.started_at + timedelta(seconds=sweep.timeout_s):
        return f"The sweep's timeout of {format_duration(sweep.timeout_s)} was reached."
    return ""


def _go_on(sweep: SweepSnapshot, live: int) -> Action | None:
    if sweep.desired is not Desired.RUN:
        return None
    left = 0 if sweep.exhausted else sweep.max_total_trials - sweep.planned
    queued = sweep.counts.get(TrialStatus.QUEUED, 0)
    # What people added afterwards (left: 0) they want run, whatever rule ended the sweep before.
    if sweep.stop_reason and left:
        return StopSweep(sweep.stop_reason)
    if _is_broken(sweep) and (left or queued):
        return PauseSweep(sweep.failure_reason)
    room = min(left, sweep.max_concurrent_trials - (live - sweep.waiting), sweep.room)
    return AddTrials(room) if room > 0 else None


def _is_broken(sweep: SweepSnapshot) -> bool:
    return 0 < sweep.failure_limit <= sweep.failed_in_a_row


def _finish(sweep: SweepSnapshot, ending: _Ending) -> FinishSweep:
    if sweep.desired is Desired.CANCEL:
        return FinishSweep(SweepStatus.CANCELED, ending.reason)
    former = sweep.former_end
    if former and former.status is SweepStatus.CANCELED:
        return FinishSweep(former.status, former.reason)  # one trial more makes it no other sweep
    if sweep.has_objective:
        return FinishSweep(SweepStatus.COMPLETED, ending.reason)
    why = f"{_NO_RESULT} Most often: {sweep.commonest_reason}"
    if not sweep.commonest_reason:
        why = _NO_RESULT
    return FinishSweep(SweepStatus.FAILED, f"{ending.reason} {why}".strip())


def _said(former: FormerEnd) -> str:
    """What had ended a sweep that did not have to; whether it has a result is another matter."""
    if former.status is not SweepStatus.FAILED:
        return former.reason
    reason, found, _ = former.reason.partition(_NO_RESULT)
    return reason.strip() if found else ""
