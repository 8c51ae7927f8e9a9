"""Why is nothing running? One line for every sweep and trial that waits, from what is true now."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

from django.db.models import QuerySet

from sweeps.domain.durations import format_duration
from sweeps.domain.states import LIVE_SWEEP, Desired, SweepStatus, TrialStatus
from sweeps.models import Condition, EngineLease, Sweep, Trial
from sweeps.queries.environments import build_lines
from sweeps.queries.fetches import fetch_lines
from sweeps.queries.prepared import Prepared
from sweeps.queries.reach import Pulse
from sweeps.queries.slots import Demand, shares

# Longer than a healthy studio takes to open a sweep's MLflow run.
_OPENING = timedelta(seconds=5)
# The condition that holds while MLflow does not answer; its text says since when.
TRACKING = "tracking"
MOMENT = "Starts in a moment."
STARTING = "Its folder and MLflow run are being made; its command starts in a moment."
CLOSING = "All its trials have ended; their runs in MLflow are being closed."
_PARTS = {
    "engine": "running trials go on, but nothing is taken up or started until it is back.",
    "queue": "nothing starts until it is back.",
}


def why_sweep(sweep: Sweep, now: datetime) -> str:
    """Why the next trial of the sweep has not started, "" when none waits."""
    return Waits([sweep], now).why(sweep)


def standstill(sweep: Sweep, now: datetime) -> str:
    """Why nothing of a live sweep runs, or what ends it; "" while it runs as it should."""
    return "" if is_well(sweep) else why_sweep(sweep, now)


def is_well(sweep: Sweep | Pulse) -> bool:
    """True if nothing is to be said of it: it has ended, or runs as it should."""
    if SweepStatus(sweep.status).is_final:
        return True
    return sweep.desired == Desired.RUN and bool(_active(sweep.pk))


@Prepared
def _active(sweep_id: int) -> QuerySet[Trial, int]:
    rows = Trial.objects.filter(sweep=sweep_id).active().order_by()
    return rows.values_list("pk", flat=True)[:1]


def why_trial(trial: Trial, now: datetime) -> str:
    """Why a queued or starting trial does not run yet, "" for any other."""
    return why_trials(trial.sweep, [trial], now)[trial.pk]


def why_trials(sweep: Sweep, trials: Sequence[Trial], now: datetime) -> dict[int, str]:
    """The same of several trials of one sweep, by primary key; the sweep's reason is read once."""
    of_sweep = cache(lambda: why_sweep(sweep, now))
    return {trial.pk: _why(trial, sweep, now, of_sweep) for trial in trials}


def _why(trial: Trial, sweep: Sweep, now: datetime, of_sweep: Callable[[], str]) -> str:
    if trial.status == TrialStatus.STARTING:
        return down(now) or trial.reason or STARTING
    if trial.status != TrialStatus.QUEUED:
        return ""
    if sweep.desired == Desired.RUN and trial.not_before and trial.not_before > now:
        return _again(trial, now)
    return of_sweep()


def _again(trial: Trial, now: datetime) -> str:
    assert trial.not_before is not None
    wait = format_duration(max(1, round((trial.not_before - now).total_seconds())))
    return f"Tried again in {wait}. {trial.reason}".strip()


@dataclass(frozen=True, slots=True)
class _Holder:
    """A sweep on a compute: trials that hold a slot, queued ones, and free slots that it gets."""

    label: str
    active: int = 0
    queued: int = 0
    share: int = 0


