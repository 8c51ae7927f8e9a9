"""How far a sweep is."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sweeps.domain.limits import MAX_SECONDS
from sweeps.domain.states import Desired, TrialStatus
from sweeps.models import Sweep
from sweeps.queries.boards import board_of

# The order of the segments of a progress bar.
SEGMENTS = (
    TrialStatus.COMPLETED,
    TrialStatus.EARLY_TERMINATED,
    TrialStatus.TIMED_OUT,
    TrialStatus.LOST,
    TrialStatus.FAILED,
    TrialStatus.CANCELED,
    TrialStatus.RUNNING,
    TrialStatus.STARTING,
    TrialStatus.QUEUED,
)


@dataclass(frozen=True, slots=True)
class Segment:
    """A status, its number of trials and its share of the bar in percent."""

    status: TrialStatus
    count: int
    percent: float


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts and times of a sweep. `left_s` and `mean_s` are None while nothing is known.

    `timed_s` is the time that its timeout counts: without pauses, and anew once it was revived;
    None before the start, while the clock stands still and after the end. `timeout_s` is None
    where it is the longest there is, which says nothing.
    """

    total: int
    done: int
    active: int
    segments: tuple[Segment, ...]
    elapsed_s: float | None
    timed_s: float | None
    timeout_s: float | None
    left_s: float | None
    mean_s: float | None

    def count(self, *statuses: TrialStatus) -> int:
        """How many trials stand in one of the statuses."""
        return sum(segment.count for segment in self.segments if segment.status in statuses)

    @property
    def rest(self) -> int:
        """Trials that are not there yet."""
        return max(0, self.total - sum(segment.count for segment in self.segments))


def progress(sweep: Sweep, now: datetime) -> Progress:
    """The progress of one sweep."""
    board = board_of(sweep)
    return progress_of(sweep, board.counts, board.mean_s, now)


def progress_of(
    sweep: Sweep, counts: Mapping[TrialStatus, int], mean_s: float | None, now: datetime
) -> Progress:
    """The progress that counts and a mean duration make."""
    done = sum(count for status, count in counts.items() if status.is_final)
    # A finite space may end before the limit; what a cancelled sweep left out was planned.
    total = sum(counts.values()) if sweep.exhausted else sweep.max_total_trials
    elapsed = (
        ((sweep.ended_at or now) - sweep.started_at).total_seconds() if sweep.started_at else None
    )
    timed = _timed_s(sweep, now)
    return Progress(
        total=total,
        done=done,
        active=sum(count for status, count in counts.items() if status.is_active),
        segments=tuple(
            Segment(status, counts[status], 100 * counts[status] / max(total, 1))
            for status in SEGMENTS
            if counts.get(status)
        ),
        elapsed_s=elapsed,
        timed_s=timed,
        timeout_s=sweep.timeout_s if sweep.timeout_s < MAX_SECONDS else None,
        left_s=_left_s(sweep, total - done, mean_s, timed),
        mean_s=mean_s,
    )


def _timed_s(sweep: Sweep, now: datetime) -> float | None:
    begun = sweep.timed_from or sweep.started_at
    if begun is None or sweep.ended_at or sweep.desired == Desired.PAUSE:
        return None
    return (now - begun).total_seconds()


def _left_s(sweep: Sweep, left: int, mean_s: float | None, timed_s: float | None) -> float | None:
    """Remaining trials at the mean duration, as many at a time as may run; never past the limit."""
    if mean_s is None or timed_s is None or sweep.desired != Desired.RUN:
        return None
    at_once = min(sweep.max_concurrent_trials, sweep.compute.slots)
    seconds = left * mean_s / max(at_once, 1)
    return min(seconds, max(0.0, sweep.timeout_s - timed_s))
