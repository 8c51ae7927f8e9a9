"""What a sweep should do next: a pure function of one snapshot and the clock."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from sweeps.domain.durations import format_duration
from sweeps.domain.records import SweepSnapshot
from sweeps.domain.states import LIVE_TRIAL, Desired, SweepStatus


@dataclass(frozen=True, slots=True)
class AddTrials:
    """Draw `count` more points and queue them."""

    count: int


@dataclass(frozen=True, slots=True)
class StopTrials:
    """Cancel every trial that has no result yet, for `reason`, and start no more."""

    reason: str


@dataclass(frozen=True, slots=True)
class FinishSweep:
    """Give the sweep its final status."""

    status: SweepStatus
    reason: str


Action: TypeAlias = AddTrials | StopTrials | FinishSweep


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
        return _add(sweep, live)
    if live and ending.stops_trials and sweep.desired is Desired.RUN:
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
    if sweep.desired in (Desired.CANCEL, Desired.STOP):
        return _Ending(sweep.reason)
    no_more = sweep.exhausted or sweep.planned >= sweep.max_total_trials
    # A sweep that has done all its trials is not late, however long its last run takes to close.
    if no_more and not live:
        return _Ending(sweep.reason if sweep.exhausted else "")
    if sweep.started_at and now >= sweep.started_at + timedelta(seconds=sweep.timeout_s):
        limit = format_duration(sweep.timeout_s)
        return _Ending(f"The sweep's timeout of {limit} was reached.", stops_trials=True)
    return _Ending(sweep.reason) if no_more else None


def _add(sweep: SweepSnapshot, live: int) -> AddTrials | None:
    if sweep.desired is not Desired.RUN:
        return None
    room = min(
        sweep.max_total_trials - sweep.planned,
        sweep.max_concurrent_trials - live,
        sweep.free_slots,
    )
    return AddTrials(room) if room > 0 else None


def _finish(sweep: SweepSnapshot, ending: _Ending) -> FinishSweep:
    if sweep.desired is Desired.CANCEL:
        return FinishSweep(SweepStatus.CANCELED, ending.reason)
    if sweep.has_objective:
        return FinishSweep(SweepStatus.COMPLETED, ending.reason)
    why = f"No trial completed with a value. Most often: {sweep.commonest_reason}"
    if not sweep.commonest_reason:
        why = "No trial completed with a value."
    return FinishSweep(SweepStatus.FAILED, f"{ending.reason} {why}".strip())