class Waits:
    """Why sweeps wait; reads once who holds the slots of their computes."""

    def __init__(self, sweeps: Sequence[Sweep], now: datetime) -> None:
        self._now = now
        live = [sweep for sweep in sweeps if sweep.status in LIVE_SWEEP]
        slots = {sweep.compute_id: sweep.compute.slots for sweep in live}
        self._holders = _holders(slots, now)
        self._down = down(now) if live else ""
        unopened = [sweep for sweep in live if not sweep.run_id]
        self._before = _joined(fetch_lines([s.pk for s in unopened]), build_lines(unopened))
        self._resting = _resting([sweep.pk for sweep in live], now)

    def reason(self, sweep: Sweep, counts: Mapping[TrialStatus, int]) -> str:
        """A sentence, or "" for a sweep that runs or completed as it should."""
        if sweep.reason:
            return sweep.reason
        if sweep.status in LIVE_SWEEP and not any(n for s, n in counts.items() if s.is_active):
            return self.why(sweep)
        return ""

    def why(self, sweep: Sweep) -> str:
        """Why the next trial of a live sweep has not started yet."""
        if SweepStatus(sweep.status).is_final:
            return ""
        own = self._holders.get(sweep.compute_id, {}).get(sweep.pk, _Holder(""))
        if sweep.desired != Desired.RUN:
            return _wished(sweep, own.active)
        if self._down:
            return self._down
        if line := self._before.get(sweep.pk):
            return line
        if not sweep.run_id and not sweep.planned and self._now - sweep.created_at > _OPENING:
            return "Waiting for the tracking server, which has not opened its MLflow run yet."
        resting = self._resting.get(sweep.pk)
        if not own.queued and not _to_plan(sweep):
            if resting:
                return f"Trial {resting.number}: {_again(resting, self._now)}"
            if sweep.planned:
                return "" if own.active else CLOSING
        return self._slots(sweep, own)

    def _slots(self, sweep: Sweep, own: _Holder) -> str:
        compute = sweep.compute
        if own.active >= sweep.max_concurrent_trials:
            return f"Its limit of {sweep.max_concurrent_trials} at the same time is reached."
        if own.share:
            return MOMENT
        holders = dict(self._holders.get(sweep.compute_id, {}))
        holders.pop(sweep.pk, None)
        others = sorted(
            f"{holder.label} ({holder.active + holder.share})"
            for holder in holders.values()
            if holder.active + holder.share
        )
        if not others:
            return f"This sweep uses all {compute.slots} slots of {compute.name} itself."
        names = ", ".join(others[:3]) + (" and others" if len(others) > 3 else "")
        both = f"this sweep ({own.active}) and {names}" if own.active else names
        return f"Waiting for a slot on {compute.name}: its {compute.slots} are taken by {both}."


def _joined(*lines: Mapping[int, str]) -> dict[int, str]:
    """What has to come before a sweep begins, by sweep."""
    keys = {key for each in lines for key in each}
    return {key: " ".join(each[key] for each in lines if key in each) for key in keys}


def _wished(sweep: Sweep, active: int) -> str:
    if sweep.desired == Desired.PAUSE:
        return sweep.reason or "Paused: trials that run finish, none start until it is resumed."
    end = "are being ended" if sweep.desired == Desired.CANCEL else "finish"
    return f"{sweep.reason} Running trials {end}." if active else sweep.reason


def _to_plan(sweep: Sweep) -> bool:
    return not sweep.exhausted and sweep.planned < sweep.max_total_trials


def _holders(computes: Mapping[int, int], now: datetime) -> dict[int, dict[int, _Holder]]:
    """By compute and sweep; `computes` maps ids to slots."""
    found: dict[int, dict[int, _Holder]] = {}
    for compute, slots in computes.items():
        shared = shares(compute, slots, now)
        labels = Sweep.objects.filter(pk__in={*shared.demands, *shared.given})
        for pk, label, name in labels.values_list("pk", "display_name", "name"):
            demand, share = shared.demands.get(pk, Demand()), shared.of(pk)
            holder = _Holder(label or name, demand.active, demand.queued, share)
            found.setdefault(compute, {})[pk] = holder
    return found


def _resting(sweeps: Sequence[int], now: datetime) -> dict[int, Trial]:
    """By sweep: the queued trial whose next try comes first of those that must still wait."""
    trials = Trial.objects.filter(
        sweep__in=sweeps, status=TrialStatus.QUEUED, not_before__gt=now, desired=Desired.RUN
    )
    return {trial.sweep_id: trial for trial in trials.order_by("-not_before")}


def down(now: datetime) -> str:
    """Which part, tracking among them, is down that trials cannot start without; "" for none."""
    return part_down(now) or _tracking_down()


def _tracking_down() -> str:
    texts = Condition.objects.filter(name=TRACKING).values_list("text", flat=True)
    return next(iter(texts), "")


@Prepared
def _leases() -> QuerySet[EngineLease]:
    return EngineLease.objects.filter(name__in=_PARTS).order_by()


def part_down(now: datetime) -> str:
    """Which of engine and queue is down, and since when; "" for none."""
    leases = {row.name: row for row in _leases()}
    for name, consequence in _PARTS.items():
        lease = leases.get(name)
        if lease is None:
            return f"The {name} process is not running; {consequence}"
        if lease.expires_at < now:
            return f"The {name} process is down since {lease.beat_at:%H:%M} UTC; {consequence}"
    return ""
