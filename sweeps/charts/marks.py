"""What trials look like: colour tokens, symbols and words by status and by number."""

from collections.abc import Mapping
from typing import NamedTuple

from sweeps.domain.states import TrialStatus

_S = TrialStatus


class Mark(NamedTuple):
    """A dot: colour token, Plotly symbol, size in pixels, and the words of the legend."""

    color: str
    symbol: str
    size: float
    word: str


MARKS: Mapping[TrialStatus, Mark] = {
    _S.COMPLETED: Mark("@green-mark", "circle", 7, "completed"),
    _S.EARLY_TERMINATED: Mark("@violet-mark", "diamond-open", 9, "early-terminated"),
    _S.RUNNING: Mark("@blue-mark", "circle-open", 8, "running, best so far of its own"),
    _S.STARTING: Mark("@blue-mark", "circle-open", 8, "starting"),
    _S.TIMED_OUT: Mark("@amber-mark", "triangle-up-open", 9, "timed out"),
    _S.LOST: Mark("@amber-mark", "triangle-down-open", 9, "lost"),
    _S.FAILED: Mark("@red-mark", "x-thin-open", 7, "failed"),
    _S.CANCELED: Mark("@neutral-mark", "x-thin-open", 7, "canceled"),
    _S.QUEUED: Mark("@neutral-mark", "circle-open", 6, "queued"),
}
STATUS_WORDS: Mapping[TrialStatus, str] = {
    **{status: status.value for status in TrialStatus},
    _S.EARLY_TERMINATED: "Early-terminated",
    _S.TIMED_OUT: "Timed out",
}
_DASHES = ("solid", "dash", "dot", "dashdot")


def trial_color(number: int) -> str:
    """The token of a trial's own colour."""
    return f"@trial-{number % 10}"


def trial_dash(number: int) -> str:
    """A trial's own dash: changes every ten trials, so that the colours come round again."""
    return _DASHES[number // 10 % 4]


def ramp_color(share: float) -> str:
    """The token of the objective ramp from 0 (worst) to 1 (best)."""
    return f"@ramp-{min(max(share, 0.0), 1.0):.2f}"
