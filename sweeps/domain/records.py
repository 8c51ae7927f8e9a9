"""Frozen rows that travel between strata: samplers, planner and charts see these, never models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sweeps.domain.space import Draw, ParamValue
from sweeps.domain.states import Desired, SweepStatus, TrialStatus


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """A trial as samplers, policies and charts see it.

    `objective` is the best finite value of the primary metric so far, None when there is none;
    `draw` is what was sampled, by leaf label (empty for a point that a person picked).
    """

    number: int
    status: TrialStatus
    params: Mapping[str, ParamValue]
    draw: Draw = field(default_factory=dict)
    objective: float | None = None
    last: float | None = None
    reports: int = 0
    started_at: datetime | None = None
    ended_at: datetime | None = None
    reason: str = ""
    attempt: int = 0

    @property
    def duration_s(self) -> float | None:
        """Seconds from start to end; None until both are known."""
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class MetricPoint:
    """One logged value: `report` counts the values of this metric in this trial from 1."""

    name: str
    report: int
    step: int
    value: float
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class FormerEnd:
    """How a sweep had ended before it came back."""

    status: SweepStatus
    reason: str


@dataclass(frozen=True, slots=True)
class SweepSnapshot:
    """What the planner decides on: one sweep at one moment.

    `planned` counts trial rows (the next trial's number); `counts` is trials by status, `waiting`
    of the queued ones are waiting out a pause before their next try, and `going` live ones nobody
    has asked to stop; `room` is the sweep's fair
    share of what its compute can still take; `commonest_reason` is the most frequent reason among
    trials that did not succeed. `failed_in_a_row` counts the newest ended trials up to the last
    one that went well, `failure_limit` (0 = none) is how many of them pause the sweep, for
    `failure_reason`. `stop_reason` says which stop rule holds, "" for none. `exhausted` says that
    no further point is drawn: the search space has none, for `exhausted_reason`, or the sweep had
    ended (`former_end`) and came back for some of its trials alone.
    """

    status: SweepStatus
    desired: Desired
    reason: str
    max_total_trials: int
    max_concurrent_trials: int
    timeout_s: int
    started_at: datetime | None
    planned: int
    counts: Mapping[TrialStatus, int]
    room: int
    has_objective: bool
    exhausted: bool = False
    exhausted_reason: str = ""
    former_end: FormerEnd | None = None
    commonest_reason: str = ""
    unclosed_runs: int = 0
    waiting: int = 0
    going: int = 0
    failed_in_a_row: int = 0
    failure_limit: int = 0
    failure_reason: str = ""
    stop_reason: str = ""
